// Exact nearest neighbours among sparse rows, by comparing each query with every fitted row. Nothing is made dense but
// the features of a few queries at a time.
//
// All pairs are bounded in double from products of sparse rows with groups of queries (csr_lists.cpp says why that is
// rigorous); what passes is compared again by direct difference. The answer is that of brute.hpp for the same rows, to
// the bit.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/csr_lists.hpp"
#include "neighbors/metric_options.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

template <class T>
class BruteCsrSearch {
 public:
  // The fitted rows are borrowed while this lives; all values are finite. Serves sqeuclidean, euclidean, manhattan and
  // cosine; throws std::invalid_argument for others.
  BruteCsrSearch(const SparseRows<T>& data, const MetricOptions& options);

  // As those of BruteSearch.
  bool nearest(const SparseRows<T>& queries, std::int64_t k, int threads, StopCheck stop, double* distances,
               std::int64_t* indices) const;
  bool within(const SparseRows<T>& queries, double radius, int threads, StopCheck stop,
              std::vector<std::vector<RankedRow>>& found) const;

  std::int64_t rows() const { return data_.rows; }
  std::int64_t cols() const { return data_.cols; }

 private:
  template <class Run>
  bool with_lists(const SparseRows<T>& queries, std::int64_t k, bool is_within, int threads, const Run& run) const;

  SparseRows<T> data_;
  MetricOptions options_;
  RowSizes sizes_;
};

}  // namespace fastml::neighbors
