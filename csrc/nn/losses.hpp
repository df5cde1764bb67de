// Losses of one number against another, and their derivatives, in one pass.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// With x the prediction, y the target, d = x - y, and p the parameter of those that have one.
enum class ElementLoss {
  squared,        // d^2
  absolute,       // |d|
  huber,          // d^2 / 2 for |d| <= p, p (|d| - p / 2) beyond
  smooth,         // the Huber loss divided by p
  logistic,       // y log(1 + e^-x) w + (1 - y) log(1 + e^x), with w the positive weight
  hinge,          // max(0, 1 - x y)
  poisson,        // x - y log(x + p)
  poisson_of_log  // e^x - x y
};

// Of `n` elements. Weights may be null; positive weights are read for the logistic loss. Where they are not null,
// `losses` gets the losses, and `dx` their derivatives by x times `factor`, weights included in both.
template <class T>
struct LossArrays {
  const T *x, *y, *weights, *positive_weights;
  T *losses, *dx;
};

template <class T>
struct LossKernels {
  // Returns the sum of the losses.
  double (*evaluate)(ElementLoss kind, T parameter, std::int64_t n, const LossArrays<T>& arrays, T factor);
};

struct LossTables {
  LossKernels<float> f32;
  LossKernels<double> f64;
};
const LossTables& loss_tables(SimdLevel level = active_level());

// The same on all threads. The sum does not depend on how many.
template <class T>
double elementwise_loss(ElementLoss kind, T parameter, std::int64_t n, const LossArrays<T>& arrays, T factor,
                        int threads);

}  // namespace fastml::nn
