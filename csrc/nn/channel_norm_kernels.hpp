// The passes over rows that BatchNorm and GroupNorm are made of.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// Where a ReLU lets derivatives through: dz is dy where its result y is positive. Without `more` that is computed from x
// once more, as the forward pass does, (x - mean) * scale + bias, which is sooner than reading y.
template <class T>
struct Passing {
  const T* y = nullptr;
  const T* scale = nullptr;
  const T* bias = nullptr;
};

template <class T>
struct ChannelNormKernels {
  // Rows of some channels; from one row to the next it is `stride` elements.
  // Means of channels, and sums of squared distances from them.
  void (*moments)(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, T* mean, T* squares);
  // y = (x - shift) * scale + bias (+ more), and 0 where that is negative and there is a ReLU.
  void (*scale)(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* shift,
                const T* scale, const T* bias, const T* more, bool relu, T* y);
  // dweight and dbias: the sums of dz * (x - mean) * inverse, and of dz.
  void (*products)(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
                   const Passing<T>& passing, const T* mean, const T* inverse, T* dweight, T* dbias);
  // dx = dz * scale - (x - mean) * slope - constant where dx is not null, and dmore = dz where that is not. Without slope
  // (null) mean and variance are constants, and dx = dz * scale, whatever x is.
  void (*backward)(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
                   const Passing<T>& passing, const T* mean, const T* scale, const T* slope, const T* constant, T* dx,
                   T* dmore);
};

struct ChannelNormTables {
  ChannelNormKernels<float> f32;
  ChannelNormKernels<double> f64;
};
const ChannelNormTables& channel_norm_tables(SimdLevel level = active_level());

template <class T>
const ChannelNormKernels<T>& channel_norm_kernels();

}  // namespace fastml::nn
