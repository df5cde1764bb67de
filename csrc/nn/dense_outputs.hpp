// Activations, their derivatives, and losses of rows. For level sources only.
#pragma once

#include "nn/dense_kernels.hpp"
#include "nn/dense_panels.hpp"
#include "simd/math.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// 1 / (1 + e^-x), with e^-|x| so that nothing overflows.
template <class T>
FASTML_INLINE vec<T> logistic(vec<T> x) {
  const ivec<T> negative = x < T(0);
  const vec<T> e = exp<T>(select<T>(negative, x, -x));
  return select<T>(negative, e, broadcast<T>(T(1))) / (e + T(1));
}

template <class T>
FASTML_INLINE vec<T> activate(nn::DenseActivation activation, vec<T> x) {
  switch (activation) {
    case nn::DenseActivation::logistic:
      return logistic<T>(x);
    case nn::DenseActivation::tanh:
      return tanh<T>(x);
    case nn::DenseActivation::relu:
      return maximum<T>(vec<T>{}, x);  // NaN stays
    case nn::DenseActivation::exp:
      return exp<T>(x);
    default:
      return x;
  }
}

// `width` whole vectors of each of `rows` rows, in place.
template <class T>
void activate_rows(nn::DenseActivation activation, T* x, std::int64_t stride, std::int64_t rows, std::int64_t width) {
  if (activation == nn::DenseActivation::identity || activation == nn::DenseActivation::softmax) return;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < width; j += kLanes<T>) {
      store(x + i * stride + j, activate<T>(activation, load(x + i * stride + j)));
    }
  }
}

// delta *= f'(z), told by a = f(z).
template <class T>
void derive_rows(nn::DenseActivation activation, const T* a, T* delta, std::int64_t stride, std::int64_t rows,
                 std::int64_t width) {
  if (activation == nn::DenseActivation::identity) return;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < width; j += kLanes<T>) {
      const vec<T> value = load(a + i * stride + j);
      T* at = delta + i * stride + j;
      const vec<T> d = load(at);
      if (activation == nn::DenseActivation::relu) {
        store(at, select<T>(value == T(0), vec<T>{}, d));
      } else if (activation == nn::DenseActivation::tanh) {
        store(at, d * (T(1) - value * value));
      } else {
        store(at, d * value * (T(1) - value));
      }
    }
  }
}

// In place; columns from `cols` on become 0.
template <class T>
FASTML_INLINE void softmax_row(T* z, std::int64_t cols, std::int64_t width) {
  for (std::int64_t j = cols; j < width; ++j) z[j] = -T(__builtin_inf());
  vec<T> most = load(z);
  for (std::int64_t j = kLanes<T>; j < width; j += kLanes<T>) most = maximum<T>(load(z + j), most);
  const T top = -reduce_min<T>(-most);
  vec<T> sums = {};
  for (std::int64_t j = 0; j < width; j += kLanes<T>) {
    const vec<T> e = exp<T>(load(z + j) - top);
    store(z + j, e);
    sums += e;
  }
  const T sum = reduce_add<T>(sums);
  for (std::int64_t j = 0; j < width; j += kLanes<T>) store(z + j, load(z + j) / sum);
}

// Losses of single values, without the factor of squared errors. `y` of log losses is 0 or 1.
template <nn::DenseLoss Kind, class T>
FASTML_INLINE vec<T> loss_of(vec<T> y, vec<T> a) {
  const T eps = sizeof(T) == 4 ? T(0x1p-23) : T(0x1p-52);
  if constexpr (Kind == nn::DenseLoss::squared_error) {
    return (y - a) * (y - a);
  } else if constexpr (Kind == nn::DenseLoss::poisson) {
    // y log(y / a) is 0 where y is 0, and NaN where a is 0 too.
    const vec<T> ratio = y / a;
    const vec<T> term = select<T>(ivec<T>(y == T(0)) & ivec<T>(ratio == ratio), vec<T>{}, y * log<T>(ratio));
    return term - y + a;
  } else {
    vec<T> p = select<T>(a < eps, broadcast<T>(eps), a);
    p = select<T>(p > T(1) - eps, broadcast<T>(T(1) - eps), p);
    if constexpr (Kind == nn::DenseLoss::log_loss) {
      return select<T>(y == T(0), vec<T>{}, -log<T>(p));
    } else {
      return -log<T>(select<T>(y == T(0), T(1) - p, p));
    }
  }
}

// Row `row` of the targets, zeros after it up to `width`.
template <class T>
FASTML_INLINE void load_targets(const nn::DenseTargets<T>& targets, std::int64_t row, std::int64_t cols,
                                std::int64_t width, T* to) {
  if (targets.values != nullptr) {
    for (std::int64_t j = 0; j < cols; ++j) to[j] = targets.values[row * cols + j];
  } else {
    for (std::int64_t j = 0; j < cols; ++j) to[j] = T(targets.flags[row * cols + j]);
  }
  for (std::int64_t j = cols; j < width; ++j) to[j] = T(0);
}

// Rows [begin, end) of the last layer become a - y, times their weight. Returns the sum of weight * loss.
template <nn::DenseLoss Kind, class T>
double derive_loss(const nn::DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end, T* scratch) {
  const int last = chunk.shape.layers;
  const std::int64_t cols = chunk.shape.widths[last], width = whole_vectors<T>(cols), stride = chunk.stride[last];
  T* const y = scratch;
  double sum = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = chunk.order == nullptr ? chunk.first + i : chunk.order[i];
    T* a = chunk.activations[last] + i * stride;
    load_targets(chunk.targets, row, cols, width, y);
    const T weight = chunk.targets.weights == nullptr ? T(1) : T(chunk.targets.weights[row]);
    vec<T> losses = {};
    T rest = 0;
    for (std::int64_t j = 0; j < width; j += kLanes<T>) {
      const vec<T> loss = loss_of<Kind, T>(load(y + j), load(a + j));
      if (j + kLanes<T> <= cols) {
        losses += loss;
      } else {
        alignas(64) T lanes[kLanes<T>];
        store(lanes, loss);
        for (std::int64_t k = 0; k < cols - j; ++k) rest += lanes[k];
      }
      store(a + j, (load(a + j) - load(y + j)) * weight);
    }
    for (std::int64_t j = cols; j < width; ++j) a[j] = T(0);
    const double loss = double(reduce_add<T>(losses)) + double(rest);
    sum += chunk.targets.weights == nullptr ? loss : loss * chunk.targets.weights[row];
  }
  return sum;
}

template <class T>
double derive_loss(const nn::DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end, T* scratch) {
  switch (chunk.shape.loss) {
    case nn::DenseLoss::squared_error:
      return derive_loss<nn::DenseLoss::squared_error>(chunk, begin, end, scratch);
    case nn::DenseLoss::poisson:
      return derive_loss<nn::DenseLoss::poisson>(chunk, begin, end, scratch);
    case nn::DenseLoss::log_loss:
      return derive_loss<nn::DenseLoss::log_loss>(chunk, begin, end, scratch);
    default:
      return derive_loss<nn::DenseLoss::binary_log_loss>(chunk, begin, end, scratch);
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
