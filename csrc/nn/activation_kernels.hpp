// Bias and activation of a layer, forward and backward, on rows of a matrix.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// With p the parameter of those that have one.
enum class Activation {
  identity,
  relu,        // max(x, 0)
  leaky_relu,  // x > 0 ? x : p x
  elu,         // x > 0 ? x : p (e^x - 1)
  gelu,        // x Phi(x), Phi the normal distribution
  gelu_tanh,   // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  silu,        // x sigmoid(x)
  sigmoid,
  tanh,
  softplus,  // log(1 + e^(p x)) / p
};

// Matrices are rows x cols, rows side by side.
template <class T>
struct ActivationKernels {
  // y = activation(x + bias). Where there is a bias, x becomes x + bias, unless y is x. No bias is a null pointer.
  void (*forward)(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* bias, T* x, T* y);

  // dx = dy * activation'(x); dx may be dy. y is read for relu, leaky_relu, elu, sigmoid and tanh (with a positive
  // parameter it tells the derivative), x for all others, identity none: the other pointer may be null. Where `sums` is
  // not null, sums[j] += the sum of column j of dx.
  void (*backward)(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* x, const T* y,
                   const T* dy, T* dx, T* sums);
};

template <class T>
const ActivationKernels<T>& activation_kernels(SimdLevel level = active_level());

}  // namespace fastml::nn
