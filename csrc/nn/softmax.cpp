#include "nn/softmax.hpp"

namespace fastml::nn {
namespace {

// The weight of all rows, or the first wrong one.
template <class T>
LossSum weigh(const ClassTargets<T>& targets, std::int64_t rows, std::int64_t cols) {
  LossSum found;
  if (targets.classes == nullptr) {
    found.weight = double(rows);
    return found;
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t c = targets.classes[i];
    if (c == targets.ignored) continue;
    if (c < 0 || c >= cols) {
      found.wrong = i;
      return found;
    }
    found.weight += targets.weights == nullptr ? 1.0 : double(targets.weights[c]);
  }
  return found;
}

// Calls step(begin, end) for a share of the rows on each thread.
template <class Step>
void share_rows(std::int64_t rows, int threads, const Step& step) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) step(rows * t / threads, rows * (t + 1) / threads);
}

}  // namespace

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, bool logarithm, T* y, int threads) {
  share_rows(rows, threads, [&](std::int64_t begin, std::int64_t end) {
    softmax_kernels<T>().forward(end - begin, cols, x + begin * cols, logarithm, y + begin * cols);
  });
}

template <class T>
void softmax_backward(std::int64_t rows, std::int64_t cols, const T* y, const T* dy, bool logarithm, T* dx,
                      int threads) {
  share_rows(rows, threads, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * cols;
    softmax_kernels<T>().backward(end - begin, cols, y + at, dy + at, logarithm, dx + at);
  });
}

template <class T>
LossSum cross_entropy(std::int64_t rows, std::int64_t cols, const T* x, const ClassTargets<T>& targets, bool mean,
                      T* losses, T* dx, int threads) {
  LossSum result = weigh(targets, rows, cols);
  if (result.wrong >= 0) return result;
  const T factor = mean && result.weight != 0 ? T(1 / result.weight) : T(1);
  share_rows(rows, threads, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * cols;
    ClassTargets<T> share = targets;
    share.factor = factor;
    if (share.classes != nullptr) share.classes += begin;
    if (share.probabilities != nullptr) share.probabilities += at;
    softmax_kernels<T>().cross_entropy(end - begin, cols, x + at, share, losses + begin,
                                       dx == nullptr ? nullptr : dx + at);
  });
  for (std::int64_t i = 0; i < rows; ++i) result.sum += double(losses[i]);
  return result;
}

#define FASTML_INSTANTIATE(T)                                                                    \
  template void softmax(std::int64_t, std::int64_t, const T*, bool, T*, int);                    \
  template void softmax_backward(std::int64_t, std::int64_t, const T*, const T*, bool, T*, int); \
  template LossSum cross_entropy(std::int64_t, std::int64_t, const T*, const ClassTargets<T>&, bool, T*, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml::nn
