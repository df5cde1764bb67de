// Centred cross products at every level, against plain loops. X lies against an unmapped page.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "linear/cross_kernels.hpp"
#include "linear/cross_products.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/matrices.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Sizes on both sides of tiles and panels of all levels, and of blocks of rows.
constexpr std::int64_t kFeatures[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 25, 33, 50};
constexpr std::int64_t kRows[] = {1, 2, 5, kCrossDepth - 1, kCrossDepth, kCrossDepth + 1, 2 * kCrossDepth + 7};
static_assert(kCrossDepthOf<float> == 2 * kCrossDepth, "which rows are on both sides of a block of floats");

// What the sums are, in long double.
struct Expected {
  std::vector<long double> gram, xy, x_mean, y_mean;

  template <class X, class Y, class W>
  Expected(std::int64_t n, std::int64_t d, std::int64_t targets, bool center, const X& x, const Y& y, const W& w)
      : gram(d * d), xy(targets * d), x_mean(d), y_mean(targets) {
    long double weight = 0;
    for (std::int64_t i = 0; i < n; ++i) weight += w(i);
    for (std::int64_t i = 0; i < n && center; ++i) {
      for (std::int64_t j = 0; j < d; ++j) x_mean[j] += w(i) * x(i, j) / weight;
      for (std::int64_t k = 0; k < targets; ++k) y_mean[k] += w(i) * y(i, k) / weight;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < d; ++j) {
        const long double left = w(i) * (x(i, j) - x_mean[j]);
        for (std::int64_t l = 0; l < d; ++l) gram[j * d + l] += left * (x(i, l) - x_mean[l]);
        for (std::int64_t k = 0; k < targets; ++k) xy[k * d + j] += left * (y(i, k) - y_mean[k]);
      }
    }
  }
};

// Small integers, shifts that are integers and weights that are squares: all sums are exact.
template <class T, class A>
void tiles(SimdLevel level) {
  const CrossProductKernels<T, A>& kernels = cross_product_kernels<T, A>(level);
  const CrossLayout layout = kernels.layout;
  Guarded<T> memory(1 << 14), y_memory(1 << 12);
  for (const std::int64_t d : kFeatures) {
    for (const std::int64_t n : kRows) {
      const std::int64_t targets = (d + n) % 10;
      const T* x = memory.at_end(integers<T>(n * d, -9, 9, unsigned(d)));
      const T* y = y_memory.at_end(integers<T>(n * targets, -9, 9, unsigned(n)));
      const auto shift = integers<A>(d, -3, 3, 1);
      const auto y_shift = integers<double>(targets, -3, 3, 2), root = integers<double>(n, 0, 2, 3);
      const std::int64_t width = layout.width(d);
      std::vector<A> panels(layout.panels(d, targets, kCrossDepthOf<A>));
      std::vector<double> products(layout.size(d, targets), 1.0), y_sums(targets, 1.0);
      // Two calls add up; so do bands of tiles.
      const CrossSamples<T, A> samples{x, d, 1, n, d, shift.data(), y, targets, y_shift.data(), root.data()};
      const std::int64_t middle = n / 3, all = layout.tiles(d, targets), some = all / 2;
      kernels.add_products(samples, 0, middle, 0, all, nullptr, panels.data(), products.data(), y_sums.data());
      kernels.add_products(samples, middle, n, 0, some, nullptr, panels.data(), products.data(), nullptr);
      kernels.add_products(samples, middle, n, some, all, nullptr, panels.data(), products.data(), y_sums.data());

      const auto at = [&](std::int64_t i, std::int64_t j) { return root[i] * (double(x[i * d + j]) - shift[j]); };
      const auto where = [&](std::int64_t i, std::int64_t j) {
        return std::string(name(level)) + " " + std::to_string(n) + " x " + std::to_string(d) + ", " +
               std::to_string(targets) + " targets, sum " + std::to_string(i) + ", " + std::to_string(j);
      };
      for (std::int64_t j = 0; j < d; ++j) {
        double sum = 1;
        for (std::int64_t i = 0; i < n; ++i) sum += root[i] * at(i, j);
        CHECK_EQUAL(products[(layout.first_target(d) + targets) * width + j], sum, where(-1, j));
        for (std::int64_t l = 0; l <= j; ++l) {
          double product = 1;
          for (std::int64_t i = 0; i < n; ++i) product += at(i, j) * at(i, l);
          CHECK_EQUAL(products[j * width + l], product, where(j, l));
        }
        for (std::int64_t k = 0; k < targets; ++k) {
          double product = 1;
          for (std::int64_t i = 0; i < n; ++i) {
            product += at(i, j) * root[i] * (double(y[i * targets + k]) - y_shift[k]);
          }
          CHECK_EQUAL(products[(layout.first_target(d) + k) * width + j], product, where(d + k, j));
        }
      }
      for (std::int64_t k = 0; k < targets; ++k) {
        double sum = 1;
        for (std::int64_t i = 0; i < n; ++i) {
          sum += root[i] * root[i] * (double(y[i * targets + k]) - y_shift[k]);
        }
        CHECK_EQUAL(y_sums[k], sum, where(d + k, -1));
      }
    }
  }
}

template <class T>
void gradients(SimdLevel level) {
  const CrossKernels<T>& kernels = cross_kernels<T>(level);
  const CrossLayout layout = kernels.layout;
  Guarded<T> memory(1 << 14);
  for (const std::int64_t d : kFeatures) {
    for (const std::int64_t n : kRows) {
      const std::int64_t targets = 1 + d % 3, width = layout.width(d);
      const T* x = memory.at_end(integers<T>(n * d, -9, 9, unsigned(d)));
      const auto y = integers<T>(n * targets, -9, 9, unsigned(n));
      const auto shift = integers<double>(d, -3, 3, 1), y_shift = integers<double>(targets, -3, 3, 2);
      const auto root = integers<double>(n, 0, 2, 3);
      auto coef = integers<double>(targets * width, -2, 2, 4);
      for (std::int64_t i = 0; i < targets * width; ++i) coef[i] *= i % width < d;
      std::vector<double> panels(layout.panels(d, targets)), gradient(targets * width, 1.0);
      const CrossSamples<T> samples{x, d, 1, n, d, shift.data(), y.data(), targets, y_shift.data(), root.data()};
      kernels.add_gradient(samples, 0, n, coef.data(), nullptr, panels.data(), gradient.data());
      for (std::int64_t k = 0; k < targets; ++k) {
        std::vector<double> sums(d, 1.0);
        for (std::int64_t i = 0; i < n; ++i) {
          double residual = double(y[i * targets + k]) - y_shift[k];
          for (std::int64_t j = 0; j < d; ++j) residual -= (double(x[i * d + j]) - shift[j]) * coef[k * width + j];
          for (std::int64_t j = 0; j < d; ++j) {
            sums[j] += root[i] * root[i] * residual * (double(x[i * d + j]) - shift[j]);
          }
        }
        for (std::int64_t j = 0; j < d; ++j) {
          CHECK_EQUAL(gradient[k * width + j], sums[j], name(level) << " " << n << " x " << d << " feature " << j);
        }
      }
    }
  }
}

struct Found {
  std::vector<double> gram, xy, x_mean, y_mean;
  Found(std::int64_t d, std::int64_t targets) : gram(d * d), xy(targets * d), x_mean(d), y_mean(targets) {}
  CrossProducts products() { return {gram.data(), xy.data(), x_mean.data(), y_mean.data()}; }
};

// Columns with means of up to 10^6 standard deviations, in every layout, with and without weights and threads.
template <class T, class A>
void whole() {
  const std::int64_t n = 1500, d = 11, targets = 2;
  // What is rounded to A before and after it is multiplied: some of it cancels.
  const long double exact = 50 * std::numeric_limits<A>::epsilon();
  auto values = normals<T>(n * d, 1);
  for (std::int64_t i = 0; i < n * d; ++i) values[i] += T(i % d * (sizeof(T) == 4 ? 10 : 100'000));
  const auto y = normals<T>(n * targets, 2);
  const auto weights = integers<T>(n, 0, 5, 3);
  for (const Layout layout : kLayouts) {
    Matrix<T> x(layout, n, d, std::numeric_limits<T>::quiet_NaN(), values);
    for (const bool weighted : {false, true}) {
      for (const bool center : {false, true}) {
        const auto weight = [&](std::int64_t i) { return weighted ? static_cast<long double>(weights[i]) : 1.0L; };
        const Expected expected(
            n, d, targets, center, [&](std::int64_t i, std::int64_t j) { return static_cast<long double>(x.at(i, j)); },
            [&](std::int64_t i, std::int64_t k) { return static_cast<long double>(y[i * targets + k]); }, weight);
        for (const int threads : {1, 3}) {
          const CrossTask<T> task{x.data(), x.row_stride(), x.col_stride(), n,
                                  d,        y.data(),       targets,        weighted ? weights.data() : nullptr,
                                  threads,  nullptr};
          Found found(d, targets), again(d, targets);
          CHECK((cross_products<T, A>(task, center, found.products())), "not stopped");
          CHECK((cross_products<T, A>(task, center, again.products())), "not stopped");
          CHECK(found.gram == again.gram && found.xy == again.xy, "repeats");
          const auto where = std::string(name(layout)) + (weighted ? ", weighted" : "") + (center ? ", centred" : "");
          for (std::int64_t i = 0; i < d * d; ++i) {
            const long double size = std::sqrt(expected.gram[i / d * (d + 1)] * expected.gram[i % d * (d + 1)]);
            CHECK_CLOSE(found.gram[i], expected.gram[i], exact * size, where << " gram " << i);
          }
          for (std::int64_t i = 0; i < targets * d; ++i) {
            const long double size = std::sqrt(expected.gram[i % d * (d + 1)] * 3 * n);
            CHECK_CLOSE(found.xy[i], expected.xy[i], exact * size, where << " xy " << i);
          }
          for (std::int64_t j = 0; j < d; ++j) {
            CHECK_CLOSE(found.x_mean[j], expected.x_mean[j], exact / 10 * (1 + std::fabs(expected.x_mean[j])), where);
          }
          // The residual of coefficients that are off is the Gram matrix times what they are off by.
          if (!center) continue;
          const auto coef = normals<double>(targets * d, 5);
          std::vector<double> gradient(targets * d);
          CHECK(normal_residual(task, found.x_mean.data(), found.y_mean.data(), coef.data(), gradient.data()), "");
          for (std::int64_t k = 0; k < targets; ++k) {
            for (std::int64_t j = 0; j < d; ++j) {
              long double left = expected.xy[k * d + j];
              for (std::int64_t l = 0; l < d; ++l) left -= expected.gram[j * d + l] * coef[k * d + l];
              CHECK_CLOSE(gradient[k * d + j], left, (1e-9 + 10 * exact) * n, where << " gradient " << k << ", " << j);
            }
          }
        }
      }
    }
  }
}

// Columns of one value are left out of the products, and their sums are exact; an infinite value is told of.
template <class T, class A>
void constant_columns() {
  const std::int64_t n = 700, d = 20, targets = 2;
  auto x = normals<T>(n * d, 1);
  for (std::int64_t i = 0; i < n * d; ++i) {
    if (i % d % 3 == 0) x[i] = T(0.1) + T(i % d) * T(1e6);
  }
  const auto y = normals<T>(n * targets, 2), weights = integers<T>(n, 0, 5, 3);
  const Expected expected(
      n, d, targets, true, [&](std::int64_t i, std::int64_t j) { return static_cast<long double>(x[i * d + j]); },
      [&](std::int64_t i, std::int64_t k) { return static_cast<long double>(y[i * targets + k]); },
      [&](std::int64_t i) { return static_cast<long double>(weights[i]); });
  const double exact = 50 * n * double(std::numeric_limits<A>::epsilon());
  for (const int threads : {1, 3}) {
    CrossTask<T> task{x.data(), d, 1, n, d, y.data(), targets, weights.data(), threads, nullptr};
    Found found(d, targets);
    CHECK((cross_products<T, A>(task, true, found.products())), "not stopped");
    for (std::int64_t i = 0; i < d * d; ++i) {
      const bool constant = i / d % 3 == 0 || i % d % 3 == 0;
      CHECK_CLOSE(found.gram[i], constant ? 0 : expected.gram[i], constant ? 0 : exact, "gram " << i);
    }
    for (std::int64_t i = 0; i < targets * d; ++i) {
      const bool constant = i % d % 3 == 0;
      CHECK_CLOSE(found.xy[i], constant ? 0 : expected.xy[i], constant ? 0 : exact, "xy " << i);
    }
    for (std::int64_t j = 0; j < d; ++j) {
      if (j % 3 == 0) CHECK_EQUAL(found.x_mean[j], double(x[j]), "mean of constant " << j);
      CHECK_CLOSE(found.x_mean[j], expected.x_mean[j], exact * (1 + std::fabs(double(x[j]))), "mean " << j);
    }
    auto infinite = x;
    for (std::int64_t i = 3; i < n * d; i += d) infinite[i] = std::numeric_limits<T>::infinity();
    task.x = infinite.data();
    CHECK((cross_products<T, A>(task, true, found.products())), "not stopped");
    CHECK(!std::isfinite(found.gram[3 * d + 3]), "a constant that is infinite");
  }
}

// The rows that the first shift is taken from are far from all others: the sums are taken once more.
void misleading_rows() {
  const std::int64_t n = 64 * 40, d = 2;
  auto x = normals<double>(n * d, 1);
  for (std::int64_t i = 0; i < n; i += 40) x[i * d] += 1e9;
  std::vector<double> weights(n, 1.0);
  for (std::int64_t i = 0; i < n; i += 40) weights[i] = 0;
  const CrossTask<double> task{x.data(), d, 1, n, d, nullptr, 0, weights.data(), 1, nullptr};
  const Expected expected(
      n, d, 0, true, [&](std::int64_t i, std::int64_t j) { return static_cast<long double>(x[i * d + j]); },
      [](std::int64_t, std::int64_t) { return 0.0L; },
      [&](std::int64_t i) { return static_cast<long double>(weights[i]); });
  Found found(d, 0);
  CHECK(cross_products(task, true, found.products()), "");
  for (std::int64_t i = 0; i < d * d; ++i) CHECK_CLOSE(found.gram[i], expected.gram[i], 1e-9, "product " << i);
}

// So many features that threads share one matrix.
void many_features() {
  const std::int64_t n = 130, d = 1100, targets = 1;
  const auto x = integers<double>(n * d, -9, 9, 1);
  const auto y = integers<double>(n, -9, 9, 2);
  CrossTask<double> task{x.data(), d, 1, n, d, y.data(), targets, nullptr, 1, nullptr};
  Found one(d, targets), shared(d, targets);
  CHECK(cross_products(task, false, one.products()), "");
  task.threads = 3;
  CHECK(cross_products(task, false, shared.products()), "");
  CHECK(one.gram == shared.gram && one.xy == shared.xy, "threads that share a matrix");
  for (std::int64_t j = 0; j < d; j += 50) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += x[i * d + j] * x[i * d + d - 1 - j];
    CHECK_EQUAL(one.gram[j * d + d - 1 - j], sum, "features " << j << ", " << d - 1 - j);
  }
}

void not_finite() {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const double odd : {inf, -inf, nan}) {
    for (const std::int64_t row : {0, 3, 99}) {
      for (const bool in_x : {true, false}) {
        auto x = normals<double>(100 * 3, 1), y = normals<double>(100, 2);
        (in_x ? x[row * 3 + 1] : y[row]) = odd;
        const CrossTask<double> task{x.data(), 3, 1, 100, 3, y.data(), 1, nullptr, 1, nullptr};
        for (const bool center : {true, false}) {
          Found found(3, 1);
          CHECK(cross_products(task, center, found.products()), "");
          if (in_x) CHECK(!std::isfinite(found.gram[4]), odd << " in row " << row);
          if (!in_x && center) CHECK(!std::isfinite(found.y_mean[0]), odd << " in row " << row);
        }
      }
    }
  }
}

void stops() {
  const auto x = normals<double>(1000, 1);
  const CrossTask<double> task{x.data(), 10, 1, 100, 10, x.data(), 1, nullptr, 1, [] { return true; }};
  Found found(10, 1);
  CHECK(!cross_products(task, true, found.products()), "asked to stop");
  CHECK(!normal_residual(task, found.x_mean.data(), found.y_mean.data(), x.data(), found.xy.data()), "asked to stop");
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    tiles<float, double>(level);
    tiles<float, float>(level);
    tiles<double, double>(level);
    gradients<float>(level);
    gradients<double>(level);
  }
  at_each_level_in_a_child([](SimdLevel) {
    whole<float, double>();
    whole<float, float>();
    whole<double, double>();
    constant_columns<float, double>();
    constant_columns<float, float>();
    constant_columns<double, double>();
    misleading_rows();
    many_features();
    not_finite();
    stops();
  });
  return check::result();
}
