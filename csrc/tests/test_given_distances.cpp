// The nearest of given distances against a sort of all of them.
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "neighbors/given_distances.hpp"
#include "tests/check.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

template <class T>
void compare(std::int64_t rows, std::int64_t cols, std::int64_t k, int most, int threads) {
  std::mt19937 random{unsigned(rows * 7 + cols)};
  const std::int64_t stride = cols + 3;
  std::vector<T> given(rows * stride);
  for (T& value : given) value = T(std::uniform_int_distribution<int>(0, most)(random));
  std::vector<T> distances(rows * k, T(-1));
  std::vector<std::int64_t> indices(rows * k, -1);
  CHECK(nearest_given<T>({given.data(), rows, cols, stride}, k, threads, nullptr, distances.data(), indices.data()),
        "stopped");
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* row = given.data() + i * stride;
    std::vector<std::int64_t> order(cols);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return row[a] < row[b]; });
    for (std::int64_t n = 0; n < k; ++n) {
      wrong += indices[i * k + n] != order[n] || distances[i * k + n] != row[order[n]];
    }
  }
  CHECK_EQUAL(wrong, std::int64_t(0), "rows=" << rows << " cols=" << cols << " k=" << k << " threads=" << threads);
}

bool at_once() { return true; }

}  // namespace

int main() {
  for (const int threads : {1, 2, 3}) {
    for (const int most : {0, 3, 1'000'000}) {
      for (const std::int64_t k : {1, 2, 7, 40}) {
        compare<float>(50, 40, k, most, threads);
        compare<double>(3, 5000, k, most, threads);
        compare<float>(300, 3000, k, most, threads);
      }
      compare<double>(1, 1, 1, most, threads);
      compare<double>(0, 4, 1, most, threads);
    }
  }
  const std::vector<double> given(1000);
  std::vector<double> distances(1000);
  std::vector<std::int64_t> indices(1000);
  CHECK(!nearest_given<double>({given.data(), 1000, 1, 1}, 1, 1, at_once, distances.data(), indices.data()), "stops");
  return check::result();
}
