// e^x of what is not above zero, such as a value of the rbf kernel: in four fifths of the time of exp. For level sources only.
#pragma once

#include "simd/math.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// e^x to 1 ulp, for x <= 0. What would be subnormal is 0: below -708 in f64, -87 in f32. Arguments above 0, the rounding
// errors of zeros, count as 0. e^-inf is 0, NaN stays NaN.
template <class T>
FASTML_INLINE vec<T> decay(vec<T> x) {
  using namespace math_detail;
  using C = Constants<T>;
  constexpr T least = sizeof(T) == sizeof(double) ? T(-708) : T(-87);
  const vec<T> clamped = minimum<T>(x, vec<T>{});
  const vec<T> shifted = clamped * C::one_over_ln2 + C::round_shift;
  const vec<T> n = shifted - C::round_shift;
  const vec<T> r = (clamped - n * C::ln2_high) - n * C::ln2_low;
  const vec<T> power = (r * r * polynomial(C::exp_series, r) + r) + T(1);
  // The result is a normal number, or not used: n is added to the exponent as it stands.
  const vec<T> result = from_bits<T>(as_bits<T>(power) + (as_bits<T>(shifted) << C::mantissa_bits));
  return select<T>(x >= least, result, select<T>(x < least, vec<T>{}, x));
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
