// Depthwise convolutions at every level against plain loops: channels around the number of lanes, rows around the tile.
#include <random>

#include "nn/activation_kernels.hpp"
#include "nn/depthwise.hpp"
#include "tests/levels.hpp"
#include "tests/plain_conv.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

constexpr std::int64_t kChannels[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 70};

Conv depthwise(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t channels,
               std::int64_t kernel_h, std::int64_t kernel_w, std::int64_t stride_h, std::int64_t stride_w,
               std::int64_t dilation, std::int64_t pad_h, std::int64_t pad_w) {
  return {batch,    height,   width,    channels, channels, kernel_h, kernel_w, stride_h,
          stride_w, dilation, dilation, pad_h,    pad_h,    pad_w,    pad_w,    channels};
}

template <class T>
void shapes(const char* level) {
  Arrays<T> arrays;
  unsigned seed = 1;
  for (const std::int64_t channels : kChannels) {
    for (const std::int64_t stride : {1, 2}) {
      compare<T>(depthwise(2, 7, 13, channels, 3, 3, stride, stride, 1, 1, 1), arrays, level, seed += 10);
      compare<T>(depthwise(1, 5, 6, channels, 5, 5, stride, stride, 1, 2, 2), arrays, level, seed += 10);
    }
    compare<T>(depthwise(1, 6, 9, channels, 3, 3, 1, 1, 2, 2, 2), arrays, level, seed += 10);
  }
  // Every length of a row, and images smaller than the window.
  for (std::int64_t width = 1; width <= 18; ++width) {
    for (const std::int64_t kernel : {1, 2, 3, 4, 5, 7}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        compare<T>(depthwise(1, 2, width, 17, 2, kernel, 1, stride, 1, 1, kernel - 1), arrays, level, seed += 10);
      }
    }
  }
  compare<T>(depthwise(0, 4, 4, 8, 3, 3, 1, 1, 1, 1, 1), arrays, level, seed += 10);
  compare<T>(depthwise(1, 1, 1, 20, 1, 1, 1, 1, 1, 0, 0), arrays, level, seed += 10);
  // More results than are summed at once, and margins wider than the window.
  compare<T>(depthwise(3, 40, 33, 5, 3, 3, 1, 1, 1, 1, 1), arrays, level, seed += 10);
  compare<T>(depthwise(2, 3, 4, 19, 2, 3, 1, 1, 1, 6, 7), arrays, level, seed += 10);
  compare<T>(depthwise(1, 3, 4, 19, 3, 3, 2, 2, 1, 6, 7), arrays, level, seed += 10);

  std::mt19937 random(5);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  for (int i = 0; i < 80; ++i) {
    const std::int64_t channels = draw(1, 40);
    const Conv c{draw(1, 3), draw(1, 12), draw(1, 20), channels,   channels,   draw(1, 6), draw(1, 6), draw(1, 4),
                 draw(1, 4), draw(1, 3),  draw(1, 3),  draw(0, 4), draw(0, 4), draw(0, 4), draw(0, 4), channels};
    if (fault_of(c) == nullptr) compare<T>(c, arrays, level, seed += 10);
  }
}

// Each kind of activation is that of the layer's kernel.
template <class T>
void activations(const char* level) {
  const Conv c = depthwise(2, 6, 9, 21, 3, 3, 1, 1, 1, 1, 1);
  const std::int64_t size = c.batch * c.height * c.width * c.in_channels;
  const std::vector<T> x = normals<T>(size, 1), weight = normals<T>(c.in_channels * 9, 2),
                       bias = normals<T>(c.in_channels, 3);
  std::vector<T> sums(size), y(size), expected(size);
  depthwise_forward<T>(c, x.data(), weight.data(), {bias.data()}, sums.data(), 2);
  for (int kind = int(Activation::identity); kind <= int(Activation::softplus); ++kind) {
    depthwise_forward<T>(c, x.data(), weight.data(), {bias.data(), nullptr, Activation(kind), T(0.5)}, y.data(), 2);
    activation_kernels<T>().forward(Activation(kind), T(0.5), c.batch * c.height * c.width, c.in_channels, nullptr,
                                    sums.data(), expected.data());
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < size; ++i) wrong += !(std::abs(y[i] - expected[i]) <= T(1e-6));
    CHECK_EQUAL(wrong, 0, level << ", kind " << kind);
  }
}

// Products of one sign whose sum is long: float32 keeps its digits.
void long_sums(const char* level) {
  const Conv c = depthwise(64, 56, 56, 16, 1, 1, 1, 1, 1, 0, 0);
  const std::int64_t size = c.batch * c.height * c.width * c.in_channels;
  const std::vector<float> x(size, 0.1F), dy(size, 0.3F);
  std::vector<float> one(16), two(16);
  depthwise_backward_weight<float>(c, x.data(), dy.data(), one.data(), 1);
  depthwise_backward_weight<float>(c, x.data(), dy.data(), two.data(), 2);
  const double expected = double(0.1F) * double(0.3F) * 64 * 56 * 56;
  CHECK_CLOSE(one[5], expected, expected * 1e-5, level);
  for (int i = 0; i < 16; ++i) CHECK_CLOSE(two[i], one[i], expected * 1e-7, level << ", threads, channel " << i);
}

template <class T>
void not_finite(const char* level) {
  const Conv c = depthwise(1, 3, 20, 17, 3, 3, 1, 1, 1, 1, 1);
  std::vector<T> x(3 * 20 * 17, T(1)), weight(17 * 9, T(1)), y(x.size());
  x[(20 + 10) * 17 + 16] = std::numeric_limits<T>::quiet_NaN();
  depthwise_forward<T>(c, x.data(), weight.data(), {nullptr, nullptr, Activation::relu}, y.data(), 1);
  std::int64_t count = 0, right = 0;
  for (std::int64_t i = 0; i < std::int64_t(y.size()); ++i) {
    const std::int64_t channel = i % 17, col = i / 17 % 20;
    count += y[i] != y[i];
    right += y[i] != y[i] && channel == 16 && col >= 9 && col <= 11;
  }
  CHECK_EQUAL(count, 9, level << ": NaN reaches its neighbours only, and stays behind ReLU");
  CHECK_EQUAL(right, 9, level);
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    shapes<float>(name(level));
    shapes<double>(name(level));
    activations<float>(name(level));
    activations<double>(name(level));
    long_sums(name(level));
    not_finite<float>(name(level));
    not_finite<double>(name(level));
  });
  return check::result();
}
