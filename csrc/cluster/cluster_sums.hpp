// Moving rows between the sums of clusters. For level sources only.
//
// Sums are kept in double whatever T is. For f32 they are then exact to far below T's rounding, however many rows have come
// and gone; that is what allows adding only the rows that changed their label instead of summing all rows anew.
#pragma once

#include "cluster/kmeans.hpp"
#include "cluster/row_panel.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// sum += weight * (x - shift)
template <class T>
FASTML_INLINE void add_row(double* sum, const T* x, const T* shift, double weight, std::int64_t features) {
  for_each_run<kLanes<double>>(features, [&](auto width, std::int64_t f) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value;
    auto difference = load_run<N>(x + f);
    if (shift != nullptr) difference -= load_run<N>(shift + f);
    const auto wide = __builtin_convertvector(difference, typename VectorOf<double, N>::type);
    store_run<N>(sum + f, load_run<N>(sum + f) + weight * wide);
  });
}

template <class T>
FASTML_INLINE void add_row(double* sum, const Csr<T>& x, std::int64_t row, double weight) {
  for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) sum[x.indices[p]] += weight * double(x.values[p]);
}

FASTML_INLINE void add_weight(const ClusterSums& to, std::int32_t cluster, double weight, int rows) {
  to.weights[cluster] += weight;
  to.counts[cluster] += weight != 0 ? rows : 0;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
