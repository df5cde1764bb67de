// Numbers of integer labels, against a sorted set.
#include <limits>
#include <random>
#include <set>

#include "stats/labels.hpp"
#include "tests/check.hpp"

using namespace fastml;

namespace {

void check_numbers(const std::vector<std::int64_t>& labels, bool numbered, const char* where) {
  std::vector<std::int64_t> codes(labels.size(), -1);
  const std::vector<std::int64_t> classes = number_labels(labels.data(), std::int64_t(labels.size()), codes.data());
  const std::set<std::int64_t> expected(labels.begin(), labels.end());
  CHECK_EQUAL(!classes.empty(), numbered, where);
  if (!numbered) return;
  CHECK((std::vector<std::int64_t>(expected.begin(), expected.end()) == classes), where);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    CHECK(codes[i] >= 0 && codes[i] < std::int64_t(classes.size()), where);
    CHECK_EQUAL(classes[codes[i]], labels[i], where);
  }
}

}  // namespace

int main() {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(), least = -most - 1;
  check_numbers({7}, true, "one");
  check_numbers({3, -2, 3, 0}, true, "some");
  check_numbers({least, least + 1}, true, "small");
  check_numbers({most, most - 7, most}, true, "large");
  check_numbers({0, 8}, false, "as wide as the limit");
  check_numbers({0, 7}, true, "just within it");
  check_numbers({least, most}, false, "the widest range");
  std::mt19937 random(1);
  std::vector<std::int64_t> labels(1000);
  for (std::int64_t& label : labels) label = std::int64_t(random() % 3000) - 1500;
  check_numbers(labels, true, "many");
  return check::result();
}
