// Gathered rows at every level against plain loops, for equality: a conversion and two operations round once each.
#include <cstring>
#include <string>
#include <vector>

#include "nn/batches.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kMostCols = 70;

template <class From, class To>
void gathers(SimdLevel level) {
  Guarded<From> x_memory(kRows * (kMostCols + 3));
  Guarded<To> batch_memory(10 * kMostCols);
  const std::vector<std::int64_t> rows{6, 0, 3, 3, 5, 1, 6, 2, 4, 0};
  for (std::int64_t cols = 0; cols <= kMostCols; ++cols) {
    for (const std::int64_t stride : {cols, cols + 3}) {
      // The last row ends where the memory ends.
      const auto values = integers<From>(cols == 0 ? 0 : (kRows - 1) * stride + cols, 0, 99, unsigned(cols));
      const Rows<const From> x{x_memory.at_end(values), kRows, cols, stride};
      const auto shift = integers<To>(cols, -9, 9, 1), factor = integers<To>(cols, 1, 8, 2);
      for (const bool scaled : {false, true}) {
        for (const int threads : {1, 3, 12}) {  // the last are more than there are rows
          // Teams of many threads take long to start.
          if (threads > 3 && cols % 16 != 1) continue;
          const auto where = std::string(name(level)) + " " + std::to_string(sizeof(From)) + " to " +
                             std::to_string(sizeof(To)) + " cols " + std::to_string(cols) + " stride " +
                             std::to_string(stride) + (scaled ? " scaled" : "") + " threads " + std::to_string(threads);
          To* batch = batch_memory.at_end(std::int64_t(rows.size()) * cols);
          nn::gather_rows<From, To>(x, rows.data(), std::int64_t(rows.size()), scaled ? shift.data() : nullptr,
                                    scaled ? factor.data() : nullptr, batch, threads);
          std::int64_t wrong = 0;
          for (std::size_t i = 0; i < rows.size(); ++i) {
            for (std::int64_t j = 0; j < cols; ++j) {
              const To value = To(values[rows[i] * stride + j]);
              wrong += batch[std::int64_t(i) * cols + j] != (scaled ? (value - shift[j]) * factor[j] : value);
            }
          }
          CHECK_EQUAL(wrong, 0, where);
        }
      }
    }
  }
}

void bytes() {
  const std::int64_t rows[] = {4, 4, 0, 2};
  for (const std::int64_t size : {1, 2, 4, 8, 12, 0}) {
    const std::int64_t stride = size + 5;
    std::vector<char> x(std::size_t(5 * stride));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = char(i * 7);
    std::vector<char> batch(std::size_t(4 * size)), expected;
    for (const std::int64_t row : rows) {
      expected.insert(expected.end(), x.begin() + row * stride, x.begin() + row * stride + size);
    }
    nn::gather_bytes(x.data(), size, stride, rows, 4, batch.data());
    CHECK(batch == expected, "bytes " << size);
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    gathers<float, float>(level);
    gathers<double, double>(level);
    gathers<double, float>(level);
    gathers<float, double>(level);
    gathers<std::uint8_t, float>(level);
    gathers<std::uint8_t, double>(level);
  });
  bytes();
  return check::result();
}
