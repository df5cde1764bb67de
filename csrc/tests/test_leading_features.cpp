// Which features the screen leaves out, and when it does not.
#include <random>

#include "neighbors/leading_features.hpp"
#include "tests/check.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

constexpr std::int64_t kCols = 90;

void check_choice() {
  std::vector<double> squares(kCols, 1.0);
  CHECK(leading_features(squares).others.empty(), "equal features: all of them are needed");
  for (std::int64_t f = 0; f < kCols; f += 3) squares[f] = 1000;
  const LeadingFeatures found = leading_features(squares);
  CHECK(!found.leading.empty() && found.leading.size() <= 30, "of 30 large features some hold enough");
  CHECK_EQUAL(found.leading.size() + found.others.size(), std::size_t(kCols), "all features");
  for (const std::int64_t f : found.leading) CHECK_EQUAL(f % 3, 0, "a large one");
  for (std::size_t i = 1; i < found.others.size(); ++i) CHECK(found.others[i - 1] < found.others[i], "ascending");
  CHECK(leading_features({1000, 1, 1, 1}).others.empty(), "few features");
  CHECK(leading_features(std::vector<double>(kCols, 0.0)).others.empty(), "features without spread");
}

// Rows of which one feature in three is `large`, the others `small`.
bool told_apart(double large, double small, std::int64_t rows, int clusters) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<float> values(rows * kCols);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t f = 0; f < kCols; ++f) {
      const double place = clusters > 0 ? double((i + f) % clusters) : normal(random);
      values[i * kCols + f] = float(f % 3 == 0 ? large * place : small * normal(random));
    }
  }
  LeadingFeatures features;
  for (std::int64_t f = 0; f < kCols; ++f) (f % 3 == 0 ? features.leading : features.others).push_back(f);
  return tell_rows_apart(values, features);
}

}  // namespace

int main() {
  check_choice();
  CHECK(told_apart(1, 0.05, 1000, 0), "nearly all of the distances");
  CHECK(!told_apart(1, 1, 1000, 0), "a third of the distances");
  CHECK(!told_apart(1, 0.05, 1000, 3), "rows of a cluster differ in the others only");
  CHECK(!told_apart(1, 0.05, 100, 0), "too few rows to tell");
  return check::result();
}
