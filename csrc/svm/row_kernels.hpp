// Rows of the kernel matrix, at each SIMD level: inner products of a few samples with many, and kernel values of them.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "svm/kernel.hpp"

namespace fastml::svm {

// Columns that are computed at a time; a multiple of every level's panel.
inline constexpr std::int64_t kRowBlock = 256;

// A few samples against samples [begin, end) of panels. `begin` is a multiple of kRowBlock.
struct DenseRows {
  const double* samples;  // count x depth, contiguous
  int count;              // at most RowKernels::most_samples
  const double* norms;    // |x|^2 of each
  std::int64_t depth;
  const double* panels;  // of panel_cols samples: element (feature f, sample j) of a panel lies at f * panel_cols + j
  const double* panel_norms;  // readable to the end of the last panel
  std::int64_t begin, end;
  double* block;  // scratch: count x kRowBlock
};

// Values are computed in double, and handed out in double or rounded to float: LIBSVM solves on floats. out[i] is the row of
// sample i from panel sample 0 on; [begin, end) of it is written.
struct RowKernels {
  int most_samples, panel_cols;
  void (*dense_f32)(const Kernel& kernel, const DenseRows& rows, float* const* out);
  void (*dense_f64)(const Kernel& kernel, const DenseRows& rows, double* const* out);
  // |x - center|^2 of `count` rows of `depth` numbers, `stride` apart; center may be null. Rounded as the products of the panels
  // are, so that the distance of a sample from itself is 0, whatever its length.
  void (*norms)(const double* x, std::int64_t stride, std::int64_t count, std::int64_t depth, const double* center,
                double* norms);
  // Values from `count` inner products with a sample of norm `norm`. The two may be one array in f64.
  void (*values_f32)(const Kernel& kernel, const double* dots, double norm, const double* norms, std::int64_t count,
                     float* out);
  void (*values_f64)(const Kernel& kernel, const double* dots, double norm, const double* norms, std::int64_t count,
                     double* out);
};

const RowKernels& row_kernels(SimdLevel level = active_level());

}  // namespace fastml::svm
