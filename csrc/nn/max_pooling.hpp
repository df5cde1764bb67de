// Pooling by maxima, forward and backward, on all threads. Images are NHWC.
//
// The forward pass notes the place of each maximum in its window, in one byte where windows have up to 256 places. The
// backward pass gathers: each pixel of dx looks at the windows that it lies in. Results do not depend on the number of
// threads.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/max_pooling_kernels.hpp"

namespace fastml::nn {

// The windows of one axis: see WindowView.
struct Windows {
  std::int64_t in, places, step;
  std::vector<std::int64_t> begin, count, place;

  std::int64_t out() const { return std::int64_t(begin.size()); }
  WindowView view() const { return {begin.data(), count.data(), place.data(), step}; }
};

// `out` windows of `kernel` places, `dilation` apart, the first of them `pad` pixels before the image.
Windows sliding_windows(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                        std::int64_t dilation);

// `out` windows that cover the image: from floor(o in / out) to ceil((o + 1) in / out).
Windows adaptive_windows(std::int64_t in, std::int64_t out);

// Whether numbers of places take one byte.
inline bool has_narrow_places(const Windows& down, const Windows& across) { return down.places * across.places <= 256; }

// y, of down.out() x across.out() pixels, from x, of down.in x across.in; places may be null.
template <class T, class Place>
void max_pool(std::int64_t batch, std::int64_t channels, const Windows& down, const Windows& across, const T* x, T* y,
              Place* places, int threads);

template <class T, class Place>
void max_pool_backward(std::int64_t batch, std::int64_t channels, const Windows& down, const Windows& across,
                       const T* dy, const Place* places, T* dx, int threads);

}  // namespace fastml::nn
