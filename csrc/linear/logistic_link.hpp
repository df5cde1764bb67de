// From the scores of a block of rows to losses, gradients and probabilities. For level sources only.
//
// Scores of output c and row r lie at [c * kBlockRows + r]. Whole vectors are read and written, so that up to lanes - 1
// rows behind `count` are computed and dropped: their scores must be initialised.
#pragma once

#include "linear/logistic_kernels.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using linear::kBlockRows;

// Elements r, r + 1, ... of values[0, count); zeros behind.
template <class T>
FASTML_INLINE vec<T> load_rows(const T* values, std::int64_t r, std::int64_t count) {
  return r + kLanes<T> <= count ? load(values + r) : load_partial(values + r, int(count - r));
}

template <class T>
FASTML_INLINE void store_rows(T* values, std::int64_t r, std::int64_t count, vec<T> x) {
  if (r + kLanes<T> <= count) {
    store(values + r, x);
  } else {
    store_partial(values + r, x, int(count - r));
  }
}

template <class T>
FASTML_INLINE double sum_in_double(const T* values, std::int64_t count) {
  vec<double> sum{};
  std::int64_t i = 0;
  for (; i + kLanes<double> <= count; i += kLanes<double>) sum += load_as<double>(values + i);
  double total = reduce_add<double>(sum);
  for (; i < count; ++i) total += double(values[i]);
  return total;
}

// The sigmoid of the scores of a block, in parts that lose nothing by cancellation.
template <class T>
struct Sigmoid {
  vec<T> small;     // e^-|s|
  vec<T> quotient;  // 1 / (1 + e^-|s|), the probability of the likelier class
  ivec<T> positive;

  FASTML_INLINE explicit Sigmoid(vec<T> score) {
    positive = score >= vec<T>{};
    small = exp<T>(select<T>(positive, -score, score));
    quotient = T(1) / (small + T(1));
  }
  FASTML_INLINE vec<T> probability() const { return select<T>(positive, quotient, small * quotient); }
  FASTML_INLINE vec<T> complement() const { return select<T>(positive, small * quotient, quotient); }
};

// One output: scores become derivatives of the loss, losses[r] the losses.
template <class T>
FASTML_INLINE void binary_link(T* scores, const T* classes, const T* weights, std::int64_t count, T* losses,
                               T* curvature) {
  for (std::int64_t r = 0; r < count; r += kLanes<T>) {
    const vec<T> score = load(scores + r);
    const vec<T> y = load_rows(classes, r, count);
    const Sigmoid<T> sigmoid(score);
    const ivec<T> second = y > T(0.5);
    // p - y: of the second class that is -(1 - p), which does not vanish where p rounds to 1.
    vec<T> derivative = select<T>(second, -sigmoid.complement(), sigmoid.probability());
    // log(1 + e^s) - y s, where both |s| cancel before the small rest is added.
    const vec<T> toward = select<T>(second, -score, score);
    vec<T> loss = maximum<T>(toward, vec<T>{}) + log1p_of_unit<T>(sigmoid.small);
    vec<T> bend = sigmoid.small * sigmoid.quotient * sigmoid.quotient;
    if (weights != nullptr) {
      const vec<T> weight = load_rows(weights, r, count);
      derivative *= weight;
      loss *= weight;
      bend *= weight;
    }
    store(scores + r, derivative);
    store(losses + r, loss);
    if (curvature != nullptr) store_rows(curvature, r, count, bend);
  }
}

// Scores of vector r become e^(score - largest); returns their sum and, as `largest`, the largest score.
template <class T>
FASTML_INLINE vec<T> exponentials(T* scores, std::int64_t outputs, vec<T>& largest) {
  largest = load(scores);
  for (std::int64_t c = 1; c < outputs; ++c) largest = maximum<T>(largest, load(scores + c * kBlockRows));
  vec<T> sum{};
  for (std::int64_t c = 0; c < outputs; ++c) {
    const vec<T> e = exp<T>(load(scores + c * kBlockRows) - largest);
    store(scores + c * kBlockRows, e);
    sum += e;
  }
  return sum;
}

// Several outputs. The probabilities go to curvature[c * curvature_stride + r].
template <class T>
FASTML_INLINE void softmax_link(T* scores, std::int64_t outputs, const T* classes, const T* weights, std::int64_t count,
                                T* losses, T* curvature, std::int64_t curvature_stride) {
  for (std::int64_t r = 0; r < count; r += kLanes<T>) {
    const vec<T> y = load_rows(classes, r, count);
    vec<T> own{};
    for (std::int64_t c = 0; c < outputs; ++c) {
      own = select<T>(y == T(c), load(scores + c * kBlockRows + r), own);
    }
    vec<T> largest;
    const vec<T> sum = exponentials(scores + r, outputs, largest);
    vec<T> loss = log<T>(sum) + (largest - own);
    const vec<T> inverse = T(1) / sum;
    vec<T> weight = broadcast<T>(T(1));
    if (weights != nullptr) weight = load_rows(weights, r, count);
    store(losses + r, loss * weight);
    for (std::int64_t c = 0; c < outputs; ++c) {
      const vec<T> p = load(scores + c * kBlockRows + r) * inverse;
      if (curvature != nullptr) store_rows(curvature + c * curvature_stride, r, count, p);
      store(scores + c * kBlockRows + r, (p - select<T>(y == T(c), broadcast<T>(T(1)), vec<T>{})) * weight);
    }
  }
}

// The scores of a direction become the derivative of the losses' derivatives along it.
template <class T>
FASTML_INLINE void curvature_link(T* scores, std::int64_t outputs, const T* weights, std::int64_t count,
                                  const T* curvature, std::int64_t curvature_stride) {
  for (std::int64_t r = 0; r < count; r += kLanes<T>) {
    if (outputs == 1) {
      store(scores + r, load(scores + r) * load_rows(curvature, r, count));
      continue;
    }
    vec<T> mean{};
    for (std::int64_t c = 0; c < outputs; ++c) {
      mean += load(scores + c * kBlockRows + r) * load_rows(curvature + c * curvature_stride, r, count);
    }
    vec<T> weight = broadcast<T>(T(1));
    if (weights != nullptr) weight = load_rows(weights, r, count);
    for (std::int64_t c = 0; c < outputs; ++c) {
      const vec<T> p = load_rows(curvature + c * curvature_stride, r, count);
      store(scores + c * kBlockRows + r, (load(scores + c * kBlockRows + r) - mean) * p * weight);
    }
  }
}

// Scores become probabilities, to[r * classes + c].
template <class T>
FASTML_INLINE void probability_link(T* scores, std::int64_t outputs, std::int64_t count, T* to) {
  for (std::int64_t r = 0; r < count; r += kLanes<T>) {
    const std::int64_t rows = count - r < kLanes<T> ? count - r : kLanes<T>;
    if (outputs == 1) {
      const Sigmoid<T> sigmoid(load(scores + r));
      store(scores + r, sigmoid.probability());
      for (std::int64_t i = r; i < r + rows; ++i) {
        to[2 * i] = T(1) - scores[i];  // scikit-learn's: the two add up to 1
        to[2 * i + 1] = scores[i];
      }
      continue;
    }
    vec<T> largest;
    const vec<T> inverse = T(1) / exponentials(scores + r, outputs, largest);
    for (std::int64_t c = 0; c < outputs; ++c) {
      store(scores + c * kBlockRows + r, load(scores + c * kBlockRows + r) * inverse);
    }
    for (std::int64_t i = r; i < r + rows; ++i) {
      for (std::int64_t c = 0; c < outputs; ++c) to[i * outputs + c] = scores[c * kBlockRows + i];
    }
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
