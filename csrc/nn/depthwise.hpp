// Convolution of each channel with a window of its own (`groups` = channels in = channels out), forward and backward.
//
// The contract is that of csrc/nn/conv.hpp, which calls this. A product of matrices would have one column a channel,
// so loops go over vectors of channels instead, and a tile of neighbouring results reads each pixel once. Nothing is
// as large as an image but the results: pixels in the margin are left out, not multiplied by 0.
#pragma once

#include "nn/conv.hpp"

namespace fastml::nn {

inline bool is_depthwise(const Conv& c) { return c.groups == c.in_channels && c.groups == c.out_channels; }

template <class T>
void depthwise_forward(const Conv& conv, const T* x, const T* weight, const Epilogue<T>& epilogue, T* y, int threads);

template <class T>
void depthwise_backward_input(const Conv& conv, const T* dy, const T* weight, const Epilogue<T>& epilogue, T* dx,
                              int threads);

// Products of some 1000 results are summed in T, and these sums in double, in the same parts whatever the threads.
template <class T>
void depthwise_backward_weight(const Conv& conv, const T* x, const T* dy, T* dweight, int threads);

}  // namespace fastml::nn
