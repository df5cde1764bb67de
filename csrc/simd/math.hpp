// Exponential, logarithms and hyperbolic tangent of a vector, f32 and f64. For level sources only.
//
// Errors are in units of the last place of the correctly rounded result, measured by csrc/tests/test_math.cpp at every level
// (f32: over one float in 253 of all there are).
//
//   exp            at most 1 ulp (0.97 seen), also where the result is subnormal
//   log            at most 1 ulp (0.79 seen)
//   log1p_of_unit  at most 2 ulp, for arguments in [0, 1]
//   tanh           at most 3 ulp
//
// Special values are those of the C library: exp(-inf) = 0, exp(inf) = inf, log(0) = log(-0) = -inf, log(x < 0) = NaN,
// log(inf) = inf, tanh(+-inf) = +-1; NaN stays NaN. Overflow gives inf, underflow subnormals and then 0. Nothing sets errno.
#pragma once

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

namespace math_detail {

// Coefficients interpolate the remainder of the series at Chebyshev nodes, in 60 digits, and are rounded to T: lowest first.
// ln2_high has trailing zeros enough that its product with any exponent is exact, so reduction needs no FMA.
template <class T>
struct Constants;

template <>
struct Constants<float> {
  using Unsigned = std::uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr Unsigned exponent_bias = 127;
  // Adding it to |x| < 2^22 rounds x to an integer, which then stands in the low bits of the sum.
  static constexpr float round_shift = 0x1.8p23F;
  static constexpr float one_over_ln2 = 1.44269504F;
  static constexpr float ln2_high = 0x1.62ep-1F;
  static constexpr float ln2_low = 3.19461850e-5F;
  static constexpr float exp_least = -104.0F;  // 2^-150.04, which rounds to 0
  static constexpr float tanh_most = 20.0F;    // of 2x: beyond it tanh x rounds to 1
  static constexpr float exp_most = 89.0F;     // 2^128.4, which rounds to infinity
  static constexpr int exp_terms = 6;          // (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2, to 2e-10 of e^r
  static constexpr float exp_series[exp_terms] = {0.5F,          0.16666667F,  0.041666467F,
                                                  0.0083333105F, 0.001393365F, 0.00019890991F};
  static constexpr int log_terms = 4;  // (2 atanh(s) / s - 2) / s^2 for |s| <= (sqrt(2) - 1) / (sqrt(2) + 1), to 2e-11
  static constexpr float log_series[log_terms] = {0.6666667F, 0.40000123F, 0.28550816F, 0.23330583F};
  static constexpr float smallest_normal = 0x1p-126F;
  static constexpr float subnormal_scale = 0x1p24F;
  static constexpr int subnormal_exponent = 24;
  static constexpr Unsigned sqrt_half_bits = 0x3f3504f3U;
};

template <>
struct Constants<double> {
  using Unsigned = std::uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr Unsigned exponent_bias = 1023;
  static constexpr double round_shift = 0x1.8p52;
  static constexpr double one_over_ln2 = 1.4426950408889634;
  static constexpr double ln2_high = 0x1.62e42fefa2p-1;
  static constexpr double ln2_low = 7.371002565167799e-13;
  static constexpr double exp_least = -746.0;  // 2^-1076.3
  static constexpr double tanh_most = 40.0;    // of 2x
  static constexpr double exp_most = 710.0;    // 2^1024.3
  static constexpr int exp_terms = 11;         // to 2e-19
  static constexpr double exp_series[exp_terms] = {
      0.5,
      0.1666666666666667,
      0.04166666666666667,
      0.008333333333326136,
      0.0013888888888883748,
      0.00019841269874820627,
      2.4801587325547743e-05,
      2.7557255400206422e-06,
      2.75572736431103e-07,
      2.5105217004720745e-08,
      2.0914686968086876e-09,
  };
  static constexpr int log_terms = 7;  // to 5e-18
  static constexpr double log_series[log_terms] = {
      0.666666666666667,   0.39999999999899444, 0.2857142862600327,  0.22222211130259878,
      0.18182889455674947, 0.15331710618210773, 0.14616585424888623,
  };
  static constexpr double smallest_normal = 0x1p-1022;
  static constexpr double subnormal_scale = 0x1p54;
  static constexpr int subnormal_exponent = 54;
  static constexpr Unsigned sqrt_half_bits = 0x3fe6a09e667f3bcdU;
};

// Bits are unsigned: exponents are held with an offset that keeps them positive, since AVX2 has no arithmetic shift of
// 64-bit lanes.
template <class T>
using bits = typename VectorOf<typename Constants<T>::Unsigned, kLanes<T>>::type;

template <class T>
FASTML_INLINE bits<T> as_bits(vec<T> x) {
  return reinterpret_cast<bits<T>>(x);
}

template <class T>
FASTML_INLINE vec<T> from_bits(bits<T> x) {
  return reinterpret_cast<vec<T>>(x);
}

// coefficients[0] + coefficients[1] x + ..., by Horner's rule.
template <class T, int Terms>
FASTML_INLINE vec<T> polynomial(const T (&coefficients)[Terms], vec<T> x) {
  vec<T> sum = broadcast<T>(coefficients[Terms - 1]);
#pragma GCC unroll 16
  for (int i = Terms - 2; i >= 0; --i) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace math_detail

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln(2) / 2.
template <class T>
FASTML_INLINE vec<T> exp(vec<T> x) {
  using namespace math_detail;
  using C = Constants<T>;
  const ivec<T> is_number = x == x;
  vec<T> clamped = select<T>(is_number, x, vec<T>{});
  clamped = minimum<T>(maximum<T>(clamped, broadcast<T>(C::exp_least)), broadcast<T>(C::exp_most));

  const vec<T> shifted = clamped * C::one_over_ln2 + C::round_shift;
  const vec<T> n = shifted - C::round_shift;
  const vec<T> r = (clamped - n * C::ln2_high) - n * C::ln2_low;
  const vec<T> power = (r * r * polynomial(C::exp_series, r) + r) + T(1);

  // 2^n may lie outside the normal numbers where the result does not: it is multiplied in two halves, of which only the
  // second can round. Both exponents are biased, hence positive.
  const bits<T> exponent = as_bits<T>(shifted) - as_bits<T>(broadcast<T>(C::round_shift)) + 2 * C::exponent_bias;
  const bits<T> half = exponent >> 1;
  const vec<T> first = from_bits<T>(half << C::mantissa_bits);
  const vec<T> second = from_bits<T>((exponent - half) << C::mantissa_bits);
  return select<T>(is_number, power * first * second, x);
}

// x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and ln(1 + f) = 2 atanh(s) with s = f / (2 + f).
template <class T>
FASTML_INLINE vec<T> log(vec<T> x) {
  using namespace math_detail;
  using C = Constants<T>;
  const ivec<T> subnormal = x < C::smallest_normal;
  const bits<T> scaled = as_bits<T>(select<T>(subnormal, x * C::subnormal_scale, x));

  constexpr typename C::Unsigned bias = C::exponent_bias << C::mantissa_bits;
  const bits<T> exponent = (scaled - C::sqrt_half_bits + bias) >> C::mantissa_bits;
  const vec<T> f = from_bits<T>(scaled - (exponent << C::mantissa_bits) + bias) - T(1);
  // An integer below 2^mantissa_bits becomes a float by standing in the low bits of 2^mantissa_bits.
  constexpr T unit = T(typename C::Unsigned(1) << C::mantissa_bits);
  const vec<T> n = from_bits<T>(exponent | as_bits<T>(broadcast<T>(unit))) - (unit + T(C::exponent_bias)) -
                   select<T>(subnormal, broadcast<T>(T(C::subnormal_exponent)), vec<T>{});

  // 2 atanh(s) = f - f^2/2 + s (f^2/2 + s^2 series(s^2)): f is exact and by far the largest term, so its terms' rounding
  // errors are small beside the result (the reduction of FreeBSD's libm, after Tang 1990).
  const vec<T> s = f / (f + T(2));
  const vec<T> s2 = s * s;
  const vec<T> half_square = T(0.5) * f * f;
  const vec<T> correction = s * (half_square + s2 * polynomial(C::log_series, s2));
  const vec<T> result = n * C::ln2_high + (f - (half_square - (correction + n * C::ln2_low)));

  const vec<T> infinity = broadcast<T>(T(__builtin_inf()));
  vec<T> special = select<T>(x == vec<T>{}, -infinity, broadcast<T>(T(__builtin_nan(""))));
  special = select<T>(x > vec<T>{}, x, special);  // +inf
  return select<T>(ivec<T>(x > vec<T>{}) & ivec<T>(x < infinity), result, special);
}

// log(1 + e) for 0 <= e <= 1, also where e is tiny and 1 + e would lose it: of 1 + e or, above sqrt(2) - 1, of (1 + e) / 2,
// by log()'s series in f / (f + 2).
template <class T>
FASTML_INLINE vec<T> log1p_of_unit(vec<T> e) {
  using C = math_detail::Constants<T>;
  const ivec<T> upper = e > T(0.41421356237309503);
  const vec<T> f = select<T>(upper, T(0.5) * e - T(0.5), e);
  const vec<T> s = f / (f + T(2));
  const vec<T> s2 = s * s;
  const vec<T> half_square = T(0.5) * f * f;
  const vec<T> rest = f - (half_square - s * (half_square + s2 * math_detail::polynomial(C::log_series, s2)));
  return select<T>(upper, (rest + C::ln2_low) + C::ln2_high, rest);
}

// tanh|x| = t / (t + 2) with t = e^(2|x|) - 1 = 2^n (e^r - 1) + (2^n - 1), which keeps the digits of small x (n is 0 there).
template <class T>
FASTML_INLINE vec<T> tanh(vec<T> x) {
  using namespace math_detail;
  using C = Constants<T>;
  const ivec<T> negative = x < T(0);
  const vec<T> twice = T(2) * select<T>(negative, -x, x);
  const vec<T> clamped = minimum<T>(twice, broadcast<T>(C::tanh_most));  // NaN becomes the bound

  const vec<T> shifted = clamped * C::one_over_ln2 + C::round_shift;
  const vec<T> n = shifted - C::round_shift;
  const vec<T> r = (clamped - n * C::ln2_high) - n * C::ln2_low;
  const vec<T> less_one = r * r * polynomial(C::exp_series, r) + r;
  const bits<T> exponent = as_bits<T>(shifted) - as_bits<T>(broadcast<T>(C::round_shift)) + C::exponent_bias;
  const vec<T> power = from_bits<T>(exponent << C::mantissa_bits);
  const vec<T> t = power * less_one + (power - T(1));
  const vec<T> result = t / (t + T(2));
  const vec<T> signed_result = select<T>(negative, -result, result);
  return select<T>(ivec<T>(x == x) & ivec<T>(x != vec<T>{}), signed_result, x);  // 0 keeps its sign
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
