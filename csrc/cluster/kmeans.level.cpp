// The table of k-means loops at one SIMD level.
#include "cluster/kmeans.hpp"

#include "cluster/assign_csr.hpp"
#include "cluster/assign_dense.hpp"
#include "cluster/distances.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

template <class Acc>
std::int64_t panel_size(std::int64_t features) {
  return features * kTileCols<Acc>;
}

template <class T>
void pack_centers_f64(const T* centers, std::int64_t clusters, std::int64_t features, double* packed, double* norms) {
  pack_center_tiles(centers, clusters, features, packed);
  // In vectors, from -2 c as the product reads it: the compiler then rounds these sums as it rounds the product's, fused or
  // not. A scalar loop it may vectorise into products that are rounded before they are added.
  const CenterTiles tiles = center_tiles(clusters);
  for (std::int64_t t = 0; t < tiles.count; ++t) {
    const std::int64_t begin = tiles.begin(t);
    const std::int64_t height = tiles.begin(t + 1) - begin;
    for (std::int64_t i = 0; i < height; i += kLanes<double>) {
      const int count = int(height - i < kLanes<double> ? height - i : kLanes<double>);
      vec<double> sum{};
      for (std::int64_t f = 0; f < features; ++f) {
        const vec<double> c = load_partial(packed + begin * features + f * height + i, count);
        sum += c * c;
      }
      store_partial(norms + begin + i, 0.25 * sum, count);
    }
  }
}

template <class T>
double inertia_dense(Rows<const T> x, const T* shift, const T* weights, const T* centers, const std::int32_t* labels,
                     std::int64_t begin, std::int64_t end, T* each) {
  double total = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const T* row = x.data + i * x.stride;
    const T* center = centers + labels[i] * x.cols;
    vec<T> sum{};
    T squared = 0;
    for_each_run<kLanes<T>>(x.cols, [&](auto width, std::int64_t f) __attribute__((always_inline)) {
      constexpr int N = decltype(width)::value;
      auto difference = load_run<N>(row + f);
      if (shift != nullptr) difference -= load_run<N>(shift + f);
      difference -= load_run<N>(center + f);
      if constexpr (N == kLanes<T>) {
        sum += difference * difference;
      } else {
        squared += sum_run<N, T>(difference * difference);
      }
    });
    squared += reduce_add<T>(sum);
    if (each != nullptr) each[i] = squared;
    total += double(squared) * (weights ? double(weights[i]) : 1.0);
  }
  return total;
}

template <class T>
constexpr KMeansKernels<T> table() {
  return {panel_size<T>, panel_size<double>, pack_center_tiles<T, T>, pack_centers_f64<T>, assign_dense<T>,
          assign_csr<T>, csr_distances<T>,   candidate_distances<T>,  center_distances<T>, inertia_dense<T>};
}

}  // namespace

extern const KMeansKernels<float> kmeans_table_f32;
extern const KMeansKernels<double> kmeans_table_f64;
const KMeansKernels<float> kmeans_table_f32 = table<float>();
const KMeansKernels<double> kmeans_table_f64 = table<double>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
