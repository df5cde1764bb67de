// BatchNorm: (x - mean) / sqrt(variance + eps) of each channel, times weight, plus bias; forward and backward. What
// follows it in a network is part of the same pass: the values of a shortcut may be added to the result, and a ReLU
// applied to that.
//
// x is rows x channels: the pixels of images whose channels lie side by side, or samples. The variance is that of the
// values themselves, divided by their number. `inverse` is 1 / sqrt(variance + eps).
//
// Moments of some rows at a time are taken in two passes, of values and of squared distances from their mean, while they
// are in L1, and joined in double (Chan, Golub & LeVeque 1979), so that a mean far from 0 costs no digits and memory is
// read once. Rows are cut into parts that do not depend on the number of threads, and so nothing does.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/channel_norm_kernels.hpp"

namespace fastml::nn {

// Rows of which T holds the sums: they fit into L1, and are few enough for what rounding does to a sum.
template <class T>
std::int64_t rows_of_block(std::int64_t channels) {
  return std::clamp<std::int64_t>(std::int64_t(16384 / sizeof(T)) / channels, 16, 512);
}

// Means of channels, and sums of squared distances from them, of rows that come block by block.
struct Moments {
  std::int64_t count = 0;
  double *mean, *squares;

  // Takes in the moments of so many other rows.
  template <class T>
  void join(std::int64_t rows, std::int64_t channels, const T* other_mean, const T* other_squares) {
    const double share = double(rows) / double(count + rows), weight = double(count) * share;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double distance = double(other_mean[c]) - mean[c];
      mean[c] += distance * share;
      squares[c] += double(other_squares[c]) + distance * distance * weight;
    }
    count += rows;
  }
};

// With `given`, mean and variance are read, and constants to the backward pass; otherwise they are computed and written.
// `more` may be null. Arrays are contiguous and do not overlap. Functions throw std::bad_alloc.
template <class T>
void batch_norm(std::int64_t rows, std::int64_t channels, const T* x, const T* weight, const T* bias, T eps, bool given,
                const T* more, bool relu, T* y, T* mean, T* variance, T* inverse, int threads);

// With a ReLU either y is given or, where nothing was added to the result, its bias; without both are null. dx and dmore
// may be null.
template <class T>
void batch_norm_backward(std::int64_t rows, std::int64_t channels, const T* x, const T* y, const T* bias, const T* mean,
                         const T* inverse, const T* weight, bool given, const T* dy, T* dx, T* dmore, T* dweight,
                         T* dbias, int threads);

}  // namespace fastml::nn
