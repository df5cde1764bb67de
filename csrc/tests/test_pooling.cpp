// Pooling by maxima and by means, and upsampling, at every level against plain loops. Arrays lie against an unmapped page.
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <vector>

#include "nn/max_pooling.hpp"
#include "nn/resampling.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

constexpr std::int64_t kMost = 1 << 17;

struct Axis {
  std::int64_t in, kernel, stride, pad, dilation;
  bool ceil;

  // As PyTorch has it: with `ceil`, a last window may reach behind the margin, but must begin before it.
  std::int64_t out() const {
    const std::int64_t room = in + 2 * pad - dilation * (kernel - 1) - 1;
    std::int64_t n = (room + (ceil ? stride - 1 : 0)) / stride + 1;
    if (ceil && (n - 1) * stride >= in + pad) --n;
    return n;
  }
  bool fits() const { return in + 2 * pad >= dilation * (kernel - 1) + 1 && 2 * pad <= kernel; }
};

std::vector<Axis> axes() {
  std::vector<Axis> all;
  for (const std::int64_t in : {1, 2, 5, 8}) {
    for (const std::int64_t kernel : {1, 2, 3}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t pad : {0, 1}) {
          for (const std::int64_t dilation : {1, 2}) {
            for (const bool ceil : {false, true}) {
              const Axis axis{in, kernel, stride, pad, dilation, ceil};
              if (axis.fits()) all.push_back(axis);
            }
          }
        }
      }
    }
  }
  return all;
}

std::string text(const Axis& a) {
  std::ostringstream out;
  out << "in " << a.in << " kernel " << a.kernel << " stride " << a.stride << " pad " << a.pad << " dilation "
      << a.dilation << (a.ceil ? " ceil" : "");
  return out.str();
}

// Calls use(pixel of the image) for each place of a plane's window, -1 where it is outside.
template <class Use>
void for_each_place(const Axis& down, const Axis& across, std::int64_t row, std::int64_t col, const Use& use) {
  for (std::int64_t a = 0; a < down.kernel; ++a) {
    for (std::int64_t b = 0; b < across.kernel; ++b) {
      const std::int64_t y = row * down.stride - down.pad + a * down.dilation;
      const std::int64_t x = col * across.stride - across.pad + b * across.dilation;
      use(y < 0 || y >= down.in || x < 0 || x >= across.in ? -1 : y * across.in + x);
    }
  }
}

template <class T>
struct Arrays {
  Guarded<T> x{kMost}, y{kMost}, dy{kMost}, dx{kMost};
  Guarded<std::uint8_t> narrow{kMost};
  Guarded<std::int32_t> wide{kMost};
};

// Small integers, whose sums are exact: results are equal. Some values are NaN or -inf.
template <class T, class Place>
void maxima(Arrays<T>& arrays, Guarded<Place>& at_places, const Axis& down, const Axis& across, std::int64_t batch,
            std::int64_t channels, const char* level) {
  const std::int64_t pixels = down.in * across.in, out_pixels = down.out() * across.out();
  std::vector<T> values = integers<T>(batch * pixels * channels, -3, 3, 1);
  for (std::size_t i = 0; i < values.size(); i += 11) values[i] = std::numeric_limits<T>::quiet_NaN();
  for (std::size_t i = 3; i < values.size(); i += 5) values[i] = -std::numeric_limits<T>::infinity();
  const T* x = arrays.x.at_end(values);
  const T* dy = arrays.dy.at_end(integers<T>(batch * out_pixels * channels, -4, 4, 2));
  T *y = arrays.y.at_end(batch * out_pixels * channels), *dx = arrays.dx.at_end(std::int64_t(values.size()));
  Place* places = at_places.at_end(batch * out_pixels * channels);
  const Windows rows = sliding_windows(down.in, down.out(), down.kernel, down.stride, down.pad, down.dilation);
  const Windows cols =
      sliding_windows(across.in, across.out(), across.kernel, across.stride, across.pad, across.dilation);
  std::vector<T> most(batch * out_pixels * channels), derivative(values.size());
  for (std::int64_t i = 0; i < std::int64_t(most.size()); ++i) {
    const std::int64_t c = i % channels, pixel = i / channels % out_pixels, n = i / channels / out_pixels;
    std::int64_t winner = -1;
    most[i] = -std::numeric_limits<T>::infinity();
    for_each_place(down, across, pixel / across.out(), pixel % across.out(), [&](std::int64_t at) {
      if (at < 0) return;
      const std::int64_t place = (n * pixels + at) * channels + c;
      if (winner < 0 || x[place] > most[i] || std::isnan(x[place])) {
        winner = place;
        most[i] = x[place];
      }
    });
    if (winner >= 0) derivative[winner] += dy[i];
  }
  for (const int threads : {1, 3}) {
    for (const bool noted : {false, true}) {
      std::fill(y, y + most.size(), T(77));
      max_pool<T, Place>(batch, channels, rows, cols, x, y, noted ? places : nullptr, threads);
      for (std::size_t i = 0; i < most.size(); ++i) {
        CHECK(y[i] == most[i] || (std::isnan(y[i]) && std::isnan(most[i])),
              level << " " << text(down) << " x " << text(across) << ", channels " << channels << ", element " << i);
      }
    }
    max_pool_backward<T, Place>(batch, channels, rows, cols, dy, places, dx, threads);
    for (std::size_t i = 0; i < derivative.size(); ++i) {
      CHECK_EQUAL(dx[i], derivative[i],
                  level << " dx " << text(down) << " x " << text(across) << ", channels " << channels);
    }
  }
}

// A map of images as rows of the weights that its results are sums of.
using Weights = std::vector<std::vector<long double>>;

// A map on images of small integers, and its transpose, against its weights.
template <class T>
void compare(Arrays<T>& arrays, const Taps<T>& down, const Taps<T>& across, const Weights& rows, const Weights& cols,
             std::int64_t batch, std::int64_t channels, const std::string& where) {
  const std::int64_t pixels = down.in * across.in, out_pixels = down.out() * across.out();
  const T* x = arrays.x.at_end(integers<T>(batch * pixels * channels, -9, 9, 1));
  const T* dy = arrays.dy.at_end(integers<T>(batch * out_pixels * channels, -9, 9, 2));
  T *y = arrays.y.at_end(batch * out_pixels * channels), *dx = arrays.dx.at_end(batch * pixels * channels);
  std::vector<long double> sums(batch * out_pixels * channels), derivative(batch * pixels * channels);
  for (std::int64_t i = 0; i < std::int64_t(sums.size()); ++i) {
    const std::int64_t c = i % channels, pixel = i / channels % out_pixels, n = i / channels / out_pixels;
    for (std::int64_t a = 0; a < down.in; ++a) {
      for (std::int64_t b = 0; b < across.in; ++b) {
        const std::int64_t at = (n * pixels + a * across.in + b) * channels + c;
        const long double weight = rows[pixel / across.out()][a] * cols[pixel % across.out()][b];
        sums[i] += weight * x[at];
        derivative[at] += weight * dy[i];
      }
    }
  }
  // Positions between pixels are rounded, like sums and weights: some units of values up to 9 in at most 25 terms.
  const double off = 300 * double(std::numeric_limits<T>::epsilon());
  const Taps<T> up = transposed(down), back = transposed(across);
  for (const int threads : {1, 3}) {
    resample(batch, channels, down, across, x, y, threads);
    resample(batch, channels, up, back, dy, dx, threads);
    for (std::size_t i = 0; i < sums.size(); ++i) CHECK_CLOSE(y[i], sums[i], off, where);
    for (std::size_t i = 0; i < derivative.size(); ++i) CHECK_CLOSE(dx[i], derivative[i], off, where << " dx");
  }
}

Weights mean_weights(const Axis& axis, bool count_margin) {
  Weights rows;
  for (std::int64_t o = 0; o < axis.out(); ++o) {
    std::vector<long double> row(axis.in);
    std::int64_t count = 0;
    for (std::int64_t i = o * axis.stride - axis.pad; i < o * axis.stride - axis.pad + axis.kernel; ++i) {
      const bool inside = i >= 0 && i < axis.in;
      if (inside) row[i] = 1;
      count += inside || (count_margin && i < axis.in + axis.pad);
    }
    for (long double& weight : row) weight /= static_cast<long double>(count);
    rows.push_back(row);
  }
  return rows;
}

Weights adaptive_weights(std::int64_t in, std::int64_t out) {
  Weights rows;
  for (std::int64_t o = 0; o < out; ++o) {
    std::vector<long double> row(in);
    long double count = 0;
    // Pixel i covers [i, i + 1), the window [o in / out, (o + 1) in / out).
    for (std::int64_t i = 0; i < in; ++i) {
      if ((i + 1) * out > o * in && i * out < (o + 1) * in) {
        row[i] = 1;
        ++count;
      }
    }
    for (long double& weight : row) weight /= count;
    rows.push_back(row);
  }
  return rows;
}

Weights nearest_weights(std::int64_t in, std::int64_t out) {
  Weights rows;
  for (std::int64_t o = 0; o < out; ++o) {
    rows.emplace_back(in);
    rows.back()[std::min(std::int64_t(float(o) * (float(in) / float(out))), in - 1)] = 1;
  }
  return rows;
}

Weights linear_weights(std::int64_t in, std::int64_t out, bool align_corners) {
  Weights rows;
  for (std::int64_t o = 0; o < out; ++o) {
    const long double spread = out > 1 ? static_cast<long double>(in - 1) / static_cast<long double>(out - 1) : 0;
    const long double middle = (o + 0.5L) * static_cast<long double>(in) / static_cast<long double>(out) - 0.5L;
    const long double at = align_corners ? o * spread : middle;
    rows.emplace_back(in);
    // A tent of width 1 around each pixel; beyond the outer centres their pixels hold alone.
    for (std::int64_t i = 0; i < in; ++i) {
      const long double held = std::min(std::max(at, 0.0L), static_cast<long double>(in - 1));
      rows.back()[i] = std::max(0.0L, 1 - std::abs(held - i));
    }
  }
  return rows;
}

template <class T>
void all(const char* level) {
  Arrays<T> arrays;
  const std::vector<Axis> some = axes();
  const std::vector<std::int64_t> channel_counts{1, 3, 8, 17, 64, 71};
  std::size_t turn = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    const Axis &down = some[i], &across = some[(i * 7 + 3) % some.size()];
    const std::int64_t channels = channel_counts[turn++ % channel_counts.size()], batch = std::int64_t(turn % 3);
    maxima<T, std::uint8_t>(arrays, arrays.narrow, down, across, batch, channels, level);
    maxima<T, std::int32_t>(arrays, arrays.wide, down, across, batch, channels, level);
    if (down.dilation > 1 || across.dilation > 1) continue;
    const auto means = [](const Axis& a, bool margin) {
      return mean_taps<T>(a.in, a.out(), a.kernel, a.stride, a.pad, margin);
    };
    for (const bool margin : {false, true}) {
      compare(arrays, means(down, margin), means(across, margin), mean_weights(down, margin),
              mean_weights(across, margin), batch, channels,
              level + (" means " + text(down)) + " x " + text(across) + (margin ? " with margin" : ""));
    }
  }
  // Windows of more than 256 places.
  const Axis large{20, 17, 2, 8, 1, false};
  CHECK(
      !has_narrow_places(sliding_windows(20, large.out(), 17, 2, 8, 1), sliding_windows(20, large.out(), 17, 2, 8, 1)),
      "289 places");
  maxima<T, std::int32_t>(arrays, arrays.wide, large, large, 2, 5, level);
  for (const std::int64_t in : {1, 2, 5, 7}) {
    for (const std::int64_t out : {1, 2, 3, 7, 10}) {
      const std::int64_t channels = channel_counts[turn++ % channel_counts.size()];
      const std::string where = std::string(level) + " " + std::to_string(in) + " to " + std::to_string(out);
      const Taps<T> fixed = adaptive_mean_taps<T>(3, 2);
      const Weights fixed_weights = adaptive_weights(3, 2);
      compare(arrays, adaptive_mean_taps<T>(in, out), fixed, adaptive_weights(in, out), fixed_weights, 2, channels,
              where + " adaptive");
      compare(arrays, fixed, nearest_taps<T>(in, out, 0), fixed_weights, nearest_weights(in, out), 2, channels,
              where + " nearest");
      for (const bool aligned : {false, true}) {
        compare(arrays, linear_taps<T>(in, out, aligned, 0), fixed, linear_weights(in, out, aligned), fixed_weights, 2,
                channels, where + (aligned ? " linear, corners" : " linear"));
      }
      const Windows windows = adaptive_windows(in, out);
      const Weights weights = adaptive_weights(in, out);
      for (std::int64_t o = 0; o < out; ++o) {
        for (std::int64_t i = 0; i < in; ++i) {
          const bool inside = i >= windows.begin[o] && i < windows.begin[o] + windows.count[o];
          CHECK_EQUAL(inside, weights[o][i] > 0, where << " adaptive windows");
        }
      }
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    all<float>(name(level));
    all<double>(name(level));
  });
  return check::result();
}
