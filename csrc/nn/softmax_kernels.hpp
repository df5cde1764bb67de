// Softmax of rows, and the cross entropy with it.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// What the rows of scores are compared with: classes or, where that is null, probabilities of all classes (of rows that
// need not add up to 1). With label smoothing s, the target is (1 - s) of that and s / cols of every class. Weights of
// classes may be null.
template <class T>
struct ClassTargets {
  const std::int64_t* classes;  // rows; each in [0, cols) or `ignored`
  const T* probabilities;       // rows x cols
  const T* weights;             // cols
  T smoothing;
  std::int64_t ignored = -1;  // rows of this class have no loss
  T factor = T(1);            // of the derivatives
};

// Matrices are rows x cols, rows side by side; cols >= 1.
template <class T>
struct SoftmaxKernels {
  // y = softmax of the rows of x, or its logarithm. y may be x.
  void (*forward)(std::int64_t rows, std::int64_t cols, const T* x, bool logarithm, T* y);

  // dx from the result y and dy. dx may be dy.
  void (*backward)(std::int64_t rows, std::int64_t cols, const T* y, const T* dy, bool logarithm, T* dx);

  // losses[i] = -sum over c of weight_c target_ic log softmax(x_i)_c. Where `dx` is not null it gets the derivatives of
  // the losses' sum times the factor, and may be x.
  void (*cross_entropy)(std::int64_t rows, std::int64_t cols, const T* x, const ClassTargets<T>& targets, T* losses,
                        T* dx);
};

template <class T>
const SoftmaxKernels<T>& softmax_kernels(SimdLevel level = active_level());

}  // namespace fastml::nn
