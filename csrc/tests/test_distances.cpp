// Distances to candidates and to centres, and inertia, at every level, against plain loops. Where data are small integers
// results are exact. X lies against an unmapped page.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/kmeans.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/plain_kmeans.hpp"
#include "tests/samples.hpp"
#include "tests/sparse.hpp"

using namespace fastml;

namespace {

constexpr std::int64_t kWidestVector = 16;
constexpr std::int64_t kMostRows = 67;

template <class T>
std::string shape(SimdLevel level, std::int64_t rows, std::int64_t cols, std::int64_t centers) {
  return std::string(name(level)) + " f" + std::to_string(8 * sizeof(T)) + " rows=" + std::to_string(rows) +
         " cols=" + std::to_string(cols) + " centers=" + std::to_string(centers);
}

template <class T>
struct Packed {
  Packed(SimdLevel level, const std::vector<T>& centers, std::int64_t cols)
      : count(std::int64_t(centers.size()) / cols), memory(1 << 15), norm_memory(1 << 12), panel_memory(1 << 14) {
    const auto& kernels = kmeans_kernels<T>(level);
    packed = memory.at_end(count * cols);
    norms = norm_memory.at_end(count);
    panel = panel_memory.at_end(kernels.panel_size_f64(cols));
    kernels.pack_centers_f64(centers.data(), count, cols, packed, norms);
  }
  std::int64_t count;
  Guarded<double> memory, norm_memory, panel_memory;
  double *packed, *norms, *panel;
};

// Rows at the end of `memory`, `stride` apart, the padding NaN, the shift added.
template <class T>
Rows<const T> place(Guarded<T>& memory, const Points<T>& points, std::int64_t stride, const T* shift) {
  T* x = memory.at_end((points.rows - 1) * stride + points.cols);
  for (std::int64_t i = 0; i < points.rows; ++i) {
    for (std::int64_t f = 0; f < (i + 1 < points.rows ? stride : points.cols); ++f) {
      x[i * stride + f] =
          f < points.cols ? points.row(i)[f] + (shift ? shift[f] : T(0)) : std::numeric_limits<T>::quiet_NaN();
    }
  }
  return {x, points.rows, points.cols, stride};
}

template <class T>
void candidates(SimdLevel level) {
  Guarded<T> memory(1 << 15), out_memory(1 << 14), closest_memory(1 << 12);
  for (const std::int64_t cols : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31}) {
    const Points<T> points{kMostRows, cols, integers<T>(kMostRows * cols, -6, 6, unsigned(cols)), {}};
    const auto closest = integers<T>(kMostRows, 0, 40 * int(cols), 1);
    std::vector<T> shift = integers<T>((cols + kWidestVector - 1) / kWidestVector * kWidestVector, -9, 9, 2);
    for (const std::int64_t count : {1, 2, 3, 5, 6, 7, 13, 14, 15, 30}) {
      const auto centers = integers<T>(count * cols, -6, 6, unsigned(100 + count));
      Packed<T> packed(level, centers, cols);
      for (const std::int64_t rows : {1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 67}) {
        const bool shifted = rows % 2 == 0, limited = rows % 3 == 0;
        const Points<T> leading{rows, cols, {points.values.begin(), points.values.begin() + rows * cols}, {}};
        CandidateDistances<T> a{};
        a.x = place(memory, leading, cols + (rows % 5 == 0 ? 3 : 0), shifted ? shift.data() : nullptr);
        a.shift = shifted ? shift.data() : nullptr;
        a.candidates = packed.packed;
        a.candidate_norms = packed.norms;
        a.count = count;
        a.closest = limited ? closest_memory.at_end(std::vector<T>(closest.begin(), closest.begin() + rows)) : nullptr;
        a.out_stride = rows + 2;
        T* out = out_memory.at_end((count - 1) * a.out_stride + rows);
        std::fill(out, out + (count - 1) * a.out_stride + rows, T(-1));
        a.out = out;
        a.panel = packed.panel;
        const std::int64_t begin = rows / 4;
        kmeans_kernels<T>(level).candidate_distances(a, begin, rows);
        std::int64_t wrong = 0;
        for (std::int64_t t = 0; t < count; ++t) {
          for (std::int64_t i = 0; i < (t + 1 < count ? a.out_stride : rows); ++i) {
            T expected = T(-1);
            if (i >= begin && i < rows) {
              expected = T(squared_distance(leading.row(i), centers.data() + t * cols, cols));
              if (limited) expected = std::min(expected, closest[i]);
            }
            wrong += out[t * a.out_stride + i] != expected;
          }
        }
        CHECK_EQUAL(wrong, 0, shape<T>(level, rows, cols, count));
      }
    }
  }
}

template <class T>
void centers(SimdLevel level) {
  Guarded<T> memory(1 << 15), out_memory(1 << 14);
  for (const std::int64_t cols : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31}) {
    const Points<T> points{kMostRows, cols, integers<T>(kMostRows * cols, -6, 6, unsigned(cols)), {}};
    for (const std::int64_t clusters : {1, 2, 5, 6, 7, 13, 14, 15, 29}) {
      const auto values = integers<T>(clusters * cols, -6, 6, unsigned(100 + clusters));
      Packed<T> packed(level, values, cols);
      for (const std::int64_t rows : {1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 67}) {
        const Points<T> leading{rows, cols, {points.values.begin(), points.values.begin() + rows * cols}, {}};
        T* out = out_memory.at_end(rows * clusters);
        std::fill(out, out + rows * clusters, T(-1));
        CenterDistances<T> a{};
        a.x = place<T>(memory, leading, cols + (rows % 3 == 0 ? 2 : 0), nullptr);
        a.centers = packed.packed;
        a.center_norms = packed.norms;
        a.clusters = clusters;
        a.out = out;
        a.panel = packed.panel;
        const std::int64_t begin = rows / 4;
        kmeans_kernels<T>(level).center_distances(a, begin, rows);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < clusters; ++j) {
            const double squared = squared_distance(leading.row(i), values.data() + j * cols, cols);
            wrong += out[i * clusters + j] != (i < begin ? T(-1) : T(std::sqrt(squared)));
          }
        }
        CHECK_EQUAL(wrong, 0, shape<T>(level, rows, cols, clusters));
      }
    }
  }
}

// The distance from a row to itself is zero, not a rounding error, whatever the numbers and the order of summation.
template <class T>
void own_distance_is_zero(SimdLevel level) {
  const auto& kernels = kmeans_kernels<T>(level);
  for (const std::int64_t cols : {1, 3, 8, 31, 100}) {
    const std::int64_t rows = 41;
    const auto x = normals<T>(rows * cols, unsigned(cols));
    Packed<T> packed(level, x, cols);
    std::vector<T> distances(rows * rows), squared(rows * rows);
    kernels.center_distances(
        {{x.data(), rows, cols, cols}, packed.packed, packed.norms, rows, distances.data(), packed.panel}, 0, rows);
    kernels.candidate_distances({{x.data(), rows, cols, cols},
                                 nullptr,
                                 packed.packed,
                                 packed.norms,
                                 rows,
                                 nullptr,
                                 squared.data(),
                                 rows,
                                 packed.panel},
                                0, rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      CHECK_EQUAL(distances[i * rows + i], T(0), shape<T>(level, rows, cols, rows) << " row " << i);
      CHECK_EQUAL(squared[i * rows + i], T(0), shape<T>(level, rows, cols, rows) << " row " << i);
    }
  }
}

template <class T>
void sparse_rows(SimdLevel level) {
  Guarded<double> table_memory(1 << 14), norm_memory(1 << 12), out_memory(1 << 12);
  const std::int64_t rows = 12;
  for (const std::int64_t cols : {1, 4, 19}) {
    const SparsePoints<T> points = sparse(Points<T>{rows, cols, integers<T>(rows * cols, -2, 2, unsigned(cols)), {}});
    for (std::int64_t count = 1; count <= 200; count += count < 40 ? 1 : 13) {
      const auto centers = integers<T>(count * cols, -2, 2, unsigned(count));
      const std::int64_t stride = (count + kWidestVector - 1) / kWidestVector * kWidestVector;
      std::vector<double> table(cols * stride, 0.0), norms(stride, 0.0);
      for (std::int64_t j = 0; j < count; ++j) {
        for (std::int64_t f = 0; f < cols; ++f) {
          const double c = double(centers[j * cols + f]);
          table[f * stride + j] = -2 * c;
          norms[j] += c * c;
        }
      }
      double* out = out_memory.at_end(stride);
      for (std::int64_t i = 0; i < rows; ++i) {
        kmeans_kernels<T>(level).csr_distances(points.csr(), i, squared_norm(points.csr(), i),
                                               table_memory.at_end(table), norm_memory.at_end(norms), stride, out);
        std::int64_t wrong = 0;
        for (std::int64_t j = 0; j < count; ++j) {
          wrong += out[j] != squared_distance(points.dense.row(i), centers.data() + j * cols, cols);
        }
        CHECK_EQUAL(wrong, 0, shape<T>(level, rows, cols, count) << " row " << i);
      }
      // Rounding may leave less than nothing of a distance: it is 0 then.
      kmeans_kernels<T>(level).csr_distances(points.csr(), 0, -1e6, table_memory.at_end(table),
                                             norm_memory.at_end(norms), stride, out);
      CHECK(std::all_of(out, out + count, [](double x) { return x == 0.0; }), shape<T>(level, rows, cols, count));
    }
  }
}

template <class T>
void inertia(SimdLevel level) {
  Guarded<T> memory(1 << 15), center_memory(1 << 12), shift_memory(1 << 12), each_memory(1 << 12),
      weight_memory(1 << 12);
  Guarded<std::int32_t> label_memory(1 << 12);
  const std::int64_t rows = 23, clusters = 4;
  for (std::int64_t cols = 1; cols <= 70; ++cols) {
    const Points<T> points{rows, cols, integers<T>(rows * cols, -6, 6, unsigned(cols)), integers<T>(rows, 0, 3, 1)};
    const auto values = integers<T>(clusters * cols, -6, 6, 2);
    const auto shift = integers<T>((cols + kWidestVector - 1) / kWidestVector * kWidestVector, -9, 9, 3);
    const auto labels = integers<std::int32_t>(rows, 0, clusters - 1, 4);
    for (int form = 0; form < 8; ++form) {
      const bool shifted = form & 1, weighted = form & 2, wanted = form & 4;
      const Rows<const T> x = place(memory, points, cols + form, shifted ? shift.data() : nullptr);
      T* each = each_memory.at_end(std::vector<T>(rows, T(-1)));
      const std::int64_t begin = 3, end = 20;
      const double sum = kmeans_kernels<T>(level).inertia_dense(
          x, shifted ? shift_memory.at_end(shift) : nullptr, weighted ? weight_memory.at_end(points.weights) : nullptr,
          center_memory.at_end(values), label_memory.at_end(labels), begin, end, wanted ? each : nullptr);
      double expected = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        const double squared = squared_distance(points.row(i), values.data() + labels[i] * cols, cols);
        const bool inside = i >= begin && i < end;
        if (inside) expected += squared * (weighted ? points.weight(i) : 1.0);
        CHECK_EQUAL(each[i], inside && wanted ? T(squared) : T(-1),
                    shape<T>(level, rows, cols, clusters) << " row " << i);
      }
      CHECK_EQUAL(sum, expected, shape<T>(level, rows, cols, clusters) << " form " << form);
    }
  }
}

template <class T>
void all_of(SimdLevel level) {
  candidates<T>(level);
  centers<T>(level);
  own_distance_is_zero<T>(level);
  sparse_rows<T>(level);
  inertia<T>(level);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all_of<float>(level);
    all_of<double>(level);
  }
  return check::result();
}
