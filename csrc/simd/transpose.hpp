// Transposition of one square block of registers: lanes x lanes elements. For level sources only.
#pragma once

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

namespace transpose_detail {

// One stage: blocks of Width lanes change places between registers that lie Width rows apart.
template <int Width, class V, int... I>
FASTML_INLINE void exchange_pair(V& a, V& b, LaneList<I...>) {
  constexpr int count = int(sizeof...(I));
  const V low = __builtin_shufflevector(a, b, ((I & Width) ? count + I - Width : I)...);
  const V high = __builtin_shufflevector(a, b, ((I & Width) ? count + I : I + Width)...);
  a = low;
  b = high;
}

template <class T, int Width>
FASTML_INLINE void exchange(vec<T> (&rows)[kLanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i) {
    if ((i & Width) == 0) {
      exchange_pair<Width>(rows[i], rows[i + Width], typename LanesUpTo<kLanes<T>>::type{});
    }
  }
}

}  // namespace transpose_detail

// rows[i][j] becomes rows[j][i]: log2(lanes) stages, each of which swaps off-diagonal blocks of half the size.
template <class T>
FASTML_INLINE void transpose(vec<T> (&rows)[kLanes<T>]) {
  using namespace transpose_detail;
  if constexpr (kLanes<T> >= 16) exchange<T, 8>(rows);
  if constexpr (kLanes<T> >= 8) exchange<T, 4>(rows);
  if constexpr (kLanes<T> >= 4) exchange<T, 2>(rows);
  if constexpr (kLanes<T> >= 2) exchange<T, 1>(rows);
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
