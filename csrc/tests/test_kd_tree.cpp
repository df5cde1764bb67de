// The k-d tree against plain loops in double: neighbours, order among equals, radii; every level, type, metric and thread
// count gives the same bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "neighbors/kd_tree.hpp"
#include "tests/check.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

using Found = std::vector<std::pair<double, std::int64_t>>;  // (distance, row), in order

// What the metric adds up, before the root.
double plain_sum(const double* x, const double* y, std::int64_t cols, const MetricOptions& options) {
  const auto term = [&](std::int64_t j) {
    const double d = std::abs(x[j] - y[j]);
    if (options.metric == Metric::manhattan || options.metric == Metric::chebyshev) return d;
    return options.metric == Metric::minkowski ? std::pow(d, options.p) : d * d;
  };
  const auto joined = [&](double a, double b) { return options.metric == Metric::chebyshev ? std::max(a, b) : a + b; };
  double part[16] = {};
  for (std::int64_t j = 0; j < cols; ++j) {
    double& to = part[cols <= 16 ? 0 : j % 16];
    to = joined(to, term(j));
  }
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) part[i] = joined(part[i], part[i + half]);
  }
  return part[0];
}

double plain_distance(double sum, const MetricOptions& options) {
  if (options.metric == Metric::euclidean) return std::sqrt(sum);
  return options.metric == Metric::minkowski ? std::pow(sum, 1 / options.p) : sum;
}

template <class T>
struct Points {
  std::vector<T> values;
  std::int64_t rows, cols, stride;
  std::vector<double> in_double() const { return std::vector<double>(values.begin(), values.end()); }
};

template <class T>
Points<T> with_stride(const std::vector<T>& values, std::int64_t cols, std::int64_t stride) {
  const std::int64_t rows = std::int64_t(values.size()) / cols;
  Points<T> points{std::vector<T>(rows * stride, std::numeric_limits<T>::quiet_NaN()), rows, cols, stride};
  for (std::int64_t i = 0; i < rows; ++i) {
    std::copy_n(values.begin() + i * cols, cols, points.values.begin() + i * stride);
  }
  return points;
}

const char* name(Metric metric) {
  switch (metric) {
    case Metric::sqeuclidean:
      return "sqeuclidean";
    case Metric::euclidean:
      return "euclidean";
    case Metric::manhattan:
      return "manhattan";
    case Metric::chebyshev:
      return "chebyshev";
    default:
      return "minkowski";
  }
}

// All (sum, row) of each query.
template <class T>
std::vector<Found> plain_sums(const Points<T>& data, const Points<T>& queries, const MetricOptions& options) {
  const std::vector<double> x = data.in_double(), y = queries.in_double();
  const double* sum = results_of_all_levels().find<double>(std::size_t(queries.rows * data.rows), [&](double* to) {
    for (std::int64_t q = 0; q < queries.rows; ++q) {
      for (std::int64_t i = 0; i < data.rows; ++i) {
        *to++ = plain_sum(&x[i * data.stride], &y[q * queries.stride], data.cols, options);
      }
    }
  });
  std::vector<Found> all(queries.rows);
  for (Found& found : all) {
    for (std::int64_t i = 0; i < data.rows; ++i) found.push_back({*sum++, i});
  }
  return all;
}

template <class T>
void check_nearest(const KdTree<T>& tree, const Points<T>& queries, const std::vector<Found>& expected, std::int64_t k,
                   int threads, const std::string& where) {
  std::vector<double> distances(queries.rows * k);
  std::vector<std::int64_t> indices(queries.rows * k);
  CHECK(tree.nearest(queries.values.data(), queries.rows, queries.stride, k, threads, nullptr, distances.data(),
                     indices.data()),
        where);
  std::int64_t wrong = 0;
  for (std::int64_t q = 0; q < queries.rows; ++q) {
    for (std::int64_t n = 0; n < k; ++n) {
      wrong += distances[q * k + n] != expected[q][n].first || indices[q * k + n] != expected[q][n].second;
    }
  }
  CHECK_EQUAL(wrong, 0, where << " k " << k << " threads " << threads);
}

template <class T>
void check_radius(const KdTree<T>& tree, const Points<T>& queries, const std::vector<Found>& sums,
                  const MetricOptions& options, double radius, int threads, const std::string& where) {
  const double most = options.metric == Metric::euclidean   ? radius * radius
                      : options.metric == Metric::minkowski ? std::pow(radius, options.p)
                                                            : radius;
  std::vector<std::int64_t> counts(queries.rows), offsets(queries.rows + 1);
  CHECK(tree.count_within(queries.values.data(), queries.rows, queries.stride, radius, threads, nullptr, counts.data()),
        where);
  std::vector<Found> expected(queries.rows);
  std::int64_t wrong = 0;
  for (std::int64_t q = 0; q < queries.rows; ++q) {
    for (const auto& [sum, row] : sums[q]) {
      if (sum <= most) expected[q].push_back({plain_distance(sum, options), row});
    }
    std::sort(expected[q].begin(), expected[q].end());
    wrong += counts[q] != std::int64_t(expected[q].size());
    offsets[q + 1] = offsets[q] + std::int64_t(expected[q].size());
  }
  CHECK_EQUAL(wrong, 0, where << " counts within " << radius);
  if (wrong != 0) return;
  const std::int64_t total = offsets.back();
  std::vector<double> distances(total + 1, -1.0);
  std::vector<std::int64_t> indices(total + 1, -1), unsorted(total + 1, -1);
  CHECK(tree.within(queries.values.data(), queries.rows, queries.stride, radius, true, threads, nullptr, offsets.data(),
                    distances.data(), indices.data()),
        where);
  CHECK(tree.within(queries.values.data(), queries.rows, queries.stride, radius, false, threads, nullptr,
                    offsets.data(), nullptr, unsorted.data()),
        where);
  for (std::int64_t q = 0; q < queries.rows; ++q) {
    auto rows = expected[q];
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (std::size_t n = 0; n < expected[q].size(); ++n) {
      const std::int64_t at = offsets[q] + std::int64_t(n);
      wrong += distances[at] != expected[q][n].first || indices[at] != expected[q][n].second;
      wrong += unsorted[at] != rows[n].second;
    }
  }
  CHECK_EQUAL(wrong, 0, where << " rows within " << radius);
  CHECK_EQUAL(indices[total], -1, where << " wrote past the end");
}

const MetricOptions kMetrics[] = {
    {Metric::euclidean, 2, {}},   {Metric::manhattan, 2, {}}, {Metric::chebyshev, 2, {}}, {Metric::sqeuclidean, 2, {}},
    {Metric::minkowski, 1.5, {}}, {Metric::minkowski, 3, {}}, {Metric::minkowski, 8, {}}};

template <class T>
void compare(const std::vector<T>& fitted, const std::vector<T>& asked, std::int64_t cols, const std::string& what) {
  const Points<T> data = with_stride(fitted, cols, cols + 3), queries = with_stride(asked, cols, cols + 1);
  int turn = 0;
  for (const MetricOptions& options : kMetrics) {
    const std::vector<Found> sums = plain_sums(data, queries, options);
    std::vector<Found> expected = sums;
    for (Found& found : expected) {
      for (auto& [value, row] : found) value = plain_distance(value, options);
      std::sort(found.begin(), found.end());
    }
    const int threads = 1 + turn++ % 3;
    const KdTree<T> tree(data.values.data(), data.rows, cols, data.stride, options, threads);
    const std::string where = what + " " + (sizeof(T) == 4 ? "f32 " : "f64 ") + std::to_string(data.rows) + " x " +
                              std::to_string(cols) + " " + name(options.metric) + " " + std::to_string(options.p);
    for (const std::int64_t k : {1, 5, 32, 33, 100}) {
      if (k <= data.rows) check_nearest(tree, queries, expected, k, threads, where);
    }
    check_nearest(tree, queries, expected, data.rows, threads, where);
    // Radii that are a distance to the bit, none, one that takes a share, and all.
    const Found& first = expected[0];
    for (const double radius :
         {first[0].first, first[first.size() / 3].first, 0.0, first.back().first * 0.6, first.back().first * 10}) {
      check_radius(tree, queries, sums, options, radius, threads, where);
    }
  }
}

template <class T>
void compare_all() {
  for (const std::int64_t cols : {1, 2, 3, 16, 17}) {
    for (const std::int64_t rows : {1, 32, 33, 300, 700}) {
      // More queries than are answered in the order they come in.
      compare(normals<T>(rows * cols, 1), normals<T>((cols == 2 && rows == 300 ? 300 : 5) * cols, 2), cols, "normal");
    }
    // Equal distances everywhere.
    compare(integers<T>(600 * cols, 0, 2, 3), integers<T>(6 * cols, 0, 2, 4), cols, "grid");
    compare(std::vector<T>(500 * cols, T(7)), integers<T>(5 * cols, 6, 8, 5), cols, "all equal");
  }
  // Far from the origin numbers are as fine as they are, and differences exact.
  std::vector<T> far = integers<T>(900 * 3, -200, 200, 6), near = integers<T>(15 * 3, -200, 200, 7);
  for (T& x : far) x = T(x * T(sizeof(T) == 4 ? 8 : 1e-7) + T(1e8));
  for (T& x : near) x = T(x * T(sizeof(T) == 4 ? 8 : 1e-7) + T(1e8));
  compare(far, near, 3, "far");
  // Steps of 0.1: distances that ought to be equal differ by roundings.
  std::vector<T> tenths = integers<T>(900 * 2, 0, 30, 8), at = integers<T>(15 * 2, 0, 30, 9);
  for (T& x : tenths) x *= T(0.1);
  for (T& x : at) x *= T(0.1);
  compare(tenths, at, 2, "tenths");
  // Squares leave the range of f32, or f64, or fall below it.
  for (const double scale : {1e30, 1e-30, sizeof(T) == 4 ? 1e38 : 1e160, sizeof(T) == 4 ? 1e-42 : 1e-170}) {
    std::vector<T> extreme = normals<T>(300 * 3, 10), from = normals<T>(20 * 3, 11);
    for (T& x : extreme) x = T(x * scale / 8);
    for (T& x : from) x = T(x * scale / 8);
    const Points<T> data = with_stride(extreme, 3, 3), queries = with_stride(from, 3, 3);
    for (const MetricOptions& options : {kMetrics[0], kMetrics[1], kMetrics[2]}) {
      std::vector<Found> expected = plain_sums(data, queries, options);
      for (Found& found : expected) {
        for (auto& [value, row] : found) value = plain_distance(value, options);
        std::sort(found.begin(), found.end());
      }
      const KdTree<T> tree(extreme.data(), 300, 3, 3, options, 1);
      check_nearest(tree, queries, expected, 9, 1, "scale " + std::to_string(std::log10(scale)) + name(options.metric));
    }
  }
}

// Trees of several levels of nodes, against one built and asked by other numbers of threads, and against the loops for some.
template <class T>
void deep(std::int64_t rows, std::int64_t cols, bool equal) {
  auto values = normals<T>(rows * cols, 21);
  if (equal) std::fill(values.begin(), values.begin() + std::ptrdiff_t(rows * cols * 9 / 10), T(0.5));
  const Points<T> data{values, rows, cols, cols};
  const Points<T> queries{normals<T>(1000 * cols, 22), 1000, cols, cols};
  const std::int64_t k = 7;
  std::vector<double> first;
  std::vector<std::int64_t> first_rows;
  for (const int threads : {1, 2, 3}) {
    const KdTree<T> tree(values.data(), rows, cols, cols, kMetrics[0], threads);
    std::vector<double> distances(queries.rows * k);
    std::vector<std::int64_t> indices(queries.rows * k);
    CHECK(tree.nearest(queries.values.data(), queries.rows, cols, k, 4 - threads, nullptr, distances.data(),
                       indices.data()),
          "deep");
    if (threads == 1) {
      first = distances;
      first_rows = indices;
      for (std::int64_t q = 0; q < queries.rows; q += 50) {
        const Points<T> one{std::vector<T>(queries.values.begin() + q * cols, queries.values.begin() + (q + 1) * cols),
                            1, cols, cols};
        Found expected = plain_sums(data, one, kMetrics[0])[0];
        for (auto& [value, row] : expected) value = std::sqrt(value);
        std::partial_sort(expected.begin(), expected.begin() + k, expected.end());
        for (std::int64_t n = 0; n < k; ++n) {
          CHECK_EQUAL(indices[q * k + n], expected[n].second, rows << " x " << cols << " query " << q << " n " << n);
          CHECK_EQUAL(distances[q * k + n], expected[n].first, rows << " x " << cols << " query " << q << " n " << n);
        }
      }
      const double share = tree.share_visited(queries.values.data(), 64, cols, k);
      CHECK(share > 0 && share <= 1, share);
      if (!equal) CHECK(share < 0.1, "few features: a small part of the leaves, not " << share);
    }
    CHECK(distances == first && indices == first_rows, "threads " << threads << " change the answer");
  }
}

int asked = 0, last_question = 3;
bool at_last_question() { return ++asked == last_question; }
bool never() {
  ++asked;
  return false;
}

void stops_when_asked() {
  const auto values = normals<float>(20'000 * 3, 31);
  const KdTree<float> tree(values.data(), 20'000, 3, 3, kMetrics[0], 2);
  std::vector<double> distances(20'000);
  std::vector<std::int64_t> indices(20'000);
  const int threads = 1;  // of several, the one that asks may come by fewer than three blocks
  asked = 0;
  CHECK(!tree.nearest(values.data(), 20'000, 3, 1, threads, at_last_question, distances.data(), indices.data()),
        "nearest");
  CHECK_EQUAL(asked, 3, "questions after the answer was yes");
  asked = 0;
  CHECK(!tree.count_within(values.data(), 20'000, 3, 0.1, threads, at_last_question, indices.data()), "within");
}

// Building asks while parts are larger than what is copied side by side.
void building_stops_when_asked() {
  const std::int64_t rows = 300'000;
  const auto values = normals<float>(rows * 3, 32);
  for (const int threads : {1, 2, 4}) {
    asked = 0;
    const KdTree<float> whole(values.data(), rows, 3, 3, kMetrics[0], threads, never);
    const int all = asked;
    CHECK(all >= 2, "of " << threads << " threads the caller asked " << all << " times");
    if (threads == 1) CHECK(all >= 10, "asked " << all << " times");
    for (const int question : {1, all / 2, all}) {
      if (threads > 1 && question > 1) continue;  // the caller may come by fewer parts than it did before
      asked = 0;
      last_question = question;
      bool stopped = false;
      try {
        KdTree<float>(values.data(), rows, 3, 3, kMetrics[0], threads, at_last_question);
      } catch (const Stopped&) {
        stopped = true;
      }
      CHECK(stopped, "question " << question << " of " << all << ", threads " << threads);
      CHECK_EQUAL(asked, question, "questions after the answer was yes, threads " << threads);
    }
  }
  last_question = 3;
}

void refuses() {
  const float one[] = {1};
  for (const MetricOptions& options :
       {MetricOptions{Metric::cosine, 2, {}}, MetricOptions{Metric::minkowski, 0.5, {}},
        MetricOptions{Metric::minkowski, std::nan(""), {}}, MetricOptions{Metric::minkowski, 2, {1.0}}}) {
    CHECK_THROWS(std::invalid_argument, KdTree<float>(one, 1, 1, 1, options, 1), "k-d tree", options.p);
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    compare_all<float>();
    compare_all<double>();
    for (const bool equal : {false, true}) {
      deep<float>(50'000, 3, equal);
      deep<double>(33'000, 2, equal);
    }
    stops_when_asked();
    building_stops_when_asked();
    refuses();
  });
  return check::result();
}
