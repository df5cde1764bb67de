// Kernels of doubles and rows of either type, at every level against plain loops. Numbers are small integers, whose sums are
// exact in any order, so that results are compared for equality; vectors lie against an unmapped page.
#include <cmath>
#include <string>
#include <vector>

#include "linear/wide_kernels.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using linear::wide_kernels;

namespace {

constexpr std::int64_t kMost = 150;  // several unrolled steps of the widest vectors, and each remainder

template <class T>
std::string at(SimdLevel level, std::int64_t n) {
  return std::string(name(level)) + (sizeof(T) == 4 ? " f32" : " f64") + " n " + std::to_string(n);
}

template <class T>
void check_vector(const T* actual, const std::vector<T>& expected, const std::string& where) {
  for (std::size_t j = 0; j < expected.size(); ++j) CHECK_EQUAL(actual[j], expected[j], where << " element " << j);
}

template <class T>
void vectors(SimdLevel level) {
  const auto& kernels = wide_kernels<T>(level);
  Guarded<T> x_memory(kMost);
  Guarded<double> y_memory(kMost);
  for (std::int64_t n = 0; n <= kMost; ++n) {
    const auto where = at<T>(level, n);
    const auto xs = integers<T>(n, -9, 9, unsigned(n));
    // Numbers that float32 cannot hold: what is rounded to it shows.
    auto ys = integers<double>(n, -9, 9, unsigned(n) + 1);
    for (double& y : ys) y += 1e9;
    const double factor = -0.5;
    double product = 0, square = 0;
    auto sums = ys;
    for (std::int64_t j = 0; j < n; ++j) {
      product += double(xs[j]) * ys[j];
      square += double(xs[j]) * double(xs[j]);
      sums[j] += factor * double(xs[j]);
    }
    const T* x = x_memory.at_end(xs);
    double* y = y_memory.at_end(ys);
    CHECK_EQUAL(kernels.dot(n, x, y), product, where);
    CHECK_EQUAL(kernels.squared_norm(n, x), square, where);
    kernels.axpy(n, factor, x, y);
    check_vector(y, sums, "axpy " + where);
  }
}

// A column of squared hinge losses, sample by sample.
struct HingeSums {
  double slope = 0, bend = 0, loss = 0;
  void add(double x, double r, double cost) {
    if (!(cost * r > 0)) return;
    slope += std::abs(cost) * x * r;
    bend += std::abs(cost) * x * x;
    loss += std::abs(cost) * r * r;
  }
};

template <class T>
void hinges(SimdLevel level) {
  const auto& kernels = wide_kernels<T>(level);
  Guarded<T> x_memory(kMost);
  Guarded<double> r_memory(kMost), cost_memory(kMost);
  for (std::int64_t n = 0; n <= kMost; ++n) {
    const auto where = at<T>(level, n);
    const auto xs = integers<T>(n, -5, 5, unsigned(n));
    // Some residuals, and some costs, are 0.
    const auto rs = integers<double>(n, -5, 5, unsigned(n) + 1), cs = integers<double>(n, -3, 3, unsigned(n) + 2);
    const double factor = 0.5;
    HingeSums before, after;
    auto moved = rs;
    for (std::int64_t i = 0; i < n; ++i) {
      before.add(double(xs[i]), rs[i], cs[i]);
      moved[i] += factor * double(xs[i]);
      after.add(double(xs[i]), moved[i], cs[i]);
    }
    const T* x = x_memory.at_end(xs);
    double* r = r_memory.at_end(rs);
    const double* costs = cost_memory.at_end(cs);
    double sums[2] = {-1, -1}, losses[2] = {-1, -1};
    kernels.hinge_derivatives(n, x, r, costs, sums);
    kernels.hinge_step(n, factor, x, r, costs, losses);
    CHECK_EQUAL(sums[0], before.slope, where);
    CHECK_EQUAL(sums[1], before.bend, where);
    CHECK_EQUAL(losses[0], before.loss, where);
    CHECK_EQUAL(losses[1], after.loss, where);
    check_vector(r, moved, "hinge_step " + where);
  }
}

// Products are rounded before they are added, with and without FMA; few elements are added up in order.
template <class T>
void roundings(SimdLevel level) {
  const auto& kernels = wide_kernels<T>(level);
  const std::int64_t n = 37;
  const auto x = normals<T>(n, 1);
  const auto y = normals<double>(n, 2);
  const double factor = 0.1;
  auto sums = y;
  kernels.axpy(n, factor, x.data(), sums.data());
  for (std::int64_t j = 0; j < n; ++j) {
    const volatile double product = factor * double(x[j]);  // so that the test does not fuse it
    CHECK_EQUAL(sums[j], y[j] + product, name(level) << " element " << j);
  }
  for (std::int64_t first = 0; first + 3 <= n; ++first) {
    double sum = 0;
    for (std::int64_t few = 1; few <= 3; ++few) {
      const volatile double product = double(x[first + few - 1]) * y[first + few - 1];
      sum += product;
      CHECK_EQUAL(kernels.dot(few, x.data() + first, y.data() + first), sum, name(level) << " first " << first);
    }
  }
}

template <class T>
void all(SimdLevel level) {
  vectors<T>(level);
  hinges<T>(level);
  roundings<T>(level);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all<float>(level);
    all<double>(level);
  }
  return check::result();
}
