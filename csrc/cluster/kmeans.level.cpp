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

// a * b + c with the rounding that the product's vectors have. The compiler may not be left to choose: it vectorises sums like
// the one below into products that are rounded before they are added.
double multiply_add(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

template <class T>
void pack_centers_f64(const T* centers, std::int64_t clusters, std::int64_t features, double* packed, double* norms) {
  pack_center_tiles(centers, clusters, features, packed);
  for (std::int64_t j = 0; j < clusters; ++j) {
    double norm = 0;
    for (std::int64_t f = 0; f < features; ++f) {
      const double c = double(centers[j * features + f]);
      norm = multiply_add(c, c, norm);
    }
    norms[j] = norm;
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
