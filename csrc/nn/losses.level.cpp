#include "nn/losses.hpp"

#include "nn/activation_math.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::ElementLoss;
using nn::LossArrays;

template <class T>
struct LossAndSlope {
  vec<T> loss, slope;
};

template <class T>
FASTML_INLINE LossAndSlope<T> huber(vec<T> d, T p) {
  const vec<T> zero{}, size = nn_math::magnitude<T>(d);
  const vec<T> near = minimum<T>(broadcast<T>(p), size);  // the part of |d| with a square; NaN where d is
  return {near * (size - T(0.5) * near), select<T>(d < zero, -near, near)};
}

template <class T>
FASTML_INLINE LossAndSlope<T> logistic(vec<T> x, vec<T> y, vec<T> positive_weight) {
  // Each part by a logarithm that loses nothing and an exponential that cannot overflow.
  const vec<T> zero{}, one = broadcast<T>(T(1));
  const vec<T> small = exp<T>(-nn_math::magnitude<T>(x)), log_sum = log1p_of_unit<T>(small);
  const vec<T> larger = one / (one + small), smaller = small * larger;
  const ivec<T> positive = x >= zero;
  const vec<T> y_weight = y * positive_weight, rest = one - y;
  const vec<T> below = maximum<T>(-x, zero) + log_sum, above = maximum<T>(x, zero) + log_sum;
  return {y_weight * below + rest * above,
          rest * select<T>(positive, larger, smaller) - y_weight * select<T>(positive, smaller, larger)};
}

template <ElementLoss kind, class T>
FASTML_INLINE LossAndSlope<T> loss_of(vec<T> x, vec<T> y, vec<T> positive_weight, T p) {
  const vec<T> zero{}, one = broadcast<T>(T(1)), d = x - y;
  if constexpr (kind == ElementLoss::squared) return {d * d, d + d};
  if constexpr (kind == ElementLoss::absolute) {
    // 0 where d is, NaN where d is.
    return {nn_math::magnitude<T>(d), select<T>(d > zero, one, select<T>(d < zero, -one, d))};
  }
  if constexpr (kind == ElementLoss::huber) return huber<T>(d, p);
  if constexpr (kind == ElementLoss::smooth) {
    const LossAndSlope<T> whole = huber<T>(d, p);
    return {whole.loss / p, whole.slope / p};
  }
  if constexpr (kind == ElementLoss::logistic) return logistic<T>(x, y, positive_weight);
  if constexpr (kind == ElementLoss::hinge) {
    const vec<T> missing = one - x * y;
    return {select<T>(missing < zero, zero, missing), select<T>(missing > zero, -y, zero)};
  }
  if constexpr (kind == ElementLoss::poisson) {
    const vec<T> rate = x + p;
    return {x - y * log<T>(rate), one - y / rate};
  }
  const vec<T> rate = exp<T>(x);
  return {rate - x * y, rate - y};
}

// Adds the lanes of a vector to sums in double.
template <class T>
FASTML_INLINE void add_lanes(vec<T> v, vec<double>& sums) {
  alignas(64) T lanes[kLanes<T>];
  store(lanes, v);
  for (int i = 0; i < kLanes<T>; i += kLanes<double>) sums += load_as<double>(lanes + i);
}

// `whole` is a constant: vectors of all lanes are loaded and stored as such.
template <ElementLoss kind, bool whole, class T>
FASTML_INLINE void evaluate_vector(T p, std::int64_t i, int count, const LossArrays<T>& a, T factor,
                                   vec<double>& sums) {
  const auto get = [=](const T* from, T fill) __attribute__((always_inline)) {
    return whole ? load(from + i) : load_partial(from + i, count, fill);
  };
  const auto put = [=](T* to, vec<T> v)
                       __attribute__((always_inline)) { whole ? store(to + i, v) : store_partial(to + i, v, count); };
  const vec<T> one = broadcast<T>(T(1));
  const vec<T> positive_weight = a.positive_weights == nullptr ? one : get(a.positive_weights, T(1));
  LossAndSlope<T> result = loss_of<kind, T>(get(a.x, T(1)), get(a.y, T(1)), positive_weight, p);
  if (a.weights != nullptr) {
    const vec<T> weight = get(a.weights, T(1));
    result.loss *= weight;
    result.slope *= weight;
  }
  if (a.losses != nullptr) put(a.losses, result.loss);
  if (a.dx != nullptr) put(a.dx, result.slope * factor);
  if constexpr (!whole) {  // lanes behind the end hold no loss
    alignas(64) T lanes[kLanes<T>];
    store(lanes, result.loss);
    result.loss = load_partial(lanes, count);
  }
  add_lanes<T>(result.loss, sums);
}

template <ElementLoss kind, class T>
FASTML_INLINE double evaluate_kind(T p, std::int64_t n, const LossArrays<T>& arrays, T factor) {
  vec<double> sums{};
  std::int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) evaluate_vector<kind, true>(p, i, kLanes<T>, arrays, factor, sums);
  if (i < n) evaluate_vector<kind, false>(p, i, int(n - i), arrays, factor, sums);
  return reduce_add<double>(sums);
}

template <class T>
double evaluate(ElementLoss kind, T parameter, std::int64_t n, const LossArrays<T>& arrays, T factor) {
  switch (kind) {
    case ElementLoss::squared:
      return evaluate_kind<ElementLoss::squared>(parameter, n, arrays, factor);
    case ElementLoss::absolute:
      return evaluate_kind<ElementLoss::absolute>(parameter, n, arrays, factor);
    case ElementLoss::huber:
      return evaluate_kind<ElementLoss::huber>(parameter, n, arrays, factor);
    case ElementLoss::smooth:
      return evaluate_kind<ElementLoss::smooth>(parameter, n, arrays, factor);
    case ElementLoss::logistic:
      return evaluate_kind<ElementLoss::logistic>(parameter, n, arrays, factor);
    case ElementLoss::hinge:
      return evaluate_kind<ElementLoss::hinge>(parameter, n, arrays, factor);
    case ElementLoss::poisson:
      return evaluate_kind<ElementLoss::poisson>(parameter, n, arrays, factor);
    default:
      return evaluate_kind<ElementLoss::poisson_of_log>(parameter, n, arrays, factor);
  }
}

}  // namespace

extern const nn::LossTables loss_tables_of_level;
const nn::LossTables loss_tables_of_level{{evaluate<float>}, {evaluate<double>}};

}  // namespace FASTML_LEVEL
}  // namespace fastml
