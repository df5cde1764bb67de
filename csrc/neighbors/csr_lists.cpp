#include "neighbors/csr_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "neighbors/screened_rows.hpp"
#include "neighbors/tuning.hpp"

// Why the bounds are right
// ------------------------
// u = 2^-53, a row x of up to n values, a query y of up to m. With sizes |x|^2 and |y|^2, the sum of squared
// differences is |x|^2 + |y|^2 - 2 x.y; with sizes sum |x| and sum |y|, that of absolute ones is the sum over the
// features of x of |x - y| - |y|, and sum |y|. What is added are at most n terms of x.y, each rounded, n or m of a
// size, and some more; all are at most the sum of both sizes, so that everything is off by at most (n + m + 16) 2 u
// times that. The sum that is computed exactly has as many roundings again. gamma is twice all this. Values whose
// squares overflow have a size that is not finite, and are compared exactly; kFloor is far above what underflow adds.
namespace fastml::neighbors {
namespace {

constexpr double kFloor = 1e-290;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double gamma_of(const RowSizes& a, const RowSizes& b) { return double(a.longest + b.longest + 64) * 0x1p-51; }

}  // namespace

template <class T>
RowSizes row_sizes(const SparseRows<T>& rows, Terms terms) {
  RowSizes result;
  result.sizes.resize(rows.rows);
  if (terms == Terms::directions) result.inverse_norms.resize(rows.rows);
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int64_t begin = rows.offsets[i], count = rows.offsets[i + 1] - begin;
    const T* values = rows.values + begin;
    result.longest = std::max(result.longest, count);
    double size = 0;
    if (terms == Terms::absolutes) {
      for (std::int64_t p = 0; p < count; ++p) size += std::fabs(double(values[p]));
    } else if (terms == Terms::directions) {
      const double inverse = result.inverse_norms[i] = inverse_norm_of(values, count);
      for (std::int64_t p = 0; p < count; ++p) size += (double(values[p]) * inverse) * (double(values[p]) * inverse);
      // Zeros are 2 from everything as others of size 1 are that have no feature in common. Where squares underflow,
      // the row divided by its norm has another size.
      if (inverse == 0) size = 1;
      if (!(std::fabs(size - 1) <= double(count + 16) * 0x1p-52)) size = kUnknown;
    } else {
      for (std::int64_t p = 0; p < count; ++p) size += double(values[p]) * double(values[p]);
    }
    result.sizes[i] = std::isfinite(size) ? size : kUnknown;
  }
  return result;
}

template <class T>
CsrLists<T>::CsrLists(const MetricOptions& options, const SparseRows<T>& rows, const RowSizes& row_sizes,
                      const SparseRows<T>& queries, const RowSizes& query_sizes, std::int64_t k,
                      std::int64_t most_queries, bool within)
    : RowLists(options, k, most_queries, within),
      terms_(terms_of(options)),
      rows_(rows),
      queries_(queries),
      row_sizes_(row_sizes),
      query_sizes_(query_sizes),
      kernels_(csr_kernels<T>()),
      gamma_(gamma_of(row_sizes, query_sizes)),
      slots_(rows.cols, 0),
      group_limits_(kCsrGroup) {}

template <class T>
void CsrLists<T>::start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end) {
  start_lists(count, begin);
  first_ = first;
  count_ = count;
  begin_row_ = next_row_ = begin;
  end_row_ = end;
}

// The panel of queries [begin, end), and where its lines are.
template <class T>
void CsrLists<T>::load_group(std::int64_t begin, std::int64_t end) {
  const std::int64_t most = 1 + queries_.offsets[end] - queries_.offsets[begin];
  if (most > panel_lines_) {
    panel_.emplace(most * kCsrGroup);
    panel_lines_ = most;
  }
  std::int32_t lines = 1;
  for (std::int64_t i = begin; i < end; ++i) {
    for (std::int64_t p = queries_.offsets[i]; p < queries_.offsets[i + 1]; ++p) {
      std::int32_t& slot = slots_[queries_.indices[p]];
      if (slot == 0) {
        slot = lines++;
        std::fill_n(panel_->data() + std::int64_t(slot) * kCsrGroup, kCsrGroup, 0.0);
      }
      panel_->data()[std::int64_t(slot) * kCsrGroup + (i - begin)] =
          double(queries_.values[p]) * query_sizes_.inverse(i);
    }
  }
}

// The limit of the part that depends on the row.
template <class T>
void CsrLists<T>::set_limit(int query) {
  const double size = query_sizes_.sizes[first_ + group_ + query];
  group_limits_.data()[query] = limits()[group_ + query] - size * (1 - gamma_) + kFloor;
}

template <class T>
void CsrLists<T>::take(int query, std::int64_t row, double value) {
  const double size = query_sizes_.sizes[first_ + group_ + query];
  double low = value + size * (1 - gamma_) - kFloor;
  double up = low + 2 * gamma_ * (size + row_sizes_.sizes[row]) + 2 * kFloor;
  if (!std::isfinite(low) || !std::isfinite(up)) {
    low = -kInfinity;
    up = kInfinity;
  }
  offer(group_ + query, low, up, row);
  set_limit(query);
}

template <class T>
double CsrLists<T>::exact_sum(std::int64_t i, const Bounded& row) {
  const std::int64_t fitted = begin_row_ + row.row;
  return sparse_sum(terms_, rows_, fitted, row_sizes_.inverse(fitted), queries_, first_ + i,
                    query_sizes_.inverse(first_ + i));
}

template <class T>
bool CsrLists<T>::advance(std::int64_t work) {
  if (next_row_ >= end_row_) return false;
  const std::int64_t values = std::min(kCsrChunk, work / count_);
  const std::int64_t* offsets = rows_.offsets;
  const std::int64_t* reached =
      std::upper_bound(offsets + next_row_ + 1, offsets + end_row_ + 1, offsets[next_row_] + values);
  const std::int64_t end = std::max(next_row_ + 1, reached - offsets - 1);
  const bool absolute = terms_ == Terms::absolutes;
  const bool cosine = terms_ == Terms::directions;
  for (group_ = 0; group_ < count_; group_ += kCsrGroup) {
    const int queries = int(std::min<std::int64_t>(kCsrGroup, count_ - group_));
    const std::int64_t begin_query = first_ + group_;
    load_group(begin_query, begin_query + queries);
    for (int q = 0; q < queries; ++q) set_limit(q);
    std::fill(group_limits_.data() + queries, group_limits_.data() + kCsrGroup, -kInfinity);
    const CsrBlock<T> block{rows_,
                            row_sizes_.sizes.data(),
                            cosine ? row_sizes_.inverse_norms.data() : nullptr,
                            absolute ? -gamma_ : 1 - gamma_,
                            absolute ? 1.0 : -2.0,
                            slots_.data(),
                            panel_->data(),
                            queries,
                            group_limits_.data(),
                            this,
                            [](void* self, int query, std::int64_t row, double value) {
                              static_cast<CsrLists*>(self)->take(query, row, value);
                            }};
    (absolute ? kernels_.differences : kernels_.products)(block, next_row_, end);
    for (std::int64_t p = queries_.offsets[begin_query]; p < queries_.offsets[begin_query + queries]; ++p) {
      slots_[queries_.indices[p]] = 0;
    }
  }
  next_row_ = end;
  return true;
}

template RowSizes row_sizes(const SparseRows<float>&, Terms);
template RowSizes row_sizes(const SparseRows<double>&, Terms);
template class CsrLists<float>;
template class CsrLists<double>;

}  // namespace fastml::neighbors
