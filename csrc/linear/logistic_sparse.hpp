// The two products of a block of sparse rows, as logistic_dense.hpp has them of dense ones. For level sources only.
#pragma once

#include "linear/logistic_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using linear::kBlockRows;
using linear::SparseSamples;

struct SparseBlock {
  const double* values;
  const std::int32_t* indices;
  const std::int64_t* offsets;  // of the block's first row
  std::int64_t outputs;
  std::int64_t count;
  double* row;  // `outputs` elements

  FASTML_INLINE void scores(const linear::LogisticModel<double>& model, double* to) const {
    for (std::int64_t r = 0; r < count; ++r) {
      if (outputs == 1) {
        to[r] = model.intercepts[0] + dot(offsets[r], offsets[r + 1], model.weights);
      } else {
        scores_of_row(r, model);
        for (std::int64_t c = 0; c < outputs; ++c) to[c * kBlockRows + r] = row[c];
      }
    }
    // The link computes whole vectors of rows.
    for (std::int64_t r = count; r % kLanes<double> != 0; ++r) {
      for (std::int64_t c = 0; c < outputs; ++c) to[c * kBlockRows + r] = 0;
    }
  }

  // Two sums: one alone would wait for its additions.
  FASTML_INLINE double dot(std::int64_t p, std::int64_t end, const double* w) const {
    double even = 0, odd = 0;
    for (; p + 2 <= end; p += 2) {
      even += values[p] * w[indices[p]];
      odd += values[p + 1] * w[indices[p + 1]];
    }
    if (p < end) even += values[p] * w[indices[p]];
    return even + odd;
  }

  FASTML_INLINE void scores_of_row(std::int64_t r, const linear::LogisticModel<double>& model) const {
    for_each_run<kLanes<double>>(outputs, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
      constexpr int N = decltype(width)::value;
      auto sum = load_run<N>(model.intercepts + c);
      for (std::int64_t p = offsets[r]; p < offsets[r + 1]; ++p) {
        sum += values[p] * load_run<N>(model.weights + std::int64_t(indices[p]) * outputs + c);
      }
      store_run<N>(row + c, sum);
    });
  }

  // to[j * outputs + c] += sum over r of derivatives[c * kBlockRows + r] x_rj.
  FASTML_INLINE void add_gradient(const double* derivatives, double* to, std::int64_t) const {
    for (std::int64_t r = 0; r < count; ++r) {
      if (outputs == 1) {
        const double derivative = derivatives[r];
        for (std::int64_t p = offsets[r]; p < offsets[r + 1]; ++p) to[indices[p]] += derivative * values[p];
        continue;
      }
      for (std::int64_t c = 0; c < outputs; ++c) row[c] = derivatives[c * kBlockRows + r];
      for_each_run<kLanes<double>>(outputs, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
        constexpr int N = decltype(width)::value;
        const auto derivative = load_run<N>(row + c);
        for (std::int64_t p = offsets[r]; p < offsets[r + 1]; ++p) {
          double* sum = to + std::int64_t(indices[p]) * outputs + c;
          store_run<N>(sum, load_run<N>(sum) + values[p] * derivative);
        }
      });
    }
  }

  // Adds X' diag(bends) X, the last row and column those of the intercept; only from the diagonal on.
  FASTML_INLINE void add_hessian(const double* bends, std::int64_t features, double* to, std::int64_t stride) const {
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t p = offsets[r]; p < offsets[r + 1]; ++p) {
        double* sums = to + indices[p] * stride;
        const double bend = bends[r] * values[p];
        for (std::int64_t q = offsets[r]; q < offsets[r + 1]; ++q) {
          if (indices[q] >= indices[p]) sums[indices[q]] += bend * values[q];
        }
        sums[features] += bend;
      }
      to[features * stride + features] += bends[r];
    }
  }
};

}  // namespace FASTML_LEVEL
}  // namespace fastml
