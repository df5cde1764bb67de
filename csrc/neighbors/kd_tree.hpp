// k-d tree: exact nearest neighbours and neighbours within a radius, for few features.
//
// Splits are at the median of the widest side of a node's tight box (Bentley, 1975; Friedman, Bentley and Finkel, 1977), so
// that the shape of the tree follows from the number of points alone: equal points make it neither deeper nor slower.
// Queries are answered in the order of the tree, in blocks over threads: those that follow one another find the nodes and
// leaves they need in the cache, and the same way through them predicted.
//
// A distance is computed in double from the given numbers, term by term in the order of the features (see
// kd_tree_vectors.hpp), whatever the route, the SIMD level or the number of threads. Boxes and points are ruled out by numbers
// of type T only where these exceed the limit by more than all roundings, so that points at equal distances are never lost.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/kd_tree_kernels.hpp"
#include "neighbors/metric_options.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

// Whether a k-d tree serves the metric.
bool has_kd_tree(const MetricOptions& options);

template <class T>
class KdTree {
 public:
  // Copies `rows` x `cols` (both at least 1) finite numbers, `row_stride` elements from row to row. Serves sqeuclidean,
  // euclidean, manhattan, chebyshev and minkowski with p >= 1, without weights; throws std::invalid_argument for others,
  // and Stopped when stopped.
  KdTree(const T* data, std::int64_t rows, std::int64_t cols, std::int64_t row_stride, const MetricOptions& options,
         int threads, StopCheck stop = nullptr);

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  // What the walks of other searches need; valid while the tree lives.
  KdTreeView<T> view() const;
  const std::vector<KdNode>& nodes() const { return nodes_; }
  const KdMetric& metric() const { return metric_; }

  // The k nearest fitted rows of each query, 1 <= k <= rows(), by (distance, row): distances and indices are queries x k,
  // row-major. Returns false when stopped; the results are then incomplete.
  bool nearest(const T* queries, std::int64_t rows, std::int64_t row_stride, std::int64_t k, int threads,
               StopCheck stop, double* distances, std::int64_t* indices) const;

  // counts[i] = fitted rows within `radius` of query i. As in scikit-learn's trees, sums are compared before the root is taken:
  // the sum of squares with radius^2, the sum of p-th powers with radius^p.
  bool count_within(const T* queries, std::int64_t rows, std::int64_t row_stride, double radius, int threads,
                    StopCheck stop, std::int64_t* counts) const;

  // Those rows: of query i from indices[offsets[i]] on, where offsets are the running sums of what count_within counts for
  // the same arguments. In order by (distance, row) if `sorted`, else by row. `distances` may be nullptr where they are not
  // sorted by it.
  bool within(const T* queries, std::int64_t rows, std::int64_t row_stride, double radius, bool sorted, int threads,
              StopCheck stop, const std::int64_t* offsets, double* distances, std::int64_t* indices) const;

  // Mean share of the leaves that these queries look into for k neighbours: what a search costs, beside brute force.
  double share_visited(const T* queries, std::int64_t rows, std::int64_t row_stride, std::int64_t k) const;

 private:
  // Calls answer(thread, queries) for blocks of queries in the order of the tree.
  template <class Answer>
  bool for_each_block(const Rows<const T>& queries, int threads, StopCheck stop, const Answer& answer) const;

  std::int64_t rows_, cols_, leaves_;
  KdMetric metric_;
  Buffer<T> columns_, boxes_;
  std::vector<KdNode> nodes_;
  std::vector<std::int32_t> order_;       // fitted row of each point in the order of the tree,
  std::vector<std::int64_t> long_order_;  // where 32 bits do not hold it
};

// What the exact sum is compared with for a radius: radius^2, radius or radius^p.
double reduced_radius(const KdMetric& metric, double radius);

}  // namespace fastml::neighbors
