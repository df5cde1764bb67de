// Transposition of stacked matrices against its definition. Arrays lie against an unmapped page.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "nn/swap_axes.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"

using namespace fastml;

namespace {

template <class T>
void compare(std::int64_t count, std::int64_t rows, std::int64_t cols) {
  const std::int64_t size = count * rows * cols;
  std::vector<T> values(size);
  for (std::int64_t i = 0; i < size; ++i) values[i] = T(i % 251);
  Guarded<T> memory(1 << 16), results(1 << 16);
  const T* from = memory.at_end(values);
  for (const int threads : {1, 3}) {
    T* to = results.at_end(size);
    std::fill(to, to + size, T(255));
    nn::swap_axes(count, rows, cols, from, to, threads);
    std::int64_t wrong = 0;
    for (std::int64_t n = 0; n < count; ++n) {
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < cols; ++j) {
          wrong += to[(n * cols + j) * rows + i] != values[(n * rows + i) * cols + j];
        }
      }
    }
    CHECK_EQUAL(wrong, 0, count << " x " << rows << " x " << cols << ", " << threads << " threads");
  }
}

template <class T>
void shapes() {
  compare<T>(1, 1, 1);
  compare<T>(3, 32, 32);
  compare<T>(2, 3, 100);
  compare<T>(2, 100, 3);
  compare<T>(2, 64, 96);
  compare<T>(1, 71, 65);
  compare<T>(0, 4, 4);
  compare<T>(4, 0, 4);
}

}  // namespace

int main() {
  shapes<float>();
  shapes<double>();
  shapes<std::uint8_t>();
  return check::result();
}
