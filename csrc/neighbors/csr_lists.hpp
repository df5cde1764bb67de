// Sparse fitted rows, and the candidates of one block of sparse queries among them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "neighbors/csr_kernels.hpp"
#include "neighbors/csr_rows.hpp"
#include "neighbors/row_lists.hpp"
#include "runtime/buffer.hpp"

namespace fastml::neighbors {

// What is known of each row beside its values.
struct RowSizes {
  std::vector<double> sizes;  // |x|^2, or sum |x|; for the cosine that of x / |x|; NaN where it is not to be used
  std::vector<double> inverse_norms;  // 1 / |x| for the cosine, else empty
  std::int64_t longest = 0;           // values of a row

  double inverse(std::int64_t row) const { return inverse_norms.empty() ? 1.0 : inverse_norms[row]; }
};

template <class T>
RowSizes row_sizes(const SparseRows<T>& rows, Terms terms);

template <class T>
class CsrLists final : public RowLists {
 public:
  CsrLists(const MetricOptions& options, const SparseRows<T>& rows, const RowSizes& row_sizes,
           const SparseRows<T>& queries, const RowSizes& query_sizes, std::int64_t k, std::int64_t most_queries,
           bool within);

  // As those of Shortlists.
  void start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end);
  bool advance(std::int64_t work);

 private:
  double exact_sum(std::int64_t i, const Bounded& row) override;
  void load_group(std::int64_t begin, std::int64_t end);
  void set_limit(int query);
  void take(int query, std::int64_t row, double value);

  Terms terms_;
  const SparseRows<T> rows_, queries_;
  const RowSizes &row_sizes_, &query_sizes_;
  const CsrKernels<T>& kernels_;
  double gamma_;
  std::int64_t first_ = 0, count_ = 0, begin_row_ = 0, next_row_ = 0, end_row_ = 0;

  // The group of queries at hand, counted from the first of the block.
  std::int64_t group_ = 0;
  std::vector<std::int32_t> slots_;
  std::optional<Buffer<double>> panel_;
  std::int64_t panel_lines_ = 0;
  Buffer<double> group_limits_;
};

}  // namespace fastml::neighbors
