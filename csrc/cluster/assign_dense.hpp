// Assignment of dense rows to their closest centres: bounds filter, packed panels, fused arg-min. For level sources only.
#pragma once

#include "cluster/cluster_sums.hpp"
#include "cluster/nearest.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// One panel's worth of results, spilled from registers; zeros where a narrow panel has no rows.
template <class T>
struct PanelResult {
  alignas(64) T best[kTileCols<T>] = {};
  alignas(64) T second[kTileCols<T>] = {};
  alignas(64) T norm[kTileCols<T>] = {};
  alignas(64) Integer<T> label[kTileCols<T>] = {};
};

template <class T, int NV, bool Second>
__attribute__((noinline)) void compare_panel(const AssignDense<T>& a, PanelResult<T>& result) {
  Nearest<T, NV, Second> nearest;
  find_nearest(a.panel, a.x.cols, a.centers, a.center_norms, a.clusters, nearest);
  for (int v = 0; v < NV; ++v) {
    std::memcpy(result.label + v * kLanes<T>, &nearest.label[v], sizeof(ivec<T>));
    if constexpr (Second) {
      store(result.best + v * kLanes<T>, nearest.best[v]);
      store(result.second + v * kLanes<T>, nearest.second[v]);
      store(result.norm + v * kLanes<T>, squared_norms(a.panel, a.x.cols, v));
    }
  }
}

// Unit roundoff, with room for the few operations of the bound itself.
template <class T>
inline constexpr T kBoundSlack = sizeof(T) == 4 ? T(5e-7) : T(1e-15);

// Gap between the two closest centres' distances, rounded down: every squared distance may be off by `error`.
template <class T>
FASTML_INLINE void gaps(const Bounds<T>& bounds, const PanelResult<T>& r, T (&gap)[kTileCols<T>]) {
  const T unit = T(bounds.error_unit);
  for (int i = 0; i < kTileCols<T>; ++i) {
    const T error = unit * (r.norm[i] + bounds.max_center_norm);
    const T far = r.second[i] + r.norm[i] - error;
    const T near = r.best[i] + r.norm[i];
    const T lower = __builtin_sqrt(far > T(0) ? far : T(0));
    const T upper = __builtin_sqrt((near > T(0) ? near : T(0)) + error);
    gap[i] = lower - upper - kBoundSlack<T> * (lower + upper);
  }
}

// Row number r of a panel, as an index into X.
struct ConsecutiveIndex {
  std::int64_t first;
  FASTML_INLINE std::int64_t operator()(int r) const { return first + r; }
};
struct ListedIndex {
  const std::int64_t* index;
  FASTML_INLINE std::int64_t operator()(int r) const { return index[r]; }
};

// Compares `count` rows, in ascending order, with all centres and records the outcome.
template <class T, class RowsOf, class IndexOf>
FASTML_INLINE std::int64_t assign_panel(const AssignDense<T>& a, const RowsOf& rows, const IndexOf& index, int count) {
  const T* end = a.x.data + (a.x.rows - 1) * a.x.stride + a.x.cols;
  pack_rows(rows, count, a.x.cols, a.shift, end, a.panel);

  const bool narrow = count <= kLanes<T>;
  PanelResult<T> result;
  if (a.bounds.expiry != nullptr) {
    narrow ? compare_panel<T, 1, true>(a, result) : compare_panel<T, kTileVectors, true>(a, result);
    T gap[kTileCols<T>];
    gaps(a.bounds, result, gap);
    for (int r = 0; r < count; ++r) {
      const T drift = a.bounds.drift[result.label[r]];
      a.bounds.expiry[index(r)] = gap[r] + drift - kBoundSlack<T> * (__builtin_fabs(gap[r]) + drift);
    }
  } else {
    narrow ? compare_panel<T, 1, false>(a, result) : compare_panel<T, kTileVectors, false>(a, result);
  }

  std::int64_t changed = 0;
  for (int r = 0; r < count; ++r) changed += a.labels[index(r)] != std::int32_t(result.label[r]);
  const bool add = a.sums.sums != nullptr && (a.fresh_sums || changed != 0);
  for (int r = 0; add && r < count; ++r) {
    const std::int64_t row = index(r);
    const std::int32_t label = std::int32_t(result.label[r]);
    const std::int32_t previous = a.labels[row];
    if (!a.fresh_sums && label == previous) continue;
    const double weight = a.weights ? double(a.weights[row]) : 1.0;
    if (!a.fresh_sums) {
      add_row(a.sums.sums + previous * a.x.cols, rows(r), a.shift, -weight, a.x.cols);
      add_weight(a.sums, previous, -weight, -1);
    }
    add_row(a.sums.sums + label * a.x.cols, rows(r), a.shift, weight, a.x.cols);
    add_weight(a.sums, label, weight, 1);
  }
  if (changed != 0) {
    for (int r = 0; r < count; ++r) a.labels[index(r)] = std::int32_t(result.label[r]);
  }
  return changed;
}

// Rows of [begin, end) whose bounds do not prove that their label stands.
template <class T>
FASTML_INLINE std::int64_t select_rows(const AssignDense<T>& a, std::int64_t begin, std::int64_t end) {
  const T* const expiry = a.bounds.expiry;
  const T* const drift = a.bounds.drift;
  const std::int32_t* const labels = a.labels;
  std::int64_t* const selected = a.selected;
  std::int64_t count = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    selected[count] = i;
    count += !(expiry[i] > drift[labels[i]]);
  }
  return count;
}

// Asks for the rows of the next panel while this one is computed: picked rows lie where no hardware prefetcher looks. It
// follows a row once its first lines have come.
template <class T>
FASTML_INLINE void prefetch_rows(const AssignDense<T>& a, const std::int64_t* index, std::int64_t count) {
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t r = 0; r < count && r < kTileCols<T>; ++r) {
    const T* row = a.x.data + index[r] * a.x.stride;
    __builtin_prefetch(row);
    if (a.x.cols > line) __builtin_prefetch(row + line);
  }
}

template <class T>
AssignResult assign_dense(const AssignDense<T>& a, std::int64_t begin, std::int64_t end) {
  AssignResult result{0, end - begin};
  if (a.bounds.expiry != nullptr && a.bounds.skip && !a.fresh_sums) {
    result.compared = select_rows(a, begin, end);
  }
  if (result.compared == end - begin) {
    for (std::int64_t i = begin; i < end; i += kTileCols<T>) {
      const int count = int(end - i < kTileCols<T> ? end - i : kTileCols<T>);
      const ConsecutiveRows<T> rows{a.x.data + i * a.x.stride, a.x.stride};
      result.changed += assign_panel(a, rows, ConsecutiveIndex{i}, count);
    }
  } else {
    for (std::int64_t i = 0; i < result.compared; i += kTileCols<T>) {
      const int count = int(result.compared - i < kTileCols<T> ? result.compared - i : kTileCols<T>);
      const ListedRows<T> rows{a.x.data, a.x.stride, a.selected + i};
      prefetch_rows(a, a.selected + i + count, result.compared - i - count);
      result.changed += assign_panel(a, rows, ListedIndex{a.selected + i}, count);
    }
  }
  return result;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
