// DBSCAN against the textbook's: clusters grown from each core row over lists of all neighbours. Every level, type,
// metric, route and number of threads gives the same labels.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "neighbors/dbscan.hpp"
#include "neighbors/dbscan_graph.hpp"
#include "neighbors/union_find.hpp"
#include "tests/check.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

// What is compared with `most`: sums of terms, as the kernels compare them.
struct PlainDistance {
  MetricOptions options;
  double eps;

  double power() const {
    switch (options.metric) {
      case Metric::minkowski:
        return options.p;
      case Metric::manhattan:
      case Metric::chebyshev:
        return 1;
      default:
        return 2;
    }
  }
  double most() const {
    if (options.metric == Metric::sqeuclidean) return eps;
    return options.metric == Metric::cosine ? 2 * eps : power() == 2 ? eps * eps : std::pow(eps, power());
  }
  template <class T>
  double operator()(const T* x, const T* y, std::int64_t cols) const {
    double x_norm = 1, y_norm = 1, sum = 0;
    if (options.metric == Metric::cosine) {
      x_norm = y_norm = 0;
      for (std::int64_t j = 0; j < cols; ++j) {
        x_norm += double(x[j]) * double(x[j]);
        y_norm += double(y[j]) * double(y[j]);
      }
      if (x_norm == 0 || y_norm == 0) return x == y ? 0 : 2;
      x_norm = std::sqrt(x_norm);
      y_norm = std::sqrt(y_norm);
    }
    for (std::int64_t j = 0; j < cols; ++j) {
      const double difference = std::abs(double(x[j]) / x_norm - double(y[j]) / y_norm);
      const double weight = options.weights.empty() ? 1 : options.weights[j];
      if (options.metric == Metric::chebyshev) {
        sum = std::max(sum, difference);
      } else {
        sum += weight * (power() == 2 ? difference * difference : std::pow(difference, power()));
      }
    }
    return sum;
  }
};

struct Clustering {
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> core;
  explicit Clustering(std::int64_t rows) : labels(rows, -7), core(rows, 7) {}
  bool operator==(const Clustering& other) const { return labels == other.labels && core == other.core; }
  std::int64_t clusters() const { return *std::max_element(labels.begin(), labels.end()) + 1; }
};

// near(i, j): whether j is a neighbour of i.
template <class Near>
Clustering plain_dbscan(std::int64_t rows, const Near& near, const std::vector<double>& weights, double min_samples) {
  Clustering found(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    long double sum = 0;
    for (std::int64_t j = 0; j < rows; ++j) {
      if (near(i, j)) sum += weights.empty() ? 1 : weights[j];
    }
    found.core[i] = double(sum) >= min_samples;
    found.labels[i] = -1;
  }
  std::int64_t label = 0;
  for (std::int64_t first = 0; first < rows; ++first) {
    if (found.labels[first] != -1 || found.core[first] == 0) continue;
    std::vector<std::int64_t> waiting{first};
    found.labels[first] = label;
    while (!waiting.empty()) {
      const std::int64_t i = waiting.back();
      waiting.pop_back();
      for (std::int64_t j = 0; j < rows; ++j) {
        if (!near(i, j) || found.labels[j] != -1) continue;
        found.labels[j] = label;
        if (found.core[j] != 0) waiting.push_back(j);
      }
    }
    ++label;
  }
  return found;
}

template <class T>
void compare(const std::vector<T>& values, std::int64_t cols, const MetricOptions& options, double eps,
             double min_samples, const std::vector<double>& weights, const std::string& what) {
  const std::int64_t rows = std::int64_t(values.size()) / cols, stride = cols + 2;
  std::vector<T> strided(rows * stride, std::numeric_limits<T>::quiet_NaN());
  for (std::int64_t i = 0; i < rows; ++i) std::copy_n(&values[i * cols], cols, &strided[i * stride]);
  const PlainDistance distance{options, eps};
  const double most = distance.most();
  const std::uint8_t* near = results_of_all_levels().find<std::uint8_t>(std::size_t(rows * rows), [&](auto* to) {
    for (std::int64_t i = 0; i < rows * rows; ++i) {
      to[i] = distance(&values[i / rows * cols], &values[i % rows * cols], cols) <= most;
    }
  });
  const Clustering expected =
      plain_dbscan(rows, [&](std::int64_t i, std::int64_t j) { return near[i * rows + j] != 0; }, weights, min_samples);
  const bool tree = options.metric != Metric::cosine && options.weights.empty() && !(options.p < 1);
  for (const DbscanRoute route : {DbscanRoute::automatic, DbscanRoute::leaves, DbscanRoute::tiles}) {
    if (route == DbscanRoute::leaves && !tree) continue;
    // Either number of threads in turn: every kind of case comes to both.
    static int turn = 0;
    const int threads = turn++ % 2 == 0 ? 1 : 3;
    Clustering found(rows);
    const DbscanTask task{eps, min_samples, weights.empty() ? nullptr : weights.data(), threads, nullptr};
    const Rows<const T> x{strided.data(), rows, cols, stride};
    CHECK(dbscan(x, options, task, found.labels.data(), found.core.data(), route), what);
    CHECK(found == expected, what << (sizeof(T) == 4 ? " f32 " : " f64 ") << rows << " x " << cols << " metric "
                                  << int(options.metric) << " p " << options.p << " eps " << eps << " min "
                                  << min_samples << " route " << int(route) << " threads " << threads << ": "
                                  << found.clusters() << " clusters for " << expected.clusters());
  }
}

// Groups of points, with some between them.
template <class T>
std::vector<T> groups(std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::vector<T> values = normals<T>(rows * cols, seed);
  const auto group = integers<int>(rows, 0, 4, seed + 1);
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    const std::int64_t row = i / cols;
    values[i] = row % 10 == 0 ? T(6 * values[i]) : T(values[i] + T((group[row] * 7 + i % cols * group[row]) % 11 * 3));
  }
  return values;
}

const MetricOptions kEuclidean{Metric::euclidean, 2, {}};

template <class T>
void compare_all() {
  const MetricOptions metrics[] = {kEuclidean,
                                   {Metric::sqeuclidean, 2, {}},
                                   {Metric::manhattan, 2, {}},
                                   {Metric::chebyshev, 2, {}},
                                   {Metric::minkowski, 1.5, {}},
                                   {Metric::minkowski, 3, {}}};
  for (const std::int64_t cols : {1, 2, 3, 9, 20}) {
    const double scale = std::sqrt(double(cols));
    for (const std::int64_t rows : {1, 2, 33, 130, 290}) {
      const auto values = groups<T>(rows, cols, unsigned(rows));
      for (const double eps : {0.2 * scale, 0.9 * scale, 2.5 * scale}) {
        compare(values, cols, kEuclidean, eps, 5, {}, "groups");
      }
    }
    const auto values = groups<T>(200, cols, 3);
    for (const MetricOptions& metric : metrics) {
      compare(values, cols, metric, 1.1 * scale, 4, {}, "metrics");
      compare(values, cols, metric, 1e-9, 1, {}, "nobody near");
      compare(values, cols, metric, 1e9, 200, {}, "everybody near");
      compare(values, cols, metric, 1e9, 201, {}, "too few");
      // Distances of exactly eps, and points that are equal.
      compare(integers<T>(250 * cols, 0, 3, 4), cols, metric, metric.metric == Metric::minkowski ? 2.01 : 2, 9, {},
              "lattice");
      compare(std::vector<T>(200 * cols, T(7)), cols, metric, 0.5, 200, {}, "all equal");
    }
  }
  // A chain: each neighbour counts for the join.
  std::vector<T> chain(500);
  for (int i = 0; i < 500; ++i) chain[i] = T(i * 7919 % 500);
  compare(chain, 1, kEuclidean, 1, 3, {}, "chain");
  compare(chain, 1, kEuclidean, 1, 2, {}, "chain without ends");
  // What only the brute-force search serves.
  const auto values = groups<T>(300, 6, 5);
  compare(values, 6, {Metric::cosine, 2, {}}, 0.02, 5, {}, "cosine");
  auto zeros = values;
  std::fill_n(zeros.begin(), 6 * 40, T(0));
  compare(zeros, 6, {Metric::cosine, 2, {}}, 0.02, 1, {}, "cosine of zeros");
  compare(values, 6, {Metric::minkowski, 2, {1, 0, 2.5, 1, 0.25, 3}}, 2.2, 5, {}, "weighted features");
  compare(values, 6, {Metric::minkowski, 0.5, {}}, 30, 5, {}, "p < 1");
}

template <class T>
void weights() {
  for (const std::int64_t cols : {2, 12}) {
    const auto values = groups<T>(350, cols, 11);
    const double eps = 0.9 * std::sqrt(double(cols));
    compare(values, cols, kEuclidean, eps, 12, integers<double>(350, 0, 5, 12), "whole weights");
    compare(values, cols, kEuclidean, eps, 4, integers<double>(350, -3, 3, 13), "weights of both signs");
    compare(values, cols, kEuclidean, eps, 5, std::vector<double>(350, 5.0), "enough alone");
    compare(values, cols, kEuclidean, eps, 1, std::vector<double>(350, 0.0), "no weight");
  }
  // Ten times a tenth are one, whatever the order.
  std::vector<T> equal(10, T(3));
  compare(equal, 1, kEuclidean, 1, 1, std::vector<double>(10, 0.1), "tenths");
}

// Bounds in f32 say nothing here.
template <class T>
void far_from_the_origin() {
  const double step = sizeof(T) == 4 ? 8 : 1e-3;
  for (const std::int64_t cols : {2, 10}) {
    auto values = integers<T>(400 * cols, 0, 6, 21);
    for (std::int64_t i = 0; i < 400 * cols; ++i) {
      values[i] = T(double(values[i]) * step + (i / cols % 2 == 0 ? 1e8 : 0));
    }
    compare(values, cols, kEuclidean, step * 3.3, 4, {}, "far");
  }
  // Squares leave the range of the type, or fall below it.
  for (const double scale : {sizeof(T) == 4 ? 1e37 : 1e150, sizeof(T) == 4 ? 1e-40 : 1e-150}) {
    auto values = normals<T>(200 * 3, 22);
    for (T& x : values) x = T(double(x) * scale);
    compare(values, 3, kEuclidean, 0.4 * scale, 4, {}, "extreme");
  }
}

// Many blocks, of which threads work on several; against one thread and the other route.
template <class T>
void many(std::int64_t rows, std::int64_t cols, double eps) {
  const auto values = groups<T>(rows, cols, 31);
  Clustering first(rows);
  const Rows<const T> x{values.data(), rows, cols, cols};
  dbscan(x, kEuclidean, {eps, 6, nullptr, 1, nullptr}, first.labels.data(), first.core.data(), DbscanRoute::leaves);
  CHECK(first.clusters() > 1, "a case with clusters");
  CHECK(*std::min_element(first.labels.begin(), first.labels.end()) == -1, "a case with noise");
  for (const DbscanRoute route : {DbscanRoute::leaves, DbscanRoute::tiles}) {
    for (const int threads : {2, 4}) {
      Clustering found(rows);
      CHECK(dbscan(x, kEuclidean, {eps, 6, nullptr, threads, nullptr}, found.labels.data(), found.core.data(), route),
            "many");
      CHECK(found == first, rows << " x " << cols << " route " << int(route) << " threads " << threads);
    }
  }
}

void graphs() {
  const std::int64_t rows = 120;
  auto matrix = integers<double>(rows * rows, 0, 40, 41);
  for (std::int64_t i = 0; i < rows; ++i) matrix[i * rows + i] = 0;
  std::vector<float> narrow(matrix.begin(), matrix.end());
  for (const bool weighted : {false, true}) {
    const auto w = weighted ? integers<double>(rows, -2, 4, 42) : std::vector<double>();
    for (const double min_samples : {1.0, 4.0, 6.0, 20.0}) {
      // Not symmetric: what can be reached depends on the direction.
      const Clustering expected =
          plain_dbscan(rows, [&](std::int64_t i, std::int64_t j) { return matrix[i * rows + j] <= 1; }, w, min_samples);
      std::vector<double> stored;
      std::vector<std::int32_t> columns, offsets{0};
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = rows; j-- > 0;) {
          if (matrix[i * rows + j] > 3) continue;
          stored.push_back(matrix[i * rows + j]);
          columns.push_back(std::int32_t(j));
        }
        offsets.push_back(std::int32_t(columns.size()));
      }
      for (const int threads : {1, 3}) {
        const DbscanTask task{1, min_samples, weighted ? w.data() : nullptr, threads, nullptr};
        Clustering dense(rows), dense_narrow(rows), sparse(rows);
        CHECK(dbscan_matrix(Rows<const double>{matrix.data(), rows, rows, rows}, task, dense.labels.data(),
                            dense.core.data()),
              "matrix");
        CHECK(dbscan_matrix(Rows<const float>{narrow.data(), rows, rows, rows}, task, dense_narrow.labels.data(),
                            dense_narrow.core.data()),
              "matrix");
        CHECK(dbscan_graph(DistanceGraph<double, std::int32_t>{rows, stored.data(), columns.data(), offsets.data()},
                           task, sparse.labels.data(), sparse.core.data()),
              "graph");
        CHECK(dense == expected && dense_narrow == expected, "matrix, min " << min_samples << " weighted " << weighted);
        CHECK(sparse == expected, "graph, min " << min_samples << " weighted " << weighted);
      }
    }
  }
}

void refuses() {
  const float one[] = {1};
  std::int64_t label;
  std::uint8_t core;
  const Rows<const float> x{one, 1, 1, 1};
  const DbscanTask task{1, 1, nullptr, 1, nullptr};
  CHECK_THROWS(std::invalid_argument, dbscan(x, {Metric::hamming, 2, {}}, task, &label, &core), "metric", "hamming");
  CHECK_THROWS(std::invalid_argument, dbscan(x, {Metric::cosine, 2, {}}, task, &label, &core, DbscanRoute::leaves),
               "k-d tree", "leaves and the cosine");
}

void joins_at_the_same_time() {
  const std::int64_t size = 20'000;
  UnionFind sets(size);
#pragma omp parallel for num_threads(4) schedule(dynamic, 7)
  for (std::int64_t i = 3; i < size; ++i) sets.unite(i, i - 3);
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < size; ++i) wrong += sets.find(i) != i % 3;
  CHECK_EQUAL(wrong, 0, "sets of numbers that differ by 3");
}

int asked = 0, last_question = 0;
bool at_last_question() { return ++asked == last_question; }

void stops_when_asked() {
  const auto values = groups<double>(3000, 3, 51);
  Clustering found(3000);
  const Rows<const double> x{values.data(), 3000, 3, 3};
  for (const DbscanRoute route : {DbscanRoute::leaves, DbscanRoute::tiles}) {
    asked = 0;
    last_question = 0;
    CHECK(dbscan(x, kEuclidean, {0.8, 5, nullptr, 1, at_last_question}, found.labels.data(), found.core.data(), route),
          "nobody wants it to stop");
    const int all = asked;
    for (const int question : {1, all / 4, all / 2, all}) {
      asked = 0;
      last_question = question;
      CHECK(
          !dbscan(x, kEuclidean, {0.8, 5, nullptr, 1, at_last_question}, found.labels.data(), found.core.data(), route),
          "question " << question << " of " << all);
      CHECK_EQUAL(asked, question, "questions after the answer was yes");
    }
  }
  // So many that the tree's building asks: the first question is one of its own, and so is the second.
  const auto many = groups<double>(60'000, 3, 52);
  Clustering none(60'000);
  for (const DbscanRoute route : {DbscanRoute::leaves, DbscanRoute::tiles}) {
    for (const int question : {1, 2}) {
      asked = 0;
      last_question = question;
      CHECK(!dbscan(Rows<const double>{many.data(), 60'000, 3, 3}, kEuclidean, {0.8, 5, nullptr, 1, at_last_question},
                    none.labels.data(), none.core.data(), route),
            "while the tree is built");
      CHECK_EQUAL(asked, question, "questions after the answer was yes");
    }
  }
  std::vector<double> matrix(600 * 600, 0.5);
  for (const int question : {1, 39}) {
    asked = 0;
    last_question = question;
    CHECK(!dbscan_matrix(Rows<const double>{matrix.data(), 600, 600, 600}, {1, 5, nullptr, 1, at_last_question},
                         found.labels.data(), found.core.data()),
          "matrix, question " << question);
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    compare_all<float>();
    compare_all<double>();
    weights<float>();
    weights<double>();
    far_from_the_origin<float>();
    far_from_the_origin<double>();
    many<float>(6'000, 3, 0.6);
    many<double>(3'000, 12, 2.6);
    joins_at_the_same_time();
    stops_when_asked();
    refuses();
  });
  graphs();
  return check::result();
}
