// Convolutions by plain loops, and their comparison with the kernels': on small integers, whose sums of products are
// exact, results are equal. Arrays lie against an unmapped page.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "nn/conv.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

namespace fastml::nn {

// Calls meet(place in x, place in the weights, place in y) for every product of the convolution.
template <class Meet>
void plain(const Conv& c, const Meet& meet) {
  for (std::int64_t n = 0; n < c.batch; ++n) {
    for (std::int64_t y = 0; y < c.out_height(); ++y) {
      for (std::int64_t x = 0; x < c.out_width(); ++x) {
        for (std::int64_t o = 0; o < c.out_channels; ++o) {
          const std::int64_t group = o / c.group_out();
          for (std::int64_t i = 0; i < c.group_in(); ++i) {
            for (std::int64_t a = 0; a < c.kernel_h; ++a) {
              for (std::int64_t b = 0; b < c.kernel_w; ++b) {
                const std::int64_t row = y * c.stride_h - c.pad_top + a * c.dilation_h;
                const std::int64_t col = x * c.stride_w - c.pad_left + b * c.dilation_w;
                if (row < 0 || row >= c.height || col < 0 || col >= c.width) continue;
                meet(((n * c.height + row) * c.width + col) * c.in_channels + group * c.group_in() + i,
                     ((o * c.group_in() + i) * c.kernel_h + a) * c.kernel_w + b,
                     ((n * c.out_height() + y) * c.out_width() + x) * c.out_channels + o);
              }
            }
          }
        }
      }
    }
  }
}

inline std::string text(const Conv& c, const char* level, int threads) {
  std::ostringstream out;
  out << level << ", " << threads << " threads: " << c.batch << " x " << c.height << " x " << c.width << " x "
      << c.in_channels << " -> " << c.out_channels << ", kernel " << c.kernel_h << " x " << c.kernel_w << ", stride "
      << c.stride_h << ", " << c.stride_w << ", dilation " << c.dilation_h << ", " << c.dilation_w << ", margins "
      << c.pad_top << ", " << c.pad_bottom << ", " << c.pad_left << ", " << c.pad_right << ", groups " << c.groups;
  return out.str();
}

template <class T>
struct Arrays {
  static constexpr std::int64_t kMost = 1 << 18;
  Guarded<T> x{kMost}, weight{kMost}, bias{kMost}, y{kMost}, dx{kMost}, dweight{kMost};
};

template <class T>
void compare(const Conv& c, Arrays<T>& arrays, const char* level, unsigned seed) {
  const std::int64_t x_size = c.batch * c.height * c.width * c.in_channels;
  const std::int64_t weight_size = c.out_channels * c.group_in() * c.kernel_h * c.kernel_w;
  const std::int64_t y_size = c.batch * c.out_height() * c.out_width() * c.out_channels;
  const std::vector<T> xs = integers<T>(x_size, -3, 3, seed), weights = integers<T>(weight_size, -3, 3, seed + 1);
  const std::vector<T> biases = integers<T>(c.out_channels, -9, 9, seed + 2),
                       dys = integers<T>(y_size, -3, 3, seed + 3),
                       transposed_biases = integers<T>(c.in_channels, -9, 9, seed + 4);
  const T *x = arrays.x.at_end(xs), *weight = arrays.weight.at_end(weights);

  std::vector<T> sums(y_size), dx(x_size), dweight(weight_size);
  plain(c, [&](std::int64_t i, std::int64_t w, std::int64_t j) {
    sums[j] += xs[i] * weights[w];
    dx[i] += dys[j] * weights[w];
    dweight[w] += dys[j] * xs[i];
  });
  for (const int threads : {1, 2, 3}) {
    const std::string where = text(c, level, threads);
    T* y = arrays.y.at_end(y_size);
    conv_forward<T>(c, x, weight, {}, y, threads);
    std::int64_t wrong = 0;
    for (std::int64_t j = 0; j < y_size; ++j) wrong += y[j] != sums[j];
    CHECK_EQUAL(wrong, 0, "y of " << where);

    const T *bias = arrays.bias.at_end(biases), *more = arrays.dx.at_end(dys);
    for (const T* added : {static_cast<const T*>(nullptr), more}) {
      conv_forward<T>(c, x, weight, {bias, added, Activation::leaky_relu, T(0.5)}, y, threads);
      wrong = 0;
      for (std::int64_t j = 0; j < y_size; ++j) {
        const T z = sums[j] + biases[j % c.out_channels] + (added == nullptr ? T(0) : dys[j]);
        wrong += y[j] != (z > 0 ? z : z / 2);
      }
      CHECK_EQUAL(wrong, 0, "y with bias, activation" << (added == nullptr ? "" : ", more") << " of " << where);
    }

    const T* dy = arrays.y.at_end(dys);
    T* got = arrays.dx.at_end(x_size);
    std::fill(got, got + x_size, T(77));
    conv_backward_input<T>(c, dy, weight, {}, got, threads);
    wrong = 0;
    for (std::int64_t i = 0; i < x_size; ++i) wrong += got[i] != dx[i];
    CHECK_EQUAL(wrong, 0, "dx of " << where);

    const T* transposed_bias = arrays.bias.at_end(transposed_biases);
    conv_backward_input<T>(c, dy, weight, {transposed_bias, nullptr, Activation::leaky_relu, T(0.5)}, got, threads);
    wrong = 0;
    for (std::int64_t i = 0; i < x_size; ++i) {
      const T z = dx[i] + transposed_biases[i % c.in_channels];
      wrong += got[i] != (z > 0 ? z : z / 2);
    }
    CHECK_EQUAL(wrong, 0, "dx with bias and activation of " << where);

    T* got_weight = arrays.dweight.at_end(weight_size);
    std::fill(got_weight, got_weight + weight_size, T(77));
    conv_backward_weight<T>(c, x, dy, got_weight, threads);
    wrong = 0;
    for (std::int64_t w = 0; w < weight_size; ++w) wrong += got_weight[w] != dweight[w];
    CHECK_EQUAL(wrong, 0, "derivative by the weights of " << where);
  }
}

}  // namespace fastml::nn
