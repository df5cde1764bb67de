// Finiteness, column sums and spreads at every level, against plain loops. Matrices lie against an unmapped page.
#include <cmath>
#include <limits>
#include <vector>

#include "stats/columns.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

template <class T>
void finiteness(SimdLevel level) {
  using limits = std::numeric_limits<T>;
  const auto& kernels = column_kernels<T>(level);
  Guarded<T> memory(1 << 12);
  for (std::int64_t count = 0; count <= 150; ++count) {
    // Sums of such numbers overflow: each is finite all the same.
    T* values = memory.at_end(std::vector<T>(count, limits::max()));
    CHECK(kernels.all_finite(values, count), name(level) << " count " << count);
    for (std::int64_t i = 0; i < count; ++i) {
      for (const T odd : {limits::quiet_NaN(), limits::infinity(), -limits::infinity()}) {
        values[i] = odd;
        CHECK(!kernels.all_finite(values, count), name(level) << " " << odd << " at " << i << " of " << count);
      }
      values[i] = i % 2 ? limits::lowest() : limits::denorm_min();
    }
    CHECK(kernels.all_finite(values, count), name(level) << " count " << count);
  }
}

// Sizes on both sides of what is summed in registers and what is not.
constexpr std::int64_t kCols[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130};

// Numbers whose sums are rounded: each order of summation has a result of its own.
template <class T>
void sums(SimdLevel level) {
  Guarded<T> memory(1 << 14), sum_memory(1 << 12);
  for (const std::int64_t cols : kCols) {
    for (const std::int64_t rows : {0, 1, 2, 3, 8, 50}) {
      for (const std::int64_t stride : {cols, cols + 3}) {
        const std::int64_t size = rows == 0 ? 0 : (rows - 1) * stride + cols;
        const auto values = normals<T>(size, unsigned(cols));
        T* x = memory.at_end(values);
        T* actual = sum_memory.at_end(std::vector<T>(cols, T(-1)));
        column_kernels<T>(level).sums({x, rows, cols, stride}, actual);
        for (std::int64_t f = 0; f < cols; ++f) {
          T expected = 0;
          for (std::int64_t i = 0; i < rows; ++i) expected += values[i * stride + f];
          CHECK_EQUAL(actual[f], expected,
                      name(level) << " " << rows << " x " << cols << " stride " << stride << " column " << f);
        }
      }
    }
  }
}

template <class T>
void spreads(SimdLevel level) {
  Guarded<T> memory(1 << 14), center_memory(1 << 12), largest_memory(1 << 12);
  Guarded<double> square_memory(1 << 12);
  for (const std::int64_t cols : kCols) {
    for (const std::int64_t rows : {1, 2, 3, 8, 50}) {
      for (const std::int64_t stride : {cols, cols + 3}) {
        const auto values = integers<T>((rows - 1) * stride + cols, -9, 9, unsigned(cols));
        const auto center = integers<T>(cols, -9, 9, 1);
        // Both results add to what is there: a matrix may come in parts.
        double* squares = square_memory.at_end(std::vector<double>(cols, 3.0));
        T* largest = largest_memory.at_end(std::vector<T>(cols, T(2)));
        const std::int64_t begin = rows / 3, end = rows;
        column_kernels<T>(level).spread({memory.at_end(values), rows, cols, stride}, center_memory.at_end(center),
                                        begin, end, squares, largest);
        for (std::int64_t f = 0; f < cols; ++f) {
          double expected = 3, most = 2;
          for (std::int64_t i = begin; i < end; ++i) {
            const double difference = double(values[i * stride + f]) - double(center[f]);
            expected += difference * difference;
            most = std::max(most, std::abs(difference));
          }
          const auto where = std::string(name(level)) + " " + std::to_string(rows) + " x " + std::to_string(cols) +
                             " stride " + std::to_string(stride) + " column " + std::to_string(f);
          CHECK_EQUAL(squares[f], expected, where);
          CHECK_EQUAL(double(largest[f]), most, where);
        }
      }
    }
  }
}

// The drivers give what the kernels give, whatever the number of threads.
template <class T>
void drivers() {
  const std::int64_t rows = 90'001, cols = 11;
  auto values = integers<T>(rows * cols, -9, 9, 5);
  for (const int threads : {1, 2, 5}) {
    CHECK(all_finite(values.data(), rows * cols, threads), threads);
    CHECK(all_finite(values.data(), 0, threads), threads);
    for (const std::int64_t i : {std::int64_t(0), rows * cols / 2, rows * cols - 1}) {
      const T was = values[i];
      values[i] = std::numeric_limits<T>::quiet_NaN();
      CHECK(!all_finite(values.data(), rows * cols, threads), threads << " threads, NaN at " << i);
      values[i] = was;
    }
    const std::vector<T> center(cols, T(1));
    const ColumnSpread spread = column_spread<T>({values.data(), rows, cols, cols}, center.data(), threads);
    double ratio = 0;
    for (std::int64_t f = 0; f < cols; ++f) {
      double square = 0, most = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        const double difference = double(values[i * cols + f]) - 1;
        square += difference * difference;
        most = std::max(most, std::abs(difference));
      }
      CHECK_EQUAL(spread.variances[f], square / double(rows), threads << " threads, column " << f);
      ratio = std::max(ratio, most / std::sqrt(square / double(rows)));
    }
    CHECK_EQUAL(spread.largest_ratio, ratio, threads << " threads");
  }
  // A column without variance has no ratio.
  const std::vector<T> constant(6, T(4));
  const ColumnSpread none = column_spread<T>({constant.data(), 3, 2, 2}, constant.data(), 2);
  CHECK_EQUAL(none.variances[1], 0.0, "constant data");
  CHECK_EQUAL(none.largest_ratio, 0.0, "constant data");
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    finiteness<float>(level);
    finiteness<double>(level);
    sums<float>(level);
    sums<double>(level);
    spreads<float>(level);
    spreads<double>(level);
  }
  drivers<float>();
  drivers<double>();
  return check::result();
}
