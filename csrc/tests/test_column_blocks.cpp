// Blocks of columns at every level, against plain loops. X lies against an unmapped page.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "linear/block_kernels.hpp"
#include "linear/column_blocks.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/matrices.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Small integers: all sums are exact, in any order.
template <class T>
void kernels_at(SimdLevel level) {
  const BlockKernels<T>& kernels = block_kernels<T>(level);
  Guarded<T> memory(1 << 16);
  for (const std::int64_t columns : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64}) {
    for (const std::int64_t rows :
         {std::int64_t(1), std::int64_t(3), std::int64_t(4), std::int64_t(30), kBlockRows + 5}) {
      for (const bool row_major : {true, false}) {
        const T* x = memory.at_end(integers<T>(rows * columns, -9, 9, unsigned(columns)));
        const std::int64_t row_stride = row_major ? columns : 1, col_stride = row_major ? 1 : rows;
        const auto shift = integers<double>(columns, -3, 3, 1), steps = integers<double>(columns, -1, 1, 2);
        const auto start = integers<double>(rows, -9, 9, 3);
        const ColumnBlock<T> block{x, row_stride, col_stride, columns, shift.data()};
        const ColumnBlock<T> none{x, row_stride, col_stride, 0, shift.data()};
        const auto z = [&](std::int64_t i, std::int64_t j) {
          return double(x[i * row_stride + j * col_stride]) - shift[j];
        };
        const auto where = std::string(name(level)) + " " + std::to_string(rows) + " x " + std::to_string(columns) +
                           (row_major ? " rows" : " columns");

        // Two calls add up.
        const std::int64_t middle = rows / 3;
        std::vector<double> residual = start, products(columns, 1.0), sums(columns, 1.0), squares(columns, 1.0);
        kernels.advance(block, steps.data(), none, 0, middle, residual.data(), nullptr);
        kernels.advance(block, steps.data(), none, middle, rows, residual.data(), nullptr);
        for (std::int64_t i = 0; i < rows; ++i) {
          double expected = start[i];
          for (std::int64_t j = 0; j < columns; ++j) expected -= steps[j] * z(i, j);
          CHECK_EQUAL(residual[i], expected, where << " residual " << i);
        }
        std::vector<double> kept = start;
        kernels.advance(none, nullptr, block, 0, middle, kept.data(), products.data());
        kernels.advance(none, nullptr, block, middle, rows, kept.data(), products.data());
        CHECK(kept == start, where);
        std::vector<double> again(columns, 1.0);
        kernels.add_moments(block, 0, middle, start.data(), sums.data(), squares.data(), again.data());
        kernels.add_moments(block, middle, rows, start.data(), sums.data(), squares.data(), again.data());
        for (std::int64_t j = 0; j < columns; ++j) {
          double product = 1, sum = 1, square = 1;
          for (std::int64_t i = 0; i < rows; ++i) {
            product += start[i] * z(i, j);
            sum += z(i, j);
            square += z(i, j) * z(i, j);
          }
          CHECK_EQUAL(products[j], product, where << " product " << j);
          CHECK_EQUAL(again[j], product, where << " product among moments " << j);
          CHECK_EQUAL(sums[j], sum, where << " sum " << j);
          CHECK_EQUAL(squares[j], square, where << " square " << j);
        }
      }
    }
  }
}

// One pass leaves a block and enters another, with and without their products, on some threads.
template <class T>
void passes() {
  const std::int64_t rows = 3 * kBlockRows + 17, columns = 20;
  const auto values = integers<T>(rows * columns, -9, 9, 1);
  const auto shift = integers<double>(columns, -3, 3, 2), steps = integers<double>(7, -2, 2, 3);
  const auto start = integers<double>(rows, -9, 9, 4);
  for (const Layout layout : {Layout::rows, Layout::padded_rows, Layout::columns, Layout::padded_columns}) {
    Matrix<T> x(layout, rows, columns, std::numeric_limits<T>::quiet_NaN(), values);
    const auto z = [&](std::int64_t i, std::int64_t j) { return double(x.at(i, j)) - shift[j]; };
    for (const int threads : {1, 2, 5}) {
      for (const bool leaves : {false, true}) {
        for (const bool gram : {false, true}) {
          const std::int64_t first = 9, count = 11;
          std::vector<double> residual = start, products(count), found(count * count);
          FastmlColumnPass pass{x.data(),
                                x.row_stride(),
                                x.col_stride(),
                                rows,
                                shift.data(),
                                residual.data(),
                                2,
                                leaves ? 7 : 0,
                                steps.data(),
                                first,
                                count,
                                products.data(),
                                gram ? found.data() : nullptr,
                                threads,
                                nullptr};
          std::vector<char> workspace(column_blocks<T>().workspace(&pass) + 1);
          pass.workspace = workspace.data() + 1;
          column_blocks<T>().pass(&pass);
          const auto where = std::string(name(layout)) + ", " + std::to_string(threads) + " threads";
          std::vector<double> expected = start;
          for (std::int64_t i = 0; i < rows && leaves; ++i) {
            for (std::int64_t k = 0; k < 7; ++k) expected[i] -= steps[k] * z(i, 2 + k);
          }
          CHECK(residual == expected, where);
          for (std::int64_t k = 0; k < count; ++k) {
            double product = 0;
            for (std::int64_t i = 0; i < rows; ++i) product += expected[i] * z(i, first + k);
            CHECK_EQUAL(products[k], product, where << " product " << k);
            for (std::int64_t l = 0; l < count && gram; ++l) {
              double square = 0;
              for (std::int64_t i = 0; i < rows; ++i) square += z(i, first + k) * z(i, first + l);
              CHECK_EQUAL(found[k * count + l], square, where << " gram " << k << ", " << l);
            }
          }
        }
      }
    }
  }
}

// Means of 10^5 standard deviations, also where the rows that the first shift is taken from mislead.
template <class T>
void moments() {
  const std::int64_t rows = 64 * 40, columns = 5;
  auto values = normals<T>(rows * columns, 1);
  for (std::int64_t i = 0; i < rows * columns; ++i) values[i] += T(i % columns * (sizeof(T) == 4 ? 100 : 100'000));
  for (std::int64_t i = 0; i < rows; i += rows / 64) values[i * columns] += T(sizeof(T) == 4 ? 0 : 1e6);
  auto target = normals<double>(rows, 2);
  double mean = 0;
  for (const double y : target) mean += y / double(rows);
  for (double& y : target) y -= mean;
  for (const Layout layout : {Layout::rows, Layout::columns}) {
    Matrix<T> x(layout, rows, columns, T(0), values);
    for (const bool center : {true, false}) {
      for (const int threads : {1, 3}) {
        std::vector<double> found_mean(columns), norm2(columns), product(columns);
        column_moments(static_cast<const T*>(x.data()), x.row_stride(), x.col_stride(), rows, columns, target.data(),
                       center, threads, ColumnMoments{found_mean.data(), norm2.data(), product.data()});
        for (std::int64_t j = 0; j < columns; ++j) {
          long double sum = 0, square = 0, expected = 0, target_square = 0;
          for (std::int64_t i = 0; i < rows && center; ++i) sum += x.at(i, j);
          const long double middle = sum / rows;
          for (std::int64_t i = 0; i < rows; ++i) {
            const long double z = x.at(i, j) - middle;
            square += z * z;
            expected += z * target[i];
            target_square += static_cast<long double>(target[i]) * target[i];
          }
          const auto where = std::string(name(layout)) + (center ? ", centred, " : ", ") + std::to_string(j);
          CHECK_CLOSE(found_mean[j], middle, 1e-14L * std::sqrt(middle * middle + square), where);
          CHECK_CLOSE(norm2[j], square, 1e-13L * square, where);
          CHECK_CLOSE(product[j], expected, 1e-13L * std::sqrt(square * target_square), where);
        }
      }
    }
  }
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    kernels_at<float>(level);
    kernels_at<double>(level);
  }
  at_each_level_in_a_child([](SimdLevel) {
    passes<float>();
    passes<double>();
    moments<float>();
    moments<double>();
  });
  return check::result();
}
