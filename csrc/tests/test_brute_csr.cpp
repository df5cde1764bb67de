// BruteCsrSearch against plain loops, and to the bit against BruteSearch on the same rows made dense.
#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "neighbors/brute_csr.hpp"
#include "tests/levels.hpp"
#include "tests/plain_neighbors.hpp"

using namespace fastml;

namespace {

const std::vector<MetricOptions> kMetrics = {
    {Metric::sqeuclidean, 2, {}}, {Metric::euclidean, 2, {}}, {Metric::manhattan, 2, {}}, {Metric::cosine, 2, {}}};

enum class Order { ascending, shuffled, repeated };

// Sparse rows at the end of guarded memory, and what they stand for.
template <class T, class Index>
struct Sample {
  std::int64_t rows, cols;
  std::vector<T> dense, values;
  std::vector<Index> indices, offsets{0};
  Guarded<T> value_memory;
  Guarded<Index> index_memory;

  // `shares`: how many of the features of a row are there. One in 20 of the values is a zero that is stored, every
  // ninth row has none. Repeated: some features are there twice, as halves.
  Sample(std::int64_t rows_, std::int64_t cols_, double share, double scale, Order order, unsigned seed)
      : rows(rows_),
        cols(cols_),
        dense(rows_ * cols_),
        value_memory(2 * rows_ * cols_ + 1),
        index_memory(2 * rows_ * cols_ + 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<std::pair<Index, T>> row;
      for (std::int64_t f = 0; f < cols && i % 9 != 4; ++f) {
        if (double(random() % 1000) >= 1000 * share) continue;
        // Quarters: so that halves are exact, and many distances equal.
        const T value = random() % 20 == 0 ? T(0) : T(std::round(4 * normal(random)) / 4 * scale);
        dense[i * cols + f] = value;
        if (order == Order::repeated && f % 3 == 0) {
          row.emplace_back(Index(f), value / 2);
          row.emplace_back(Index(f), value / 2);
        } else {
          row.emplace_back(Index(f), value);
        }
      }
      if (order != Order::ascending) std::shuffle(row.begin(), row.end(), random);
      for (const auto& [f, value] : row) {
        indices.push_back(f);
        values.push_back(value);
      }
      offsets.push_back(Index(values.size()));
    }
  }

  CanonicalRows<T> canonical() {
    return CanonicalRows<T>(value_memory.at_end(values), index_memory.at_end(indices), offsets.data(),
                            std::int64_t(values.size()), rows, cols);
  }
  Rows<const T> dense_rows() const { return {dense.data(), rows, cols, cols}; }
};

template <class T, class Index>
void check_case(std::int64_t n, std::int64_t q, std::int64_t cols, double share, double scale, Order order,
                std::int64_t k, int threads, unsigned seed) {
  Sample<T, Index> x(n, cols, share, scale, order, seed), y(q, cols, share, scale, order, seed + 1);
  const CanonicalRows<T> fitted = x.canonical(), queries = y.canonical();
  for (const MetricOptions& options : kMetrics) {
    const std::string where = "metric " + std::to_string(int(options.metric)) + " f" + std::to_string(8 * sizeof(T)) +
                              " index " + std::to_string(8 * sizeof(Index)) + " n " + std::to_string(n) + " q " +
                              std::to_string(q) + " d " + std::to_string(cols) + " share " + std::to_string(share) +
                              " scale " + std::to_string(scale) + " order " + std::to_string(int(order)) + " k " +
                              std::to_string(k) + " threads " + std::to_string(threads);
    const BruteCsrSearch<T> search(fitted.view(), options);
    std::vector<double> distances(q * k, -1), expected(q * k, -1);
    std::vector<std::int64_t> indices(q * k, -1), expected_indices(q * k, -1);
    CHECK(search.nearest(queries.view(), k, threads, nullptr, distances.data(), indices.data()), where);
    const BruteSearch<T> dense(x.dense_rows(), options, 1);
    CHECK(dense.nearest(y.dense_rows(), k, 1, nullptr, expected.data(), expected_indices.data()), where);
    CHECK(indices == expected_indices, where);
    CHECK(std::equal(distances.begin(), distances.end(), expected.begin(),
                     [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }),
          where);
    const double* all = plain_distances(x.dense, y.dense, cols, options);
    for (std::int64_t i = 0; i < q; ++i) {
      std::vector<double> plain(all + i * n, all + (i + 1) * n);
      std::sort(plain.begin(), plain.end());
      for (std::int64_t c = 0; c < k; ++c) {
        if (plain[c] == distances[i * k + c]) continue;
        CHECK_CLOSE(distances[i * k + c], plain[c], 1e-14 * plain[c] + (options.metric == Metric::cosine ? 3e-15 : 0),
                    where << " query " << i << " place " << c);
      }
    }
    const double radius = expected[std::min<std::int64_t>(k, 5) - 1];
    std::vector<std::vector<RankedRow>> found, expected_found;
    CHECK(search.within(queries.view(), radius, threads, nullptr, found), where);
    CHECK(dense.within(y.dense_rows(), radius, 1, nullptr, expected_found), where);
    bool right = found.size() == expected_found.size();
    for (std::size_t i = 0; i < found.size() && right; ++i) {
      right =
          std::equal(found[i].begin(), found[i].end(), expected_found[i].begin(), expected_found[i].end(),
                     [](const RankedRow& a, const RankedRow& b) { return a.row == b.row && a.distance == b.distance; });
    }
    CHECK(right, where << " within " << radius);
  }
}

template <class T, class Index>
void check_all() {
  unsigned seed = 0;
  const double small = sizeof(T) == 4 ? 1e-30 : 1e-155, large = sizeof(T) == 4 ? 1e30 : 1e150;
  for (const std::int64_t cols : {1, 3, 16, 17, 60, 300}) {
    for (const double share : {0.02, 0.3, 1.0}) {
      for (const Order order : {Order::ascending, Order::shuffled, Order::repeated}) {
        ++seed;
        check_case<T, Index>(120, 37, cols, share, 1, order, 1 + seed % 90, 1 + int(seed % 3), seed);
      }
      check_case<T, Index>(60, 9, cols, share, small, Order::ascending, 60, 2, ++seed);
      check_case<T, Index>(60, 9, cols, share, large, Order::ascending, 60, 2, ++seed);
    }
  }
  check_case<T, Index>(1, 1, 1, 1, 1, Order::ascending, 1, 1, 1);
  // Few queries: threads share out the rows. Many: they share out the queries.
  check_case<T, Index>(9000, 2, 30, 0.2, 1, Order::ascending, 300, 3, 2);
  check_case<T, Index>(9000, 1, 30, 0.2, 1, Order::ascending, 9000, 3, 3);
  check_case<T, Index>(500, 600, 200, 0.05, 1, Order::ascending, 5, 3, 4);
}

// Squares that overflow bound nothing: these rows are compared exactly.
void check_overflow() {
  const std::vector<double> values{1e200, 1e200, 3e200, 1};
  const std::vector<std::int32_t> indices{0, 0, 1, 1}, offsets{0, 1, 2, 3, 4};
  const CanonicalRows<double> rows(values.data(), indices.data(), offsets.data(), 4, 4, 20);
  const BruteCsrSearch<double> search(rows.view(), {Metric::euclidean, 2, {}});
  double distances[16];
  std::int64_t found[16];
  CHECK(search.nearest(rows.view(), 2, 1, nullptr, distances, found), "");
  for (int i = 0; i < 2; ++i) {
    CHECK_EQUAL(found[2 * i], 0, "two equal rows");
    CHECK_EQUAL(found[2 * i + 1], 1, "two equal rows");
    CHECK_EQUAL(distances[2 * i + 1], 0.0, "two equal rows");
  }
}

void check_bad_input() {
  const std::vector<float> values{1, 2, 3};
  const std::vector<std::int32_t> indices{0, 4, 1}, negative{0, -1, 1}, offsets{0, 2, 3}, falling{0, 3, 2},
      beyond{0, 2, 4};
  const auto make = [&](const std::vector<std::int32_t>& i, const std::vector<std::int32_t>& o, std::int64_t cols) {
    return CanonicalRows<float>(values.data(), i.data(), o.data(), 3, 2, cols);
  };
  CHECK_EQUAL(make(indices, offsets, 5).view().rows, 2, "in bounds");
  CHECK_THROWS(std::invalid_argument, make(indices, offsets, 4), "out of bounds", "an index too large");
  CHECK_THROWS(std::invalid_argument, make(negative, offsets, 5), "out of bounds", "an index below zero");
  CHECK_THROWS(std::invalid_argument, make(indices, falling, 5), "out of bounds", "offsets that fall");
  CHECK_THROWS(std::invalid_argument, make(indices, beyond, 5), "out of bounds", "offsets beyond the values");
  const CanonicalRows<float> rows = make(indices, offsets, 5);
  CHECK_THROWS(std::invalid_argument, BruteCsrSearch<float>(rows.view(), {Metric::chebyshev, 2, {}}), "Sparse rows",
               "a metric that is not served");
}

bool stop_at_once() { return true; }

void check_stop() {
  Sample<double, std::int32_t> x(5000, 20, 0.5, 1, Order::ascending, 1);
  const CanonicalRows<double> rows = x.canonical();
  const BruteCsrSearch<double> search(rows.view(), {});
  std::vector<double> distances(5000);
  std::vector<std::int64_t> indices(5000);
  CHECK(!search.nearest(rows.view(), 1, 2, stop_at_once, distances.data(), indices.data()), "stopped");
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    check_all<float, std::int32_t>();
    check_all<double, std::int64_t>();
    check_overflow();
    check_bad_input();
    check_stop();
  });
  return check::result();
}
