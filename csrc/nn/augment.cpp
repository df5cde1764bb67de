#include "nn/augment.hpp"

#include <algorithm>
#include <cmath>

namespace fastml::nn {
namespace {

// of(i) for each image, shared among threads.
template <class F>
void for_each_image(std::int64_t count, int threads, const F& of) {
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, count), 1));
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (std::int64_t i = 0; i < count; ++i) of(i);
}

// The first pixel of the image that a row or column of `length` pixels from `first` on shows, and the one behind the last,
// both as numbers of that row.
struct Inside {
  std::int64_t begin, end;
};

Inside inside(std::int64_t first, std::int64_t length, std::int64_t size) {
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, length);
  return {begin, std::clamp<std::int64_t>(size - first, begin, length)};
}

// A row of pixels that shows `row` from `first` on.
template <class T>
void show_row(const T* row, std::int64_t width, std::int64_t channels, std::int64_t first, Outside outside, T fill,
              T* to, std::int64_t length) {
  const Inside in = inside(first, length, width);
  if (in.end > in.begin) {
    std::copy_n(row + (first + in.begin) * channels, (in.end - in.begin) * channels, to + in.begin * channels);
  }
  if (outside == Outside::constant) {
    std::fill(to, to + in.begin * channels, fill);
    std::fill(to + in.end * channels, to + length * channels, fill);
    return;
  }
  for (std::int64_t x = 0; x < length; ++x) {
    if (x == in.begin && in.end > in.begin) x = in.end;
    if (x >= length) break;
    std::copy_n(row + reflected(first + x, width) * channels, channels, to + x * channels);
  }
}

template <class T>
void turn_over(T* row, std::int64_t width, std::int64_t channels) {
  if (channels == 1) {
    std::reverse(row, row + width);
    return;
  }
  for (std::int64_t a = 0, b = width - 1; a < b; ++a, --b) {
    std::swap_ranges(row + a * channels, row + (a + 1) * channels, row + b * channels);
  }
}

// The greatest whole number that is not above x. std::floor is a call where instructions are those of the baseline.
std::int64_t below(double x) {
  const auto whole = std::int64_t(x);
  return whole - (double(whole) > x);
}

// Four pixels of an image around a place, and how much each counts.
template <class T>
struct Corners {
  std::int64_t top, left;
  T down, right;  // the shares of the lower and of the right ones
};

template <class T>
Corners<T> corners(double row, double column) {
  const std::int64_t top = below(row), left = below(column);
  return {top, left, T(row - double(top)), T(column - double(left))};
}

template <class T>
void interpolate(const ImageShape& shape, const T* image, const Corners<T>& at, T fill, T* to) {
  const std::int64_t channels = shape.channels, line = shape.width * channels;
  const bool upper = at.top >= 0 && at.top < shape.height, lower = at.top >= -1 && at.top + 1 < shape.height;
  const bool before = at.left >= 0 && at.left < shape.width, behind = at.left >= -1 && at.left + 1 < shape.width;
  const T upper_left = (1 - at.down) * (1 - at.right), upper_right = (1 - at.down) * at.right;
  const T lower_left = at.down * (1 - at.right), lower_right = at.down * at.right;
  const std::int64_t offset = at.top * line + at.left * channels;
  if (upper && lower && before && behind) {
    const T* from = image + offset;
    for (std::int64_t c = 0; c < channels; ++c) {
      to[c] = upper_left * from[c] + upper_right * from[c + channels] + lower_left * from[c + line] +
              lower_right * from[c + line + channels];
    }
    return;
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    const T first = upper && before ? image[offset + c] : fill;
    const T second = upper && behind ? image[offset + channels + c] : fill;
    const T third = lower && before ? image[offset + line + c] : fill;
    const T fourth = lower && behind ? image[offset + line + channels + c] : fill;
    to[c] = upper_left * first + upper_right * second + lower_left * third + lower_right * fourth;
  }
}

}  // namespace

template <class T>
void show_windows(ImageShape shape, const T* x, const Window* windows, std::int64_t height, std::int64_t width,
                  Outside outside, T fill, T* y, int threads) {
  const std::int64_t channels = shape.channels, line = shape.width * channels, shown = width * channels;
  for_each_image(shape.count, threads, [&](std::int64_t i) {
    const Window& window = windows[i];
    const T* const image = x + i * shape.height * line;
    for (std::int64_t r = 0; r < height; ++r) {
      T* const to = y + (i * height + r) * shown;
      std::int64_t row = window.top + (window.flip_rows != 0 ? height - 1 - r : r);
      if (outside == Outside::reflect) row = reflected(row, shape.height);
      if (row < 0 || row >= shape.height) {
        std::fill(to, to + shown, fill);
        continue;
      }
      show_row(image + row * line, shape.width, channels, window.left, outside, fill, to, width);
      if (window.flip_columns != 0) turn_over(to, width, channels);
    }
  });
}

template <class T>
void rotate(ImageShape shape, const T* x, const double* angles, T fill, T* y, int threads) {
  const std::int64_t size = shape.height * shape.width * shape.channels;
  const double middle_row = double(shape.height - 1) / 2, middle_column = double(shape.width - 1) / 2;
  for_each_image(shape.count, threads, [&](std::int64_t i) {
    const double cosine = std::cos(angles[i]), sine = std::sin(angles[i]);
    T* to = y + i * size;
    for (std::int64_t r = 0; r < shape.height; ++r) {
      const double down = double(r) - middle_row;
      for (std::int64_t c = 0; c < shape.width; ++c, to += shape.channels) {
        const double right = double(c) - middle_column;
        // Where the pixel comes from: the rotation back. Rows count downwards, which turns the sense of the angle around.
        const double row = middle_row + cosine * down + sine * right;
        const double column = middle_column - sine * down + cosine * right;
        interpolate(shape, x + i * size, corners<T>(row, column), fill, to);
      }
    }
  });
}

template <class T>
void cover(ImageShape shape, const T* x, const Box* boxes, T fill, T* y, int threads) {
  const std::int64_t line = shape.width * shape.channels, size = shape.height * line;
  for_each_image(shape.count, threads, [&](std::int64_t i) {
    const Box& box = boxes[i];
    T* const to = y + i * size;
    std::copy_n(x + i * size, size, to);
    for (std::int64_t r = box.top; r < box.bottom; ++r) {
      std::fill(to + r * line + box.left * shape.channels, to + r * line + box.right * shape.channels, fill);
    }
  });
}

template <class T>
void mix(std::int64_t count, std::int64_t size, const T* x, const std::int64_t* partners, const T* shares, T* y,
         int threads) {
  for_each_image(count, threads, [&](std::int64_t i) {
    const T *const own = x + i * size, *const other = x + partners[i] * size;
    T* const to = y + i * size;
    const T share = shares[i], rest = 1 - share;
    for (std::int64_t j = 0; j < size; ++j) to[j] = share * own[j] + rest * other[j];
  });
}

#define FASTML_INSTANTIATE_MOVES(T)                                                                                 \
  template void show_windows(ImageShape, const T*, const Window*, std::int64_t, std::int64_t, Outside, T, T*, int); \
  template void cover(ImageShape, const T*, const Box*, T, T*, int);
#define FASTML_INSTANTIATE_SUMS(T)                                       \
  template void rotate(ImageShape, const T*, const double*, T, T*, int); \
  template void mix(std::int64_t, std::int64_t, const T*, const std::int64_t*, const T*, T*, int);
FASTML_INSTANTIATE_MOVES(float)
FASTML_INSTANTIATE_MOVES(double)
FASTML_INSTANTIATE_MOVES(std::uint8_t)
FASTML_INSTANTIATE_SUMS(float)
FASTML_INSTANTIATE_SUMS(double)
#undef FASTML_INSTANTIATE_MOVES
#undef FASTML_INSTANTIATE_SUMS

}  // namespace fastml::nn
