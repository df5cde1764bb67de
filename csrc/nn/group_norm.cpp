#include "nn/group_norm.hpp"

#include <algorithm>
#include <cmath>

#include "nn/channel_norm.hpp"
#include "runtime/buffer.hpp"

namespace fastml::nn {
namespace {

// Calls step(thread, sample, first group, last group): each thread has images of its own, or some groups of each where
// there are fewer images than threads.
template <class Step>
void share_groups(const Groups& shape, int threads, const Step& step) {
  const std::int64_t wanted = (threads + shape.samples - 1) / std::max<std::int64_t>(shape.samples, 1);
  const std::int64_t parts = std::clamp<std::int64_t>(wanted, 1, shape.groups), units = shape.samples * parts;
  threads = int(std::clamp<std::int64_t>(units, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t i = units * t / threads; i < units * (t + 1) / threads; ++i) {
      const std::int64_t part = i % parts;
      step(t, i / parts, shape.groups * part / parts, shape.groups * (part + 1) / parts);
    }
  }
}

// Calls step(rows, place) for blocks of the pixels of image n, of channels from `first` on. How many rows a block has is
// the same for any part of the channels: sums would depend on the number of threads otherwise.
template <class T, class Step>
void for_each_block(const Groups& shape, std::int64_t n, std::int64_t first, const Step& step) {
  const std::int64_t most = rows_of_block<T>(shape.channels);
  for (std::int64_t row = 0; row < shape.positions; row += most) {
    step(std::min(most, shape.positions - row), (n * shape.positions + row) * shape.channels + first);
  }
}

// Arrays of one value a channel, each thread's on cache lines of its own.
template <class T>
class ChannelArrays {
 public:
  ChannelArrays(std::int64_t channels, int count, int threads)
      : size_(whole_lines<T>(channels)), count_(count), memory_(size_ * count * threads) {}
  T* array(int thread, int i) { return memory_.data() + (thread * count_ + i) * size_; }

 private:
  std::int64_t size_;
  int count_;
  Buffer<T> memory_;
};

}  // namespace

template <class T>
void group_norm(const Groups& shape, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean, T* inverse,
                int threads) {
  const std::int64_t width = shape.group_size();
  const ChannelNormKernels<T>& kernels = channel_norm_kernels<T>();
  ChannelArrays<double> moments(shape.channels, 2, threads);
  ChannelArrays<T> factors(shape.channels, 4, threads);
  share_groups(shape, threads, [&](int t, std::int64_t n, std::int64_t first_group, std::int64_t last_group) {
    const std::int64_t first = first_group * width, last = last_group * width;
    double *means = moments.array(t, 0), *squares = moments.array(t, 1);
    T *shift = factors.array(t, 0), *scale = factors.array(t, 1), *block = factors.array(t, 2);
    T* block_squares = factors.array(t, 3);
    std::fill(means + first, means + last, 0.0);
    std::fill(squares + first, squares + last, 0.0);
    Moments all{0, means + first, squares + first};
    for_each_block<T>(shape, n, first, [&](std::int64_t rows, std::int64_t at) {
      kernels.moments(rows, last - first, shape.channels, x + at, block, block_squares);
      all.join(rows, last - first, block, block_squares);
    });
    for (std::int64_t g = first_group; g < last_group; ++g) {
      double center = 0, variance = 0;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) center += means[c] / double(width);
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        variance += (squares[c] / double(shape.positions) + (means[c] - center) * (means[c] - center)) / double(width);
      }
      const std::int64_t at = n * shape.groups + g;
      mean[at] = T(center);
      inverse[at] = T(1 / std::sqrt(variance + double(eps)));
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        shift[c] = mean[at];
        scale[c] = weight[c] * inverse[at];
      }
    }
    for_each_block<T>(shape, n, first, [&](std::int64_t rows, std::int64_t at) {
      kernels.scale(rows, last - first, shape.channels, x + at, shift + first, scale + first, bias + first, nullptr,
                    false, y + at);
    });
  });
}

template <class T>
void group_norm_backward(const Groups& shape, const T* x, const T* mean, const T* inverse, const T* weight, const T* dy,
                         T* dx, T* dweight, T* dbias, int threads) {
  const std::int64_t width = shape.group_size();
  const double count = double(shape.positions * width);
  const ChannelNormKernels<T>& kernels = channel_norm_kernels<T>();
  Buffer<double> sums(2 * shape.samples * shape.channels);
  ChannelArrays<T> factors(shape.channels, 7, threads);
  share_groups(shape, threads, [&](int t, std::int64_t n, std::int64_t first_group, std::int64_t last_group) {
    const std::int64_t first = first_group * width, last = last_group * width;
    double *weight_sums = sums.data() + 2 * n * shape.channels, *bias_sums = weight_sums + shape.channels;
    T *means = factors.array(t, 0), *inverses = factors.array(t, 1), *scale = factors.array(t, 2),
      *slope = factors.array(t, 3), *constant = factors.array(t, 4), *block_weights = factors.array(t, 5),
      *block_biases = factors.array(t, 6);
    for (std::int64_t c = first; c < last; ++c) {
      means[c] = mean[n * shape.groups + c / width];
      inverses[c] = inverse[n * shape.groups + c / width];
    }
    for_each_block<T>(shape, n, first, [&](std::int64_t rows, std::int64_t at) {
      kernels.products(rows, last - first, shape.channels, x + at, dy + at, {}, means + first, inverses + first,
                       block_weights, block_biases);
      for (std::int64_t c = first; c < last; ++c) {
        weight_sums[c] += double(block_weights[c - first]);
        bias_sums[c] += double(block_biases[c - first]);
      }
    });
    if (dx == nullptr) return;
    for (std::int64_t g = first_group; g < last_group; ++g) {
      // Of dy * weight, and of that times the normal form: what the moments pass on to every value of the group.
      double level = 0, slope_sum = 0;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        level += double(weight[c]) * bias_sums[c] / count;
        slope_sum += double(weight[c]) * weight_sums[c] / count;
      }
      const double by = double(inverse[n * shape.groups + g]);
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        scale[c] = T(by * double(weight[c]));
        slope[c] = T(by * by * slope_sum);
        constant[c] = T(by * level);
      }
    }
    for_each_block<T>(shape, n, first, [&](std::int64_t rows, std::int64_t at) {
      kernels.backward(rows, last - first, shape.channels, x + at, dy + at, {}, means + first, scale + first,
                       slope + first, constant + first, dx + at, nullptr);
    });
  });
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    double weight_sum = 0, bias_sum = 0;
    for (std::int64_t n = 0; n < shape.samples; ++n) {
      weight_sum += sums.data()[2 * n * shape.channels + c];
      bias_sum += sums.data()[(2 * n + 1) * shape.channels + c];
    }
    dweight[c] = T(weight_sum);
    dbias[c] = T(bias_sum);
  }
}

#define FASTML_INSTANTIATE(T)                                                                \
  template void group_norm(const Groups&, const T*, const T*, const T*, T, T*, T*, T*, int); \
  template void group_norm_backward(const Groups&, const T*, const T*, const T*, const T*, const T*, T*, T*, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml::nn
