#include "nn/channel_norm.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/buffer.hpp"

#define FASTML_TABLE_TYPE nn::ChannelNormTables
#define FASTML_TABLE_NAME channel_norm_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::ChannelNormTables& nn::channel_norm_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::channel_norm_tables_of_level;
  }
}

namespace nn {

template <>
const ChannelNormKernels<float>& channel_norm_kernels() {
  return channel_norm_tables().f32;
}
template <>
const ChannelNormKernels<double>& channel_norm_kernels() {
  return channel_norm_tables().f64;
}

namespace {

// Rows in parts, each of which has sums of its own, in blocks that fit into L1.
struct Parts {
  static constexpr std::int64_t kMost = 32;

  std::int64_t rows, block_rows, n_blocks, count;

  template <class T>
  static Parts of(std::int64_t rows, std::int64_t channels) {
    Parts parts;
    parts.rows = rows;
    parts.block_rows = rows_of_block<T>(channels);
    parts.n_blocks = (rows + parts.block_rows - 1) / parts.block_rows;
    parts.count = std::min(parts.n_blocks, kMost);
    return parts;
  }

  // Calls step(part, first row, rows) for the blocks of each part, in their order.
  template <class Step>
  void for_each_block(int threads, const Step& step) const {
    threads = int(std::clamp<std::int64_t>(count, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
    for (int t = 0; t < threads; ++t) {
      for (std::int64_t part = count * t / threads; part < count * (t + 1) / threads; ++part) {
        for (std::int64_t b = n_blocks * part / count; b < n_blocks * (part + 1) / count; ++b) {
          step(part, b * block_rows, std::min(block_rows, rows - b * block_rows));
        }
      }
    }
  }

  // Calls step(first row, rows) for the same blocks on the same threads, each beginning with its last.
  template <class Step>
  void for_each_block_backwards(int threads, const Step& step) const {
    if (count == 0) return;
    threads = int(std::clamp<std::int64_t>(count, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
    for (int t = 0; t < threads; ++t) {
      const std::int64_t begin = n_blocks * (count * t / threads) / count;
      for (std::int64_t b = n_blocks * (count * (t + 1) / threads) / count - 1; b >= begin; --b) {
        step(b * block_rows, std::min(block_rows, rows - b * block_rows));
      }
    }
  }
};

// Means and variances of channels.
template <class T>
void moments_of(const Parts& parts, std::int64_t channels, const T* x, double* mean, double* variance, int threads) {
  Buffer<double> sums(2 * channels * parts.count);
  Buffer<T> of_blocks(2 * channels * parts.count);
  Moments own[Parts::kMost];
  for (std::int64_t part = 0; part < parts.count; ++part) {
    own[part].mean = sums.data() + 2 * channels * part;
    own[part].squares = own[part].mean + channels;
  }
  parts.for_each_block(threads, [&](std::int64_t part, std::int64_t first, std::int64_t rows) {
    T* block = of_blocks.data() + 2 * channels * part;
    channel_norm_kernels<T>().moments(rows, channels, channels, x + first * channels, block, block + channels);
    own[part].join(rows, channels, block, block + channels);
  });
  std::fill_n(mean, channels, 0.0);
  std::fill_n(variance, channels, 0.0);
  Moments all{0, mean, variance};
  for (std::int64_t part = 0; part < parts.count; ++part) {
    all.join(own[part].count, channels, own[part].mean, own[part].squares);
  }
  for (std::int64_t c = 0; c < channels; ++c) variance[c] /= double(all.count);  // of no rows: NaN
}

}  // namespace

template <class T>
void batch_norm(std::int64_t rows, std::int64_t channels, const T* x, const T* weight, const T* bias, T eps, bool given,
                const T* more, bool relu, T* y, T* mean, T* variance, T* inverse, int threads) {
  if (channels == 0) return;
  const Parts parts = Parts::of<T>(rows, channels);
  Buffer<double> sums(given ? 0 : 2 * channels);
  Buffer<T> scale(channels);
  double *means = sums.data(), *variances = given ? nullptr : means + channels;
  if (!given) moments_of(parts, channels, x, means, variances, threads);
  for (std::int64_t c = 0; c < channels; ++c) {
    if (!given) {
      mean[c] = T(means[c]);
      variance[c] = T(variances[c]);
    }
    inverse[c] = T(1 / std::sqrt((given ? double(variance[c]) : variances[c]) + double(eps)));
    scale.data()[c] = weight[c] * inverse[c];
  }
  parts.for_each_block_backwards(threads, [&](std::int64_t first, std::int64_t count) {
    const std::int64_t at = first * channels;
    channel_norm_kernels<T>().scale(count, channels, channels, x + at, mean, scale.data(), bias,
                                    more == nullptr ? nullptr : more + at, relu, y + at);
  });
}

template <class T>
void batch_norm_backward(std::int64_t rows, std::int64_t channels, const T* x, const T* y, const T* bias, const T* mean,
                         const T* inverse, const T* weight, bool given, const T* dy, T* dx, T* dmore, T* dweight,
                         T* dbias, int threads) {
  if (channels == 0) return;
  const Parts parts = Parts::of<T>(rows, channels);
  Buffer<double> sums(2 * channels * std::max<std::int64_t>(parts.count, 1));
  Buffer<T> of_blocks(2 * channels * std::max<std::int64_t>(parts.count, 1));
  const auto from = [](auto* array, std::int64_t at) { return array == nullptr ? nullptr : array + at; };
  Buffer<T> factors(4 * channels);
  T *scale = factors.data(), *slope = scale + channels, *constant = slope + channels,
    *forward_scale = constant + channels;
  for (std::int64_t c = 0; c < channels; ++c) forward_scale[c] = weight[c] * inverse[c];
  parts.for_each_block(threads, [&](std::int64_t part, std::int64_t first, std::int64_t count) {
    const std::int64_t at = first * channels;
    T* block = of_blocks.data() + 2 * channels * part;
    double* own = sums.data() + 2 * channels * part;
    channel_norm_kernels<T>().products(count, channels, channels, x + at, dy + at,
                                       Passing<T>{from(y, at), forward_scale, bias}, mean, inverse, block,
                                       block + channels);
    for (std::int64_t c = 0; c < 2 * channels; ++c) own[c] += double(block[c]);
  });
  for (std::int64_t part = 1; part < parts.count; ++part) {
    for (std::int64_t c = 0; c < 2 * channels; ++c) sums.data()[c] += sums.data()[2 * channels * part + c];
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    const double weight_sum = sums.data()[c], bias_sum = sums.data()[channels + c];
    dweight[c] = T(weight_sum);
    dbias[c] = T(bias_sum);
    const double by = double(weight[c]) * double(inverse[c]);
    scale[c] = T(by);
    if (given) continue;  // mean and variance are constants
    slope[c] = T(by * double(inverse[c]) * weight_sum / double(rows));
    constant[c] = T(by * bias_sum / double(rows));
  }
  if (dx == nullptr && dmore == nullptr) return;
  // Backwards: what was read last is still in a cache.
  parts.for_each_block_backwards(threads, [&](std::int64_t first, std::int64_t count) {
    const std::int64_t at = first * channels;
    channel_norm_kernels<T>().backward(count, channels, channels, x + at, dy + at,
                                       Passing<T>{from(y, at), forward_scale, bias}, mean, scale,
                                       given ? nullptr : slope, constant, from(dx, at), from(dmore, at));
  });
}

#define FASTML_CHANNEL_NORM_(T)                                                                                       \
  template void batch_norm(std::int64_t, std::int64_t, const T*, const T*, const T*, T, bool, const T*, bool, T*, T*, \
                           T*, T*, int);                                                                              \
  template void batch_norm_backward(std::int64_t, std::int64_t, const T*, const T*, const T*, const T*, const T*,     \
                                    const T*, bool, const T*, T*, T*, T*, T*, int);
FASTML_CHANNEL_NORM_(float)
FASTML_CHANNEL_NORM_(double)
#undef FASTML_CHANNEL_NORM_

}  // namespace nn
}  // namespace fastml
