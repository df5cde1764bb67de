#include "tree/class_estimates.hpp"

#include <limits>

#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

constexpr int kStep = kLanes<double>;
static_assert(tree::kEstimateStep % kStep == 0);

FASTML_INLINE double greatest(vec<double> x) {
  double most = x[0];
  for (int lane = 1; lane < kStep; ++lane) most = x[lane] > most ? x[lane] : most;
  return most;
}

// Writes estimate(i, left, right) for the splits from i on, and returns the greatest of all.
template <class Estimate>
FASTML_INLINE double for_each_split(const double* left_weights, std::int64_t count, double total, double* estimates,
                                    const Estimate& estimate) {
  const vec<double> zero = {}, infinity = broadcast(std::numeric_limits<double>::infinity());
  vec<double> most = -infinity;
  for (std::int64_t i = 0; i < count; i += kStep) {
    const vec<double> left = load(left_weights + i), right = total - left;
    const ivec<double> positive = ivec<double>(left > zero) & ivec<double>(right > zero);
    const vec<double> value = select<double>(positive, estimate(i, left, right), infinity);
    store(estimates + i, value);
    most = select<double>(ivec<double>(value > most), value, most);
  }
  return greatest(most);
}

FASTML_INLINE vec<double> entropy_term(vec<double> x) {
  const vec<double> zero = {};
  return select<double>(ivec<double>(x > zero), x * log<double>(x), zero);
}

double two_gini(const double* left_0, const double* left_1, const double* left_weights, std::int64_t count,
                double total_0, double total_1, double total, double* estimates) {
  return for_each_split(left_weights, count, total, estimates,
                        [&](std::int64_t i, vec<double> left, vec<double> right) __attribute__((always_inline)) {
                          const vec<double> of_0 = load(left_0 + i), of_1 = load(left_1 + i);
                          const vec<double> rest_0 = total_0 - of_0, rest_1 = total_1 - of_1;
                          return ((of_0 * of_0 + of_1 * of_1) * right + (rest_0 * rest_0 + rest_1 * rest_1) * left) /
                                 (left * right);
                        });
}

double two_entropy(const double* left_0, const double* left_1, const double* left_weights, std::int64_t count,
                   double total_0, double total_1, double total, double* estimates) {
  return for_each_split(left_weights, count, total, estimates,
                        [&](std::int64_t i, vec<double> left, vec<double> right) __attribute__((always_inline)) {
                          const vec<double> of_0 = load(left_0 + i), of_1 = load(left_1 + i);
                          return entropy_term(of_0) + entropy_term(of_1) - entropy_term(left) +
                                 (entropy_term(total_0 - of_0) + entropy_term(total_1 - of_1) - entropy_term(right));
                        });
}

double gini(const double* left_squares, const double* right_squares, const double* left_weights, std::int64_t count,
            double total, double slack, double* estimates) {
  return for_each_split(left_weights, count, total, estimates,
                        [&](std::int64_t i, vec<double> left, vec<double> right) __attribute__((always_inline)) {
                          return (load(left_squares + i) * right + load(right_squares + i) * left + slack) /
                                 (left * right);
                        });
}

double entropy(const double* x_log_x, const double* left_weights, std::int64_t count, double total, double* estimates) {
  return for_each_split(left_weights, count, total, estimates,
                        [&](std::int64_t i, vec<double> left, vec<double> right) __attribute__((always_inline)) {
                          return load(x_log_x + i) - entropy_term(left) - entropy_term(right);
                        });
}

void x_log_x(const double* x, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; i += kStep) store(out + i, entropy_term(load(x + i)));
}

}  // namespace

extern const tree::ClassEstimateKernels class_estimate_table;
const tree::ClassEstimateKernels class_estimate_table{two_gini, two_entropy, gini, entropy, x_log_x};

}  // namespace FASTML_LEVEL
}  // namespace fastml
