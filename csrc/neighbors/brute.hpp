// Exact nearest neighbours by comparing each query with every fitted row.
//
// All pairs are compared in f32 by a fused matrix product (or a sum of maxima) whose epilogue only asks whether a row
// may still be among the nearest: the bounds are rigorous (screened_rows.cpp has the proof). What passes is compared
// again by direct difference in double (exact.hpp), and of that the answer is made. So the answer is the same whatever
// the threads, blocks and SIMD level, and f32 rows far from the origin lose nothing.
//
// Metrics for which there is no such bound (hamming, canberra, braycurtis, nan_euclidean) are computed for all pairs in
// double, in tiles (direct_kernels.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/direct_lists.hpp"
#include "neighbors/metric_options.hpp"
#include "neighbors/screened_rows.hpp"
#include "neighbors/shortlists.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

template <class T>
class BruteSearch {
 public:
  // The fitted rows are borrowed while this lives; a copy in panels is kept beside them. All values are finite, but for
  // the missing ones of nan_euclidean, which are NaN.
  BruteSearch(const Rows<const T>& data, const MetricOptions& options, int threads);

  // The k nearest fitted rows of each query, by (distance, index): queries.rows x k, row-major. 1 <= k <= rows.
  // Returns false when stopped; the output is then not to be used.
  bool nearest(const Rows<const T>& queries, std::int64_t k, int threads, StopCheck stop, double* distances,
               std::int64_t* indices) const;

  // All fitted rows at most `radius` away, by ascending index: those of query i are found[i].
  bool within(const Rows<const T>& queries, double radius, int threads, StopCheck stop,
              std::vector<std::vector<RankedRow>>& found) const;

  std::int64_t rows() const { return data_.rows; }
  std::int64_t cols() const { return data_.cols; }

 private:
  template <class Run>
  bool with_lists(const Rows<const T>& queries, std::int64_t k, bool is_within, int threads, const Run& run) const;

  Rows<const T> data_;
  MetricOptions options_;
  std::vector<double> weights_, columns_;  // as ExactQuery has them
  DirectRows<T> direct_;
  ScreenedRows<T> screened_;
};

// offsets[i]: neighbours found by the queries before the i-th; there is room for one more. Returns how many there are
// in all.
std::int64_t offsets_of(const std::vector<std::vector<RankedRow>>& found, std::int64_t* offsets);
// Distances and rows of lists one after the other, each by (distance, row) if `sorted`, else as it is. Each list's memory
// is given back as soon as it is copied.
void unpack(std::vector<std::vector<RankedRow>>& found, bool sorted, double* distances, std::int64_t* indices);

}  // namespace fastml::neighbors
