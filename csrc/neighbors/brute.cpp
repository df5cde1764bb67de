#include "neighbors/brute.hpp"

#include <algorithm>
#include <memory>

#include "neighbors/query_tasks.hpp"
#include "neighbors/tuning.hpp"

namespace fastml::neighbors {

template <class T>
BruteSearch<T>::BruteSearch(const Rows<const T>& data, const MetricOptions& options, int threads)
    : data_(data), options_(options), direct_(data, options), screened_(data, options, threads, true) {
  const std::int64_t padded = (data.cols + kExactLanes - 1) / kExactLanes * kExactLanes;
  if (!options.weights.empty()) {
    weights_ = options.weights;
    weights_.resize(padded, 0.0);
  } else if (options.metric == Metric::seuclidean) {
    weights_ = options.scales;
    weights_.resize(padded, 1.0);
  } else if (options.metric == Metric::mahalanobis) {
    columns_.assign(data.cols * padded, 0.0);
    for (std::int64_t i = 0; i < data.cols; ++i) {
      for (std::int64_t j = 0; j < data.cols; ++j) columns_[j * padded + i] = options.scales[i * data.cols + j];
    }
  }
}

template <class T>
bool BruteSearch<T>::nearest(const Rows<const T>& queries, std::int64_t k, int threads, StopCheck stop,
                             double* distances, std::int64_t* indices) const {
  if (queries.rows == 0 || k == 0) return true;
  return with_lists(queries, k, false, threads, [&](const QueryTasks& tasks, const auto& make) {
    return nearest_by_tasks(tasks, k, stop, make, distances, indices);
  });
}

template <class T>
bool BruteSearch<T>::within(const Rows<const T>& queries, double radius, int threads, StopCheck stop,
                            std::vector<std::vector<RankedRow>>& found) const {
  found.clear();
  if (queries.rows == 0) return true;
  constexpr std::int64_t listed = 128;  // candidates of a query between two looks at the exact distances
  return with_lists(queries, listed, true, threads, [&](const QueryTasks& tasks, const auto& make) {
    return within_by_tasks(tasks, radius, stop, make, found);
  });
}

// Calls run(tasks, make) with the lists that serve the metric.
template <class T>
template <class Run>
bool BruteSearch<T>::with_lists(const Rows<const T>& queries, std::int64_t k, bool is_within, int threads,
                                const Run& run) const {
  if (direct_.usable()) {
    const QueryTasks tasks(queries.rows, data_.rows, kDirectWork * data_.cols,
                           DirectLists<T>::bytes_per_query(k, data_.cols), direct_kernels<T>().panel_rows, threads);
    return run(tasks, [&](std::int64_t most) {
      return std::make_unique<DirectLists<T>>(direct_, options_, queries, k, most, is_within);
    });
  }
  const QueryTasks tasks(queries.rows, data_.rows, data_.cols, Shortlists<T>::bytes_per_query(k, data_.cols),
                         brute_kernels().panel_rows, threads);
  const SearchOf<T> search{data_, &options_, &screened_, weights_.empty() ? nullptr : weights_.data(), columns_.data()};
  return run(tasks,
             [&](std::int64_t most) { return std::make_unique<Shortlists<T>>(search, queries, k, most, is_within); });
}

std::int64_t offsets_of(const std::vector<std::vector<RankedRow>>& found, std::int64_t* offsets) {
  std::int64_t total = 0;
  for (const std::vector<RankedRow>& list : found) {
    *offsets++ = total;
    total += std::int64_t(list.size());
  }
  *offsets = total;
  return total;
}

void unpack(std::vector<std::vector<RankedRow>>& found, bool sorted, double* distances, std::int64_t* indices) {
  for (std::vector<RankedRow>& list : found) {
    if (sorted) std::sort(list.begin(), list.end());
    for (const RankedRow& neighbor : list) {
      *distances++ = neighbor.distance;
      *indices++ = neighbor.row;
    }
    std::vector<RankedRow>().swap(list);
  }
}

template class BruteSearch<float>;
template class BruteSearch<double>;

}  // namespace fastml::neighbors
