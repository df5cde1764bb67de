// From sums over rows to gradients and updates, for a run of parameters. For level sources only.
#pragma once

#include "nn/dense_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// The parameters of one tile: `count` elements that lie side by side in panels.
template <class T>
struct Tile {
  std::int64_t count;
  T* weights;
  T* gradients;
  T* first;
  T* second;
};

template <class T>
FASTML_INLINE double sum_of_squares(const T* x, std::int64_t count) {
  vec<T> sums[2] = {};
  for (std::int64_t i = 0; i < count; i += kLanes<T>) {
    vec<T>& sum = sums[(i / kLanes<T>)&1];
    sum += load(x + i) * load(x + i);
  }
  return double(reduce_add<T>(sums[0] + sums[1]));
}

// The formulas are scikit-learn's: the velocity contains the rate, and epsilon stands beside the root.
template <class T>
void adam(const nn::DenseUpdate<T>& u, T alpha, const T* __restrict sums, const Tile<T>& tile) {
  T* __restrict w = tile.weights;
  T* __restrict m = tile.first;
  T* __restrict v = tile.second;
  const T rest_1 = T(1) - u.momentum, rest_2 = T(1) - u.beta_2;
  const T scale = u.inverse_weight, rate = u.rate, epsilon = u.epsilon, beta_1 = u.momentum, beta_2 = u.beta_2;
  for (std::int64_t i = 0; i < tile.count; ++i) {
    const T g = (sums[i] + alpha * w[i]) * scale;
    m[i] = beta_1 * m[i] + rest_1 * g;
    v[i] = beta_2 * v[i] + rest_2 * (g * g);
    w[i] -= rate * m[i] / (T(sizeof(T) == 4 ? __builtin_sqrtf(float(v[i])) : __builtin_sqrt(double(v[i]))) + epsilon);
  }
}

template <class T, bool Nesterov>
void sgd(const nn::DenseUpdate<T>& u, T alpha, const T* __restrict sums, const Tile<T>& tile) {
  T* __restrict w = tile.weights;
  T* __restrict velocity = tile.first;
  const T scale = u.inverse_weight, rate = u.rate, momentum = u.momentum;
  for (std::int64_t i = 0; i < tile.count; ++i) {
    const T step = rate * ((sums[i] + alpha * w[i]) * scale);
    const T next = momentum * velocity[i] - step;
    velocity[i] = next;
    w[i] += Nesterov ? momentum * next - step : next;
  }
}

template <class T>
void keep_gradient(const nn::DenseUpdate<T>& u, T alpha, const T* sums, const Tile<T>& tile) {
  for (std::int64_t i = 0; i < tile.count; ++i) {
    tile.gradients[i] = (sums[i] + alpha * tile.weights[i]) * u.inverse_weight;
  }
}

// Takes the sums of a chunk: adds them to those of the batch's chunks before; at the end of the batch, updates. Returns
// the sum of squares of the weights as they were; 0 for intercepts and where the batch goes on.
template <class T>
double finish(const nn::DenseUpdate<T>& u, bool intercepts, T* sums, const Tile<T>& tile) {
  if (!u.begins) {
    for (std::int64_t i = 0; i < tile.count; ++i) sums[i] += tile.gradients[i];
  }
  if (!u.ends) {
    for (std::int64_t i = 0; i < tile.count; ++i) tile.gradients[i] = sums[i];
    return 0;
  }
  const double squares = intercepts ? 0.0 : sum_of_squares(tile.weights, tile.count);
  const T alpha = intercepts ? T(0) : u.alpha;
  switch (u.rule) {
    case nn::Rule::adam:
      adam(u, alpha, sums, tile);
      break;
    case nn::Rule::sgd:
      sgd<T, false>(u, alpha, sums, tile);
      break;
    case nn::Rule::nesterov:
      sgd<T, true>(u, alpha, sums, tile);
      break;
    default:
      keep_gradient(u, alpha, sums, tile);
  }
  return squares;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
