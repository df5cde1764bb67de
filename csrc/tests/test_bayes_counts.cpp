// Counts of dense and sparse rows and of categories against plain loops.
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "bayes/category_counts.hpp"
#include "bayes/count_kernels.hpp"
#include "bayes/counts.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"

using namespace fastml;
using namespace fastml::bayes;

namespace {

std::mt19937 generator(20);

std::int64_t drawn(std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(generator);
}

// Quarters, of which sums are exact in any order, also as float.
template <class T>
std::vector<T> values_of(std::int64_t count) {
  std::vector<T> values(count);
  for (T& value : values) value = T(double(drawn(-20, 60)) / (std::numeric_limits<T>::is_integer ? 1 : 4));
  return values;
}

std::vector<std::int64_t> labels_of(std::int64_t rows, std::int64_t classes) {
  std::vector<std::int64_t> labels(rows);
  for (auto& label : labels) label = drawn(0, classes);
  return labels;
}

// sums[label][j] of all labels, that of no class included.
template <class T>
std::vector<double> plain_counts(const std::vector<T>& x, std::int64_t cols, const std::vector<std::int64_t>& labels,
                                 std::int64_t classes, const double* weights, const double* threshold) {
  std::vector<double> sums((classes + 1) * cols);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      const auto value = double(x[i * cols + j]);
      const double counted = threshold == nullptr ? value : value > *threshold ? 1.0 : 0.0;
      sums[labels[i] * cols + j] += (weights == nullptr ? 1.0 : weights[i]) * counted;
    }
  }
  return sums;
}

template <class T>
double plain_least(const std::vector<T>& x) {
  double least = std::numeric_limits<double>::infinity();
  for (const T value : x) least = double(value) < least ? double(value) : least;
  return least;
}

// All combinations of weights and thresholds.
template <class Test>
void over_ways(std::int64_t rows, const Test& test) {
  std::vector<double> weights(rows);
  for (double& weight : weights) weight = double(drawn(0, 8)) / 2;
  const double threshold = 2.25;
  for (const double* w : {static_cast<const double*>(nullptr), static_cast<const double*>(weights.data())}) {
    for (const double* t : {static_cast<const double*>(nullptr), &threshold}) test(w, t);
  }
}

// The kernel on all widths, on rows that end where memory does, and on a panel in the middle.
template <class T>
void kernels(SimdLevel level) {
  constexpr std::int64_t rows = 7, classes = 3;
  Guarded<T> memory(rows * 40);
  for (std::int64_t cols = 1; cols <= 37; ++cols) {
    const std::vector<T> x = values_of<T>(rows * cols);
    const T* data = memory.at_end(x);
    const std::vector<std::int64_t> labels = labels_of(rows, classes);
    over_ways(rows, [&](const double* weights, const double* threshold) {
      const auto expected = plain_counts(x, cols, labels, classes, weights, threshold);
      std::vector<double> sums(expected.size());
      ValueRange range{std::numeric_limits<double>::infinity(), true};
      const CountedRows<T> counted{{data, rows, cols, cols}, labels.data(), weights, threshold};
      const std::int64_t middle = cols / 3;
      const auto& kernel = count_kernels<T>(level);
      kernel.add(counted, 0, 4, 0, cols, sums.data(), cols, range);
      kernel.add(counted, 4, rows, middle, cols, sums.data(), cols, range);
      kernel.add(counted, 4, rows, 0, middle, sums.data(), cols, range);
      CHECK(sums == expected, name(level) << ", " << cols << " columns");
      CHECK_EQUAL(range.least, plain_least(x), name(level) << ", " << cols << " columns");
      CHECK(range.finite, name(level) << ", " << cols << " columns");
    });
  }
}

// One value at each place that is not finite, or the least.
template <class T>
void ranges(SimdLevel level) {
  constexpr std::int64_t rows = 2, cols = 21;
  const std::vector<std::int64_t> labels{0, 1};  // row 1 is in no class
  for (std::int64_t place = 0; place < rows * cols; ++place) {
    for (const T special : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                            -std::numeric_limits<T>::infinity(), T(-3)}) {
      std::vector<T> x(rows * cols, T(1));
      x[place] = special;
      std::vector<double> sums(2 * cols);
      ValueRange range{std::numeric_limits<double>::infinity(), true};
      count_kernels<T>(level).add({{x.data(), rows, cols, cols}, labels.data(), nullptr, nullptr}, 0, rows, 0, cols,
                                  sums.data(), cols, range);
      CHECK_EQUAL(range.finite, bool(std::isfinite(special)), name(level) << ", " << special << " at " << place);
      if (special < 0) CHECK_EQUAL(range.least, double(special), name(level) << ", at " << place);
    }
  }
}

// Panels, threads, rows without class, over threads.
template <class T>
void drivers() {
  struct Size {
    std::int64_t rows, cols, classes;
  };
  for (const auto& [rows, cols, classes] :
       {Size{1, 1, 1}, Size{30000, 13, 3}, Size{1000, 300, 2000}, Size{4000, 210, 9}}) {
    const std::vector<T> x = values_of<T>(rows * cols);
    const std::vector<std::int64_t> labels = labels_of(rows, classes);
    over_ways(rows, [&, rows = rows, cols = cols, classes = classes](const double* weights, const double* threshold) {
      auto expected = plain_counts(x, cols, labels, classes, weights, threshold);
      expected.resize(classes * cols);
      for (const int threads : {1, 2, 3}) {
        std::vector<double> sums(classes * cols, -1);
        ValueRange range;
        const CountTask<T> task{
            {{x.data(), rows, cols, cols}, labels.data(), weights, threshold}, classes, threads, nullptr};
        CHECK(count_rows(task, sums.data(), range), "not stopped");
        CHECK(sums == expected, rows << " rows, " << threads << " threads");
        CHECK_EQUAL(range.least, plain_least(x), rows << " rows, " << threads << " threads");
      }
    });
  }
}

// Every third value is stored, in two halves where it is even: indices repeat.
template <class T, class Index>
void sparse_rows() {
  constexpr std::int64_t rows = 4000, cols = 150, classes = 4;
  std::vector<T> values;
  std::vector<Index> indices, offsets{0};
  const std::vector<std::int64_t> labels = labels_of(rows, classes);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t stored = drawn(0, 60); stored > 0; --stored) {
      values.push_back(T(double(drawn(-4, 30)) / 4));
      indices.push_back(Index(drawn(0, cols - 1)));
    }
    offsets.push_back(Index(values.size()));
  }
  over_ways(rows, [&](const double* weights, const double* threshold) {
    std::vector<double> expected(classes * cols);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (Index p = offsets[i]; p < offsets[i + 1] && labels[i] < classes; ++p) {
        const auto value = double(values[p]);
        const double counted = threshold == nullptr ? value : value > *threshold ? 1.0 : 0.0;
        expected[labels[i] * cols + indices[p]] += (weights == nullptr ? 1.0 : weights[i]) * counted;
      }
    }
    const SparseRows<T, Index> x{values.data(), indices.data(), offsets.data(), rows, cols};
    for (const int threads : {1, 2, 3}) {
      std::vector<double> sums(classes * cols, -1);
      ValueRange range;
      const SparseCountTask<T, Index> task{x, labels.data(), weights, threshold, classes, threads, nullptr};
      CHECK(count_rows(task, sums.data(), range), "not stopped");
      CHECK(sums == expected, threads << " threads");
      CHECK_EQUAL(range.least, plain_least(values), threads << " threads");
      CHECK(range.finite, threads << " threads");
    }
  });
  const auto stored = std::int64_t(values.size());
  CHECK(in_bounds(SparseRows<T, Index>{values.data(), indices.data(), offsets.data(), rows, cols}, stored), "as made");
  CHECK(!in_bounds(SparseRows<T, Index>{values.data(), indices.data(), offsets.data(), rows, cols}, stored - 1),
        "short");
  CHECK(!in_bounds(SparseRows<T, Index>{values.data(), indices.data(), offsets.data(), rows, cols - 1}, stored),
        "a column less");
  values[stored / 2] = std::numeric_limits<T>::quiet_NaN();
  std::vector<double> sums(classes * cols);
  ValueRange range;
  count_rows(SparseCountTask<T, Index>{{values.data(), indices.data(), offsets.data(), rows, cols},
                                       labels.data(),
                                       nullptr,
                                       nullptr,
                                       classes,
                                       2,
                                       nullptr},
             sums.data(), range);
  CHECK(!range.finite, "a NaN");
}

void categories() {
  constexpr std::int64_t rows = 60000, cols = 5, classes = 3;
  const std::vector<std::int64_t> offsets{0, 4, 5, 12, 42, 50};
  std::vector<std::int64_t> x(rows * cols), most(cols, 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t j = i % cols;
    x[i] = drawn(0, offsets[j + 1] - offsets[j] - 1);
    most[j] = std::max(most[j], x[i]);
  }
  const std::vector<std::int64_t> labels = labels_of(rows, classes);
  over_ways(rows, [&](const double* weights, const double*) {
    std::vector<double> expected(classes * offsets[cols]);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols && labels[i] < classes; ++j) {
        expected[labels[i] * offsets[cols] + offsets[j] + x[i * cols + j]] += weights == nullptr ? 1.0 : weights[i];
      }
    }
    for (const int threads : {1, 2, 3}) {
      std::vector<double> counts(classes * offsets[cols], -1);
      const CategoryCountTask task{
          {x.data(), rows, cols, cols}, labels.data(), weights, offsets.data(), classes, threads, nullptr};
      CHECK(count_categories(task, counts.data()) == CategoryResult::known, threads << " threads");
      CHECK(counts == expected, threads << " threads");
    }
  });
  for (const int threads : {1, 2}) {
    std::vector<std::int64_t> largest(cols);
    CHECK_EQUAL(largest_categories({x.data(), rows, cols, cols}, threads, largest.data()), 0, threads << " threads");
    CHECK(largest == most, threads << " threads");
    std::vector<std::int64_t> other = x;
    other[rows * cols - 2] = -7;
    CHECK_EQUAL(largest_categories({other.data(), rows, cols, cols}, threads, largest.data()), -7, "a negative one");
    for (const std::int64_t unknown : {std::int64_t(-1), std::int64_t(30)}) {
      other[rows * cols - 2] = unknown;
      std::vector<double> counts(classes * offsets[cols]);
      std::vector<std::int64_t> zeros(rows, 0);
      const CategoryCountTask task{
          {other.data(), rows, cols, cols}, zeros.data(), nullptr, offsets.data(), classes, threads, nullptr};
      CHECK(count_categories(task, counts.data()) == CategoryResult::unknown, "category " << unknown);
    }
  }
}

bool always() { return true; }

void stops() {
  const std::vector<float> x(100, 1.0f);
  const std::vector<std::int64_t> labels(10, 0), values(100, 0), offsets{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<double> sums(10);
  ValueRange range;
  CHECK(!count_rows(CountTask<float>{{{x.data(), 10, 10, 10}, labels.data(), nullptr, nullptr}, 1, 1, always},
                    sums.data(), range),
        "stopped");
  const CategoryCountTask task{{values.data(), 10, 10, 10}, labels.data(), nullptr, offsets.data(), 1, 1, always};
  CHECK(count_categories(task, sums.data()) == CategoryResult::stopped, "stopped");
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    kernels<float>(level);
    kernels<double>(level);
    kernels<std::int32_t>(level);
    kernels<std::int64_t>(level);
    ranges<float>(level);
    ranges<double>(level);
  }
  drivers<float>();
  drivers<double>();
  drivers<std::int32_t>();
  drivers<std::int64_t>();
  sparse_rows<float, std::int32_t>();
  sparse_rows<float, std::int64_t>();
  sparse_rows<double, std::int32_t>();
  sparse_rows<double, std::int64_t>();
  categories();
  stops();
  return check::result();
}
