// Softmax and cross entropy on all threads, each with rows of its own. Results do not depend on how many.
#pragma once

#include "nn/softmax_kernels.hpp"

namespace fastml::nn {

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, bool logarithm, T* y, int threads);
template <class T>
void softmax_backward(std::int64_t rows, std::int64_t cols, const T* y, const T* dy, bool logarithm, T* dx,
                      int threads);

// What is left of the losses of rows: their sum, and what a mean divides it by, the number of rows that are not ignored or
// the weight of their classes.
struct LossSum {
  double sum = 0, weight = 0;
  std::int64_t wrong = -1;  // the first row whose class is neither in [0, cols) nor ignored: there is no result then
};

// Where `mean` is true, dx gets the derivatives of the mean of the losses, otherwise of their sum; the factor of `targets`
// is not read.
template <class T>
LossSum cross_entropy(std::int64_t rows, std::int64_t cols, const T* x, const ClassTargets<T>& targets, bool mean,
                      T* losses, T* dx, int threads);

}  // namespace fastml::nn
