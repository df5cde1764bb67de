// GroupNorm of images: mean and variance of each group of channels of each image; weight and bias belong to channels.
//
// Images are channels last: samples x positions x channels. The rest is as in channel_norm.hpp, whose loops do it: an image is
// a matrix of positions x channels to them. Moments of a group follow from those of its channels, in double: its
// variance is the mean of their variances, plus the variance of their means.
#pragma once

#include <cstdint>

namespace fastml::nn {

struct Groups {
  std::int64_t samples, positions, channels, groups;  // channels are a multiple of groups

  std::int64_t group_size() const { return channels / groups; }
};

// y, and mean and inverse of samples x groups. Nothing here depends on the number of threads.
template <class T>
void group_norm(const Groups& shape, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean, T* inverse,
                int threads);

// dx may be null.
template <class T>
void group_norm_backward(const Groups& shape, const T* x, const T* mean, const T* inverse, const T* weight, const T* dy,
                         T* dx, T* dweight, T* dbias, int threads);

}  // namespace fastml::nn
