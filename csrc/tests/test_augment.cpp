// Augmentation against loops that look every pixel up, in memory that ends with the last one.
#include <cmath>
#include <string>
#include <vector>

#include "nn/augment.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using nn::Box;
using nn::ImageShape;
using nn::Outside;
using nn::Window;

namespace {

constexpr std::int64_t kMostNumbers = 5000;

const std::vector<ImageShape> kShapes{{3, 5, 7, 1}, {2, 1, 4, 3}, {4, 6, 1, 2},
                                      {1, 1, 1, 1}, {0, 4, 4, 1}, {3, 8, 8, 5}};

std::int64_t size_of(const ImageShape& s) { return s.count * s.height * s.width * s.channels; }

std::string text(const ImageShape& s) {
  return std::to_string(s.count) + "x" + std::to_string(s.height) + "x" + std::to_string(s.width) + "x" +
         std::to_string(s.channels);
}

// A pixel's number; `fill` outside of the image.
template <class T>
T at(const ImageShape& s, const std::vector<T>& x, std::int64_t i, std::int64_t row, std::int64_t column,
     std::int64_t c, T fill) {
  if (row < 0 || row >= s.height || column < 0 || column >= s.width) return fill;
  return x[std::size_t(((i * s.height + row) * s.width + column) * s.channels + c)];
}

// One step after the other along 0 1 2 ... n-1 n-2 ... 1 0 1 ...
std::int64_t walked(std::int64_t i, std::int64_t size) {
  std::int64_t place = 0, step = 1;
  for (std::int64_t k = 0; k < std::abs(i) && size > 1; ++k) {
    if (place + step < 0 || place + step >= size) step = -step;
    place += step;
  }
  return place;
}

template <class T>
void windows() {
  Guarded<T> x_memory(kMostNumbers), y_memory(kMostNumbers);
  for (const ImageShape& s : kShapes) {
    const auto x = integers<T>(size_of(s), 1, 99, 3);
    for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{s.height, s.width}, {3, 2}, {9, 11}}) {
      for (unsigned trial = 0; trial < 8; ++trial) {
        const auto moves = integers<std::int64_t>(2 * s.count, -15, 15, trial);
        std::vector<Window> shown;
        for (std::int64_t i = 0; i < s.count; ++i) {
          const auto move = [&](std::int64_t k) { return trial == 0 ? 0 : moves[std::size_t(2 * i + k)]; };
          shown.push_back({move(0), move(1), trial & 1, (trial & 2) / 2});
        }
        for (const Outside outside : {Outside::constant, Outside::reflect}) {
          const ImageShape result{s.count, height, width, s.channels};
          T* y = y_memory.at_end(size_of(result));
          nn::show_windows<T>(s, x_memory.at_end(x), shown.data(), height, width, outside, T(7), y, int(trial % 3) + 1);
          std::int64_t wrong = 0;
          for (std::int64_t i = 0, k = 0; i < s.count; ++i) {
            for (std::int64_t r = 0; r < height; ++r) {
              for (std::int64_t q = 0; q < width; ++q) {
                const Window& w = shown[std::size_t(i)];
                std::int64_t row = w.top + (w.flip_rows != 0 ? height - 1 - r : r);
                std::int64_t column = w.left + (w.flip_columns != 0 ? width - 1 - q : q);
                if (outside == Outside::reflect) row = walked(row, s.height), column = walked(column, s.width);
                for (std::int64_t c = 0; c < s.channels; ++c, ++k) wrong += y[k] != at(s, x, i, row, column, c, T(7));
              }
            }
          }
          CHECK_EQUAL(wrong, 0, text(s) << " to " << height << "x" << width << " trial " << trial);
        }
      }
    }
  }
}

template <class T>
void rotations() {
  Guarded<T> x_memory(kMostNumbers), y_memory(kMostNumbers);
  const double quarter = std::acos(0.0);
  for (const ImageShape& s : kShapes) {
    const auto x = integers<T>(size_of(s), 1, 99, 5);
    for (const double turn : {0.0, 1.0, 2.0, 0.3, -0.7, 5.1}) {
      std::vector<double> angles;
      for (std::int64_t i = 0; i < s.count; ++i) angles.push_back(turn * quarter * (i % 2 == 0 ? 1 : -1));
      T* y = y_memory.at_end(size_of(s));
      nn::rotate<T>(s, x_memory.at_end(x), angles.data(), T(50), y, 2);
      double most = 0;
      for (std::int64_t i = 0, k = 0; i < s.count; ++i) {
        const double cosine = std::cos(angles[std::size_t(i)]), sine = std::sin(angles[std::size_t(i)]);
        const double middle_row = double(s.height - 1) / 2, middle_column = double(s.width - 1) / 2;
        for (std::int64_t r = 0; r < s.height; ++r) {
          for (std::int64_t q = 0; q < s.width; ++q) {
            const double row = middle_row + cosine * (double(r) - middle_row) + sine * (double(q) - middle_column);
            const double column =
                middle_column - sine * (double(r) - middle_row) + cosine * (double(q) - middle_column);
            for (std::int64_t c = 0; c < s.channels; ++c, ++k) {
              // Each pixel counts by how near it is in both directions: a tent of width 2.
              double expected = 0;
              for (std::int64_t a = -20; a <= 28; ++a) {
                for (std::int64_t b = -20; b <= 28; ++b) {
                  const double share =
                      std::max(1 - std::abs(row - double(a)), 0.0) * std::max(1 - std::abs(column - double(b)), 0.0);
                  if (share > 0) expected += share * double(at(s, x, i, a, b, c, T(50)));
                }
              }
              most = std::max(most, std::abs(expected - double(y[k])));
            }
          }
        }
      }
      // Four products of numbers below 100.
      CHECK_CLOSE(most, 0, sizeof(T) == 4 ? 1e-4 : 1e-11, text(s) << " quarters " << turn);
    }
  }
  // A quarter anticlockwise: what is right comes to the top.
  const std::vector<T> image{1, 2, 3, 4, 5, 6, 7, 8, 9}, turned{3, 6, 9, 2, 5, 8, 1, 4, 7};
  std::vector<T> y(9);
  nn::rotate<T>({1, 3, 3, 1}, image.data(), &quarter, T(0), y.data(), 1);
  for (std::size_t k = 0; k < 9; ++k) CHECK_CLOSE(y[k], turned[k], 1e-5, "quarter, pixel " << k);
}

template <class T>
void covers() {
  Guarded<T> x_memory(kMostNumbers), y_memory(kMostNumbers);
  for (const ImageShape& s : kShapes) {
    const auto x = integers<T>(size_of(s), 1, 99, 7);
    for (unsigned trial = 0; trial < 6; ++trial) {
      std::vector<Box> boxes;
      const auto draws = integers<std::int64_t>(4 * s.count, 0, 8, trial);
      for (std::size_t i = 0; i < std::size_t(s.count); ++i) {
        const auto row = [&](std::size_t k) { return std::min(draws[4 * i + k], s.height); };
        const auto column = [&](std::size_t k) { return std::min(draws[4 * i + k], s.width); };
        boxes.push_back({std::min(row(0), row(1)), std::max(row(0), row(1)), std::min(column(2), column(3)),
                         std::max(column(2), column(3))});
      }
      T* y = y_memory.at_end(size_of(s));
      nn::cover<T>(s, x_memory.at_end(x), boxes.data(), T(0), y, 2);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0, k = 0; i < s.count; ++i) {
        const Box& b = boxes[std::size_t(i)];
        for (std::int64_t r = 0; r < s.height; ++r) {
          for (std::int64_t q = 0; q < s.width; ++q) {
            const bool covered = r >= b.top && r < b.bottom && q >= b.left && q < b.right;
            for (std::int64_t c = 0; c < s.channels; ++c, ++k) wrong += y[k] != (covered ? T(0) : x[std::size_t(k)]);
          }
        }
      }
      CHECK_EQUAL(wrong, 0, text(s) << " trial " << trial);
    }
  }
}

template <class T>
void mixtures() {
  Guarded<T> x_memory(kMostNumbers), y_memory(kMostNumbers);
  const std::vector<std::int64_t> partners{2, 1, 1, 0};
  const std::vector<T> shares{T(0.25), T(1), T(0), T(0.5)};
  for (const std::int64_t size : {0, 1, 5, 64, 77}) {
    const auto x = integers<T>(4 * size, -50, 50, 9);
    T* y = y_memory.at_end(4 * size);
    nn::mix<T>(4, size, x_memory.at_end(x), partners.data(), shares.data(), y, 2);
    std::int64_t wrong = 0;  // quarters of small numbers are exact
    for (std::int64_t i = 0, k = 0; i < 4; ++i) {
      const T share = shares[std::size_t(i)];
      for (std::int64_t j = 0; j < size; ++j, ++k) {
        const T other = x[std::size_t(partners[std::size_t(i)] * size + j)];
        wrong += y[k] != share * x[std::size_t(k)] + (1 - share) * other;
      }
    }
    CHECK_EQUAL(wrong, 0, "rows of " << size);
  }
}

}  // namespace

int main() {
  windows<float>();
  windows<double>();
  windows<std::uint8_t>();
  rotations<float>();
  rotations<double>();
  covers<float>();
  covers<double>();
  covers<std::uint8_t>();
  mixtures<float>();
  mixtures<double>();
  return check::result();
}
