// Assignment of sparse rows to their closest centres. For level sources only.
//
// Centres are held transposed, features x clusters: a stored value x_f of a row then adds x_f times a contiguous run of
// -2 c_f to the scores of all clusters. Up to 8 vectors of scores stay in registers.
#pragma once

#include "cluster/cluster_sums.hpp"

namespace fastml {
namespace FASTML_LEVEL {

inline constexpr int kCsrVectors = 8;

// out[j] = start[j] + sum over the row's stored values of x_f * table[f * stride + j], j in [first, first + NV vectors).
template <class Acc, int NV, class T>
FASTML_INLINE void accumulate_run(const Csr<T>& x, std::int64_t row, const Acc* table, std::int64_t stride,
                                  const Acc* start, std::int64_t first, Acc* out) {
  vec<Acc> sum[NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) sum[v] = load(start + first + v * kLanes<Acc>);
  for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) {
    const Acc value = Acc(x.values[p]);
    const Acc* entries = table + x.indices[p] * stride + first;
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) sum[v] += value * load(entries + v * kLanes<Acc>);
  }
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) store(out + first + v * kLanes<Acc>, sum[v]);
}

// The same for all j in [0, stride), a multiple of the vector length.
template <class Acc, class T>
FASTML_INLINE void accumulate_row(const Csr<T>& x, std::int64_t row, const Acc* table, std::int64_t stride,
                                  const Acc* start, Acc* out) {
  std::int64_t first = 0;
  constexpr std::int64_t wide = kCsrVectors * kLanes<Acc>;
  for (; first + wide <= stride; first += wide)
    accumulate_run<Acc, kCsrVectors>(x, row, table, stride, start, first, out);
  constexpr std::int64_t pair = 2 * kLanes<Acc>;
  for (; first + pair <= stride; first += pair) accumulate_run<Acc, 2>(x, row, table, stride, start, first, out);
  for (; first < stride; first += kLanes<Acc>) accumulate_run<Acc, 1>(x, row, table, stride, start, first, out);
}

// Squared distances of one row, in double; `norms` and `out` have `stride` elements.
template <class T>
void csr_distances(const Csr<T>& x, std::int64_t row, double row_norm, const double* table, const double* norms,
                   std::int64_t stride, double* out) {
  accumulate_row(x, row, table, stride, norms, out);
  for (std::int64_t j = 0; j < stride; j += kLanes<double>) {
    store(out + j, maximum<double>(load(out + j) + row_norm, vec<double>{}));
  }
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
  for (std::int64_t row = begin; row < end; ++row) {
    accumulate_row(a.x, row, a.centers, a.stride, a.center_norms, a.scores);
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
