// Cross products of sparse rows, against plain loops over the points that they stand for.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "linear/sparse_cross.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Rows of uneven lengths, some empty, and a column that no row has. With `messy`, indices are out of order, some repeat and
// some values are zeros. Arrays end at an unmapped page.
template <class T, class Index>
struct Samples {
  std::int64_t n, d, targets;
  std::vector<double> dense;
  std::vector<T> y, weights;
  Guarded<T> value_memory{1 << 16};
  Guarded<Index> index_memory{1 << 16}, offset_memory{1 << 14};
  const T* values;
  const Index *indices, *offsets;
  std::int64_t stored;

  Samples(std::int64_t n_, std::int64_t d_, std::int64_t targets_, bool messy, unsigned seed)
      : n(n_), d(d_), targets(targets_), dense(n_ * d_), y(integers<T>(n_ * targets_, -9, 9, seed)) {
    weights = integers<T>(n, 0, 3, seed + 1);
    weights[0] = 1;
    std::mt19937 random(seed);
    std::vector<T> all_values;
    std::vector<Index> all_indices, all_offsets{0};
    for (std::int64_t i = 0; i < n; ++i) {
      std::vector<Index> row;
      for (std::int64_t j = 0; j < d; ++j) {
        const auto draw = random() % 8;
        if (j == d / 2 || i % 7 == 3 || draw > 3) continue;
        row.push_back(Index(j));
        if (messy && draw == 0) row.push_back(Index(j));
      }
      if (messy) std::shuffle(row.begin(), row.end(), random);
      for (const Index j : row) {
        const T value = T(int(random() % 19) - 9);
        all_values.push_back(messy || value != 0 ? value : T(1));
        all_indices.push_back(j);
        dense[i * d + j] += double(all_values.back());
      }
      all_offsets.push_back(Index(all_values.size()));
    }
    stored = std::int64_t(all_values.size());
    values = value_memory.at_end(all_values);
    indices = index_memory.at_end(all_indices);
    offsets = offset_memory.at_end(all_offsets);
  }

  SparseCrossTask<T, Index> task(bool weighted, int threads) const {
    return {values, indices, offsets, n, d, y.data(), targets, weighted ? weights.data() : nullptr, threads, nullptr};
  }
};

struct Found {
  std::vector<double> gram, xy, x_mean, y_mean;
  Found(std::int64_t d, std::int64_t targets) : gram(d * d), xy(targets * d), x_mean(d), y_mean(targets) {}
  CrossProducts products() { return {gram.data(), xy.data(), x_mean.data(), y_mean.data()}; }
};

// Sums about 0 of small integers are exact; those about means are near.
template <class T, class Index>
void products(const Samples<T, Index>& s, const std::string& where) {
  const std::int64_t n = s.n, d = s.d, targets = s.targets;
  for (const bool weighted : {false, true}) {
    for (const bool center : {false, true}) {
      const auto weight = [&](std::int64_t i) { return weighted ? double(s.weights[i]) : 1.0; };
      double total = 0;
      for (std::int64_t i = 0; i < n; ++i) total += weight(i);
      Found expected(d, targets);
      for (std::int64_t i = 0; i < n && center; ++i) {
        for (std::int64_t j = 0; j < d; ++j) expected.x_mean[j] += weight(i) * s.dense[i * d + j] / total;
        for (std::int64_t k = 0; k < targets; ++k)
          expected.y_mean[k] += weight(i) * double(s.y[i * targets + k]) / total;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < d; ++j) {
          const double left = weight(i) * (s.dense[i * d + j] - expected.x_mean[j]);
          for (std::int64_t l = 0; l < d; ++l)
            expected.gram[j * d + l] += left * (s.dense[i * d + l] - expected.x_mean[l]);
          for (std::int64_t k = 0; k < targets; ++k) {
            expected.xy[k * d + j] += left * (double(s.y[i * targets + k]) - expected.y_mean[k]);
          }
        }
      }
      const double tolerance = center ? 1e-11 : 0;
      for (const int threads : {1, 3}) {
        const auto task = s.task(weighted, threads);
        CHECK(in_bounds(task, s.stored), where);
        Found found(d, targets), again(d, targets);
        CHECK(sparse_cross_products(task, center, found.products()), where);
        CHECK(sparse_cross_products(task, center, again.products()), where);
        CHECK(found.gram == again.gram && found.xy == again.xy, where << " repeats");
        for (std::int64_t i = 0; i < d * d; ++i)
          CHECK_CLOSE(found.gram[i], expected.gram[i], tolerance * double(n), where);
        for (std::int64_t i = 0; i < targets * d; ++i)
          CHECK_CLOSE(found.xy[i], expected.xy[i], tolerance * double(n), where);
        for (std::int64_t j = 0; j < d; ++j) CHECK_CLOSE(found.x_mean[j], expected.x_mean[j], tolerance, where);
        for (std::int64_t k = 0; k < targets; ++k) CHECK_CLOSE(found.y_mean[k], expected.y_mean[k], tolerance, where);
        CHECK_EQUAL(found.gram[d / 2 * (d + 1)], 0.0, where << " the empty column");
        // The residual of coefficients that are off is the Gram matrix times what they are off by.
        const auto coef = integers<double>(targets * d, -3, 3, 7);
        std::vector<double> gradient(targets * d);
        CHECK(sparse_normal_residual(task, found.x_mean.data(), found.y_mean.data(), coef.data(), gradient.data()),
              where);
        for (std::int64_t k = 0; k < targets; ++k) {
          for (std::int64_t j = 0; j < d; ++j) {
            double left = expected.xy[k * d + j];
            for (std::int64_t l = 0; l < d; ++l) left -= expected.gram[j * d + l] * coef[k * d + l];
            CHECK_CLOSE(gradient[k * d + j], left, 100 * tolerance * double(n),
                        where << " gradient " << k << ", " << j);
          }
        }
      }
    }
  }
}

template <class T, class Index>
void every_shape() {
  for (const std::int64_t n : {1, 2, 9, 700}) {
    for (const std::int64_t d : {1, 2, 5, 31}) {
      for (const bool messy : {false, true}) {
        products(Samples<T, Index>(n, d, (n + d) % 4, messy, unsigned(n + d)),
                 std::to_string(n) + " x " + std::to_string(d) + (messy ? ", messy" : ""));
      }
    }
  }
}

// So many features that their products are summed up by slices, and threads share one matrix: their number changes nothing.
void many_features() {
  const Samples<double, std::int32_t> s(60, 1100, 2, true, 3);
  Found one(s.d, s.targets), shared(s.d, s.targets);
  CHECK(sparse_cross_products(s.task(true, 1), false, one.products()), "");
  CHECK(sparse_cross_products(s.task(true, 3), false, shared.products()), "");
  CHECK(one.gram == shared.gram && one.xy == shared.xy, "threads that share a matrix");
  double sum = 0;
  for (std::int64_t i = 0; i < s.n; ++i) sum += double(s.weights[i]) * s.dense[i * s.d + 17] * s.dense[i * s.d + 801];
  CHECK_EQUAL(shared.gram[17 * s.d + 801], sum, "a product");
}

void bounds() {
  const double values[2] = {1, 2}, y[2] = {0, 0};
  const auto fits = [&](std::vector<std::int64_t> indices, std::vector<std::int64_t> offsets) {
    return in_bounds(
        SparseCrossTask<double, std::int64_t>{values, indices.data(), offsets.data(), 2, 3, y, 1, nullptr, 1, nullptr},
        2);
  };
  CHECK(fits({0, 2}, {0, 1, 2}), "");
  CHECK(!fits({0, 3}, {0, 1, 2}), "a column beyond the last");
  CHECK(!fits({-1, 2}, {0, 1, 2}), "a column before the first");
  CHECK(!fits({0, 2}, {0, 1, 3}), "more values than there are");
  CHECK(!fits({0, 2}, {0, 2, 1}), "offsets that descend");
  CHECK(!fits({0, 2}, {-1, 1, 2}), "a row before the first");
}

void stops() {
  const Samples<double, std::int32_t> s(50, 10, 1, false, 1);
  auto task = s.task(false, 1);
  task.stop = [] { return true; };
  Found found(10, 1);
  CHECK(!sparse_cross_products(task, true, found.products()), "asked to stop");
  CHECK(!sparse_normal_residual(task, found.x_mean.data(), found.y_mean.data(), found.xy.data(), found.xy.data()), "");
}

}  // namespace

int main() {
  every_shape<float, std::int32_t>();
  every_shape<float, std::int64_t>();
  every_shape<double, std::int32_t>();
  every_shape<double, std::int64_t>();
  many_features();
  bounds();
  stops();
  return check::result();
}
