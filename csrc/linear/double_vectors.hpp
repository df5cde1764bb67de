// Vectors of doubles made of elements of either type, in runs of any length, and their sums. For level sources only.
#pragma once

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

inline constexpr int kDoubles = kLanes<double>;

// N of them, a power of two up to a full vector.
template <int N>
using doubles = typename VectorOf<double, N>::type;

template <int N, class T>
FASTML_INLINE doubles<N> widen(typename VectorOf<T, N>::type v) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return v;
  } else {
    return __builtin_convertvector(v, doubles<N>);
  }
}

template <int N, class T>
FASTML_INLINE typename VectorOf<T, N>::type narrow(doubles<N> v) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return v;
  } else {
    return __builtin_convertvector(v, typename VectorOf<T, N>::type);
  }
}

template <int N, class T>
FASTML_INLINE doubles<N> read(const T* p) {
  return widen<N, T>(load_run<N>(p));
}

template <int N>
FASTML_INLINE doubles<N> magnitude(doubles<N> v) {
  return v < 0 ? -v : v;
}

// Sums step(Width<N>, j), which gives N terms, over j in [0, n). Four sums hide the latency of the addition; a vector of a
// few elements is no slower an element than a long one.
template <class Step>
FASTML_INLINE double sum_over(std::int64_t n, const Step& step) {
  doubles<kDoubles> sums[4] = {};
  std::int64_t j = 0;
  for (; j + 4 * kDoubles <= n; j += 4 * kDoubles) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[v] += step(Width<kDoubles>{}, j + v * kDoubles);
  }
  if (j + 2 * kDoubles <= n) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) sums[v] += step(Width<kDoubles>{}, j + v * kDoubles);
    j += 2 * kDoubles;
  }
  if (j + kDoubles <= n) {
    sums[2] += step(Width<kDoubles>{}, j);
    j += kDoubles;
  }
  double rest = 0;
  if constexpr (kDoubles > 1) {
    for_each_run<kDoubles / 2>(
        n,
        [&](auto width, std::int64_t at) {
          constexpr int lanes = decltype(width)::value;
          rest += sum_run<lanes, double>(step(width, at));
        },
        j);
  }
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
