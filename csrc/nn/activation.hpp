// Bias and activation of a layer on all threads, and the layer itself: y = activation(x W' + bias).
#pragma once

#include "nn/activation_kernels.hpp"

namespace fastml::nn {

// activation_kernels() with rows dealt to threads. Sums of columns depend on the number of threads, and on nothing else
// that could change from run to run; `sums` is overwritten.
template <class T>
void activate(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* bias, T* x, T* y,
              int threads);
template <class T>
void activate_backward(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* x, const T* y,
                       const T* dy, T* dx, T* sums, int threads);

// x is rows x inputs, weight outputs x inputs, z and y rows x outputs. y = activation(z), z = x weight' + bias; z may be
// y where the derivative of the activation is read from y.
template <class T>
void linear_forward(Activation kind, T parameter, std::int64_t rows, std::int64_t inputs, std::int64_t outputs,
                    const T* x, const T* weight, const T* bias, T* z, T* y, int threads);

}  // namespace fastml::nn
