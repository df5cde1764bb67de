// One vector type per SIMD level, on GCC/Clang vector extensions. For level sources (*.level.cpp) only.
//
// Everything is in the level's own namespace and force-inlined: no inline function compiled with AVX flags may reach the
// linker under a name that baseline code uses too (the linker keeps one copy, and the v2 machine meets an AVX opcode).
// For the same reason level sources include no STL header.
#pragma once

#include <cstdint>
#include <cstring>

#ifndef FASTML_LEVEL
#error "include this header from *.level.cpp sources only: FASTML_LEVEL names the SIMD level"
#endif

#define FASTML_INLINE inline __attribute__((always_inline))

namespace fastml {
namespace FASTML_LEVEL {

// Bytes of a vector register; FASTML_VECTOR_BYTES comes from the build, and 0 stands for one lane.
inline constexpr int kVectorBytes = FASTML_VECTOR_BYTES;

template <class T>
inline constexpr int kLanes = kVectorBytes ? kVectorBytes / int(sizeof(T)) : 1;

template <class T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
  using type = std::int32_t;
};
template <>
struct IntegerOf<double> {
  using type = std::int64_t;
};
template <class T>
using Integer = typename IntegerOf<T>::type;

template <class T, int N>
struct VectorOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};

// vec<T> fills a register; ivec<T> has an integer of T's width in each lane, which is also what comparisons yield
// (all bits set for true).
template <class T>
using vec = typename VectorOf<T, kLanes<T>>::type;
template <class T>
using ivec = typename VectorOf<Integer<T>, kLanes<T>>::type;

template <class T>
FASTML_INLINE vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T, kLanes<T>>::unaligned*>(p);
}

template <class T>
FASTML_INLINE void store(T* p, vec<T> v) {
  if constexpr (kLanes<T> == 1) {
    *p = v[0];
  } else {
    *reinterpret_cast<typename VectorOf<T, kLanes<T>>::unaligned*>(p) = v;
  }
}

// A vector of To loaded from elements of type From: the same type, or f32 widened to f64.
template <class To, class From>
FASTML_INLINE vec<To> load_as(const From* p) {
  if constexpr (sizeof(From) == sizeof(To)) {
    return load(p);
  } else {
    using Narrow = typename VectorOf<From, kLanes<To>>::unaligned;
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
    // GCC (12 and 13) widens eight lanes in two halves and joins them, four instructions for one.
    if constexpr (kLanes<To> == 8) {
      constexpr int kCurrentRounding = 4;
      return __builtin_ia32_cvtps2pd512_mask(*reinterpret_cast<const Narrow*>(p), vec<To>{}, -1, kCurrentRounding);
    }
#endif
    return __builtin_convertvector(*reinterpret_cast<const Narrow*>(p), vec<To>);
  }
}

template <class T>
FASTML_INLINE vec<T> broadcast(T x) {
  return x - vec<T>{};  // not `+`: -0.0 + 0.0 is 0.0, -0.0 - 0.0 is -0.0
}

template <class T>
FASTML_INLINE ivec<T> broadcast_integer(Integer<T> x) {
  return x - ivec<T>{};
}

// Calls step(Width<N>{}, i) for consecutive runs of N elements that cover [0, count): whole vectors of `Lanes`, then at most
// one run of each smaller power of two. Rows of a few features are then no slower a feature than long ones.
template <int N>
struct Width {
  static constexpr int value = N;
};
template <int Lanes, class Step>
FASTML_INLINE void for_each_run(std::int64_t count, const Step& step, std::int64_t done = 0) {
  for (; done + Lanes <= count; done += Lanes) step(Width<Lanes>{}, done);
  if constexpr (Lanes > 1) for_each_run<Lanes / 2>(count, step, done);
}

// N elements, N any power of two up to a full vector.
template <int N, class T>
FASTML_INLINE typename VectorOf<T, N>::type load_run(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T, N>::unaligned*>(p);
}
template <int N, class T>
FASTML_INLINE void store_run(T* p, typename VectorOf<T, N>::type v) {
  *reinterpret_cast<typename VectorOf<T, N>::unaligned*>(p) = v;
}

template <int... I>
struct LaneList {};
// LaneList<0, 1, ..., Count - 1>; written out because level sources include no STL header.
template <int Count, int... I>
struct LanesUpTo : LanesUpTo<Count - 1, Count - 1, I...> {};
template <int... I>
struct LanesUpTo<0, I...> {
  using type = LaneList<I...>;
};

template <class V, int... I>
FASTML_INLINE auto add_halves(V v, LaneList<I...>) {
  return __builtin_shufflevector(v, v, I...) + __builtin_shufflevector(v, v, (I + int(sizeof...(I)))...);
}

// The sum of N lanes: halves are added until one lane is left.
template <int N, class T>
FASTML_INLINE T sum_run(typename VectorOf<T, N>::type v) {
  if constexpr (N == 1) {
    return v[0];
  } else if constexpr (N == 2) {
    return v[0] + v[1];
  } else {
    return sum_run<N / 2, T>(add_halves(v, typename LanesUpTo<N / 2>::type{}));
  }
}

// The first `count` elements, the other lanes `fill`. Never reads past p[count - 1].
template <class T>
FASTML_INLINE vec<T> load_partial(const T* p, int count, T fill = T(0)) {
  alignas(64) T lanes[kLanes<T>];
  for (int i = 0; i < kLanes<T>; ++i) lanes[i] = i < count ? p[i] : fill;
  return load(lanes);
}

template <class T>
FASTML_INLINE void store_partial(T* p, vec<T> v, int count) {
  alignas(64) T lanes[kLanes<T>];
  store(lanes, v);
  for (int i = 0; i < count; ++i) p[i] = lanes[i];
}

template <class T>
FASTML_INLINE vec<T> select(ivec<T> mask, vec<T> yes, vec<T> no) {
  return mask ? yes : no;
}

template <class T>
FASTML_INLINE ivec<T> select_integer(ivec<T> mask, ivec<T> yes, ivec<T> no) {
  return mask ? yes : no;
}

// minimum(a, b) is b where the two compare equal or unordered, as x86's minps is.
template <class T>
FASTML_INLINE vec<T> minimum(vec<T> a, vec<T> b) {
  return a < b ? a : b;
}

template <class T>
FASTML_INLINE vec<T> maximum(vec<T> a, vec<T> b) {
  return a > b ? a : b;
}

template <class T>
FASTML_INLINE T reduce_add(vec<T> v) {
  return sum_run<kLanes<T>, T>(v);
}

template <class T>
FASTML_INLINE T reduce_min(vec<T> v) {
  alignas(64) T lanes[kLanes<T>];
  store(lanes, v);
  T least = lanes[0];
  for (int i = 1; i < kLanes<T>; ++i) least = lanes[i] < least ? lanes[i] : least;
  return least;
}

template <class T>
FASTML_INLINE bool any(ivec<T> mask) {
  Integer<T> lanes[kLanes<T>];
  std::memcpy(lanes, &mask, sizeof(mask));
  Integer<T> bits = 0;
  for (int i = 0; i < kLanes<T>; ++i) bits |= lanes[i];
  return bits != 0;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
