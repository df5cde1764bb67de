// BruteSearch against plain loops, under the metrics that have parameters of their own, that of the sphere, and those
// that are computed as they stand.
#include <limits>
#include <vector>

#include "tests/levels.hpp"
#include "tests/plain_neighbors.hpp"

using namespace fastml;

namespace {

// A A' + ridge: symmetric, and definite unless the ridge is 0.
std::vector<double> symmetric_matrix(std::int64_t cols, std::int64_t rank, double ridge, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> a(cols * rank), matrix(cols * cols);
  for (double& value : a) value = normal(random);
  for (std::int64_t i = 0; i < cols; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      double sum = i == j ? ridge : 0;
      for (std::int64_t l = 0; l < rank; ++l) sum += a[i * rank + l] * a[j * rank + l];
      matrix[i * cols + j] = sum;
    }
  }
  return matrix;
}

std::vector<MetricOptions> scaled_metrics(std::int64_t cols) {
  std::vector<double> variances(cols), wide(cols);
  for (std::int64_t f = 0; f < cols; ++f) {
    variances[f] = double(f % 5 + 1) / 3;
    wide[f] = std::pow(10.0, double(f % 7) - 3);
  }
  std::vector<double> singular = symmetric_matrix(cols, std::max<std::int64_t>(cols / 2, 1), 0, 3);
  std::vector<double> lopsided = symmetric_matrix(cols, cols, 1, 4);
  if (cols > 1) lopsided[1] += 0.25;
  return {{Metric::seuclidean, 2, {}, variances},
          {Metric::seuclidean, 2, {}, wide},
          {Metric::mahalanobis, 2, {}, symmetric_matrix(cols, cols, 0.5, 1)},
          {Metric::mahalanobis, 2, {}, symmetric_matrix(cols, cols, 1e-9, 2)},
          {Metric::mahalanobis, 2, {}, lopsided},
          {Metric::mahalanobis, 2, {}, singular}};
}

template <class T>
void check_scaled() {
  unsigned seed = 0;
  for (const Kind kind :
       {Kind::normal, Kind::integers, Kind::duplicates, Kind::far_away, Kind::clusters, Kind::outlier}) {
    for (const std::int64_t cols : {1, 2, 5, 16, 17, 40}) {
      for (const MetricOptions& options : scaled_metrics(cols)) {
        ++seed;
        check_case<T>(kind, options, 70, 9, cols, 70, 1 + int(seed % 3), seed);
        check_case<T>(kind, options, 300, 19, cols, 1 + seed % 40, 1 + int(seed % 3), seed);
      }
    }
  }
}

// Distances of which most digits cancel: what the exact terms round is far more than what the screen does.
template <class T>
void check_cancellation() {
  const double near = 1 - 1e-14;
  for (unsigned seed = 1; seed < 9; ++seed) {
    check_case<T>(Kind::line, {Metric::mahalanobis, 2, {}, {1, near, near, 1}}, 900, 30, 2, 1 + seed, 1, seed);
    check_case<double>(Kind::wander, {Metric::haversine, 2, {}, {}}, 900, 30, 2, 1 + seed, 1, seed);
  }
}

// Rows too large for f32 at any scale, and queries that are not.
void check_huge_rows() {
  std::vector<double> x(40);
  for (int i = 0; i < 40; ++i) x[i] = (40 - i) * 1e199;
  const double zero = 0;
  for (const Metric metric : {Metric::manhattan, Metric::chebyshev}) {
    const BruteSearch<double> search({x.data(), 40, 1, 1}, {metric, 2, {}, {}}, 1);
    double distances[40];
    std::int64_t indices[40];
    CHECK(search.nearest({&zero, 1, 1, 1}, 40, 1, nullptr, distances, indices), "");
    for (int c = 0; c < 40; ++c) {
      CHECK_EQUAL(indices[c], 39 - c, "metric " << int(metric));
      CHECK_EQUAL(distances[c], x[39 - c], "metric " << int(metric));
    }
  }
}

// Up to 64 features the sums are those of the plain loop to the bit, so that all rows and their order must be equal.
template <class T>
void check_direct() {
  unsigned seed = 0;
  for (const Metric metric : {Metric::hamming, Metric::canberra, Metric::braycurtis, Metric::nan_euclidean}) {
    const MetricOptions options{metric, 2, {}, {}};
    for (const Kind kind :
         {Kind::normal, Kind::integers, Kind::duplicates, Kind::far_away, Kind::outlier, Kind::tiny, Kind::missing}) {
      if (kind == Kind::missing && metric != Metric::nan_euclidean) continue;
      for (const std::int64_t cols : {1, 2, 5, 16, 63, 64, 130}) {
        ++seed;
        check_case<T>(kind, options, 70, 9, cols, 70, 1 + int(seed % 3), seed);
        check_case<T>(kind, options, 300, 19, cols, 1 + seed % 40, 1 + int(seed % 3), seed);
      }
    }
    check_case<T>(Kind::normal, options, 1, 1, 3, 1, 1, 1);
    check_case<T>(Kind::integers, options, 9000, 3, 12, 300, 3, 2);
    check_case<T>(Kind::integers, options, 500, 700, 6, 3, 3, 3);
  }
}

// Places on the earth: anywhere, in one town, at the poles, and longitudes that have gone around many times.
template <class T>
void check_sphere() {
  const MetricOptions options{Metric::haversine, 2, {}, {}};
  for (const Kind kind : {Kind::normal, Kind::integers, Kind::duplicates, Kind::clusters, Kind::far_away}) {
    for (unsigned seed = 1; seed < 5; ++seed) {
      check_case<T>(kind, options, 70, 9, 2, 70, 1 + int(seed % 3), seed);
      check_case<T>(kind, options, 900, 40, 2, 1 + 10 * seed, 1 + int(seed % 3), seed);
    }
  }
  const double half = 1.5707963267948966;
  const std::vector<T> ends{T(half), 0, T(-half), 0, 0, 0, 0, T(2 * half)};
  const Rows<const T> rows{ends.data(), 4, 2, 2};
  const BruteSearch<T> search(rows, options, 1);
  double distances[16];
  std::int64_t indices[16];
  CHECK(search.nearest(rows, 4, 1, nullptr, distances, indices), "");
  for (int i = 0; i < 4; ++i) CHECK_CLOSE(distances[4 * i + 3], 2 * half, 1e-6, "the other end of the earth " << i);
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    check_scaled<float>();
    check_scaled<double>();
    check_cancellation<float>();
    check_cancellation<double>();
    check_huge_rows();
    check_direct<float>();
    check_direct<double>();
    check_sphere<float>();
    check_sphere<double>();
  });
  return check::result();
}
