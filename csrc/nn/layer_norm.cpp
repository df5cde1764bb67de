#include "nn/layer_norm.hpp"

#include <algorithm>
#include <type_traits>

#include "runtime/buffer.hpp"

#define FASTML_TABLE_TYPE nn::LayerNormTables
#define FASTML_TABLE_NAME layer_norm_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::LayerNormTables& nn::layer_norm_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::layer_norm_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const LayerNormKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return layer_norm_tables().f32;
  } else {
    return layer_norm_tables().f64;
  }
}

}  // namespace

template <class T>
void layer_norm(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
                T* inverse, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = rows * t / threads, end = rows * (t + 1) / threads, at = begin * cols;
    kernels<T>().forward(end - begin, cols, x + at, weight, bias, eps, y + at, mean + begin, inverse + begin);
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
    kernels<T>().backward(end - begin, cols, x + at, mean + begin, inverse + begin, weight, dy + at,
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

#define FASTML_INSTANTIATE(T)                                                                                         \
  template void layer_norm(std::int64_t, std::int64_t, const T*, const T*, const T*, T, T*, T*, T*, int);             \
  template void layer_norm_backward(std::int64_t, std::int64_t, const T*, const T*, const T*, const T*, const T*, T*, \
                                    T*, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace nn
}  // namespace fastml
