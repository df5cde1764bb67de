// What pooling by means and upsampling are made of: weighted sums of pixels, separable in rows and columns.
//
// Images are NHWC. Along one axis, pixel o of the result is the sum of weight[k] times pixel index[k] of the image, for k
// from starts[o] to starts[o + 1] - 1, divided by divisor[o].
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

template <class T>
struct TapView {
  const std::int64_t* starts;
  const std::int64_t* index;
  const T* weight;
  const T* divisor;
};

template <class T>
struct ResamplingKernels {
  // Row `row` of a result with `out_width` pixels, into y. The image's rows are `row_stride` elements apart.
  void (*resample_row)(const TapView<T>& down, std::int64_t row, const TapView<T>& across, std::int64_t out_width,
                       std::int64_t channels, std::int64_t row_stride, const T* image, T* y);
};

struct ResamplingTables {
  ResamplingKernels<float> f32;
  ResamplingKernels<double> f64;
};
const ResamplingTables& resampling_tables(SimdLevel level = active_level());

}  // namespace fastml::nn
