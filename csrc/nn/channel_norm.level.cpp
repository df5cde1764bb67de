#include "nn/channel_norm_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::Passing;

// Registers of channels that are taken together, so that a row is read in longer runs: as many as leave room for what is
// kept of each of them.
#if FASTML_VECTOR_BYTES == 32
constexpr int kTogether = 2;
#else
constexpr int kTogether = 4;
#endif

// V vectors of N elements.
template <class T, int N, int V>
struct Run {
  typename VectorOf<T, N>::type part[V];

  static FASTML_INLINE Run at(const T* p) {
    Run run;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) run.part[v] = load_run<N>(p + v * N);
    return run;
  }
  FASTML_INLINE void put(T* p) const {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store_run<N>(p + v * N, part[v]);
  }
  // This where the other is positive, and 0 elsewhere.
  FASTML_INLINE Run where_positive(const Run& other) const {
    const typename VectorOf<T, N>::type zero{};
    Run run;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) run.part[v] = other.part[v] > zero ? part[v] : zero;
    return run;
  }
  FASTML_INLINE Run relu() const {
    const typename VectorOf<T, N>::type zero{};
    Run run;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) run.part[v] = part[v] < zero ? zero : part[v];  // NaN stays
    return run;
  }
};

#define FASTML_RUN_OPERATOR_(op)                                                              \
  template <class T, int N, int V>                                                            \
  FASTML_INLINE Run<T, N, V> operator op(const Run<T, N, V>& a, const Run<T, N, V>& b) {      \
    Run<T, N, V> run;                                                                         \
    _Pragma("GCC unroll 4") for (int v = 0; v < V; ++v) run.part[v] = a.part[v] op b.part[v]; \
    return run;                                                                               \
  }
FASTML_RUN_OPERATOR_(+)
FASTML_RUN_OPERATOR_(-)
FASTML_RUN_OPERATOR_(*)
#undef FASTML_RUN_OPERATOR_

// Calls step(Run<...>{}, c) for runs of channels that cover all of them.
template <class T, class Step>
FASTML_INLINE void for_channels(std::int64_t channels, const Step& step) {
  constexpr int together = kTogether * kLanes<T>;
  std::int64_t c = 0;
  for (; c + together <= channels; c += together) step(Run<T, kLanes<T>, kTogether>{}, c);
  for_each_run<kLanes<T>>(
      channels,
      [&](auto width, std::int64_t first)
          __attribute__((always_inline)) { step(Run<T, decltype(width)::value, 1>{}, first); },
      c);
}

// The sum of term(row) over rows. Every other row is summed apart, so that an addition does not wait for the one before;
// in runs of any length alike, so that a sum does not depend on how many channels there are beside.
template <class R, class Term>
FASTML_INLINE R sum_of_rows(std::int64_t rows, const Term& term) {
  R even{}, odd{};
  std::int64_t i = 0;
  for (; i + 2 <= rows; i += 2) {
    even = even + term(i);
    odd = odd + term(i + 1);
  }
  if (i < rows) even = even + term(i);
  return even + odd;
}

template <class T>
void moments(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, T* mean, T* squares) {
  const T share = T(1) / T(rows);
  for_channels<T>(channels, [&](auto run, std::int64_t c) __attribute__((always_inline)) {
    using R = decltype(run);
    // Distances from the first row are as large as the deviation, however large values are.
    const R origin = R::at(x + c);
    R center = sum_of_rows<R>(
        rows, [&](std::int64_t i) __attribute__((always_inline)) { return R::at(x + i * stride + c) - origin; });
#pragma GCC unroll 4
    for (auto& part : center.part) part *= share;
    center = origin + center;
    const R spread = sum_of_rows<R>(rows, [&](std::int64_t i) __attribute__((always_inline)) {
      const R distance = R::at(x + i * stride + c) - center;
      return distance * distance;
    });
    center.put(mean + c);
    spread.put(squares + c);
  });
}

template <bool Relu, bool More, class T>
FASTML_INLINE void scale_as(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* shift,
                            const T* by, const T* bias, const T* more, T* y) {
  for_channels<T>(channels, [&](auto run, std::int64_t c) __attribute__((always_inline)) {
    using R = decltype(run);
    const R center = R::at(shift + c), factor = R::at(by + c), level = R::at(bias + c);
    for (std::int64_t i = c; i < rows * stride; i += stride) {
      R value = (R::at(x + i) - center) * factor + level;
      if constexpr (More) value = value + R::at(more + i);
      if constexpr (Relu) value = value.relu();
      value.put(y + i);
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

// What the mask needs of a run of channels, and dz of their elements at `i`, whose distance from the mean is given.
template <Mask M, class R, class T>
struct Gate {
  const T* y;
  R scale, bias;

  FASTML_INLINE Gate(const Passing<T>& passing, std::int64_t c) : y(passing.y), scale{}, bias{} {
    if constexpr (M == Mask::recomputed) {
      scale = R::at(passing.scale + c);
      bias = R::at(passing.bias + c);
    }
  }
  FASTML_INLINE R operator()(const T* dy, std::int64_t i, const R& distance) const {
    const R gradient = R::at(dy + i);
    if constexpr (M == Mask::result) return gradient.where_positive(R::at(y + i));
    if constexpr (M == Mask::recomputed) return gradient.where_positive(distance * scale + bias);
    return gradient;
  }
};

template <class T>
void products(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
              const Passing<T>& passing, const T* mean, const T* inverse, T* dweight, T* dbias) {
  with_mask(passing, [&](auto kind) __attribute__((always_inline)) {
    for_channels<T>(channels, [&](auto run, std::int64_t c) __attribute__((always_inline)) {
      using R = decltype(run);
      const Gate<decltype(kind)::value, R, T> gate(passing, c);
      const R center = R::at(mean + c);
      R level{}, tilt{};
      for (std::int64_t i = c; i < rows * stride; i += stride) {
        const R distance = R::at(x + i) - center;
        const R dz = gate(dy, i, distance);
        level = level + dz;
        tilt = tilt + dz * distance;
      }
      level.put(dbias + c);
      (tilt * R::at(inverse + c)).put(dweight + c);
    });
  });
}

template <class T>
void backward(std::int64_t rows, std::int64_t channels, std::int64_t stride, const T* x, const T* dy,
              const Passing<T>& passing, const T* mean, const T* by, const T* slope, const T* constant, T* dx,
              T* dmore) {
  with_mask(passing, [&](auto kind) __attribute__((always_inline)) {
    for_channels<T>(channels, [&](auto run, std::int64_t c) __attribute__((always_inline)) {
      using R = decltype(run);
      const Gate<decltype(kind)::value, R, T> gate(passing, c);
      const R center = R::at(mean + c), factor = R::at(by + c), level = R::at(constant + c);
      const R tilt = slope == nullptr ? R{} : R::at(slope + c);
      for (std::int64_t i = c; i < rows * stride; i += stride) {
        const R distance = R::at(x + i) - center;
        const R dz = gate(dy, i, distance);
        // One product to an addition, and one formula: compilers then fuse them in one way, in runs of any length.
        const R way = slope == nullptr ? R{} : distance;  // from the mean, which may be infinite
        if (dx != nullptr) (dz * factor - (way * tilt + level)).put(dx + i);
        if (dmore != nullptr) dz.put(dmore + i);
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
