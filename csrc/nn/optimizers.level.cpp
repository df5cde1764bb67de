// Loops over one element after the other: the compiler makes vectors of each level of them. Pointers are declared not to
// overlap, or it would have to compare up to six of them first.
#include "nn/optimizers.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

FASTML_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
FASTML_INLINE double square_root(double x) { return __builtin_sqrt(x); }

// The gradient as the optimizers' formulas have it.
template <class T, class Step>
struct Slope {
  T factor, decay;
  FASTML_INLINE explicit Slope(const Step& step) : factor(T(step.gradient_factor)), decay(T(step.weight_decay)) {}
  FASTML_INLINE T operator()(T gradient, T parameter) const { return factor * gradient + decay * parameter; }
};

template <bool HasVelocity, bool Nesterov, class T>
FASTML_INLINE void sgd_loop(std::int64_t n, const nn::SgdStep& step, T* __restrict parameters,
                            const T* __restrict gradients, [[maybe_unused]] T* __restrict velocity) {
  const Slope<T, nn::SgdStep> slope(step);
  const T rate = T(step.rate), momentum = T(step.momentum), keep = T(step.keep), take = T(step.take);
  for (std::int64_t i = 0; i < n; ++i) {
    T g = slope(gradients[i], parameters[i]);
    if constexpr (HasVelocity) {
      const T v = keep * velocity[i] + take * g;
      velocity[i] = v;
      g = Nesterov ? g + momentum * v : v;
    }
    parameters[i] -= rate * g;
  }
}

template <class T>
void sgd(std::int64_t n, const nn::SgdStep& step, T* parameters, const T* gradients, T* velocity) {
  if (velocity == nullptr) return sgd_loop<false, false>(n, step, parameters, gradients, velocity);
  if (step.nesterov) return sgd_loop<true, true>(n, step, parameters, gradients, velocity);
  sgd_loop<true, false>(n, step, parameters, gradients, velocity);
}

template <class T>
void adagrad(std::int64_t n, const nn::AdagradStep& step, T* __restrict parameters, const T* __restrict gradients,
             T* __restrict sum) {
  const Slope<T, nn::AdagradStep> slope(step);
  const T rate = T(step.rate), eps = T(step.eps);
  for (std::int64_t i = 0; i < n; ++i) {
    const T g = slope(gradients[i], parameters[i]);
    const T s = sum[i] + g * g;
    sum[i] = s;
    parameters[i] -= rate * (g / (square_root(s) + eps));
  }
}

template <bool Centered, bool HasVelocity, class T>
FASTML_INLINE void rmsprop_loop(std::int64_t n, const nn::RmspropStep& step, T* __restrict parameters,
                                const T* __restrict gradients, T* __restrict square,
                                [[maybe_unused]] T* __restrict mean, [[maybe_unused]] T* __restrict velocity) {
  const Slope<T, nn::RmspropStep> slope(step);
  const T rate = T(step.rate), alpha = T(step.alpha), rest = T(1 - step.alpha), eps = T(step.eps);
  const T momentum = T(step.momentum);
  for (std::int64_t i = 0; i < n; ++i) {
    const T g = slope(gradients[i], parameters[i]);
    T s = alpha * square[i] + rest * (g * g);
    square[i] = s;
    if constexpr (Centered) {
      const T m = mean[i] + rest * (g - mean[i]);
      mean[i] = m;
      s -= m * m;
    }
    T change = g / (square_root(s) + eps);
    if constexpr (HasVelocity) velocity[i] = change = momentum * velocity[i] + change;
    parameters[i] -= rate * change;
  }
}

template <class T>
void rmsprop(std::int64_t n, const nn::RmspropStep& step, T* parameters, const T* gradients, T* square, T* mean,
             T* velocity) {
  if (mean == nullptr && velocity == nullptr) {
    rmsprop_loop<false, false>(n, step, parameters, gradients, square, mean, velocity);
  } else if (mean == nullptr) {
    rmsprop_loop<false, true>(n, step, parameters, gradients, square, mean, velocity);
  } else if (velocity == nullptr) {
    rmsprop_loop<true, false>(n, step, parameters, gradients, square, mean, velocity);
  } else {
    rmsprop_loop<true, true>(n, step, parameters, gradients, square, mean, velocity);
  }
}

template <bool HasLargest, class T>
FASTML_INLINE void adam_loop(std::int64_t n, const nn::AdamStep& step, T* __restrict parameters,
                             const T* __restrict gradients, T* __restrict mean, T* __restrict square,
                             [[maybe_unused]] T* __restrict largest_square) {
  const Slope<T, nn::AdamStep> slope(step);
  const T shrink = T(step.shrink), rate = T(step.rate), root_factor = T(step.root_factor), eps = T(step.eps);
  const T mean_rest = T(1 - step.beta1), beta2 = T(step.beta2), square_rest = T(1 - step.beta2);
  for (std::int64_t i = 0; i < n; ++i) {
    const T g = slope(gradients[i], parameters[i]);
    const T m = mean[i] + mean_rest * (g - mean[i]);
    T s = beta2 * square[i] + square_rest * (g * g);
    mean[i] = m;
    square[i] = s;
    if constexpr (HasLargest) {
      // NaN has to go through, as in PyTorch: it is what tells that training went wrong.
      s = largest_square[i] > s ? largest_square[i] : s;
      largest_square[i] = s;
    }
    parameters[i] = shrink * parameters[i] - rate * (m / (square_root(s) * root_factor + eps));
  }
}

template <class T>
void adam(std::int64_t n, const nn::AdamStep& step, T* parameters, const T* gradients, T* mean, T* square,
          T* largest_square) {
  if (largest_square == nullptr) return adam_loop<false>(n, step, parameters, gradients, mean, square, largest_square);
  adam_loop<true>(n, step, parameters, gradients, mean, square, largest_square);
}

// Four sums of vectors: one would wait for itself.
template <class T>
double squared_norm(std::int64_t n, const T* x) {
  constexpr int lanes = kLanes<double>;
  vec<double> sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const vec<double> values = load_as<double>(x + i + v * lanes);
      sums[v] += values * values;
    }
  }
  double rest = 0;
  for (; i < n; ++i) rest += double(x[i]) * double(x[i]);
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

template <class T>
void scale(std::int64_t n, double factor, T* x) {
  const T by = T(factor);
  for (std::int64_t i = 0; i < n; ++i) x[i] *= by;
}

template <class T>
void clip(std::int64_t n, double most, T* x) {
  const T high = T(most), low = -high;
  for (std::int64_t i = 0; i < n; ++i) {
    T value = x[i];
    value = value > high ? high : value;
    x[i] = value < low ? low : value;
  }
}

template <class T>
constexpr nn::OptimizerKernels<T> kTable{sgd<T>, adagrad<T>, rmsprop<T>, adam<T>, squared_norm<T>, scale<T>, clip<T>};

}  // namespace

extern const nn::OptimizerKernels<float> optimizer_table_f32;
extern const nn::OptimizerKernels<double> optimizer_table_f64;
const nn::OptimizerKernels<float> optimizer_table_f32 = kTable<float>;
const nn::OptimizerKernels<double> optimizer_table_f64 = kTable<double>;

}  // namespace FASTML_LEVEL
}  // namespace fastml
