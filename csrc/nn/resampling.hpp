// Pooling by means, and upsampling: separable linear maps of images, each given by the taps of its two axes. The
// derivative is the map of the transposed taps, so that backward passes gather, too: nothing is added up by two threads.
//
// Images are NHWC. Results do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/resampling_kernels.hpp"

namespace fastml::nn {

// The taps of one axis: see TapView. Indices lie in [0, in).
template <class T>
struct Taps {
  std::int64_t in;
  std::vector<std::int64_t> starts{0};
  std::vector<std::int64_t> index;
  std::vector<T> weight;
  std::vector<T> divisor;

  explicit Taps(std::int64_t size) : in(size) {}
  std::int64_t out() const { return std::int64_t(divisor.size()); }
  TapView<T> view() const { return {starts.data(), index.data(), weight.data(), divisor.data()}; }

  void add(std::int64_t pixel, T by) {
    index.push_back(pixel);
    weight.push_back(by);
  }
  void close(T by) {
    starts.push_back(std::int64_t(index.size()));
    divisor.push_back(by);
  }
};

// Means of windows. A window counts its places inside of the image, or (with `count_margin`) those in the margin of `pad`
// pixels as well; never those behind it, which the last window may have.
template <class T>
Taps<T> mean_taps(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                  bool count_margin);

// Means of `out` windows that cover the image: from floor(o in / out) to ceil((o + 1) in / out).
template <class T>
Taps<T> adaptive_mean_taps(std::int64_t in, std::int64_t out);

// A pixel of the result is that at floor(o * scale), in float32; scale is 1 / factor, or in / out where factor is 0.
template <class T>
Taps<T> nearest_taps(std::int64_t in, std::int64_t out, double factor);

// A pixel of the result lies between two of the image. Where corners are aligned, the centres of the first and the last
// pixels lie on one another, otherwise the edges of the images do, and what lies outside of all centres gets the value
// at the edge. Positions are computed in T.
template <class T>
Taps<T> linear_taps(std::int64_t in, std::int64_t out, bool align_corners, double factor);

template <class T>
Taps<T> transposed(const Taps<T>& taps);

// y, of down.out() x across.out() pixels, from x, of down.in x across.in.
template <class T>
void resample(std::int64_t batch, std::int64_t channels, const Taps<T>& down, const Taps<T>& across, const T* x, T* y,
              int threads);

}  // namespace fastml::nn
