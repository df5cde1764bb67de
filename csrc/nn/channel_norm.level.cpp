#include "nn/channel_norm.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

// Rows whose sums are kept apart, so that an addition does not wait for the one before.
constexpr int kChains = 4;

template <class T, int N>
using Run = typename VectorOf<T, N>::type;

// Calls step(Width<N>{}, c) for runs of channels that cover all of them, of one register at most.
template <class T, class Step>
FASTML_INLINE void for_channels(std::int64_t channels, const Step& step) {
  for_each_run<kLanes<T>>(channels, step);
}

// The sum of term(row) over rows, in vectors of N.
template <class T, int N, class Term>
FASTML_INLINE Run<T, N> sum_of_rows(std::int64_t rows, const Term& term) {
  Run<T, N> sums[kChains] = {};
  std::int64_t i = 0;
  for (; i + kChains <= rows; i += kChains) {
#pragma GCC unroll 4
    for (int r = 0; r < kChains; ++r) sums[r] += term(i + r);
  }
  for (; i < rows; ++i) sums[0] += term(i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
void moments(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, T* mean, T* squares) {
  for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value;
    // Distances from the first row are as large as the deviation, however large values are.
    const Run<T, N> origin = load_run<N>(x + c);
    const Run<T, N> sum = sum_of_rows<T, N>(
        rows, [&](std::int64_t i) __attribute__((always_inline)) { return load_run<N>(x + i * stride + c) - origin; });
    const Run<T, N> center = origin + sum / T(rows);
    const Run<T, N> spread = sum_of_rows<T, N>(rows, [&](std::int64_t i) __attribute__((always_inline)) {
      const Run<T, N> distance = load_run<N>(x + i * stride + c) - center;
      return distance * distance;
    });
    store_run<N>(mean + c, center);
    store_run<N>(squares + c, spread);
  });
}

template <bool Relu, bool More, class T>
FASTML_INLINE void scale_as(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* shift,
                            const T* by, const T* bias, const T* more, T* y) {
  for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value;
    const Run<T, N> center = load_run<N>(shift + c), factor = load_run<N>(by + c), level = load_run<N>(bias + c);
    for (std::int64_t i = c; i < rows * stride; i += stride) {
      Run<T, N> value = (load_run<N>(x + i) - center) * factor + level;
      if constexpr (More) value += load_run<N>(more + i);
      if constexpr (Relu) value = value < Run<T, N>{} ? Run<T, N>{} : value;  // NaN stays
      store_run<N>(y + i, value);
    }
  });
}

template <class T>
void scale(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* shift, const T* by,
           const T* bias, const T* more, bool relu, T* y) {
  if (more != nullptr) {
    relu ? scale_as<true, true>(rows, channels, stride, x, shift, by, bias, more, y)
         : scale_as<false, true>(rows, channels, stride, x, shift, by, bias, more, y);
  } else {
    relu ? scale_as<true, false>(rows, channels, stride, x, shift, by, bias, more, y)
         : scale_as<false, false>(rows, channels, stride, x, shift, by, bias, more, y);
  }
}

// dy, or 0 where the ReLU's result is not positive.
template <bool Relu, int N, class T>
FASTML_INLINE Run<T, N> before_relu(const T* y, const T* dy, std::int64_t at) {
  const Run<T, N> gradient = load_run<N>(dy + at);
  if constexpr (Relu) {
    return load_run<N>(y + at) > Run<T, N>{} ? gradient : Run<T, N>{};
  } else {
    return gradient;
  }
}

template <bool Relu, class T>
FASTML_INLINE void products_as(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* y,
                               const T* dy, const T* mean, const T* inverse, T* dweight, T* dbias) {
  for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value;
    const Run<T, N> center = load_run<N>(mean + c);
    Run<T, N> levels[2] = {}, slopes[2] = {};
    const auto add = [&](int r, std::int64_t i) __attribute__((always_inline)) {
      const Run<T, N> dz = before_relu<Relu, N>(y, dy, i * stride + c);
      levels[r] += dz;
      slopes[r] += dz * (load_run<N>(x + i * stride + c) - center);
    };
    std::int64_t i = 0;
    for (; i + 2 <= rows; i += 2) {
      add(0, i);
      add(1, i + 1);
    }
    if (i < rows) add(0, i);
    store_run<N>(dbias + c, levels[0] + levels[1]);
    store_run<N>(dweight + c, (slopes[0] + slopes[1]) * load_run<N>(inverse + c));
  });
}

template <class T>
void products(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* y, const T* dy,
              const T* mean, const T* inverse, T* dweight, T* dbias) {
  y == nullptr ? products_as<false>(rows, channels, stride, x, y, dy, mean, inverse, dweight, dbias)
               : products_as<true>(rows, channels, stride, x, y, dy, mean, inverse, dweight, dbias);
}

template <bool Relu, class T>
FASTML_INLINE void backward_as(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* y,
                               const T* dy, const T* mean, const T* by, const T* slope, const T* constant, T* dx,
                               T* dmore) {
  for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value;
    const Run<T, N> center = load_run<N>(mean + c), factor = load_run<N>(by + c), tilt = load_run<N>(slope + c),
                    level = load_run<N>(constant + c);
    for (std::int64_t i = c; i < rows * stride; i += stride) {
      const Run<T, N> dz = before_relu<Relu, N>(y, dy, i);
      if (dx != nullptr) store_run<N>(dx + i, dz * factor - (load_run<N>(x + i) - center) * tilt - level);
      if (dmore != nullptr) store_run<N>(dmore + i, dz);
    }
  });
}

template <class T>
void backward(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* y, const T* dy,
              const T* mean, const T* by, const T* slope, const T* constant, T* dx, T* dmore) {
  y == nullptr ? backward_as<false>(rows, channels, stride, x, y, dy, mean, by, slope, constant, dx, dmore)
               : backward_as<true>(rows, channels, stride, x, y, dy, mean, by, slope, constant, dx, dmore);
}

template <class T>
constexpr nn::ChannelNormKernels<T> kTable = {moments<T>, scale<T>, products<T>, backward<T>};

}  // namespace

extern const nn::ChannelNormTables channel_norm_tables_of_level;
const nn::ChannelNormTables channel_norm_tables_of_level{kTable<float>, kTable<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
