#include "linear/double_vectors.hpp"
#include "linear/squared_loss_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using linear::SquaredLossKernels;
using linear::SquaredLossRows;
using linear::SquaredLossTargets;

// Rows that are multiplied side by side: each weight is loaded once for all of them, and no sum waits for another.
constexpr int kSide = 4;

// Rows between their two products. Fewer dense rows stay in L1, but a row that is not in use breaks up a group.
constexpr int kBlock = 16;

// The part of a row's product with the weights that the bias has.
template <class T>
FASTML_INLINE double bias_score(const SquaredLossRows<T>& rows, const double* w) {
  return rows.bias != 0 ? rows.bias * w[rows.features()] : 0;
}

// sums[r] = the product of dense row numbers[r] and w, Count rows at once.
template <int Count, class T>
FASTML_INLINE void dense_products(const Rows<const T>& x, const std::int32_t* numbers, const double* w, double* sums) {
  const T* row[Count];
  doubles<kDoubles> wide[Count] = {};
  double rest[Count] = {};
#pragma GCC unroll 4
  for (int r = 0; r < Count; ++r) row[r] = x.data + numbers[r] * x.stride;
  for_each_run<kDoubles>(x.cols, [&](auto width, std::int64_t j) __attribute__((always_inline)) {
    constexpr int lanes = decltype(width)::value;
    const auto weights = load_run<lanes>(w + j);
#pragma GCC unroll 4
    for (int r = 0; r < Count; ++r) {
      const auto products = read<lanes>(row[r] + j) * weights;
      if constexpr (lanes == kDoubles) {
        wide[r] += products;
      } else {
        rest[r] += sum_run<lanes, double>(products);
      }
    }
  });
#pragma GCC unroll 4
  for (int r = 0; r < Count; ++r) sums[r] = reduce_add<double>(wide[r]) + rest[r];
}

template <class T>
FASTML_INLINE double sparse_product(const Csr<T>& x, std::int32_t row, const double* w) {
  double even = 0, odd = 0;
  std::int32_t p = x.offsets[row];
  const std::int32_t end = x.offsets[row + 1];
  for (; p + 2 <= end; p += 2) {
    even += double(x.values[p]) * w[x.indices[p]];
    odd += double(x.values[p + 1]) * w[x.indices[p + 1]];
  }
  if (p < end) even += double(x.values[p]) * w[x.indices[p]];
  return even + odd;
}

// scores[r] of rows numbers[0 .. count).
template <class T>
FASTML_INLINE void scores_of(const SquaredLossRows<T>& rows, const std::int32_t* numbers, int count, const double* w,
                             double* scores) {
  int r = 0;
  if (rows.dense.data != nullptr) {
    for (; r + kSide <= count; r += kSide) dense_products<kSide>(rows.dense, numbers + r, w, scores + r);
    for (; r < count; ++r) dense_products<1>(rows.dense, numbers + r, w, scores + r);
  } else {
    for (; r < count; ++r) scores[r] = sparse_product(rows.sparse, numbers[r], w);
  }
  const double shift = bias_score(rows, w);
  for (r = 0; r < count; ++r) scores[r] += shift;
}

template <int Count, class T>
FASTML_INLINE void add_dense(const Rows<const T>& x, const std::int32_t* numbers, const double* factors, double* to) {
  const T* row[Count];
#pragma GCC unroll 4
  for (int r = 0; r < Count; ++r) row[r] = x.data + numbers[r] * x.stride;
  for_each_run<kDoubles>(x.cols, [&](auto width, std::int64_t j) __attribute__((always_inline)) {
    constexpr int lanes = decltype(width)::value;
    auto sum = load_run<lanes>(to + j);
#pragma GCC unroll 4
    for (int r = 0; r < Count; ++r) sum += factors[r] * read<lanes>(row[r] + j);
    store_run<lanes>(to + j, sum);
  });
}

// Adds factors[r] times row numbers[r] to `to`.
template <class T>
FASTML_INLINE void add_rows(const SquaredLossRows<T>& rows, const std::int32_t* numbers, const double* factors,
                            int count, double* to) {
  int r = 0;
  if (rows.dense.data != nullptr) {
    for (; r + kSide <= count; r += kSide) add_dense<kSide>(rows.dense, numbers + r, factors + r, to);
    for (; r < count; ++r) add_dense<1>(rows.dense, numbers + r, factors + r, to);
  } else {
    const Csr<T>& x = rows.sparse;
    for (; r < count; ++r) {
      for (std::int32_t p = x.offsets[numbers[r]]; p < x.offsets[numbers[r] + 1]; ++p) {
        to[x.indices[p]] += factors[r] * double(x.values[p]);
      }
    }
  }
  if (rows.bias != 0) {
    double sum = 0;
    for (r = 0; r < count; ++r) sum += factors[r];
    to[rows.features()] += rows.bias * sum;
  }
}

// How far a score is off its target.
FASTML_INLINE double error_of(const SquaredLossTargets& targets, double score, double target) {
  const double difference = score - target;
  if (targets.margin) return target * score < 1 ? difference : 0;
  if (difference < -targets.epsilon) return difference + targets.epsilon;
  return difference > targets.epsilon ? difference - targets.epsilon : 0;
}

template <class T>
double loss_gradient(const SquaredLossRows<T>& rows, const SquaredLossTargets& targets, const double* w,
                     std::int64_t begin, std::int64_t end, double* gradient, std::int32_t* active,
                     std::int64_t& count) {
  double loss = 0;
  std::int64_t listed = 0;
  for (std::int64_t first = begin; first < end; first += kBlock) {
    const int most = int(end - first < kBlock ? end - first : kBlock);
    std::int32_t numbers[kBlock];
    double scores[kBlock], factors[kBlock];
    for (int r = 0; r < most; ++r) numbers[r] = std::int32_t(first + r);
    scores_of(rows, numbers, most, w, scores);
    int off = 0;
    for (int r = 0; r < most; ++r) {
      const std::int64_t i = first + r;
      const double error = error_of(targets, scores[r], targets.targets[i]), weight = targets.weights[i];
      if (error == 0 || !(weight > 0)) continue;
      loss += weight * error * error;
      numbers[off] = std::int32_t(i);
      factors[off] = weight * error;
      active[listed++] = std::int32_t(i);
      ++off;
    }
    add_rows(rows, numbers, factors, off, gradient);
  }
  count = listed;
  return loss;
}

template <class T>
void hessian_product(const SquaredLossRows<T>& rows, const double* weights, const double* direction,
                     const std::int32_t* active, std::int64_t count, double* product) {
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const int most = int(count - first < kBlock ? count - first : kBlock);
    double factors[kBlock];
    scores_of(rows, active + first, most, direction, factors);
    for (int r = 0; r < most; ++r) factors[r] *= weights[active[first + r]];
    add_rows(rows, active + first, factors, most, product);
  }
}

}  // namespace

extern const SquaredLossKernels<float> squared_loss_table_f32;
extern const SquaredLossKernels<double> squared_loss_table_f64;
const SquaredLossKernels<float> squared_loss_table_f32{loss_gradient<float>, hessian_product<float>};
const SquaredLossKernels<double> squared_loss_table_f64{loss_gradient<double>, hessian_product<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
