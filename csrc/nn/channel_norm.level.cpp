#include "nn/channel_norm_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::Passing;

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

enum class Mask { none, result, recomputed };

// Calls run(Kind<mask>{}) for how a ReLU's mask is found.
template <Mask M>
struct Kind {
  static constexpr Mask value = M;
};
template <class T, class Run>
FASTML_INLINE void with_mask(const Passing<T>& passing, const Run& run) {
  if (passing.y != nullptr) {
    run(Kind<Mask::result>{});
  } else if (passing.bias != nullptr) {
    run(Kind<Mask::recomputed>{});
  } else {
    run(Kind<Mask::none>{});
  }
}

// What the mask needs of N channels from c on, and dz of their elements at `i`, whose distance from the mean is given.
template <Mask M, int N, class T>
struct Gate {
  const T* y;
  Run<T, N> scale, bias;

  FASTML_INLINE Gate(const Passing<T>& passing, std::int64_t c) : y(passing.y), scale{}, bias{} {
    if constexpr (M == Mask::recomputed) {
      scale = load_run<N>(passing.scale + c);
      bias = load_run<N>(passing.bias + c);
    }
  }
  FASTML_INLINE Run<T, N> operator()(const T* dy, std::int64_t i, Run<T, N> distance) const {
    const Run<T, N> gradient = load_run<N>(dy + i), zero{};
    if constexpr (M == Mask::result) return load_run<N>(y + i) > zero ? gradient : zero;
    if constexpr (M == Mask::recomputed) return distance * scale + bias > zero ? gradient : zero;
    return gradient;
  }
};

template <class T>
void products(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
              const Passing<T>& passing, const T* mean, const T* inverse, T* dweight, T* dbias) {
  with_mask(passing, [&](auto kind) __attribute__((always_inline)) {
    for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
      constexpr int N = decltype(width)::value;
      const Gate<decltype(kind)::value, N, T> gate(passing, c);
      const Run<T, N> center = load_run<N>(mean + c);
      Run<T, N> levels[2] = {}, slopes[2] = {};
      const auto add = [&](int r, std::int64_t i) __attribute__((always_inline)) {
        const Run<T, N> distance = load_run<N>(x + i * stride + c) - center;
        const Run<T, N> dz = gate(dy, i * stride + c, distance);
        levels[r] += dz;
        slopes[r] += dz * distance;
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
  });
}

template <class T>
void backward(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
              const Passing<T>& passing, const T* mean, const T* by, const T* slope, const T* constant, T* dx,
              T* dmore) {
  with_mask(passing, [&](auto kind) __attribute__((always_inline)) {
    for_channels<T>(channels, [&](auto width, std::int64_t c) __attribute__((always_inline)) {
      constexpr int N = decltype(width)::value;
      const Gate<decltype(kind)::value, N, T> gate(passing, c);
      const Run<T, N> center = load_run<N>(mean + c), factor = load_run<N>(by + c), tilt = load_run<N>(slope + c),
                      level = load_run<N>(constant + c);
      for (std::int64_t i = c; i < rows * stride; i += stride) {
        const Run<T, N> distance = load_run<N>(x + i) - center;
        const Run<T, N> dz = gate(dy, i, distance);
        if (dx != nullptr) store_run<N>(dx + i, dz * factor - distance * tilt - level);
        if (dmore != nullptr) store_run<N>(dmore + i, dz);
      }
    });
  });
}

template <class T>
constexpr nn::ChannelNormKernels<T> kTable = {moments<T>, scale<T>, products<T>, backward<T>};

}  // namespace

extern const nn::ChannelNormTables channel_norm_tables_of_level;
const nn::ChannelNormTables channel_norm_tables_of_level{kTable<float>, kTable<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
