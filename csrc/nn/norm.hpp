// Normalisation: (x - mean) / sqrt(variance + eps), times weight, plus bias; forward and backward.
//
// LayerNorm takes mean and variance of each row of x, which is rows x cols; weight and bias belong to columns. BatchNorm
// takes those of each channel of x, which is samples x channels x positions (one position where x is a matrix); weight
// and bias belong to channels. The variance is that of the values themselves, divided by their number.
//
// Sums are kept in double and taken in two passes, of values and of squared distances from their mean, so that a mean
// far from 0 costs no digits. `inverse` is 1 / sqrt(variance + eps). Arrays are contiguous and do not overlap.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

struct Channels {
  std::int64_t samples, channels, positions;
};

template <class T>
struct NormKernels {
  // Of each row: y, mean and inverse.
  void (*layer_forward)(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y,
                        T* mean, T* inverse);
  // dx where it is not null; adds to the sums of columns, dweight and dbias.
  void (*layer_backward)(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse,
                         const T* weight, const T* dy, T* dx, double* dweight, double* dbias);

  // All of the following are of channels first to last - 1; arrays of channels begin at channel 0.
  void (*moments)(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, double* mean,
                  double* variance);
  // y = (x - shift) * scale + bias.
  void (*scale)(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* shift,
                const T* scale, const T* bias, T* y);
  // dweight and dbias: the sums of dy * (x - mean) * inverse, and of dy.
  void (*products)(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* dy, const T* mean,
                   const T* inverse, double* dweight, double* dbias);
  // dx = dy * scale - (x - mean) * slope - constant.
  void (*through_moments)(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* dy,
                          const T* mean, const T* scale, const T* slope, const T* constant, T* dx);
};

struct NormTables {
  NormKernels<float> f32;
  NormKernels<double> f64;
};
const NormTables& norm_tables(SimdLevel level = active_level());

// The sums of columns depend on the number of threads in the last digit of a double, nothing else does.
template <class T>
void layer_norm(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
                T* inverse, int threads);
template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse,
                         const T* weight, const T* dy, T* dx, T* dweight, T* dbias, int threads);

// Nothing depends on the number of threads: each has channels of its own. With `given`, mean and variance are read, and
// constants to the backward pass; otherwise they are computed and written. dx may be null.
template <class T>
void batch_norm(const Channels& shape, const T* x, const T* weight, const T* bias, T eps, bool given, T* y, T* mean,
                T* variance, T* inverse, int threads);
template <class T>
void batch_norm_backward(const Channels& shape, const T* x, const T* mean, const T* inverse, const T* weight,
                         bool given, const T* dy, T* dx, T* dweight, T* dbias, int threads);

}  // namespace fastml::nn
