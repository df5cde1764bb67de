// BruteSearch against plain loops: all metrics, at every SIMD level, whatever the threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "neighbors/brute.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

template <class T>
double plain_distance(const T* x, const T* y, std::int64_t cols, const MetricOptions& options) {
  double sum = 0, most = 0, xx = 0, yy = 0;
  for (std::int64_t f = 0; f < cols; ++f) {
    xx += double(x[f]) * double(x[f]);
    yy += double(y[f]) * double(y[f]);
  }
  for (std::int64_t f = 0; f < cols; ++f) {
    const double difference = std::fabs(double(x[f]) - double(y[f]));
    const double weight = options.weights.empty() ? 1.0 : options.weights[f];
    most = std::max(most, difference);
    switch (options.metric) {
      case Metric::manhattan:
        sum += difference;
        break;
      case Metric::minkowski:
        sum += weight * std::pow(difference, options.p);
        break;
      case Metric::cosine: {
        const double d = double(x[f]) / std::sqrt(xx) - double(y[f]) / std::sqrt(yy);
        sum += d * d;
        break;
      }
      default:
        sum += difference * difference;
    }
  }
  switch (options.metric) {
    case Metric::euclidean:
      return std::sqrt(sum);
    case Metric::chebyshev:
      return most;
    case Metric::minkowski:
      return std::pow(sum, 1 / options.p);
    case Metric::cosine:
      return xx == 0 || yy == 0 ? 1.0 : 0.5 * sum;
    default:
      return sum;
  }
}

// Rows at the end of guarded memory, `stride` apart.
template <class T>
struct Samples {
  Guarded<T> memory;
  Rows<const T> rows;
  Samples(std::int64_t count, std::int64_t cols, std::int64_t stride, const std::vector<T>& values)
      : memory(std::max<std::int64_t>(count * stride, 1)), rows{} {
    T* data = memory.at_end((count - 1) * stride + cols);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t f = 0; f < cols; ++f) data[i * stride + f] = values[i * cols + f];
    }
    rows = {data, count, cols, stride};
  }
};

// What a case is made of.
enum class Kind { normal, integers, duplicates, far_away, clusters, outlier, tiny, huge };
const char* name(Kind kind) {
  const char* names[] = {"normal", "integers", "duplicates", "far away", "clusters", "outlier", "tiny", "huge"};
  return names[int(kind)];
}

template <class T>
std::vector<T> values_of(Kind kind, std::int64_t rows, std::int64_t cols, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<T> values(rows * cols);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t f = 0; f < cols; ++f) {
      T& x = values[i * cols + f];
      switch (kind) {
        case Kind::integers:
          x = T(int(random() % 3));
          break;
        case Kind::duplicates:
          x = i >= 5 ? values[std::int64_t(random() % 5) * cols + f] : T(normal(random));
          break;
        case Kind::far_away:
          x = T(1e8 + normal(random) * (sizeof(T) == 4 ? 100 : 1));
          break;
        case Kind::clusters:
          x = T(double(i % 3) + 1e-5 * normal(random));
          break;
        case Kind::outlier:
          x = T(i == rows / 2 ? 1e15 : normal(random));
          break;
        case Kind::tiny:
          x = T(normal(random) * (sizeof(T) == 4 ? 1e-25 : 1e-200));
          break;
        case Kind::huge:
          x = T(normal(random) * (sizeof(T) == 4 ? 1e25 : 1e160));
          break;
        default:
          x = T(normal(random));
      }
    }
  }
  return values;
}

template <class T>
void check_case(Kind kind, const MetricOptions& options, std::int64_t n, std::int64_t q, std::int64_t cols,
                std::int64_t k, int threads, unsigned seed) {
  std::mt19937 random(seed);
  const std::vector<T> x = values_of<T>(kind, n, cols, random);
  std::vector<T> y = values_of<T>(kind, q, cols, random);
  for (std::int64_t i = 0; i < q && i < n; i += 3) {  // some queries are fitted rows
    std::copy(x.begin() + i * cols, x.begin() + (i + 1) * cols, y.begin() + i * cols);
  }
  const Samples<T> data(n, cols, cols + seed % 3, x), queries(q, cols, cols + seed % 2, y);
  const BruteSearch<T> search(data.rows, options, threads);
  std::vector<double> distances(q * k, -1);
  std::vector<std::int64_t> indices(q * k, -1);
  CHECK(search.nearest(queries.rows, k, threads, nullptr, distances.data(), indices.data()), "not stopped");

  // Sums in another order and powers differ in their last bits; sums of small integers do not. Differences of unit
  // vectors are off by 1e-16 each, so that half their square is off by so much times its root.
  const bool exact = kind == Kind::integers && options.metric != Metric::minkowski && options.metric != Metric::cosine;
  const auto close = [&](double a, double b) {
    if (options.metric == Metric::cosine) return std::fabs(a - b) <= 2e-15 * std::sqrt(std::max(a, b)) + 1e-30;
    return a == b || std::fabs(a - b) <= (exact ? 0 : 1e-14) * std::max(a, b);
  };
  const auto where = [&] {
    return std::string(name(kind)) + " metric " + std::to_string(int(options.metric)) + " p " +
           std::to_string(options.p) + " f" + std::to_string(8 * sizeof(T)) + " n " + std::to_string(n) + " q " +
           std::to_string(q) + " d " + std::to_string(cols) + " k " + std::to_string(k) + " threads " +
           std::to_string(threads);
  }();
  std::vector<RankedRow> all(n);
  double radius = 0;
  for (std::int64_t i = 0; i < q; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      all[j] = {plain_distance(x.data() + j * cols, y.data() + i * cols, cols, options), j};
    }
    std::vector<RankedRow> order = all;
    std::sort(order.begin(), order.end());
    bool right = true;
    for (std::int64_t c = 0; c < k && right; ++c) {
      const RankedRow got{distances[i * k + c], indices[i * k + c]};
      right = got.row >= 0 && got.row < n;
      if (!right) {
        CHECK(right, where << " query " << i << " place " << c << ": no row " << got.row);
        break;
      }
      right = close(got.distance, order[c].distance) && close(got.distance, all[got.row].distance);
      if (exact) right = right && got.row == order[c].row;
      if (c > 0) right = right && RankedRow{distances[i * k + c - 1], indices[i * k + c - 1]} < got;
      if (!right) {
        CHECK(right, where << " query " << i << " place " << c << ": " << got.distance << " of " << got.row
                           << ", expected " << order[c].distance << " of " << order[c].row);
      }
    }
    if (right) CHECK(right, where);
    // Between two distances, or at one that is exact: squares are compared with the radius squared.
    const double at = distances[std::min<std::int64_t>(k - 1, 7)];
    if (i == 0) radius = kind == Kind::integers && options.metric == Metric::manhattan ? at : at * (1 + 1e-9);
  }

  // Radius: those that nearest() with k = n puts within it.
  if (k != n) return;
  std::vector<std::vector<RankedRow>> found;
  CHECK(search.within(queries.rows, radius, threads, nullptr, found), "not stopped");
  for (std::int64_t i = 0; i < q; ++i) {
    std::vector<RankedRow> expected;
    for (std::int64_t c = 0; c < n && distances[i * n + c] <= radius; ++c) {
      expected.push_back({distances[i * n + c], indices[i * n + c]});
    }
    std::sort(expected.begin(), expected.end(), [](const RankedRow& a, const RankedRow& b) { return a.row < b.row; });
    bool right = found[i].size() == expected.size();
    for (std::size_t c = 0; c < expected.size() && right; ++c) {
      right = found[i][c].row == expected[c].row && found[i][c].distance == expected[c].distance;
    }
    CHECK(right, where << " query " << i << " within " << radius << ": " << found[i].size() << " found, expected "
                       << expected.size());
  }
}

std::vector<MetricOptions> all_metrics(std::int64_t cols) {
  std::vector<double> weights(cols);
  for (std::int64_t f = 0; f < cols; ++f) weights[f] = double((f + 1) % 4) / 2;
  return {{Metric::sqeuclidean, 2, {}},   {Metric::euclidean, 2, {}},      {Metric::manhattan, 1, {}},
          {Metric::chebyshev, 2, {}},     {Metric::cosine, 2, {}},         {Metric::minkowski, 3, {}},
          {Metric::minkowski, 1.5, {}},   {Metric::minkowski, 4, {}},      {Metric::minkowski, 0.5, {}},
          {Metric::minkowski, 30, {}},    {Metric::minkowski, 2, weights}, {Metric::minkowski, 1, weights},
          {Metric::minkowski, 3, weights}};
}

template <class T>
void check_all() {
  unsigned seed = 0;
  for (const Kind kind : {Kind::normal, Kind::integers, Kind::duplicates, Kind::far_away, Kind::clusters, Kind::outlier,
                          Kind::tiny, Kind::huge}) {
    for (const std::int64_t cols : {1, 2, 5, 16, 17, 40}) {
      for (const MetricOptions& options : all_metrics(cols)) {
        // The cosine of rows that agree in all but their last digits is noise.
        if (options.metric == Metric::cosine && kind == Kind::far_away) continue;
        if (options.metric == Metric::cosine && cols == 1) continue;
        // Powers and squares that leave the range of double are infinitely far, or 0: no order to compare.
        if ((kind == Kind::tiny || kind == Kind::huge) && sizeof(T) == 8 && options.metric != Metric::manhattan &&
            options.metric != Metric::chebyshev) {
          continue;
        }
        ++seed;
        check_case<T>(kind, options, 70, 9, cols, 70, 1 + int(seed % 3), seed);
        check_case<T>(kind, options, 300, 19, cols, 1 + seed % 40, 1 + int(seed % 3), seed);
      }
    }
  }
  for (const MetricOptions& options : all_metrics(3)) {
    check_case<T>(Kind::normal, options, 1, 1, 3, 1, 1, 1);
    check_case<T>(Kind::normal, options, 2, 5, 3, 2, 2, 2);
  }
  // Few queries: threads share out the rows. Many: they share out the queries.
  check_case<T>(Kind::integers, {Metric::euclidean, 2, {}}, 9000, 3, 40, 12, 3, 3);
  check_case<T>(Kind::integers, {Metric::euclidean, 2, {}}, 9000, 2, 40, 300, 3, 4);
  check_case<T>(Kind::integers, {Metric::manhattan, 2, {}}, 9000, 1, 40, 9000, 3, 5);
  check_case<T>(Kind::integers, {Metric::euclidean, 2, {}}, 500, 700, 20, 3, 3, 6);
  check_case<T>(Kind::normal, {Metric::euclidean, 2, {}}, 3000, 200, 100, 60, 2, 7);
  check_case<T>(Kind::normal, {Metric::cosine, 2, {}}, 3000, 200, 64, 10, 2, 8);
}

// Zeros have distance 1 from all, also from one another.
void check_zero_directions() {
  std::vector<float> x(40 * 3, 0.0F);
  for (int i = 0; i < 40; i += 2) x[i * 3] = x[i * 3 + 1] = float(1 + i);
  const Rows<const float> rows{x.data(), 40, 3, 3};
  const BruteSearch<float> search(rows, {Metric::cosine, 2, {}}, 1);
  std::vector<double> distances(40 * 25);
  std::vector<std::int64_t> indices(40 * 25);
  CHECK(search.nearest(rows, 25, 1, nullptr, distances.data(), indices.data()), "");
  for (int i = 0; i < 40; ++i) {
    for (int c = 0; c < 25; ++c) {
      const bool like = i % 2 == 0 && c < 20;
      CHECK_CLOSE(distances[i * 25 + c], like ? 0.0 : 1.0, 1e-15, "query " << i << " place " << c);
      if (i % 2 == 1) CHECK_EQUAL(indices[i * 25 + c], c, "query of zeros " << i);
    }
  }
}

bool stop_at_once() { return true; }

void check_stop() {
  std::vector<double> x(5000 * 20, 1.0), distances(5000);
  std::vector<std::int64_t> indices(5000);
  const Rows<const double> rows{x.data(), 5000, 20, 20};
  const BruteSearch<double> search(rows, {}, 2);
  CHECK(!search.nearest(rows, 1, 2, stop_at_once, distances.data(), indices.data()), "stopped");
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    check_all<float>();
    check_all<double>();
    check_zero_directions();
    check_stop();
  });
  return check::result();
}
