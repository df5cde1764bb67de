// Data augmentation: images of a batch moved, turned, covered and mixed, each by numbers of its own.
//
// Images are channels last (NHWC), contiguous; results are too, and do not overlap what they are made of. What is drawn at
// random is drawn by the caller, so that a result does not depend on the number of threads, which share the images.
#pragma once

#include <cstdint>

namespace fastml::nn {

// A batch of images.
struct ImageShape {
  std::int64_t count, height, width, channels;
};

// What one image of a result shows of its image: a part whose first pixel is (top, left), which may lie outside, turned over
// afterwards where flagged.
struct Window {
  std::int64_t top, left, flip_rows, flip_columns;
};

// What lies outside of an image.
enum class Outside { constant, reflect };

// The index that i, of an image of `size` pixels and those around it, stands for, by reflections without repeating the
// pixels at the edges: of 0 1 2 3 for -2, ..., 5: 2 1 0 1 2 3 2 1. size >= 1; |i| may be many times size.
inline std::int64_t reflected(std::int64_t i, std::int64_t size) {
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  i %= period;
  if (i < 0) i += period;
  return i < size ? i : period - i;
}

// y (count x height x width x channels) shows windows[i] of image i of x. `fill` is what lies outside where that is
// constant. T: float, double, std::uint8_t.
template <class T>
void show_windows(ImageShape shape, const T* x, const Window* windows, std::int64_t height, std::int64_t width,
                  Outside outside, T fill, T* y, int threads);

// Images turned about their centres, anticlockwise as they are seen (rows go down), by angles in radians. A pixel of the
// result is the bilinear interpolation of the four pixels around the place that it comes from; those outside are `fill`.
// T: float, double.
template <class T>
void rotate(ImageShape shape, const T* x, const double* angles, T fill, T* y, int threads);

// A rectangle of pixels, all of which lie inside of the image; it may be empty.
struct Box {
  std::int64_t top, bottom, left, right;
};

// y is x, but for the pixels of boxes[i] of image i, which are `fill`. T: float, double, std::uint8_t.
template <class T>
void cover(ImageShape shape, const T* x, const Box* boxes, T fill, T* y, int threads);

// y[i] = shares[i] x[i] + (1 - shares[i]) x[partners[i]], of rows of `size` numbers. T: float, double.
template <class T>
void mix(std::int64_t count, std::int64_t size, const T* x, const std::int64_t* partners, const T* shares, T* y,
         int threads);

}  // namespace fastml::nn
