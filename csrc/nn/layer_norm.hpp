// LayerNorm: (x - mean) / sqrt(variance + eps) of each row, times weight, plus bias; forward and backward. Weight and bias
// belong to columns. The variance is that of the values themselves, divided by their number.
//
// Sums are kept in double and taken in two passes, of values and of squared distances from their mean, so that a mean
// far from 0 costs no digits. `inverse` is 1 / sqrt(variance + eps). Arrays are contiguous and do not overlap.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

template <class T>
struct LayerNormKernels {
  // Of each row: y, mean and inverse.
  void (*forward)(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y,
                  T* mean, T* inverse);
  // dx where it is not null; adds to the sums of columns, dweight and dbias.
  void (*backward)(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse, const T* weight,
                   const T* dy, T* dx, double* dweight, double* dbias);
};

struct LayerNormTables {
  LayerNormKernels<float> f32;
  LayerNormKernels<double> f64;
};
const LayerNormTables& layer_norm_tables(SimdLevel level = active_level());

// The sums of columns depend on the number of threads in the last digit of a double, nothing else does.
template <class T>
void layer_norm(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
                T* inverse, int threads);
template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse,
                         const T* weight, const T* dy, T* dx, T* dweight, T* dbias, int threads);

}  // namespace fastml::nn
