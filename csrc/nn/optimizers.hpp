// Steps of optimizers: parameters, gradients and what the optimizer remembers of them, passed over once.
//
// Parameters of a network lie in pieces, one for each weight and bias: the pieces of `parameters` and of each state (a
// moment, a velocity) at the same places of flat buffers, gradients anywhere. Everything is contiguous, any alignment;
// pieces do not overlap one another. Each element is computed by itself, so that results depend neither on the number of
// threads nor on how parameters are cut into pieces.
//
// Formulas are those of PyTorch's torch.optim, whose rounding they follow but for the order of a few products.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// g stands for gradient_factor * gradient (-1 climbs instead of descending) + weight_decay * parameter.

// velocity = keep * velocity + take * g; parameter -= rate * velocity, or with nesterov rate * (g + momentum * velocity).
// The first step has keep 0 and take 1. Without a velocity: parameter -= rate * g.
struct SgdStep {
  double gradient_factor, weight_decay, rate, momentum, keep, take;
  bool nesterov;
};

// sum += g^2; parameter -= rate * g / (sqrt(sum) + eps).
struct AdagradStep {
  double gradient_factor, weight_decay, rate, eps;
};

// square = alpha * square + (1 - alpha) g^2, and d = sqrt(square) + eps; with a mean gradient, moved towards g by
// 1 - alpha, its square is taken off before the root. parameter -= rate * g / d; with a velocity,
// velocity = momentum * velocity + g / d and parameter -= rate * velocity.
struct RmspropStep {
  double gradient_factor, weight_decay, rate, alpha, eps, momentum;
};

// mean moves towards g by 1 - beta1, square = beta2 * square + (1 - beta2) g^2;
// parameter = shrink * parameter - rate * mean / (sqrt(square) * root_factor + eps). With a largest square (AMSGrad), that
// is raised to square, and its root is taken. Bias corrections are in rate and root_factor: where they stand decides
// whether eps is compared with the corrected root (PyTorch) or with the root as it is (scikit-learn).
struct AdamStep {
  double gradient_factor, weight_decay, shrink, rate, beta1, beta2, root_factor, eps;
};

// States that an optimizer does without are nullptr.
template <class T>
struct OptimizerKernels {
  void (*sgd)(std::int64_t n, const SgdStep& step, T* parameters, const T* gradients, T* velocity);
  void (*adagrad)(std::int64_t n, const AdagradStep& step, T* parameters, const T* gradients, T* sum);
  void (*rmsprop)(std::int64_t n, const RmspropStep& step, T* parameters, const T* gradients, T* square, T* mean,
                  T* velocity);
  void (*adam)(std::int64_t n, const AdamStep& step, T* parameters, const T* gradients, T* mean, T* square,
               T* largest_square);
  // The sum of x^2, in double.
  double (*squared_norm)(std::int64_t n, const T* x);
  // x = factor * x.
  void (*scale)(std::int64_t n, double factor, T* x);
  // x brought into [-most, most]; NaN stays.
  void (*clip)(std::int64_t n, double most, T* x);
};

// Defined for float and double.
template <class T>
const OptimizerKernels<T>& optimizer_kernels(SimdLevel level = active_level());
template <>
const OptimizerKernels<float>& optimizer_kernels<float>(SimdLevel level);
template <>
const OptimizerKernels<double>& optimizer_kernels<double>(SimdLevel level);

// `size` gradients, and where their parameters begin in the flat buffers.
template <class T>
struct Piece {
  T* gradients;
  std::int64_t offset;
  std::int64_t size;
};
template <class T>
struct Pieces {
  const Piece<T>* pieces;
  std::int64_t count;
};

template <class T>
void sgd_step(const SgdStep& step, Pieces<T> pieces, T* parameters, T* velocity, int threads);
template <class T>
void adagrad_step(const AdagradStep& step, Pieces<T> pieces, T* parameters, T* sum, int threads);
template <class T>
void rmsprop_step(const RmspropStep& step, Pieces<T> pieces, T* parameters, T* square, T* mean, T* velocity,
                  int threads);
template <class T>
void adam_step(const AdamStep& step, Pieces<T> pieces, T* parameters, T* mean, T* square, T* largest_square,
               int threads);

// Passes over gradients alone; offsets are not read. The sum of squares does not depend on the number of threads.
template <class T>
double squared_norm(Pieces<T> pieces, int threads);
template <class T>
void scale(Pieces<T> pieces, double factor, int threads);
template <class T>
void clip(Pieces<T> pieces, double most, int threads);

}  // namespace fastml::nn
