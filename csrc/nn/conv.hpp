// Convolution of images, forward and backward, on all threads.
//
// Images are NHWC; weights (out_channels, in_channels / groups, kernel_h, kernel_w), as PyTorch has them. Beside results
// and packed weights memory holds one image a thread with its margin of zeros; im2col is never written. Results do not
// depend on the number of threads, but for the derivative by the weights in its last digits: each thread sums over some
// of the images.
#pragma once

#include <cstdint>

#include "nn/conv_kernels.hpp"

namespace fastml::nn {

struct Conv {
  std::int64_t batch, height, width, in_channels, out_channels;
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t pad_top, pad_bottom, pad_left, pad_right;
  std::int64_t groups;

  std::int64_t out_height() const {
    return (height + pad_top + pad_bottom - dilation_h * (kernel_h - 1) - 1) / stride_h + 1;
  }
  std::int64_t out_width() const {
    return (width + pad_left + pad_right - dilation_w * (kernel_w - 1) - 1) / stride_w + 1;
  }
  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
};

// What is wrong with the sizes, or nullptr.
const char* fault_of(const Conv& conv);

// y = x * weight, through the epilogue. Functions throw std::bad_alloc.
template <class T>
void conv_forward(const Conv& conv, const T* x, const T* weight, const Epilogue<T>& epilogue, T* y, int threads);

// dx from dy, the derivative by what the activation got. As a layer this is the transposed convolution, which has an
// epilogue of its own.
template <class T>
void conv_backward_input(const Conv& conv, const T* dy, const T* weight, const Epilogue<T>& epilogue, T* dx,
                         int threads);

template <class T>
void conv_backward_weight(const Conv& conv, const T* x, const T* dy, T* dweight, int threads);

}  // namespace fastml::nn
