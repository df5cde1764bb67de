// The signs of a vector's lanes as bits of an integer. For level sources only.
#pragma once

#include "simd/vec.hpp"

#if defined(__AVX512DQ__) || defined(__AVX__) || defined(__SSE2__)
#include <immintrin.h>
#endif

namespace fastml {
namespace FASTML_LEVEL {

// Bit l of the result is the sign of lane l (of -0.0, too). GCC 12 makes a store and a loop of shifts out of the plain
// loop, for what is one instruction on x86.
template <class T>
FASTML_INLINE std::uint32_t sign_bits(vec<T> v) {
  static_assert(sizeof(T) == 4, "f32 only");
#if FASTML_VECTOR_BYTES == 64 && defined(__AVX512DQ__)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(v));
#elif FASTML_VECTOR_BYTES == 32 && defined(__AVX__)
  return std::uint32_t(_mm256_movemask_ps(reinterpret_cast<__m256>(v)));
#elif FASTML_VECTOR_BYTES == 16 && defined(__SSE2__)
  return std::uint32_t(_mm_movemask_ps(reinterpret_cast<__m128>(v)));
#else
  std::uint32_t bits = 0;
  for (int l = 0; l < kLanes<T>; ++l) {
    Integer<T> lane;
    const T value = v[l];
    std::memcpy(&lane, &value, sizeof(lane));
    bits |= std::uint32_t(lane < 0) << l;
  }
  return bits;
#endif
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
