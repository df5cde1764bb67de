// Neighbours by plain loops, and the kinds of rows they are compared on. For the tests of brute-force searches.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "neighbors/brute.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"

namespace fastml {

using namespace neighbors;

// sum VI_ij (x - y)_i (x - y)_j
template <class T>
double plain_quadratic(const T* x, const T* y, std::int64_t cols, const std::vector<double>& matrix) {
  double sum = 0;
  for (std::int64_t i = 0; i < cols; ++i) {
    double product = 0;
    for (std::int64_t j = 0; j < cols; ++j) product += matrix[i * cols + j] * (double(y[j]) - double(x[j]));
    sum += product * (double(y[i]) - double(x[i]));
  }
  return sum;
}

// Metrics that are computed as they stand.
template <class T>
double plain_direct(const T* x, const T* y, std::int64_t cols, Metric metric) {
  double sum = 0, divisor = 0;
  for (std::int64_t f = 0; f < cols; ++f) {
    const double a = double(x[f]), b = double(y[f]), both = std::fabs(a) + std::fabs(b);
    if (metric == Metric::hamming) {
      sum += a != b ? 1 : 0;
    } else if (metric == Metric::canberra) {
      sum += both > 0 ? std::fabs(a - b) / both : 0;
    } else if (metric == Metric::braycurtis) {
      sum += std::fabs(a - b);
      divisor += both;
    } else if (!std::isnan(a) && !std::isnan(b)) {
      sum += (a - b) * (a - b);
      divisor += 1;
    }
  }
  if (metric == Metric::hamming) return sum / double(cols);
  if (metric == Metric::canberra) return sum;
  if (metric == Metric::braycurtis) return divisor > 0 ? sum / divisor : 0;
  return std::sqrt(sum / divisor * double(cols));
}

template <class T>
double plain_angle(const T* x, const T* y) {
  const double across = std::sin(0.5 * (double(y[0]) - double(x[0])));
  const double along = std::sin(0.5 * (double(y[1]) - double(x[1])));
  const double sum = across * across + std::cos(double(y[0])) * std::cos(double(x[0])) * along * along;
  return 2 * std::asin(std::sqrt(std::min(sum, 1.0)));
}

template <class T>
double plain_distance(const T* x, const T* y, std::int64_t cols, const MetricOptions& options) {
  if (options.metric == Metric::mahalanobis) return std::sqrt(plain_quadratic(x, y, cols, options.scales));
  if (options.metric == Metric::haversine) return plain_angle(x, y);
  if (options.metric >= Metric::hamming) return plain_direct(x, y, cols, options.metric);
  double sum = 0, most = 0, xx = 0, yy = 0;
  for (std::int64_t f = 0; f < cols; ++f) {
    xx += double(x[f]) * double(x[f]);
    yy += double(y[f]) * double(y[f]);
  }
  const double x_norm = std::sqrt(xx), y_norm = std::sqrt(yy);
  for (std::int64_t f = 0; f < cols; ++f) {
    const double difference = std::fabs(double(x[f]) - double(y[f]));
    const double weight = options.weights.empty() ? 1.0 : options.weights[f];
    most = std::max(most, difference);
    switch (options.metric) {
      case Metric::manhattan:
        sum += difference;
        break;
      case Metric::seuclidean:
        sum += difference * difference / options.scales[f];
        break;
      case Metric::minkowski:
        sum += weight * std::pow(difference, options.p);
        break;
      case Metric::cosine: {
        const double d = double(x[f]) / x_norm - double(y[f]) / y_norm;
        sum += d * d;
        break;
      }
      default:
        sum += difference * difference;
    }
  }
  switch (options.metric) {
    case Metric::euclidean:
    case Metric::seuclidean:
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

// Of each row of y (q rows) from each of x (n rows), computed once for all levels.
template <class T>
const double* plain_distances(const std::vector<T>& x, const std::vector<T>& y, std::int64_t cols,
                              const MetricOptions& options) {
  const std::int64_t n = std::int64_t(x.size()) / cols, q = std::int64_t(y.size()) / cols;
  return results_of_all_levels().find<double>(std::size_t(n * q), [&](double* to) {
    for (std::int64_t i = 0; i < q; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        *to++ = plain_distance(x.data() + j * cols, y.data() + i * cols, cols, options);
      }
    }
  });
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
enum class Kind {
  normal,
  integers,
  duplicates,
  far_away,
  clusters,
  outlier,
  tiny,
  huge,
  missing,
  line,
  wander,
  ordered,
  fading
};
inline const char* name(Kind kind) {
  const char* names[] = {"normal", "integers", "duplicates", "far away", "clusters", "outlier", "tiny",
                         "huge",   "missing",  "line",       "wander",   "ordered",  "fading"};
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
        case Kind::missing:  // every seventh row has nothing
          x = random() % 3 == 0 || i % 7 == 3 ? std::numeric_limits<T>::quiet_NaN() : T(int(random() % 5));
          break;
        case Kind::line:  // along (1, -1, 1, ...), of which matrices may see almost nothing
          x = f == 0 ? T(1e7 * normal(random)) : T((f % 2 == 0 ? 1 : -1) * double(values[i * cols]) + normal(random));
          break;
        case Kind::ordered:  // close rows stand together
          x = T(100.0 * double(i) / double(rows) + 1e-2 * normal(random));
          break;
        case Kind::fading:  // one feature in three holds nearly all
          x = T(normal(random) * (f % 3 == 1 ? 1 : 0.05));
          break;
        case Kind::wander:
          x = T(1e12 * normal(random));
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
  const bool exact = (kind == Kind::integers && options.metric <= Metric::chebyshev) ||
                     (options.metric >= Metric::hamming && cols <= 64);
  const auto close = [&](double a, double b) {
    if (options.metric == Metric::cosine) return std::fabs(a - b) <= 2e-15 * std::sqrt(std::max(a, b)) + 1e-30;
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::fabs(a - b) <= (exact ? 0 : 1e-14) * std::max(a, b);
  };
  const auto where = [&] {
    return std::string(name(kind)) + " metric " + std::to_string(int(options.metric)) + " p " +
           std::to_string(options.p) + " f" + std::to_string(8 * sizeof(T)) + " n " + std::to_string(n) + " q " +
           std::to_string(q) + " d " + std::to_string(cols) + " k " + std::to_string(k) + " threads " +
           std::to_string(threads);
  }();
  const double* plain = plain_distances(x, y, cols, options);
  std::vector<RankedRow> all(n);
  double radius = 0;
  for (std::int64_t i = 0; i < q; ++i) {
    for (std::int64_t j = 0; j < n; ++j) all[j] = {plain[i * n + j], j};
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

}  // namespace fastml
