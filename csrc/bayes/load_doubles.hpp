// Vectors of doubles from numbers of any type. For level sources only.
#pragma once

#include <type_traits>

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

template <class T>
FASTML_INLINE vec<double> load_doubles(const T* p) {
  if constexpr (std::is_floating_point_v<T>) {
    return load_as<double>(p);
  } else if constexpr (sizeof(T) == sizeof(float) && kLanes<double> > 1) {
    return __builtin_convertvector(load_run<kLanes<double>>(p), vec<double>);
  } else {
    // Levels below AVX-512 have no instruction for a vector of these.
    vec<double> lanes{};
    for (int i = 0; i < kLanes<double>; ++i) lanes[i] = double(p[i]);
    return lanes;
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
