#include "nn/norm.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "runtime/buffer.hpp"

#define FASTML_TABLE_TYPE nn::NormTables
#define FASTML_TABLE_NAME norm_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::NormTables& nn::norm_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::norm_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const NormKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return norm_tables().f32;
  } else {
    return norm_tables().f64;
  }
}

// Calls step(first, last) on each thread, with channels of its own. Those of a matrix are cut at cache lines.
template <class T, class Step>
void share_channels(const Channels& shape, int threads, const Step& step) {
  const std::int64_t unit = shape.positions == 1 ? std::int64_t(kAlignment / sizeof(T)) : 1;
  const std::int64_t units = (shape.channels + unit - 1) / unit;
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, units), 1));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    step(units * t / threads * unit, std::min(units * (t + 1) / threads * unit, shape.channels));
  }
}

}  // namespace

template <class T>
void layer_norm(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
                T* inverse, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = rows * t / threads, end = rows * (t + 1) / threads, at = begin * cols;
    kernels<T>().layer_forward(end - begin, cols, x + at, weight, bias, eps, y + at, mean + begin, inverse + begin);
  }
}

template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse,
                         const T* weight, const T* dy, T* dx, T* dweight, T* dbias, int threads) {
  const std::int64_t stride = whole_lines<double>(cols);
  Buffer<double> sums(2 * stride * threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = rows * t / threads, end = rows * (t + 1) / threads, at = begin * cols;
    double* own = sums.data() + 2 * stride * t;
    kernels<T>().layer_backward(end - begin, cols, x + at, mean + begin, inverse + begin, weight, dy + at,
                                dx == nullptr ? nullptr : dx + at, own, own + stride);
  }
  for (std::int64_t j = 0; j < cols; ++j) {
    double weight_sum = 0, bias_sum = 0;
    for (int t = 0; t < threads; ++t) {
      const double* own = sums.data() + 2 * stride * t;
      weight_sum += own[j];
      bias_sum += own[stride + j];
    }
    dweight[j] = T(weight_sum);
    dbias[j] = T(bias_sum);
  }
}

template <class T>
void batch_norm(const Channels& shape, const T* x, const T* weight, const T* bias, T eps, bool given, T* y, T* mean,
                T* variance, T* inverse, int threads) {
  Buffer<double> sums(given ? 0 : 2 * shape.channels);
  Buffer<T> scale(shape.channels);
  double *means = sums.data(), *variances = given ? nullptr : sums.data() + shape.channels;
  share_channels<T>(shape, threads, [&](std::int64_t first, std::int64_t last) {
    if (!given) kernels<T>().moments(shape, first, last, x, means, variances);
    for (std::int64_t c = first; c < last; ++c) {
      if (!given) {
        mean[c] = T(means[c]);
        variance[c] = T(variances[c]);
      }
      inverse[c] = T(1 / std::sqrt((given ? double(variance[c]) : variances[c]) + double(eps)));
      scale.data()[c] = weight[c] * inverse[c];
    }
    kernels<T>().scale(shape, first, last, x, mean, scale.data(), bias, y);
  });
}

template <class T>
void batch_norm_backward(const Channels& shape, const T* x, const T* mean, const T* inverse, const T* weight,
                         bool given, const T* dy, T* dx, T* dweight, T* dbias, int threads) {
  const std::int64_t n = shape.channels;
  const double count = double(shape.samples * shape.positions);
  Buffer<double> sums(2 * n);
  Buffer<T> factors(4 * n);
  double *weight_sums = sums.data(), *bias_sums = weight_sums + n;
  T *scale = factors.data(), *slope = scale + n, *constant = slope + n, *zeros = constant + n;
  share_channels<T>(shape, threads, [&](std::int64_t first, std::int64_t last) {
    kernels<T>().products(shape, first, last, x, dy, mean, inverse, weight_sums, bias_sums);
    for (std::int64_t c = first; c < last; ++c) {
      dweight[c] = T(weight_sums[c]);
      dbias[c] = T(bias_sums[c]);
      const double by = double(weight[c]) * double(inverse[c]);
      scale[c] = T(by);
      slope[c] = T(by * double(inverse[c]) * weight_sums[c] / count);
      constant[c] = T(by * bias_sums[c] / count);
    }
    if (dx == nullptr) return;
    if (given) {
      kernels<T>().scale(shape, first, last, dy, zeros, scale, zeros, dx);
    } else {
      kernels<T>().through_moments(shape, first, last, x, dy, mean, scale, slope, constant, dx);
    }
  });
}

#define FASTML_INSTANTIATE(T)                                                                                         \
  template void layer_norm(std::int64_t, std::int64_t, const T*, const T*, const T*, T, T*, T*, T*, int);             \
  template void layer_norm_backward(std::int64_t, std::int64_t, const T*, const T*, const T*, const T*, const T*, T*, \
                                    T*, T*, int);                                                                     \
  template void batch_norm(const Channels&, const T*, const T*, const T*, T, bool, T*, T*, T*, T*, int);              \
  template void batch_norm_backward(const Channels&, const T*, const T*, const T*, const T*, bool, const T*, T*, T*,  \
                                    T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace nn
}  // namespace fastml
