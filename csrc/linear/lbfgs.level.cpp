#include "linear/lbfgs_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

constexpr int kWidth = kLanes<double>;
// Sums at a time, so that additions do not wait for one another.
constexpr int kParts = 4;

double dot(const double* a, const double* b, std::int64_t n) {
  vec<double> sums[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts * kWidth <= n; i += kParts * kWidth) {
#pragma GCC unroll 4
    for (int u = 0; u < kParts; ++u) sums[u] += load(a + i + u * kWidth) * load(b + i + u * kWidth);
  }
  double rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

double add_and_dot(double* a, double factor, const double* b, const double* c, std::int64_t n) {
  vec<double> sums[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts * kWidth <= n; i += kParts * kWidth) {
#pragma GCC unroll 4
    for (int u = 0; u < kParts; ++u) {
      const std::int64_t j = i + u * kWidth;
      const vec<double> x = load(a + j) + factor * load(b + j);
      store(a + j, x);
      sums[u] += x * load(c + j);
    }
  }
  double rest = 0;
  for (; i < n; ++i) {
    a[i] += factor * b[i];
    rest += a[i] * c[i];
  }
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

void add(const double* a, double factor, const double* b, double* to, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(to + i, load(a + i) + factor * load(b + i));
  for (; i < n; ++i) to[i] = a[i] + factor * b[i];
}

void scale(double* a, double factor, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(a + i, factor * load(a + i));
  for (; i < n; ++i) a[i] *= factor;
}

}  // namespace

extern const linear::LbfgsKernels lbfgs_table;
const linear::LbfgsKernels lbfgs_table{dot, add_and_dot, add, scale};

}  // namespace FASTML_LEVEL
}  // namespace fastml
