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
  constexpr int lanes = kLanes<double>;
  std::int64_t f = 0;
  for (; f + lanes <= features; f += lanes) {
    store(sum + f, load(sum + f) + weight * load_shifted<double>(x + f, shift ? shift + f : nullptr));
  }
  for (; f < features; ++f) sum[f] += weight * double(T(x[f] - (shift ? shift[f] : T(0))));
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
