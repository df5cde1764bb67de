#include "nn/activation_kernels.hpp"
#include "nn/activation_math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::Activation;
using nn::ActivationKernels;

// Rows whose columns are summed in registers before they are added to the sums: errors grow with rows / 64 + 64.
constexpr std::int64_t kBlock = 64;

// x and y of `cols` values; bias may be null.
template <class K, class T>
FASTML_INLINE void forward_row(K, T p, std::int64_t cols, const T* bias, T* x, T* y) {
  const bool keeps = bias != nullptr && x != y;
  std::int64_t j = 0;
  for (; j + kLanes<T> <= cols; j += kLanes<T>) {
    vec<T> v = load(x + j);
    if (bias != nullptr) v += load(bias + j);
    if (keeps) store(x + j, v);
    store(y + j, nn_math::value<K::value, T>(v, p));
  }
  if (j == cols) return;
  const int rest = int(cols - j);
  vec<T> v = load_partial(x + j, rest);
  if (bias != nullptr) v += load_partial(bias + j, rest);
  if (keeps) store_partial(x + j, v, rest);
  store_partial(y + j, nn_math::value<K::value, T>(v, p), rest);
}

template <class T>
void forward(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* bias, T* x, T* y) {
  if (bias == nullptr) {  // one long row
    cols *= rows;
    rows = cols == 0 ? 0 : 1;
  }
  nn_math::with_kind(kind, [&](auto k) __attribute__((always_inline)) {
    for (std::int64_t i = 0; i < rows; ++i) forward_row(k, parameter, cols, bias, x + i * cols, y + i * cols);
  });
}

// Columns of a vector, rows of a block: dx, and the sums of its columns.
template <class K, class T, class Load, class Store>
FASTML_INLINE vec<T> backward_block(K, T p, std::int64_t rows, std::int64_t cols, const T* from, const T* dy, T* dx,
                                    const Load& get, const Store& put) {
  vec<T> sum{};
  for (std::int64_t i = 0; i < rows; ++i) {
    vec<T> d = get(dy + i * cols);
    if constexpr (K::value == Activation::relu) {
      d = select<T>(get(from + i * cols) > vec<T>{}, d, vec<T>{});  // 0 also where d is infinite
    } else if constexpr (K::value != Activation::identity) {
      d *= nn_math::slope<K::value, T>(get(from + i * cols), p);
    }
    if (K::value != Activation::identity || dx != dy) put(dx + i * cols, d);
    sum += d;
  }
  return sum;
}

template <class T>
void backward(Activation kind, T parameter, std::int64_t rows, std::int64_t cols, const T* x, const T* y, const T* dy,
              T* dx, T* sums) {
  if (sums == nullptr) {
    cols *= rows;
    rows = cols == 0 ? 0 : 1;
  }
  const T* from = kind == Activation::identity ? dy : nn_math::from_result(kind) ? y : x;
  nn_math::with_kind(kind, [&](auto k) __attribute__((always_inline)) {
    for (std::int64_t first = 0; first < rows; first += kBlock) {
      const std::int64_t count = rows - first < kBlock ? rows - first : kBlock, start = first * cols;
      std::int64_t j = 0;
      for (; j + kLanes<T> <= cols; j += kLanes<T>) {
        const vec<T> sum = backward_block(
            k, parameter, count, cols, from + start + j, dy + start + j, dx + start + j,
            [](const T* p) __attribute__((always_inline)) { return load(p); },
            [](T* p, vec<T> v) __attribute__((always_inline)) { store(p, v); });
        if (sums != nullptr) store(sums + j, load(sums + j) + sum);
      }
      if (j == cols) continue;
      const int rest = int(cols - j);
      const vec<T> sum = backward_block(
          k, parameter, count, cols, from + start + j, dy + start + j, dx + start + j,
          [rest](const T* p) __attribute__((always_inline)) { return load_partial(p, rest); },
          [rest](T* p, vec<T> v) __attribute__((always_inline)) { store_partial(p, v, rest); });
      if (sums != nullptr) store_partial(sums + j, load_partial(sums + j, rest) + sum, rest);
    }
  });
}

}  // namespace

extern const ActivationKernels<float> activation_table_f32;
extern const ActivationKernels<double> activation_table_f64;
const ActivationKernels<float> activation_table_f32{forward<float>, backward<float>};
const ActivationKernels<double> activation_table_f64{forward<double>, backward<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
