// Softmax and cross entropy on all threads, each with rows of its own. Results do not depend on how many.
#pragma once

#include "nn/softmax_kernels.hpp"

namespace fastml::nn {

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, bool logarithm, T* y, int threads);
template <class T>
void softmax_backward(std::int64_t rows, std::int64_t cols, const T* y, const T* dy, bool logarithm, T* dx,
                      int threads);

// `sum` is that of the losses. Returns false, without a result, where a class is neither in [0, cols) nor ignored.
template <class T>
bool cross_entropy(std::int64_t rows, std::int64_t cols, const T* x, const ClassTargets<T>& targets, T* losses,
                   double& sum, T* dx, int threads);

}  // namespace fastml::nn
