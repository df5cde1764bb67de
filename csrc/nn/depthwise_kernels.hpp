// What depthwise convolutions are made of: rows of results, channel by channel.
//
// Channels are taken in vectors. The last vector begins before the one before it ends, where their number is no
// multiple of `lanes`: no vector reaches behind a pixel, and none is filled up. Weights, biases and sums have a slot
// of `lanes` elements for each vector, so that a channel in two vectors stands in both.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// Vectors of `lanes` channels each; vector i begins at channel first[i].
struct ChannelVectors {
  std::int64_t channels, lanes, count;
  const std::int64_t* first;
};

// The windows of a row of `count` results: that of result j begins at row `top` and column left + j * stride of the
// image, which may lie outside, where everything is 0. Neighbours in a window lie step_h rows or step_w columns
// apart; of its rows, those from `begin` to end - 1 lie in the image.
template <class T>
struct DepthwiseRow {
  const T* image;  // `width` pixels a row
  std::int64_t width;
  ChannelVectors vectors;
  std::int64_t kernel_w, step_h, step_w;
  std::int64_t top, begin, end, left, stride, count;
};

// What is done to sums before they are stored: bias and `more` are added, and what is less than `floor` becomes it.
// bias holds slots, `more` lies as the results do; either may be null.
template <class T>
struct RowEpilogue {
  const T* bias;
  const T* more;
  T floor;
};

template <class T>
struct DepthwiseKernels {
  // Lanes of the vectors for so many channels: never more than these.
  std::int64_t (*lanes)(std::int64_t channels);

  // Channel i of result j, at results[j * result_stride + i], is the sum over the window of image * weights, through
  // the epilogue. Weights are rows of the window x kernel_w x slots.
  void (*multiply)(const DepthwiseRow<T>& row, const T* weights, const RowEpilogue<T>& epilogue, T* results,
                   std::int64_t result_stride);

  // sums(a, b, i) += the sum over j of dy(j, i) times what place (a, b) of window j meets. Sums are laid out as
  // weights.
  void (*add_products)(const DepthwiseRow<T>& row, const T* dy, T* sums);
};

template <class T>
const DepthwiseKernels<T>& depthwise_kernels(SimdLevel level = active_level());

}  // namespace fastml::nn
