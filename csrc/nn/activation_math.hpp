// The functions that activations are made of, and their derivatives. For level sources only.
//
// Relative errors are a few units in the last place, small arguments and tails included: csrc/tests/test_nn_layers.cpp.
#pragma once

#include "nn/activation_kernels.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace nn_math {

using nn::Activation;

template <class T>
FASTML_INLINE vec<T> magnitude(vec<T> x) {
  return maximum<T>(x, -x);
}

// e^x - 1 for x <= 0. Where e^x > 1/2 the series of exp() is summed without its 1.
template <class T>
FASTML_INLINE vec<T> expm1_of_negative(vec<T> x) {
  const vec<T> series = x * x * math_detail::polynomial(math_detail::Constants<T>::exp_series, x) + x;
  return select<T>(x > T(-0.34657), series, exp<T>(x) - T(1));
}

// The sigmoid and its derivative, which loses nothing where the sigmoid rounds to 1.
template <class T>
struct Logistic {
  vec<T> value, slope;

  FASTML_INLINE explicit Logistic(vec<T> x) {
    const vec<T> small = exp<T>(-magnitude<T>(x));
    const vec<T> larger = T(1) / (small + T(1));
    value = select<T>(x >= vec<T>{}, larger, small * larger);
    slope = small * larger * larger;
  }
};

template <class T>
FASTML_INLINE vec<T> sigmoid(vec<T> x) {
  return Logistic<T>(x).value;
}

// (1 + 2x) e^(x^2) erfc(x) for x >= 0 is smooth and bounded: a polynomial in u = (x - K) / (x + K) (the mapping of
// Shepherd & Laframboise 1981). Coefficients interpolate at Chebyshev nodes, in 60 digits, and are rounded to T.
template <class T>
struct ErfcSeries;
template <>
struct ErfcSeries<float> {
  static constexpr float terms[12] = {1.2375126F,     -0.14024061F,  0.0035863102F,  0.08227742F,
                                      -0.10881458F,   0.09229637F,   -0.058645982F,  0.028396482F,
                                      -0.0098454915F, 0.0016886622F, 0.00039670465F, -0.00022874723F};
};
template <>
struct ErfcSeries<double> {
  static constexpr double terms[24] = {
      1.2375126308378275,     -0.14024059858554702,   0.003585415485479575,    0.08227673849014977,
      -0.10880393014246645,   0.09230432116025894,    -0.05869339857631061,    0.028362277420377335,
      -0.00974657968596217,   0.001755625843431864,   0.000293714390578856,    -0.00029015404203352704,
      5.164649341002877e-05,  2.2384138525656757e-05, -1.1437980374495534e-05, -9.733875167494142e-07,
      1.7419011945194367e-06, -5.741076073013916e-08, -2.4851108650210706e-07, 2.3398534313040898e-08,
      3.195398612057818e-08,  -3.798189797736207e-09, -2.618520156503145e-09,  3.2052623379289157e-10};
};

// The normal distribution: its density and the probability up to x.
template <class T>
struct Normal {
  vec<T> density, probability;

  FASTML_INLINE explicit Normal(vec<T> x) {
    // Beyond the limit the tail is 0, and u would be infinity over infinity.
    const vec<T> z = minimum<T>(magnitude<T>(x) * T(0.70710678118654752440), broadcast<T>(T(1e4)));
    const vec<T> e = exp<T>(T(-0.5) * x * x);
    const vec<T> u = (z - T(3.75)) / (z + T(3.75));
    const vec<T> series = math_detail::polynomial(ErfcSeries<T>::terms, u);
    const vec<T> tail = T(0.5) * e * series / (z * T(2) + T(1));
    probability = select<T>(x < vec<T>{}, tail, T(1) - tail);
    density = e * T(0.39894228040143267794);
  }
};

template <class T>
inline constexpr T kGeluScale = T(0.79788456080286535588);  // sqrt(2 / pi)
template <class T>
inline constexpr T kGeluCube = T(0.044715);

// Whether the derivative is read from the result.
FASTML_INLINE constexpr bool from_result(Activation kind) {
  return kind == Activation::relu || kind == Activation::leaky_relu || kind == Activation::elu ||
         kind == Activation::sigmoid || kind == Activation::tanh;
}

// x times a factor that vanishes at -infinity: 0 there, not NaN.
template <class T>
FASTML_INLINE vec<T> damped(vec<T> x, vec<T> factor) {
  return select<T>(factor == vec<T>{}, factor, x * factor);
}

template <Activation kind, class T>
FASTML_INLINE vec<T> value(vec<T> x, T p) {
  const vec<T> zero{};
  if constexpr (kind == Activation::relu) return select<T>(x < zero, zero, x);  // NaN stays
  if constexpr (kind == Activation::leaky_relu) return select<T>(x > zero, x, p * x);
  if constexpr (kind == Activation::elu) return select<T>(x > zero, x, p * expm1_of_negative<T>(minimum<T>(zero, x)));
  if constexpr (kind == Activation::gelu) return damped<T>(x, Normal<T>(x).probability);
  if constexpr (kind == Activation::gelu_tanh) {
    // (1 + tanh(a)) / 2 is sigmoid(2a).
    return damped<T>(x, sigmoid<T>(T(2) * kGeluScale<T> * (x + kGeluCube<T> * x * x * x)));
  }
  if constexpr (kind == Activation::silu) return damped<T>(x, sigmoid<T>(x));
  if constexpr (kind == Activation::sigmoid) return sigmoid<T>(x);
  if constexpr (kind == Activation::tanh) return tanh<T>(x);
  if constexpr (kind == Activation::softplus) {
    const vec<T> scaled = p * x;
    return (maximum<T>(zero, scaled) + log1p_of_unit<T>(exp<T>(-magnitude<T>(scaled)))) / p;
  }
  return x;
}

// From x, or from the result y where from_result(kind).
template <Activation kind, class T>
FASTML_INLINE vec<T> slope(vec<T> x, T p) {
  const vec<T> zero{}, one = broadcast<T>(T(1));
  if constexpr (kind == Activation::relu) return select<T>(x > zero, one, zero);
  if constexpr (kind == Activation::leaky_relu) return select<T>(x > zero, one, broadcast<T>(p));
  if constexpr (kind == Activation::elu) return select<T>(x > zero, one, x + p);
  if constexpr (kind == Activation::sigmoid) return x * (T(1) - x);
  if constexpr (kind == Activation::tanh) return T(1) - x * x;
  if constexpr (kind == Activation::gelu) {
    const Normal<T> normal(x);
    return normal.probability + damped<T>(x, normal.density);
  }
  if constexpr (kind == Activation::gelu_tanh) {
    const Logistic<T> s(T(2) * kGeluScale<T> * (x + kGeluCube<T> * x * x * x));
    const vec<T> bend = T(2) * kGeluScale<T> * (x + T(3) * kGeluCube<T> * x * x * x);
    return s.value + damped<T>(bend, s.slope);
  }
  if constexpr (kind == Activation::silu) {
    const Logistic<T> s(x);
    return s.value + damped<T>(x, s.slope);
  }
  if constexpr (kind == Activation::softplus) return sigmoid<T>(p * x);
  return one;
}

// Calls step(Kind<kind>{}): one branch a matrix, none an element.
template <Activation kind>
struct Kind {
  static constexpr Activation value = kind;
};
template <class Step>
FASTML_INLINE void with_kind(Activation kind, const Step& step) {
  switch (kind) {
    case Activation::identity:
      return step(Kind<Activation::identity>{});
    case Activation::relu:
      return step(Kind<Activation::relu>{});
    case Activation::leaky_relu:
      return step(Kind<Activation::leaky_relu>{});
    case Activation::elu:
      return step(Kind<Activation::elu>{});
    case Activation::gelu:
      return step(Kind<Activation::gelu>{});
    case Activation::gelu_tanh:
      return step(Kind<Activation::gelu_tanh>{});
    case Activation::silu:
      return step(Kind<Activation::silu>{});
    case Activation::sigmoid:
      return step(Kind<Activation::sigmoid>{});
    case Activation::tanh:
      return step(Kind<Activation::tanh>{});
    case Activation::softplus:
      return step(Kind<Activation::softplus>{});
  }
}

}  // namespace nn_math
}  // namespace FASTML_LEVEL
}  // namespace fastml
