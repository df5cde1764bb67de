// The loops of pooling by maxima, over one row of pixels.
//
// Images are NHWC. Along one axis, window o has `count[o]` pixels of the image, `step` apart, from `begin[o]` on; the
// first is place `place[o]` of the window (those before it lie in the margin). In the window's plane, place (a, b) has the
// number a * columns + b.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

struct WindowView {
  const std::int64_t* begin;
  const std::int64_t* count;
  const std::int64_t* place;
  std::int64_t step;
};

// The same by pixels of the image: pixel i is at place[k] of window[k], for k from starts[i] to starts[i + 1] - 1.
struct MemberView {
  const std::int64_t* starts;
  const std::int64_t* window;
  const std::int64_t* place;
};

// Place is a type for the number of a place.
template <class T, class Place>
struct MaxPoolKernels {
  // Row `row` of the result, into y, and where each maximum was, into `places` where they are not null: the first of
  // equal values, the last of NaNs, which win. A window that has no pixel gives -inf.
  void (*forward)(const WindowView& down, std::int64_t row, const WindowView& across, std::int64_t columns,
                  std::int64_t out_width, std::int64_t channels, std::int64_t row_stride, const T* image, T* y,
                  Place* places);

  // Row `row` of dx. The rows of dy and `places` are `row_stride` elements apart.
  void (*backward)(const MemberView& down, std::int64_t row, const MemberView& across, std::int64_t columns,
                   std::int64_t width, std::int64_t channels, std::int64_t row_stride, const T* dy, const Place* places,
                   T* dx);
};

struct MaxPoolTables {
  MaxPoolKernels<float, std::uint8_t> f32;
  MaxPoolKernels<double, std::uint8_t> f64;
  MaxPoolKernels<float, std::int32_t> f32_wide;
  MaxPoolKernels<double, std::int32_t> f64_wide;
};
const MaxPoolTables& max_pool_tables(SimdLevel level = active_level());

}  // namespace fastml::nn
