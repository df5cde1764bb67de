// Vectors of the k-d tree's walks: terms of a norm, distances to boxes and to a leaf's points. For level sources only.
#pragma once

#include "neighbors/kd_tree_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using namespace neighbors;

using fastml::FASTML_LEVEL::broadcast;
using fastml::FASTML_LEVEL::kLanes;
using fastml::FASTML_LEVEL::VectorOf;

// Lanes of a vector: a register, but at most 32 bytes. Eight children and 32 points leave wider ones little to do.
template <class T>
inline constexpr int kWide = kLanes<T> * int(sizeof(T)) > 32 ? 32 / int(sizeof(T)) : kLanes<T>;
template <class T>
using Wide = typename VectorOf<T, kWide<T>>::type;
template <class T>
using WideMask = typename VectorOf<typename fastml::FASTML_LEVEL::IntegerOf<T>::type, kWide<T>>::type;

template <class T>
FASTML_INLINE Wide<T> load_wide(const T* p) {
  return fastml::FASTML_LEVEL::load_run<kWide<T>>(p);
}

// Bit i: whether lane i of a comparison is true.
template <class T>
FASTML_INLINE std::uint32_t bits(WideMask<T> mask) {
#if defined(__AVX__)
  if constexpr (kWide<T> * sizeof(T) == 32 && sizeof(T) == 4) {
    typedef float floats __attribute__((vector_size(32)));
    return std::uint32_t(__builtin_ia32_movmskps256(reinterpret_cast<floats>(mask)));
  } else if constexpr (kWide<T> * sizeof(T) == 32) {
    typedef double doubles __attribute__((vector_size(32)));
    return std::uint32_t(__builtin_ia32_movmskpd256(reinterpret_cast<doubles>(mask)));
  }
#elif defined(__SSE2__)
  if constexpr (kWide<T> * sizeof(T) == 16 && sizeof(T) == 4) {
    typedef float floats __attribute__((vector_size(16)));
    return std::uint32_t(__builtin_ia32_movmskps(reinterpret_cast<floats>(mask)));
  } else if constexpr (kWide<T> * sizeof(T) == 16) {
    typedef double doubles __attribute__((vector_size(16)));
    return std::uint32_t(__builtin_ia32_movmskpd(reinterpret_cast<doubles>(mask)));
  }
#endif
  std::uint32_t result = 0;
  for (int i = 0; i < kWide<T>; ++i) result |= std::uint32_t(mask[i] & 1) << i;
  return result;
}

template <class V>
FASTML_INLINE V larger(V a, V b) {
  return a > b ? a : b;
}

// The sum (or maximum) with one more difference.
template <Norm norm, class V>
FASTML_INLINE V with_term(V sum, V difference) {
  if constexpr (norm == Norm::l2) {
    return sum + difference * difference;
  } else {
    const V size = larger(difference, -difference);
    if constexpr (norm == Norm::l1) return sum + size;
    return larger(sum, size);
  }
}

// Screened distances from q to a node's boxes: nearest[c] to child c's nearest point, farthest[c] to its farthest corner.
template <Norm norm, bool with_farthest, class T>
FASTML_INLINE void box_distances(const T* box, const T* q, std::int64_t cols, T* nearest, T* farthest) {
  constexpr int vectors = kFanOut / kWide<T>;
  Wide<T> near[vectors] = {}, far[vectors] = {};
  for (std::int64_t j = 0; j < cols; ++j, box += 2 * kFanOut) {
    const Wide<T> at = q[j] - Wide<T>{};
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const Wide<T> below = load_wide(box + v * kWide<T>) - at;
      const Wide<T> above = at - load_wide(box + kFanOut + v * kWide<T>);
      near[v] = with_term<norm>(near[v], larger(larger(below, above), Wide<T>{}));
      if constexpr (with_farthest) far[v] = with_term<norm>(far[v], larger(-below, -above));
    }
  }
  for (int v = 0; v < vectors; ++v) {
    fastml::FASTML_LEVEL::store_run<kWide<T>>(nearest + v * kWide<T>, near[v]);
    if constexpr (with_farthest) fastml::FASTML_LEVEL::store_run<kWide<T>>(farthest + v * kWide<T>, far[v]);
  }
}

// Bit c: whether child c is at `limit` or below.
template <class T>
FASTML_INLINE std::uint32_t children_at_most(const T* nearest, T limit) {
  std::uint32_t result = 0;
#pragma GCC unroll 8
  for (int v = 0; v < kFanOut / kWide<T>; ++v) {
    result |= bits<T>(load_wide(nearest + v * kWide<T>) <= limit - Wide<T>{}) << (v * kWide<T>);
  }
  return result;
}

template <class T>
FASTML_INLINE int nearest_child(const T* nearest) {
  T least[kFanOut / 2];
#pragma GCC unroll 4
  for (int c = 0; c < kFanOut / 2; ++c) least[c] = -larger(-nearest[c], -nearest[c + kFanOut / 2]);
  const T all = -larger(larger(-least[0], -least[1]), larger(-least[2], -least[3]));
  return __builtin_ctz(children_at_most(nearest, all));
}

// Screened distances from q to the points of a leaf.
template <Norm norm, class T>
FASTML_INLINE void leaf_distances(const T* columns, const T* q, std::int64_t cols,
                                  Wide<T> (&sum)[kLeafPoints / kWide<T>]) {
  constexpr int vectors = kLeafPoints / kWide<T>;
#pragma GCC unroll 32
  for (int v = 0; v < vectors; ++v) sum[v] = Wide<T>{};
  for (std::int64_t j = 0; j < cols; ++j, columns += kLeafPoints) {
    const Wide<T> at = q[j] - Wide<T>{};
#pragma GCC unroll 32
    for (int v = 0; v < vectors; ++v) sum[v] = with_term<norm>(sum[v], load_wide(columns + v * kWide<T>) - at);
  }
}

// Bit i: whether point i of the leaf is screened at `limit` or below.
template <class T>
FASTML_INLINE std::uint32_t at_most(const Wide<T> (&sum)[kLeafPoints / kWide<T>], T limit) {
  std::uint32_t result = 0;
#pragma GCC unroll 32
  for (int v = 0; v < kLeafPoints / kWide<T>; ++v) {
    result |= bits<T>(sum[v] <= limit - Wide<T>{}) << (v * kWide<T>);
  }
  return result;
}

// A limit that at least k, and few more, of these points are screened at or below; they hold k at least.
template <class T>
FASTML_INLINE T limit_for(const Wide<T> (&sum)[kLeafPoints / kWide<T>], std::uint32_t points, int k) {
  alignas(64) T most[kWide<T>];
  Wide<T> all = sum[0];
#pragma GCC unroll 32
  for (int v = 1; v < kLeafPoints / kWide<T>; ++v) all = larger(all, sum[v]);
  fastml::FASTML_LEVEL::store_run<kWide<T>>(most, all);
  T high = most[0];
  for (int i = 1; i < kWide<T>; ++i) high = larger(high, most[i]);
  T low = 0;
  for (int step = 0; step < 6; ++step) {
    const T middle = low / 2 + high / 2;
    const int count = __builtin_popcount(at_most<T>(sum, middle) & points);
    if (count >= k) {
      high = middle;
      if (count <= k + k / 4) break;
    } else {
      low = middle;
    }
  }
  return high;
}

// Adds up the terms of features 0 .. cols: in their order where there are up to 16 of them, as scikit-learn's trees do; else in
// 16 partial sums, feature j in sum j mod 16, which are then added in halves.
template <Norm norm, class Term>
FASTML_INLINE double add_in_order(std::int64_t cols, const Term& term) {
  constexpr int parts = 16;
  if (cols <= parts) {
    double sum = 0;
    for (std::int64_t j = 0; j < cols; ++j) sum = with_term<norm>(sum, term(j));
    return sum;
  }
  double part[parts] = {};
  for (std::int64_t j = 0; j < cols; ++j) part[j % parts] = with_term<norm>(part[j % parts], term(j));
  for (int half = parts / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      part[i] = norm == Norm::max ? larger(part[i], part[i + half]) : part[i] + part[i + half];
    }
  }
  return part[0];
}

// The exact sum between q and a point: its features lie kLeafPoints apart from x on.
template <Norm norm, class T>
FASTML_INLINE double exact_sum(const T* x, const T* q, std::int64_t cols) {
  return add_in_order<norm>(cols, [&](std::int64_t j) { return double(x[j * kLeafPoints]) - double(q[j]); });
}

// The same of |x - y|^p; the pow of the C library is the same function at every level.
template <class T>
FASTML_INLINE double exact_power_sum(const T* x, const T* q, std::int64_t cols, double p) {
  return add_in_order<Norm::l1>(cols, [&](std::int64_t j) {
    const double difference = double(x[j * kLeafPoints]) - double(q[j]);
    return __builtin_pow(larger(difference, -difference), p);
  });
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
