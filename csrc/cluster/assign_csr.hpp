// Assignment of sparse rows to their closest centres. For level sources only.
//
// Centres are held transposed, features x clusters: a stored value x_f of a row then adds x_f times a contiguous run of
// -2 c_f to the scores of all clusters. Up to 8 vectors of scores stay in registers.
#pragma once

#include "cluster/cluster_sums.hpp"

namespace fastml {
namespace FASTML_LEVEL {

inline constexpr int kCsrVectors = 8;

template <class T, int NV>
FASTML_INLINE void score_clusters(const AssignCsr<T>& a, std::int64_t row, std::int64_t first) {
  vec<T> score[NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) score[v] = load(a.center_norms + first + v * kLanes<T>);
  for (std::int32_t p = a.x.offsets[row]; p < a.x.offsets[row + 1]; ++p) {
    const T x = a.x.values[p];
    const T* centers = a.centers + a.x.indices[p] * a.stride + first;
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) score[v] += x * load(centers + v * kLanes<T>);
  }
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) store(a.scores + first + v * kLanes<T>, score[v]);
}

// The cluster of least score, lowest index first among equals.
template <class T>
FASTML_INLINE std::int32_t least_score(const T* scores, std::int64_t clusters) {
  std::int32_t label = 0;
  T best = scores[0];
  for (std::int64_t j = 1; j < clusters; ++j) {
    if (scores[j] < best) {
      best = scores[j];
      label = std::int32_t(j);
    }
  }
  return label;
}

template <class T>
AssignResult assign_csr(const AssignCsr<T>& a, std::int64_t begin, std::int64_t end) {
  AssignResult result{0, end - begin};
  constexpr std::int64_t wide = kCsrVectors * kLanes<T>;
  for (std::int64_t row = begin; row < end; ++row) {
    std::int64_t first = 0;
    for (; first + wide <= a.stride; first += wide) score_clusters<T, kCsrVectors>(a, row, first);
    for (; first + 2 * kLanes<T> <= a.stride; first += 2 * kLanes<T>) score_clusters<T, 2>(a, row, first);
    for (; first < a.stride; first += kLanes<T>) score_clusters<T, 1>(a, row, first);
    const std::int32_t label = least_score(a.scores, a.clusters);
    const std::int32_t previous = a.labels[row];
    const bool moved = label != previous;
    result.changed += moved;
    if (a.sums.sums != nullptr && (moved || a.fresh_sums)) {
      const double weight = a.weights ? double(a.weights[row]) : 1.0;
      if (!a.fresh_sums) {
        add_row(a.sums.sums + previous * a.x.cols, a.x, row, -weight);
        add_weight(a.sums, previous, -weight, -1);
      }
      add_row(a.sums.sums + label * a.x.cols, a.x, row, weight);
      add_weight(a.sums, label, weight, 1);
    }
    a.labels[row] = label;
  }
  return result;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
