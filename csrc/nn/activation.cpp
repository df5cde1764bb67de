#include "nn/activation.hpp"

#include <algorithm>

#include "gemm/gemm.hpp"
#include "nn/few_rows.hpp"
#include "runtime/buffer.hpp"

namespace fastml::nn {
namespace {

// Values of a layer below which waking a second thread for bias and activation takes longer than it saves.
constexpr std::int64_t kLeastParallel = 100'000;

// Rows whose sums of columns are kept in T.
constexpr std::int64_t kSummedRows = 512;

void multiply(const GemmArguments<float>& arguments) { gemm_kernels().f32(arguments); }
void multiply(const GemmArguments<double>& arguments) { gemm_kernels().f64(arguments); }

}  // namespace

template <class T>
void activate(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* bias, T* x, T* y,
              int threads) {
  const auto& kernels = activation_kernels<T>();
  if (bias == nullptr) {  // any piece of the values will do
    rows *= cols;
    cols = 1;
  }
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = rows * t / threads, end = rows * (t + 1) / threads;
    kernels.forward(kind, parameter, end - begin, cols, bias, x + begin * cols, y + begin * cols);
  }
}

template <class T>
void activate_backward(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* x, const T* y,
                       const T* dy, T* dx, T* sums, int threads) {
  const auto& kernels = activation_kernels<T>();
  if (sums == nullptr) {
    rows *= cols;
    cols = 1;
  }
  // Sums of some rows are in T, and added up in double: a bias of images is behind as many values as there are pixels.
  const std::int64_t block = sums == nullptr ? rows : kSummedRows;
  const std::int64_t stride = whole_lines<T>(cols), wide_stride = whole_lines<double>(cols);
  Buffer<T> partial(sums == nullptr ? 0 : stride * threads);
  Buffer<double> totals(sums == nullptr ? 0 : wide_stride * threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t end = rows * (t + 1) / threads;
    T* own = sums == nullptr ? nullptr : partial.data() + t * stride;
    double* total = sums == nullptr ? nullptr : totals.data() + t * wide_stride;
    for (std::int64_t row = rows * t / threads; row < end; row += block) {
      const std::int64_t start = row * cols;
      const auto at = [start](const T* p) { return p == nullptr ? nullptr : p + start; };
      kernels.backward(kind, parameter, std::min(block, end - row), cols, at(x), at(y), dy + start, dx + start, own);
      if (own == nullptr) continue;
      for (std::int64_t j = 0; j < cols; ++j) total[j] += double(own[j]);
      std::fill(own, own + cols, T(0));
    }
  }
  if (sums == nullptr) return;
  for (std::int64_t j = 0; j < cols; ++j) {
    double sum = 0;
    for (int t = 0; t < threads; ++t) sum += totals.data()[t * wide_stride + j];
    sums[j] = T(sum);
  }
}

template <class T>
void linear_forward(Activation kind, T parameter, std::int64_t rows, std::int64_t inputs, std::int64_t outputs,
                    const T* x, const T* weight, const T* bias, T* z, T* y, int threads) {
  if (rows <= kFewRows) {
    multiply_few_rows(rows, inputs, outputs, x, weight, z, threads);
  } else {
    multiply(
        GemmArguments<T>{rows, outputs, inputs, T(1), x, inputs, 1, weight, 1, inputs, T(0), z, outputs, 1, threads});
  }
  if (bias == nullptr && kind == Activation::identity && z == y) return;
  activate(kind, parameter, rows, outputs, bias, z, y, rows * outputs < kLeastParallel ? 1 : threads);
}

#define FASTML_INSTANTIATE(T)                                                                                         \
  template void activate(Activation, T, std::int64_t, std::int64_t, const T*, T*, T*, int);                           \
  template void activate_backward(Activation, T, std::int64_t, std::int64_t, const T*, const T*, const T*, T*, T*,    \
                                  int);                                                                               \
  template void linear_forward(Activation, T, std::int64_t, std::int64_t, std::int64_t, const T*, const T*, const T*, \
                               T*, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml::nn
