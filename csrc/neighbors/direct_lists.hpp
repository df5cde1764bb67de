// Fitted rows whose distances are computed as they stand, and the candidates of one block of queries among them.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/direct_kernels.hpp"
#include "neighbors/row_lists.hpp"
#include "runtime/buffer.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

inline bool is_direct(Metric metric) { return metric >= Metric::hamming; }

template <class T>
class DirectRows {
 public:
  // Packs the rows where the metric is one of these; else there is nothing.
  DirectRows(const Rows<const T>& data, const MetricOptions& options);

  bool usable() const { return usable_; }
  std::int64_t cols() const { return cols_; }
  const T* panels() const { return panels_.data(); }

 private:
  bool usable_;
  std::int64_t cols_;
  Buffer<T> panels_;
};

template <class T>
class DirectLists final : public RowLists {
 public:
  DirectLists(const DirectRows<T>& rows, const MetricOptions& options, const Rows<const T>& queries, std::int64_t k,
              std::int64_t most_queries, bool within);

  static std::int64_t bytes_per_query(std::int64_t k, std::int64_t cols) {
    return RowLists::bytes_per_query(k) + cols * std::int64_t(sizeof(double));
  }

  // As those of Shortlists.
  void start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end);
  bool advance(std::int64_t work);

 private:
  double exact_sum(std::int64_t, const Bounded& row) override { return row.low; }

  const DirectRows<T>& rows_;
  const DirectKernels<T>& kernels_;
  Rows<const T> queries_;
  std::int64_t count_ = 0, next_panel_ = 0, end_panel_ = 0, end_row_ = 0;
  Buffer<double> doubles_, packed_;
};

}  // namespace fastml::neighbors
