// Assignment of dense rows at every level, against the closest centre found by plain loops. Data are small integers: scores
// are exact, and equal ones are plenty. Whatever a kernel may touch lies against an unmapped page.
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/kmeans.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/plain_kmeans.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

constexpr std::int64_t kWidestVector = 16;

// The memory of one call, each part ending at a page's end.
template <class T>
struct Pages {
  Guarded<T> x{1 << 17}, centers{1 << 15}, norms{1 << 12}, weights{1 << 15}, shift{1 << 12}, panel{1 << 15};
  Guarded<T> expiry{1 << 15}, drift{1 << 12};
  Guarded<std::int32_t> labels{1 << 15};
  Guarded<std::int64_t> selected{1 << 15}, counts{1 << 12};
  Guarded<double> sums{1 << 15}, cluster_weights{1 << 12};
};

// Arguments for points whose rows lie `stride` apart in memory, the padding NaN. Labels are all -1.
template <class T>
AssignDense<T> arguments(SimdLevel level, Pages<T>& pages, const Points<T>& points, const std::vector<T>& centers,
                         std::int64_t stride, const std::vector<T>& shift = {}) {
  const auto& kernels = kmeans_kernels<T>(level);
  const std::int64_t rows = points.rows, cols = points.cols, clusters = std::int64_t(centers.size()) / cols;
  T* x = pages.x.at_end((rows - 1) * stride + cols);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t f = 0; f < (i + 1 < rows ? stride : cols); ++f) {
      x[i * stride + f] =
          f < cols ? points.row(i)[f] + (shift.empty() ? T(0) : shift[f]) : std::numeric_limits<T>::quiet_NaN();
    }
  }
  AssignDense<T> a{};
  a.x = {x, rows, cols, stride};
  if (!shift.empty()) {
    std::vector<T> padded((cols + kWidestVector - 1) / kWidestVector * kWidestVector, T(0));
    std::copy(shift.begin(), shift.end(), padded.begin());
    a.shift = pages.shift.at_end(padded);
  }
  if (!points.weights.empty()) a.weights = pages.weights.at_end(points.weights);
  T* packed = pages.centers.at_end(clusters * cols);
  kernels.pack_centers(centers.data(), clusters, cols, packed);
  a.centers = packed;
  T* norms = pages.norms.at_end(clusters);
  const std::vector<T> origin(cols, T(0));
  for (std::int64_t j = 0; j < clusters; ++j) {
    norms[j] = T(squared_distance(centers.data() + j * cols, origin.data(), cols));
  }
  a.center_norms = norms;
  a.clusters = clusters;
  a.labels = pages.labels.at_end(std::vector<std::int32_t>(rows, -1));
  a.panel = pages.panel.at_end(kernels.panel_size(cols));
  a.selected = pages.selected.at_end(rows);
  return a;
}

template <class T>
void set_sums(AssignDense<T>& a, Pages<T>& pages, const PlainSums& start, bool fresh) {
  a.sums = {pages.sums.at_end(start.sums), pages.cluster_weights.at_end(start.weights),
            pages.counts.at_end(start.counts)};
  a.fresh_sums = fresh;
}

template <class T>
std::int64_t wrong_labels(const AssignDense<T>& a, const std::vector<std::int32_t>& expected) {
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < a.x.rows; ++i) wrong += a.labels[i] != expected[i];
  return wrong;
}

template <class T>
void check_sums(const AssignDense<T>& a, const PlainSums& expected, const std::string& where) {
  for (std::size_t i = 0; i < expected.sums.size(); ++i)
    CHECK_EQUAL(a.sums.sums[i], expected.sums[i], where << " sum " << i);
  for (std::size_t j = 0; j < expected.weights.size(); ++j) {
    CHECK_EQUAL(a.sums.weights[j], expected.weights[j], where << " weight of cluster " << j);
    CHECK_EQUAL(a.sums.counts[j], expected.counts[j], where << " count of cluster " << j);
  }
}

template <class T>
std::string shape(SimdLevel level, std::int64_t rows, std::int64_t cols, std::int64_t clusters) {
  return std::string(name(level)) + " f" + std::to_string(8 * sizeof(T)) + " rows=" + std::to_string(rows) +
         " cols=" + std::to_string(cols) + " clusters=" + std::to_string(clusters);
}

template <class T>
void tail_sizes(SimdLevel level) {
  Pages<T> pages;
  constexpr std::int64_t most_rows = 67;
  for (std::int64_t cols = 1; cols <= 36; ++cols) {
    Points<T> points{most_rows, cols, integers<T>(most_rows * cols, -2, 2, unsigned(cols)), {}};
    for (std::int64_t clusters = 1; clusters <= 30; ++clusters) {
      const auto centers = integers<T>(clusters * cols, -2, 2, unsigned(100 + clusters));
      const auto expected = closest_centers(points, centers);
      for (const std::int64_t rows : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 67}) {
        const Points<T> leading{rows, cols, {points.values.begin(), points.values.begin() + rows * cols}, {}};
        const AssignDense<T> a = arguments(level, pages, leading, centers, cols);
        const AssignResult result = kmeans_kernels<T>(level).assign_dense(a, 0, rows);
        CHECK_EQUAL(wrong_labels(a, expected), 0, shape<T>(level, rows, cols, clusters));
        CHECK_EQUAL(result.changed, rows, shape<T>(level, rows, cols, clusters));
        CHECK_EQUAL(result.compared, rows, shape<T>(level, rows, cols, clusters));
      }
    }
  }
}

// Equal centres: the first of them has all the rows.
template <class T>
void duplicate_centers(SimdLevel level) {
  Pages<T> pages;
  for (const std::int64_t clusters : {2, 13, 14, 15, 28, 43}) {
    const std::int64_t rows = 50, cols = 3;
    const Points<T> points{rows, cols, integers<T>(rows * cols, -9, 9, 1), {}};
    for (const std::int64_t first : {std::int64_t(0), clusters / 2, clusters - 1}) {
      std::vector<T> centers(clusters * cols, T(0));  // all alike from `first` on, the others far away
      for (std::int64_t i = 0; i < first * cols; ++i) centers[i] = T(100 + i);
      const AssignDense<T> a = arguments(level, pages, points, centers, cols);
      kmeans_kernels<T>(level).assign_dense(a, 0, rows);
      CHECK_EQUAL(wrong_labels(a, std::vector<std::int32_t>(rows, std::int32_t(first))), 0,
                  shape<T>(level, rows, cols, clusters) << " first " << first);
    }
  }
}

// Shift, weights, padded rows, a part of the rows, fresh sums and moves between clusters.
template <class T>
void sums(SimdLevel level) {
  Pages<T> pages;
  for (const std::int64_t cols : {1, 3, 8, 9, 17, 33}) {
    for (const std::int64_t clusters : {1, 2, 5, 14, 29}) {
      for (const std::int64_t rows : {1, 7, 16, 33, 100}) {
        for (int form = 0; form < 8; ++form) {
          const bool shifted = form & 1, weighted = form & 2, padded = form & 4;
          Points<T> points{rows, cols, integers<T>(rows * cols, -5, 5, 11), {}};
          if (weighted) points.weights = integers<T>(rows, 0, 3, 12);
          const auto shift = shifted ? integers<T>(cols, -20, 20, 13) : std::vector<T>{};
          const auto centers = integers<T>(clusters * cols, -5, 5, 14);
          const auto expected = closest_centers(points, centers);
          const auto where = shape<T>(level, rows, cols, clusters) + (shifted ? " shifted" : "") +
                             (weighted ? " weighted" : "") + (padded ? " padded" : "");
          const auto& kernels = kmeans_kernels<T>(level);

          AssignDense<T> a = arguments(level, pages, points, centers, cols + (padded ? 5 : 0), shift);
          const std::vector<std::int32_t> nowhere(rows, -1);
          set_sums(a, pages, sums_by_label(points, nowhere, clusters), true);
          kernels.assign_dense(a, 0, rows);
          CHECK_EQUAL(wrong_labels(a, expected), 0, where);
          check_sums(a, sums_by_label(points, expected, clusters), where + " fresh");

          // From labels of other centres: only the rows of a part move, and take their share of the sums with them.
          const auto before = closest_centers(points, integers<T>(clusters * cols, -5, 5, 15));
          const std::int64_t begin = rows / 3, end = rows - rows / 5;
          auto after = before;
          std::int64_t moved = 0;
          for (std::int64_t i = begin; i < end; ++i) {
            after[i] = expected[i];
            moved += expected[i] != before[i];
          }
          set_sums(a, pages, sums_by_label(points, before, clusters), false);
          std::copy(before.begin(), before.end(), a.labels);
          const AssignResult result = kernels.assign_dense(a, begin, end);
          CHECK_EQUAL(result.changed, moved, where);
          CHECK_EQUAL(result.compared, end - begin, where);
          CHECK_EQUAL(wrong_labels(a, after), 0, where + " part");
          check_sums(a, sums_by_label(points, after, clusters), where + " moved");
        }
      }
    }
  }
}

// Rows whose bounds let them be skipped have the labels that comparing them would give, through iterations of Lloyd's
// algorithm on numbers that do not sum exactly. Rows at an `offset` from the origin have distances that are mostly rounding
// error: bounds must allow for it.
template <class T>
void bounds(SimdLevel level, T offset) {
  Pages<T> skipping_pages, plain_pages;
  const auto& kernels = kmeans_kernels<T>(level);
  for (const std::int64_t cols : {1, 2, 7, 16, 19}) {
    for (const std::int64_t clusters : {1, 2, 12, 40}) {
      const std::int64_t rows = 1100;
      Points<T> points{rows, cols, normals<T>(rows * cols, 21), {}};
      for (T& x : points.values) x += offset;
      for (std::int64_t i = 0; i < rows; ++i) points.values[i * cols] += T(4 * (i % clusters));  // some structure
      std::vector<T> centers(points.values.begin(), points.values.begin() + clusters * cols);
      std::vector<double> drift(clusters, 0.0);
      std::vector<std::int32_t> labels(rows, -1);
      std::vector<T> expiry(rows, T(0));
      std::int64_t skipped = 0;
      const auto where = shape<T>(level, rows, cols, clusters) + " offset " + std::to_string(offset);
      for (int iteration = 0; iteration < 15; ++iteration) {
        AssignDense<T> a = arguments(level, skipping_pages, points, centers, cols);
        const AssignDense<T> plain = arguments(level, plain_pages, points, centers, cols);
        std::copy(labels.begin(), labels.end(), a.labels);
        std::copy(labels.begin(), labels.end(), plain.labels);
        std::vector<T> rounded(clusters);
        for (std::int64_t j = 0; j < clusters; ++j) {
          rounded[j] = std::nextafter(T(drift[j]), std::numeric_limits<T>::infinity());
        }
        a.bounds.expiry = skipping_pages.expiry.at_end(expiry);
        a.bounds.drift = skipping_pages.drift.at_end(rounded);
        a.bounds.skip = iteration > 0;
        a.bounds.error_unit = double(std::numeric_limits<T>::epsilon()) * double(cols + 4);
        a.bounds.max_center_norm = *std::max_element(a.center_norms, a.center_norms + clusters);
        const AssignResult with = kernels.assign_dense(a, 0, rows);
        const AssignResult without = kernels.assign_dense(plain, 0, rows);
        labels.assign(plain.labels, plain.labels + rows);
        CHECK_EQUAL(wrong_labels(a, labels), 0, where << " iteration " << iteration);
        CHECK_EQUAL(with.changed, without.changed, where << " iteration " << iteration);
        skipped += rows - with.compared;
        expiry.assign(a.bounds.expiry, a.bounds.expiry + rows);

        const PlainSums by = sums_by_label(points, labels, clusters);
        std::vector<double> moved(clusters, 0.0);
        for (std::int64_t j = 0; j < clusters; ++j) {
          if (by.weights[j] == 0) continue;
          std::vector<T> mean(cols);
          for (std::int64_t f = 0; f < cols; ++f) mean[f] = T(by.sums[j * cols + f] / by.weights[j]);
          moved[j] = std::sqrt(squared_distance(mean.data(), centers.data() + j * cols, cols));
          std::copy(mean.begin(), mean.end(), centers.begin() + j * cols);
        }
        for (std::int64_t j = 0; j < clusters; ++j) {
          double others = 0;
          for (std::int64_t o = 0; o < clusters; ++o) others = std::max(others, o == j ? 0.0 : moved[o]);
          drift[j] += moved[j] + others;
        }
      }
      // One cluster has no second closest centre and no bound: the drivers keep none then.
      if (clusters > 1 && offset == 0)
        CHECK(skipped > rows, where << ": only " << skipped << " rows skipped, the test shows nothing");
    }
  }
}

template <class T>
void all_of(SimdLevel level) {
  tail_sizes<T>(level);
  duplicate_centers<T>(level);
  sums<T>(level);
  // The larger ones leave f32 and f64 about three digits of a distance.
  for (const T offset : {T(0), sizeof(T) == 4 ? T(100) : T(1e6), sizeof(T) == 4 ? T(1000) : T(3e7)})
    bounds<T>(level, offset);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all_of<float>(level);
    all_of<double>(level);
  }
  return check::result();
}
