// Vector kernels at every level against plain loops. Numbers are small integers, whose sums are exact in any order, so
// that results are compared for equality; vectors lie against an unmapped page.
#include <cmath>
#include <string>
#include <vector>

#include "linear/vector_kernels.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using linear::vector_kernels;

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
void dense(SimdLevel level) {
  const auto& kernels = vector_kernels<T>(level);
  Guarded<T> x_memory(kMost), y_memory(kMost);
  for (std::int64_t n = 0; n <= kMost; ++n) {
    const auto where = at<T>(level, n);
    const auto xs = integers<T>(n, -9, 9, unsigned(n)), ys = integers<T>(n, -9, 9, unsigned(n) + 1);
    const double factor = -0.5;
    double product = 0, square = 0, absolute = 0, new_square = 0, new_absolute = 0;
    std::vector<T> sums(n), scaled(n);
    for (std::int64_t j = 0; j < n; ++j) {
      product += double(xs[j]) * double(ys[j]);
      square += double(xs[j]) * double(xs[j]);
      absolute += std::abs(double(xs[j]));
      sums[j] = T(double(ys[j]) + factor * double(xs[j]));
      scaled[j] = T(factor * double(ys[j]));
      new_square += double(sums[j]) * double(sums[j]);
      new_absolute += std::abs(double(sums[j]));
    }
    const T* x = x_memory.at_end(xs);
    T* y = y_memory.at_end(ys);
    CHECK_EQUAL(kernels.dot(n, x, y), product, where);
    CHECK_EQUAL(kernels.squared_norm(n, x), square, where);
    CHECK_EQUAL(kernels.absolute_sum(n, x), absolute, where);
    kernels.axpy(n, factor, x, y);
    check_vector(y, sums, "axpy " + where);
    y = y_memory.at_end(ys);
    CHECK_EQUAL(kernels.axpy_squares(n, factor, x, y), new_square, where);
    check_vector(y, sums, "axpy_squares " + where);
    y = y_memory.at_end(ys);
    double norms[2] = {-1, -1};
    kernels.axpy_norms(n, factor, x, y, norms);
    check_vector(y, sums, "axpy_norms " + where);
    CHECK_EQUAL(norms[0], new_square, where);
    CHECK_EQUAL(norms[1], new_absolute, where);
    y = y_memory.at_end(ys);
    kernels.scale(n, factor, y);
    check_vector(y, scaled, "scale " + where);
  }
}

// The places of a sparse vector of n values: not sorted, and one of them twice.
std::vector<int> some_places(std::int64_t n, std::int64_t features) {
  std::vector<int> places(n);
  for (std::int64_t j = 0; j < n; ++j) places[j] = int((j * 7 + 3) % features);
  if (n > 2) places[n - 1] = places[0];
  return places;
}

template <class T>
void sparse(SimdLevel level) {
  const auto& kernels = vector_kernels<T>(level);
  constexpr std::int64_t features = 2 * kMost + 1;
  Guarded<T> x_memory(kMost), y_memory(features);
  Guarded<int> place_memory(kMost);
  for (std::int64_t n = 0; n <= kMost; ++n) {
    const auto where = at<T>(level, n);
    const auto xs = integers<T>(n, -9, 9, unsigned(n)), ys = integers<T>(features, -9, 9, unsigned(n) + 1);
    const auto list = some_places(n, features);
    const double factor = 2;
    double product = 0, square = 0, absolute = 0;
    std::vector<T> sums = ys;
    for (std::int64_t j = 0; j < n; ++j) {
      product += double(xs[j]) * double(ys[list[j]]);
      T& sum = sums[list[j]];
      sum = T(double(sum) + factor * double(xs[j]));
      square += double(sum) * double(sum);
      absolute += std::abs(double(sum));
    }
    const T* x = x_memory.at_end(xs);
    const int* places = place_memory.at_end(list);
    T* y = y_memory.at_end(ys);
    CHECK_EQUAL(kernels.sparse_dot(n, x, places, y), product, where);
    kernels.sparse_axpy(n, factor, x, places, y);
    check_vector(y, sums, "sparse_axpy " + where);
    y = y_memory.at_end(ys);
    double norms[2] = {-1, -1};
    kernels.sparse_axpy_norms(n, factor, x, places, y, norms);
    check_vector(y, sums, "sparse_axpy_norms " + where);
    CHECK_EQUAL(norms[0], square, where);
    CHECK_EQUAL(norms[1], absolute, where);
  }
}

// The penalty of one weight, as the paper has it.
template <class T>
void shrink_one(double owed, double scale, T& q, T& w) {
  const double before = double(w);
  if (before > 0) w = T(std::fmax(0.0, before - (owed + double(q)) / scale));
  if (before < 0) w = T(std::fmin(0.0, before + (owed - double(q)) / scale));
  q = T(double(q) + scale * (double(w) - before));
}

template <class T>
void shrinking(SimdLevel level) {
  const auto& kernels = vector_kernels<T>(level);
  Guarded<T> q_memory(2 * kMost), w_memory(2 * kMost);
  for (std::int64_t n = 0; n <= kMost; ++n) {
    const auto where = at<T>(level, n);
    const auto weights = integers<T>(n, -6, 6, unsigned(n)), received = integers<T>(n, -3, 3, unsigned(n) + 1);
    for (const double scale : {1.0, 0.5}) {  // quotients by these are exact
      const double owed = 3;
      auto expected_w = weights, expected_q = received;
      for (std::int64_t j = 0; j < n; ++j) shrink_one(owed, scale, expected_q[j], expected_w[j]);
      T *w = w_memory.at_end(weights), *q = q_memory.at_end(received);
      kernels.shrink(n, owed, scale, q, w);
      check_vector(w, expected_w, "shrink w " + where);
      check_vector(q, expected_q, "shrink q " + where);

      if (n == 0) continue;
      const auto places = some_places(n, n);
      expected_w = weights, expected_q = received;
      for (const int place : places) shrink_one(owed, scale, expected_q[place], expected_w[place]);
      w = w_memory.at_end(weights), q = q_memory.at_end(received);
      kernels.sparse_shrink(n, places.data(), owed, scale, q, w);
      check_vector(w, expected_w, "sparse_shrink w " + where);
      check_vector(q, expected_q, "sparse_shrink q " + where);
    }
  }
}

// Products of float32 are rounded to float32, and sums are of doubles; what axpy stores has been rounded once.
void float_roundings(SimdLevel level) {
  const auto& kernels = vector_kernels<float>(level);
  const std::int64_t n = 37;
  const auto x = normals<float>(n, 1), y = normals<float>(n, 2);
  double product = 0, exact = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const float rounded = x[j] * y[j];
    product += double(rounded);
    exact += double(x[j]) * double(x[j]);
  }
  const double few_ulps = 1e-14;  // of sums of 37 terms around 1 in double; one product in float32 is off by 1e-8
  CHECK_CLOSE(kernels.dot(n, x.data(), y.data()), product, few_ulps, name(level));
  CHECK_CLOSE(kernels.squared_norm(n, x.data()), exact, few_ulps, name(level));
  const double factor = double(0.1F);
  auto sums = y, one_by_one = y;
  std::vector<int> places(n);
  for (std::int64_t j = 0; j < n; ++j) places[j] = int(j);
  kernels.axpy(n, factor, x.data(), sums.data());
  kernels.sparse_axpy(n, factor, x.data(), places.data(), one_by_one.data());
  for (std::int64_t j = 0; j < n; ++j) {
    const float expected = float(double(y[j]) + factor * double(x[j]));
    CHECK_EQUAL(sums[j], expected, name(level) << " element " << j);
    CHECK_EQUAL(one_by_one[j], expected, name(level) << " element " << j);
  }
}

template <class T>
void all(SimdLevel level) {
  dense<T>(level);
  sparse<T>(level);
  shrinking<T>(level);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all<float>(level);
    all<double>(level);
    float_roundings(level);
  }
  return check::result();
}
