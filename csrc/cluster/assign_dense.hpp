// Assignment of dense rows to their closest centres: bounds filter, packed panels, fused arg-min. For level sources only.
#pragma once

#include "cluster/cluster_sums.hpp"
#include "cluster/nearest.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// One panel's worth of results, spilled from registers.
template <class T>
struct PanelResult {
  alignas(64) T best[kTileCols<T>];
  alignas(64) T second[kTileCols<T>];
  alignas(64) T norm[kTileCols<T>];
  alignas(64) Integer<T> label[kTileCols<T>];
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

// Compares rows[0..count) (indices into X, ascending) with all centres and records the outcome.
template <class T>
FASTML_INLINE std::int64_t assign_panel(const AssignDense<T>& a, const std::int64_t* rows, int count) {
  const T* pointers[kTileCols<T>];
  for (int r = 0; r < count; ++r) pointers[r] = a.x.data + rows[r] * a.x.stride;
  const T* end = a.x.data + (a.x.rows - 1) * a.x.stride + a.x.cols;
  pack_rows(pointers, count, a.x.cols, a.shift, end, a.panel);

  const bool bounded = a.bounds.expiry != nullptr;
  const bool narrow = count <= kLanes<T>;
  PanelResult<T> result;
  if (bounded) {
    narrow ? compare_panel<T, 1, true>(a, result) : compare_panel<T, kTileVectors, true>(a, result);
    T gap[kTileCols<T>];
    gaps(a.bounds, result, gap);
    for (int r = 0; r < count; ++r) {
      const T drift = a.bounds.drift[result.label[r]];
      a.bounds.expiry[rows[r]] = gap[r] + drift - kBoundSlack<T> * ((gap[r] > 0 ? gap[r] : -gap[r]) + drift);
    }
  } else {
    narrow ? compare_panel<T, 1, false>(a, result) : compare_panel<T, kTileVectors, false>(a, result);
  }

  std::int64_t changed = 0;
  for (int r = 0; r < count; ++r) {
    const std::int64_t row = rows[r];
    const std::int32_t label = std::int32_t(result.label[r]);
    const std::int32_t previous = a.labels[row];
    const bool moved = label != previous;
    changed += moved;
    if (a.sums.sums != nullptr && (moved || a.fresh_sums)) {
      const double weight = a.weights ? double(a.weights[row]) : 1.0;
      if (!a.fresh_sums) {
        add_row(a.sums.sums + previous * a.x.cols, pointers[r], a.shift, -weight, a.x.cols);
        add_weight(a.sums, previous, -weight, -1);
      }
      add_row(a.sums.sums + label * a.x.cols, pointers[r], a.shift, weight, a.x.cols);
      add_weight(a.sums, label, weight, 1);
    }
    a.labels[row] = label;
  }
  return changed;
}

template <class T>
AssignResult assign_dense(const AssignDense<T>& a, std::int64_t begin, std::int64_t end) {
  std::int64_t selected = 0;
  if (a.bounds.expiry != nullptr && a.bounds.skip && !a.fresh_sums) {
    for (std::int64_t i = begin; i < end; ++i) {
      a.selected[selected] = i;
      selected += !(a.bounds.expiry[i] > a.bounds.drift[a.labels[i]]);
    }
  } else {
    for (std::int64_t i = begin; i < end; ++i) a.selected[selected++] = i;
  }
  AssignResult result{0, selected};
  for (std::int64_t i = 0; i < selected; i += kTileCols<T>) {
    const std::int64_t left = selected - i;
    result.changed += assign_panel(a, a.selected + i, int(left < kTileCols<T> ? left : kTileCols<T>));
  }
  return result;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
