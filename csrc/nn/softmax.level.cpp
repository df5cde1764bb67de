#include "nn/softmax_kernels.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::ClassTargets;
using nn::SoftmaxKernels;

template <class T>
constexpr T kInfinity = T(__builtin_inf());

// Calls whole(j) for whole vectors of a row and partial(j, count) for the rest.
template <class T, class Whole, class Partial>
FASTML_INLINE void for_each_vector(std::int64_t cols, const Whole& whole, const Partial& partial) {
  std::int64_t j = 0;
  for (; j + kLanes<T> <= cols; j += kLanes<T>) whole(j);
  if (j < cols) partial(j, int(cols - j));
}

// Lane j of the rest of a row gets `fill` behind its end.
template <class T, class Step>
FASTML_INLINE void for_each_value(std::int64_t cols, const T* x, T fill, const Step& step) {
  for_each_vector<T>(
      cols, [&](std::int64_t j) __attribute__((always_inline)) { step(j, load(x + j), kLanes<T>); },
      [&](std::int64_t j, int count)
          __attribute__((always_inline)) { step(j, load_partial(x + j, count, fill), count); });
}

template <class T>
FASTML_INLINE void store_some(T* p, vec<T> v, int count) {
  if (count == kLanes<T>) {
    store(p, v);
  } else {
    store_partial(p, v, count);
  }
}

template <class T>
FASTML_INLINE vec<T> load_some(const T* p, int count) {
  return count == kLanes<T> ? load(p) : load_partial(p, count);
}

template <class T>
FASTML_INLINE T largest_of(std::int64_t cols, const T* x) {
  vec<T> largest = broadcast<T>(-kInfinity<T>);
  for_each_value(cols, x, -kInfinity<T>,
                 [&](std::int64_t, vec<T> v, int) __attribute__((always_inline)) { largest = maximum<T>(v, largest); });
  return -reduce_min<T>(-largest);
}

// e = exp(x - largest), and their sum. Without e only the sum.
template <class T>
FASTML_INLINE T exponentials(std::int64_t cols, const T* x, T largest, T* e) {
  vec<T> sum{};
  for_each_value(cols, x, -kInfinity<T>, [&](std::int64_t j, vec<T> v, int count) __attribute__((always_inline)) {
    const vec<T> power = exp<T>(v - largest);
    if (e != nullptr) store_some(e + j, power, count);
    sum += power;
  });
  return reduce_add<T>(sum);
}

template <class T>
FASTML_INLINE T log_of(T x) {
  return log<T>(broadcast<T>(x))[0];
}

template <class T>
void forward(std::int64_t rows, std::int64_t cols, const T* x, bool logarithm, T* y) {
  for (std::int64_t i = 0; i < rows; ++i, x += cols, y += cols) {
    const T largest = largest_of(cols, x);
    const T sum = exponentials(cols, x, largest, logarithm ? nullptr : y);
    const T inverse = T(1) / sum, shift = logarithm ? log_of(sum) : T(0);
    for_each_value(cols, logarithm ? x : y, T(0),
                   [&](std::int64_t j, vec<T> v, int count) __attribute__((always_inline)) {
                     // (x - largest) first: it is exact where it matters.
                     store_some(y + j, logarithm ? (v - largest) - shift : v * inverse, count);
                   });
  }
}

template <class T>
void backward(std::int64_t rows, std::int64_t cols, const T* y, const T* dy, bool logarithm, T* dx) {
  for (std::int64_t i = 0; i < rows; ++i, y += cols, dy += cols, dx += cols) {
    vec<T> sums{};
    for_each_value(cols, dy, T(0), [&](std::int64_t j, vec<T> d, int count) __attribute__((always_inline)) {
      sums += logarithm ? d : d * load_some(y + j, count);
    });
    const T sum = reduce_add<T>(sums);
    for_each_value(cols, dy, T(0), [&](std::int64_t j, vec<T> d, int count) __attribute__((always_inline)) {
      const vec<T> result = load_some(y + j, count);
      store_some(dx + j, logarithm ? d - exp<T>(result) * sum : (d - sum) * result, count);
    });
  }
}

// The target of class c is base_c, and `own` more for the row's class.
template <class T>
struct Targets {
  const T* weights;
  const T* probabilities;  // of the row
  T rest, smooth;          // 1 - smoothing, smoothing / cols

  FASTML_INLINE vec<T> base(std::int64_t j, int count) const {
    vec<T> target = broadcast<T>(smooth);
    if (probabilities != nullptr) target += rest * load_some(probabilities + j, count);
    return weights == nullptr ? target : target * load_some(weights + j, count);
  }
};

template <class T>
FASTML_INLINE void clear(std::int64_t cols, T* row) {
  for (std::int64_t j = 0; j < cols; ++j) row[j] = 0;
}

template <class T>
void cross_entropy(std::int64_t rows, std::int64_t cols, const T* x, const ClassTargets<T>& given, T* losses, T* dx) {
  Targets<T> targets{given.weights, given.probabilities, T(1) - given.smoothing, given.smoothing / T(cols)};
  const bool has_base = given.classes == nullptr || given.smoothing != T(0);
  for (std::int64_t i = 0; i < rows; ++i, x += cols) {
    const std::int64_t c = given.classes == nullptr ? 0 : given.classes[i];
    if (given.classes != nullptr && c == given.ignored) {
      losses[i] = 0;
      if (dx != nullptr) clear(cols, dx + i * cols);
      continue;
    }
    const T own = given.classes == nullptr ? T(0) : targets.rest * (given.weights == nullptr ? T(1) : given.weights[c]);
    const T largest = largest_of(cols, x), own_score = x[c];
    T base_loss = 0, total = own, log_sum = 0, sum = 0;
    if (has_base) {
      sum = exponentials<T>(cols, x, largest, nullptr);
      log_sum = log_of(sum);
      vec<T> loss{}, all{};
      for_each_value(cols, x, largest, [&](std::int64_t j, vec<T> v, int count) __attribute__((always_inline)) {
        vec<T> base = targets.base(j, count);
        if (count < kLanes<T>) {  // lanes behind the row hold no class
          alignas(64) T lanes[kLanes<T>];
          store(lanes, base);
          base = load_partial(lanes, count);
        }
        // A class that is not a target may have a score of -infinity.
        loss += select<T>(base == vec<T>{}, vec<T>{}, base * ((largest - v) + log_sum));
        all += base;
      });
      base_loss = reduce_add<T>(loss);
      total += reduce_add<T>(all);
    }
    if (dx != nullptr) {
      T* to = dx + i * cols;
      sum = exponentials(cols, x, largest, to);
      log_sum = log_of(sum);
      const T scale = total * given.factor / sum;
      for_each_value<T>(cols, to, T(0), [&](std::int64_t j, vec<T> e, int count) __attribute__((always_inline)) {
        store_some(to + j, has_base ? e * scale - targets.base(j, count) * given.factor : e * scale, count);
      });
      if (given.classes != nullptr) to[c] -= own * given.factor;
    } else if (!has_base) {
      log_sum = log_of(exponentials<T>(cols, x, largest, nullptr));
    }
    losses[i] = own == T(0) ? base_loss : base_loss + own * ((largest - own_score) + log_sum);
    if (targets.probabilities != nullptr) targets.probabilities += cols;
  }
}

}  // namespace

extern const SoftmaxKernels<float> softmax_table_f32;
extern const SoftmaxKernels<double> softmax_table_f64;
const SoftmaxKernels<float> softmax_table_f32{forward<float>, backward<float>, cross_entropy<float>};
const SoftmaxKernels<double> softmax_table_f64{forward<double>, backward<double>, cross_entropy<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
