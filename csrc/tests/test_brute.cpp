// BruteSearch against plain loops: all metrics, at every SIMD level, whatever the threads.
#include <vector>

#include "tests/levels.hpp"
#include "tests/plain_neighbors.hpp"

using namespace fastml;

namespace {

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
  // Many neighbours of few of the rows: a sample bounds them, and misleads where close rows stand together.
  for (const Kind kind :
       {Kind::normal, Kind::integers, Kind::duplicates, Kind::clusters, Kind::outlier, Kind::ordered}) {
    check_case<T>(kind, {Metric::euclidean, 2, {}}, 4000, 50, 12, 100, 2, ++seed);
    check_case<T>(kind, {Metric::minkowski, 3, {}}, 9000, 30, 5, 150, 1, ++seed);
    check_case<T>(kind, {Metric::cosine, 2, {}}, 3100, 20, 12, 101, 1, ++seed);
  }
  // Features that hold little are left out of the screen.
  std::vector<double> weights(70, 1.0);
  for (int f = 0; f < 70; f += 4) weights[f] = 1e-3;
  for (const MetricOptions& options :
       {MetricOptions{Metric::euclidean, 2, {}}, MetricOptions{Metric::sqeuclidean, 2, {}},
        MetricOptions{Metric::cosine, 2, {}}, MetricOptions{Metric::minkowski, 2, weights}}) {
    check_case<T>(Kind::fading, options, 700, 40, 70, 5, 2, ++seed);
    check_case<T>(Kind::fading, options, 900, 40, 70, 700, 1, ++seed);
    check_case<T>(Kind::normal, options, 700, 20, 70, 30, 1, ++seed);
  }
  for (const Kind kind : {Kind::far_away, Kind::huge}) {  // f32 does not tell these rows apart, or not hold them
    check_case<T>(kind, {Metric::chebyshev, 2, {}}, 4000, 20, 5, 100, 1, ++seed);
  }
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
