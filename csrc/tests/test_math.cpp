// exp, decay, log, log1p_of_unit and tanh of every level, against the C library in higher precision.
//
// The largest error found is held to what simd/math.hpp and simd/decay.hpp state, in units in the last place of the rounded
// result.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "tests/check.hpp"
#include "tests/vector_operations.hpp"

using namespace fastml;

namespace {

constexpr double kMostUlp = 1.0;
constexpr double kMostUlpOfLog1p = 2.0;
constexpr double kMostUlpOfTanh = 3.0;

// Below it decay is 0.
template <class T>
constexpr T kLeastDecay = sizeof(T) == sizeof(double) ? T(-708) : T(-87);

// Distance between the floating-point numbers of T around x, subnormal ones included. From its bits: the C library's
// functions for exponents would take longer than all that is tested here.
template <class T>
T unit_in_last_place(T x) {
  using limits = std::numeric_limits<T>;
  using Bits = std::conditional_t<sizeof(T) == sizeof(double), std::uint64_t, std::uint32_t>;
  Bits bits;
  std::memcpy(&bits, &x, sizeof(T));
  bits = bits << 1 >> limits::digits << (limits::digits - 1);  // sign and mantissa removed: the power of two below |x|
  T power;
  std::memcpy(&power, &bits, sizeof(T));
  return std::max(power, limits::min()) * limits::epsilon();
}

// double is exact enough a reference for float, and 30 times as fast as long double.
double reference_exp(float x) { return std::exp(double(x)); }
double reference_log(float x) { return std::log(double(x)); }
double reference_log1p(float x) { return std::log1p(double(x)); }
double reference_tanh(float x) { return std::tanh(double(x)); }
long double reference_exp(double x) { return std::exp(static_cast<long double>(x)); }
long double reference_log(double x) { return std::log(static_cast<long double>(x)); }
long double reference_log1p(double x) { return std::log1p(static_cast<long double>(x)); }
long double reference_tanh(double x) { return std::tanh(static_cast<long double>(x)); }

template <class T, class Reference>
double largest_error(const std::vector<T>& x, const std::vector<T>& y, const Reference& reference,
                     double most = kMostUlp) {
  double largest = 0;
  T where = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto exact = reference(x[i]);
    const T rounded = T(exact);
    if (std::isnan(rounded) ? std::isnan(y[i]) : rounded == y[i]) {
      if (!std::isfinite(rounded)) continue;
    }
    // A result beside the border of overflow is measured as if the range went on.
    const T unit = unit_in_last_place(std::isfinite(rounded) ? rounded : std::numeric_limits<T>::max());
    const double error = double(std::abs(y[i] - exact) / unit);
    if (!(error <= largest)) {
      largest = error;
      where = x[i];
    }
  }
  CHECK(largest <= most, largest << " ulp at " << where);
  return largest;
}

template <class T>
void measure(SimdLevel level, const std::vector<T>& arguments, const char* range) {
  const auto& v = vector_operations<T>(level);
  std::vector<T> y(arguments.size());
  const auto count = std::int64_t(arguments.size());
  v.exp(arguments.data(), y.data(), count);
  const double exp_error = largest_error(arguments, y, [](T x) { return reference_exp(x); });
  v.decay(arguments.data(), y.data(), count);
  const double decay_error = largest_error(arguments, y, [](T x) {
    const auto exact = reference_exp(x > 0 ? T(0) : x);
    return x < kLeastDecay<T> ? decltype(exact)(0) : exact;
  });
  v.log(arguments.data(), y.data(), count);
  const double log_error = largest_error(arguments, y, [](T x) { return reference_log(x); });
  v.tanh(arguments.data(), y.data(), count);
  const double tanh_error = largest_error(arguments, y, [](T x) { return reference_tanh(x); }, kMostUlpOfTanh);
  // Of arguments in [0, 1], as its contract has it: e^-|x| of all others.
  std::vector<T> units(arguments.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    const T x = std::isnan(arguments[i]) ? T(0) : std::abs(arguments[i]);
    units[i] = x <= 1 ? x : std::exp(-x);
  }
  v.log1p_of_unit(units.data(), y.data(), count);
  const double log1p_error = largest_error(units, y, [](T x) { return reference_log1p(x); }, kMostUlpOfLog1p);
  std::cout << name(level) << " f" << 8 * sizeof(T) << " " << range << ": exp " << exp_error << " ulp, decay "
            << decay_error << " ulp, log " << log_error << " ulp, log1p " << log1p_error << " ulp, tanh " << tanh_error
            << " ulp\n";
}

// One float in `step` of all there are, NaN and infinities included.
std::vector<float> floats(std::uint32_t step) {
  std::vector<float> all;
  for (std::uint64_t bits = 0; bits <= 0xffffffffU; bits += step) {
    const auto pattern = std::uint32_t(bits);
    float x;
    std::memcpy(&x, &pattern, sizeof(x));
    all.push_back(x);
  }
  return all;
}

// Numbers of every exponent, and more of those that exp does not send to 0 or infinity.
std::vector<double> doubles(int count) {
  std::mt19937_64 random(1);
  std::vector<double> some;
  std::uniform_real_distribution<double> exponents(-750, 715), near_one(-1, 1);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t pattern = random();
    double x;
    std::memcpy(&x, &pattern, sizeof(x));
    some.push_back(x);
    some.push_back(exponents(random));
    some.push_back(1 + near_one(random) * std::ldexp(1.0, -int(random() % 40)));
    some.push_back(std::ldexp(near_one(random), -1000 - int(random() % 70)));
  }
  return some;
}

template <class T>
void special_values(SimdLevel level) {
  using limits = std::numeric_limits<T>;
  const T inf = limits::infinity(), nan = limits::quiet_NaN(), tiny = limits::denorm_min();
  const auto& v = vector_operations<T>(level);
  const struct {
    T x, exp, log;
  } cases[] = {
      {T(0), T(1), -inf},
      {T(-0.0), T(1), -inf},
      {T(1), T(0), T(0)},
      {inf, inf, inf},
      {-inf, T(0), nan},
      {nan, nan, nan},
      {-nan, nan, nan},
      {T(-1), T(0), nan},
      {-tiny, T(1), nan},
      {limits::max(), inf, T(0)},
      {limits::lowest(), T(0), nan},
      {tiny, T(1), T(0)},
  };
  for (const auto& c : cases) {
    T y = 7;
    v.exp(&c.x, &y, 1);
    if (std::abs(c.x) != 1)
      CHECK(std::isnan(c.exp) ? std::isnan(y) : y == c.exp, name(level) << " exp " << c.x << " " << y);
    v.decay(&c.x, &y, 1);
    if (c.x != -1) {
      const T decayed = c.x > 0 ? T(1) : c.exp;
      CHECK(std::isnan(decayed) ? std::isnan(y) : y == decayed, name(level) << " decay " << c.x << " " << y);
    }
    v.tanh(&c.x, &y, 1);
    const T bend = c.x == inf ? T(1) : c.x == -inf ? T(-1) : c.x;
    if (c.x == 0 || !std::isfinite(c.x) || std::abs(c.x) == tiny) {
      CHECK(std::isnan(c.x) ? std::isnan(y) : y == bend && std::signbit(y) == std::signbit(bend),
            name(level) << " tanh " << c.x << " " << y);
    }
    v.log(&c.x, &y, 1);
    if (c.log != 0 || c.x == 1)
      CHECK(std::isnan(c.log) ? std::isnan(y) : y == c.log, name(level) << " log " << c.x << " " << y);
  }
  // A special value must not leak into its neighbours' lanes.
  std::vector<T> x(v.lanes), y(v.lanes), alone(1);
  for (int lane = 0; lane < v.lanes; ++lane) {
    for (const T odd : {inf, -inf, nan, T(0), T(-3), tiny}) {
      x.assign(v.lanes, T(2.5));
      x[lane] = odd;
      for (const auto function : {v.exp, v.decay, v.log, v.tanh}) {
        function(&x[(lane + 1) % v.lanes], alone.data(), 1);
        function(x.data(), y.data(), v.lanes);
        for (int i = 0; i < v.lanes; ++i) {
          if (i != lane) CHECK_EQUAL(y[i], alone[0], name(level) << " lane " << i << " beside " << odd);
        }
      }
    }
  }
}

// Around the thresholds where results become infinite, subnormal and zero.
template <class T>
std::vector<T> borders() {
  using limits = std::numeric_limits<T>;
  std::vector<T> x;
  for (const double center : {std::log(double(limits::max())), std::log(double(limits::min())),
                              std::log(double(limits::min())) - (limits::digits - 1) * std::log(2.0),
                              std::log(double(limits::min())) - limits::digits * std::log(2.0)}) {
    T up = T(center), down = T(center);
    for (int i = 0; i < 2000; ++i) {
      x.push_back(up);
      x.push_back(down);
      up = std::nextafter(up, limits::infinity());
      down = std::nextafter(down, -limits::infinity());
    }
  }
  return x;
}

}  // namespace

int main() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const std::uint32_t step = 4093;
#else
  const std::uint32_t step = 253;  // odd: every low bit takes every value
#endif
  const std::vector<float> every = floats(step);
  const std::vector<double> some = doubles(step > 1000 ? 20'000 : 300'000);
  for (const SimdLevel level : available_levels()) {
    special_values<float>(level);
    special_values<double>(level);
    measure(level, every, "all exponents");
    measure(level, some, "all exponents");
    measure(level, borders<float>(), "borders");
    measure(level, borders<double>(), "borders");
  }
  return check::result();
}
