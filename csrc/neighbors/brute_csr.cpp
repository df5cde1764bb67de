#include "neighbors/brute_csr.hpp"

#include <memory>
#include <stdexcept>

#include "neighbors/query_tasks.hpp"

namespace fastml::neighbors {
namespace {

// The terms of the metric, or an exception.
Terms served_terms(const MetricOptions& options) {
  switch (options.metric) {
    case Metric::sqeuclidean:
    case Metric::euclidean:
    case Metric::manhattan:
    case Metric::cosine:
      return terms_of(options);
    default:
      throw std::invalid_argument("Sparse rows are served under sqeuclidean, euclidean, manhattan and cosine.");
  }
}

}  // namespace

template <class T>
BruteCsrSearch<T>::BruteCsrSearch(const SparseRows<T>& data, const MetricOptions& options)
    : data_(data), options_(options), sizes_(row_sizes(data, served_terms(options))) {}

// Calls run(tasks, make).
template <class T>
template <class Run>
bool BruteCsrSearch<T>::with_lists(const SparseRows<T>& queries, std::int64_t k, bool is_within, int threads,
                                   const Run& run) const {
  const RowSizes query_sizes = row_sizes(queries, terms_of(options_));
  const std::int64_t stored = data_.offsets[data_.rows] - data_.offsets[0];
  const QueryTasks tasks(queries.rows, data_.rows, 1 + stored / data_.rows, RowLists::bytes_per_query(k), 1, threads);
  return run(tasks, [&](std::int64_t most) {
    return std::make_unique<CsrLists<T>>(options_, data_, sizes_, queries, query_sizes, k, most, is_within);
  });
}

template <class T>
bool BruteCsrSearch<T>::nearest(const SparseRows<T>& queries, std::int64_t k, int threads, StopCheck stop,
                                double* distances, std::int64_t* indices) const {
  if (queries.rows == 0 || k == 0) return true;
  return with_lists(queries, k, false, threads, [&](const QueryTasks& tasks, const auto& make) {
    return nearest_by_tasks(tasks, k, stop, make, distances, indices);
  });
}

template <class T>
bool BruteCsrSearch<T>::within(const SparseRows<T>& queries, double radius, int threads, StopCheck stop,
                               std::vector<std::vector<RankedRow>>& found) const {
  found.clear();
  if (queries.rows == 0) return true;
  constexpr std::int64_t listed = 128;  // candidates of a query between two looks at the exact distances
  return with_lists(queries, listed, true, threads, [&](const QueryTasks& tasks, const auto& make) {
    return within_by_tasks(tasks, radius, stop, make, found);
  });
}

template class BruteCsrSearch<float>;
template class BruteCsrSearch<double>;

}  // namespace fastml::neighbors
