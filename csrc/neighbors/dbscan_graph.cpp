#include "neighbors/dbscan_graph.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "neighbors/compensated_sum.hpp"

namespace fastml::neighbors {
namespace {

// Entries of a row that are looked at before asking whether that was enough.
constexpr std::int64_t kEntriesAtOnce = 1024;

// Rows whose neighbours are added up by a thread before it asks whether to stop, and entries of rows that are walked.
constexpr std::int64_t kRowsAtOnce = 16;
constexpr std::int64_t kEntriesAskedOnce = 1 << 16;

template <class T>
struct MatrixRows {
  Rows<const T> distances;
  std::int64_t rows() const { return distances.rows; }
  std::int64_t begin(std::int64_t) const { return 0; }
  std::int64_t end(std::int64_t) const { return distances.cols; }
  T value(std::int64_t row, std::int64_t entry) const { return distances.data[row * distances.stride + entry]; }
  std::int64_t column(std::int64_t entry) const { return entry; }
};

template <class T, class Index>
struct GraphRows {
  DistanceGraph<T, Index> graph;
  std::int64_t rows() const { return graph.rows; }
  std::int64_t begin(std::int64_t row) const { return graph.offsets[row]; }
  std::int64_t end(std::int64_t row) const { return graph.offsets[row + 1]; }
  T value(std::int64_t, std::int64_t entry) const { return graph.values[entry]; }
  std::int64_t column(std::int64_t entry) const { return graph.columns[entry]; }
};

template <class Entries>
bool is_core(const Entries& entries, std::int64_t row, const DbscanTask& task, bool only_adds) {
  const std::int64_t end = entries.end(row);
  std::int64_t count = 0;
  CompensatedSum sum;
  for (std::int64_t from = entries.begin(row); from < end; from += kEntriesAtOnce) {
    const std::int64_t to = std::min(end, from + kEntriesAtOnce);
    if (task.weights == nullptr) {
      for (std::int64_t e = from; e < to; ++e) count += double(entries.value(row, e)) <= task.eps;
    } else {
      for (std::int64_t e = from; e < to; ++e) {
        if (double(entries.value(row, e)) <= task.eps) sum.add(task.weights[entries.column(e)]);
      }
    }
    const bool enough = (task.weights == nullptr ? double(count) : sum.value()) >= task.min_samples;
    if (only_adds && enough) return true;
    if (to == end) return enough;
  }
  return 0 >= task.min_samples;  // a row without entries
}

template <class Entries>
bool find_cores(const Entries& entries, const DbscanTask& task, std::uint8_t* core) {
  const bool only_adds = task.weights == nullptr ||
                         std::all_of(task.weights, task.weights + entries.rows(), [](double w) { return w >= 0; });
  std::atomic<bool> stopped{false};
  const std::int64_t shares = (entries.rows() + kRowsAtOnce - 1) / kRowsAtOnce;
  const int team = int(std::clamp<std::int64_t>(shares, 1, std::max(task.threads, 1)));
  std::atomic<std::int64_t> next{0};
#pragma omp parallel for num_threads(team) if (team > 1) schedule(static, 1)
  for (int thread = 0; thread < team; ++thread) {
    for (std::int64_t share; !stopped && (share = next.fetch_add(1, std::memory_order_relaxed)) < shares;) {
      const std::int64_t end = std::min(entries.rows(), (share + 1) * kRowsAtOnce);
      for (std::int64_t row = share * kRowsAtOnce; row < end; ++row) {
        core[row] = is_core(entries, row, task, only_adds);
      }
      if (thread == 0 && task.stop != nullptr && task.stop()) stopped = true;
    }
  }
  return !stopped;
}

template <class Entries>
bool walk(const Entries& entries, const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
  if (!find_cores(entries, task, core)) return false;
  std::fill_n(labels, entries.rows(), std::int64_t(-1));
  std::vector<std::int64_t> waiting;  // core rows that have their label; each waits once
  std::int64_t label = 0, looked_at = 0;
  for (std::int64_t first = 0; first < entries.rows(); ++first) {
    if (labels[first] != -1 || core[first] == 0) continue;
    labels[first] = label;
    waiting.push_back(first);
    while (!waiting.empty()) {
      const std::int64_t row = waiting.back();
      waiting.pop_back();
      const std::int64_t begin = entries.begin(row), end = entries.end(row);
      for (std::int64_t e = begin; e < end; ++e) {
        if (!(double(entries.value(row, e)) <= task.eps)) continue;
        const std::int64_t other = entries.column(e);
        if (labels[other] != -1) continue;
        labels[other] = label;
        if (core[other] != 0) waiting.push_back(other);
      }
      looked_at += end - begin;
      if (looked_at < kEntriesAskedOnce) continue;
      looked_at = 0;
      if (task.stop != nullptr && task.stop()) return false;
    }
    ++label;
  }
  return true;
}

}  // namespace

template <class T>
bool dbscan_matrix(const Rows<const T>& distances, const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
  return walk(MatrixRows<T>{distances}, task, labels, core);
}

template <class T, class Index>
bool dbscan_graph(const DistanceGraph<T, Index>& graph, const DbscanTask& task, std::int64_t* labels,
                  std::uint8_t* core) {
  return walk(GraphRows<T, Index>{graph}, task, labels, core);
}

template bool dbscan_matrix(const Rows<const float>&, const DbscanTask&, std::int64_t*, std::uint8_t*);
template bool dbscan_matrix(const Rows<const double>&, const DbscanTask&, std::int64_t*, std::uint8_t*);
#define FASTML_INSTANTIATE(T, Index) \
  template bool dbscan_graph(const DistanceGraph<T, Index>&, const DbscanTask&, std::int64_t*, std::uint8_t*);
FASTML_INSTANTIATE(float, std::int32_t)
FASTML_INSTANTIATE(float, std::int64_t)
FASTML_INSTANTIATE(double, std::int32_t)
FASTML_INSTANTIATE(double, std::int64_t)
#undef FASTML_INSTANTIATE

}  // namespace fastml::neighbors
