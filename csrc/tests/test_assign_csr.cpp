// Assignment of sparse rows at every level, against the closest centre found by plain loops on the same rows, dense.
#include <vector>

#include "cluster/kmeans.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"
#include "tests/sparse.hpp"

using namespace fastml;

namespace {

constexpr std::int64_t kWidestVector = 16;

template <class T>
void shapes(SimdLevel level) {
  Guarded<T> center_memory(1 << 15), norm_memory(1 << 12), score_memory(1 << 12), value_memory(1 << 15);
  Guarded<std::int32_t> index_memory(1 << 15), label_memory(1 << 12);
  const auto& kernels = kmeans_kernels<T>(level);
  const std::int64_t rows = 60;
  for (const std::int64_t cols : {1, 2, 5, 30}) {
    Points<T> points{rows, cols, integers<T>(rows * cols, -2, 2, unsigned(cols)), integers<T>(rows, 0, 3, 2)};
    std::fill(points.values.begin() + 7 * cols, points.values.begin() + 9 * cols, T(0));  // rows without stored values
    const SparsePoints<T> stored = sparse(points);
    for (std::int64_t clusters = 1; clusters <= 150; clusters += clusters < 40 ? 1 : 11) {
      const auto where = std::string(name(level)) + " f" + std::to_string(8 * sizeof(T)) +
                         " cols=" + std::to_string(cols) + " clusters=" + std::to_string(clusters);
      const auto centers = integers<T>(clusters * cols, -2, 2, unsigned(clusters));
      const auto expected = closest_centers(points, centers);
      const std::int64_t stride = (clusters + kWidestVector - 1) / kWidestVector * kWidestVector;
      std::vector<T> transposed(cols * stride, T(0)), norms(stride, T(0));
      for (std::int64_t j = 0; j < clusters; ++j) {
        for (std::int64_t f = 0; f < cols; ++f) {
          const T c = centers[j * cols + f];
          transposed[f * stride + j] = T(-2) * c;
          norms[j] += c * c;
        }
      }
      AssignCsr<T> a{};
      a.x = stored.csr();
      a.x.values = value_memory.at_end(stored.values);
      a.x.indices = index_memory.at_end(stored.indices);
      a.centers = center_memory.at_end(transposed);
      a.stride = stride;
      a.center_norms = norm_memory.at_end(norms);
      a.clusters = clusters;
      a.labels = label_memory.at_end(std::vector<std::int32_t>(rows, -1));
      a.scores = score_memory.at_end(stride);
      const auto labels = [&] { return std::vector<std::int32_t>(a.labels, a.labels + rows); };

      AssignResult result = kernels.assign_csr(a, 0, rows);
      CHECK(labels() == expected, where);
      CHECK_EQUAL(result.changed, rows, where);
      CHECK_EQUAL(result.compared, rows, where);

      a.weights = points.weights.data();
      PlainSums by = sums_by_label(points, std::vector<std::int32_t>(rows, -1), clusters);
      a.sums = {by.sums.data(), by.weights.data(), by.counts.data()};
      a.fresh_sums = true;
      result = kernels.assign_csr(a, 0, rows);
      CHECK_EQUAL(result.changed, 0, where);
      const PlainSums total = sums_by_label(points, expected, clusters);
      CHECK(by.sums == total.sums && by.weights == total.weights && by.counts == total.counts, where << " fresh");

      const auto before = closest_centers(points, integers<T>(clusters * cols, -2, 2, 3));
      std::copy(before.begin(), before.end(), a.labels);
      by = sums_by_label(points, before, clusters);
      a.sums = {by.sums.data(), by.weights.data(), by.counts.data()};
      a.fresh_sums = false;
      auto after = before;
      std::copy(expected.begin() + 5, expected.begin() + 41, after.begin() + 5);
      kernels.assign_csr(a, 5, 41);
      const PlainSums moved = sums_by_label(points, after, clusters);
      CHECK(labels() == after, where << " part");
      CHECK(by.sums == moved.sums && by.weights == moved.weights && by.counts == moved.counts, where << " moved");
    }
  }
}

void bounds_of_csr() {
  const double values[] = {1, 2, 3};
  const struct {
    std::int32_t indices[3], offsets[3];
    std::int64_t stored;
    bool inside;
  } cases[] = {
      {{0, 1, 2}, {0, 1, 3}, 3, true},  {{2, 2, 0}, {0, 0, 3}, 3, true},  {{0, 1, 2}, {0, 3, 3}, 3, true},
      {{0, 1, 2}, {1, 1, 3}, 3, true},  {{0, 1, 3}, {0, 1, 3}, 3, false}, {{0, -1, 2}, {0, 1, 3}, 3, false},
      {{0, 1, 2}, {0, 2, 1}, 3, false}, {{0, 1, 2}, {0, 1, 4}, 3, false}, {{0, 1, 2}, {-1, 1, 3}, 3, false},
      {{0, 1, 2}, {0, 1, 3}, 2, false}, {{9, 1, 2}, {1, 1, 3}, 3, true},
  };
  for (const auto& c : cases) {
    const Csr<double> x{values, c.indices, c.offsets, 2, 3};
    CHECK_EQUAL(in_bounds(x, c.stored), c.inside, "case " << &c - cases);
  }
  const Csr<double> x{values, cases[0].indices, cases[0].offsets, 2, 3};
  CHECK_EQUAL(squared_norm(x, 0), 1.0, "row 0");
  CHECK_EQUAL(squared_norm(x, 1), 13.0, "row 1");
}

}  // namespace

int main() {
  bounds_of_csr();
  for (const SimdLevel level : available_levels()) {
    shapes<float>(level);
    shapes<double>(level);
  }
  return check::result();
}
