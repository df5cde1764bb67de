#include "neighbors/csr_rows.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "runtime/views.hpp"

namespace fastml::neighbors {

template <class T>
template <class Index>
CanonicalRows<T>::CanonicalRows(const T* values, const Index* indices, const Index* offsets, std::int64_t stored,
                                std::int64_t rows, std::int64_t cols)
    : given_values_(values), rows_(rows), cols_(cols), offsets_(offsets, offsets + rows + 1) {
  if (cols < 0 || cols > std::numeric_limits<std::int32_t>::max()) {
    throw std::invalid_argument("sparse rows: the number of features is negative, or more than 32 bits can count");
  }
  const bool ascending = std::is_sorted(offsets_.begin(), offsets_.end());
  if (!ascending || offsets_.front() < 0 || offsets_.back() > stored ||
      !are_indices(indices + offsets_.front(), offsets_.back() - offsets_.front(), cols)) {
    throw std::invalid_argument("sparse rows: offsets or indices out of bounds");
  }
  if constexpr (std::is_same_v<Index, std::int32_t>) {
    given_indices_ = indices;
  } else {
    indices_.assign(indices, indices + stored);
  }
  const SparseRows<T> given = view();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t p = offsets_[i] + 1; p < offsets_[i + 1]; ++p) {
      if (given.indices[p - 1] < given.indices[p]) continue;
      sort_rows();
      return;
    }
  }
}

template <class T>
void CanonicalRows<T>::sort_rows() {
  const SparseRows<T> given = view();
  std::vector<T> values;
  std::vector<std::int32_t> indices;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::pair<std::int32_t, T>> row;
  for (std::int64_t i = 0; i < rows_; ++i) {
    row.clear();
    for (std::int64_t p = given.offsets[i]; p < given.offsets[i + 1]; ++p) {
      row.emplace_back(given.indices[p], given.values[p]);
    }
    std::stable_sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t p = 0; p < row.size(); ++p) {
      if (p > 0 && row[p].first == row[p - 1].first) {
        values.back() += row[p].second;
      } else {
        indices.push_back(row[p].first);
        values.push_back(row[p].second);
      }
    }
    offsets.push_back(std::int64_t(values.size()));
  }
  given_indices_ = nullptr;
  given_values_ = nullptr;
  values_ = std::move(values);
  indices_ = std::move(indices);
  offsets_ = std::move(offsets);
}

template <class T>
SparseRows<T> CanonicalRows<T>::view() const {
  return {given_values_ != nullptr ? given_values_ : values_.data(),
          given_indices_ != nullptr ? given_indices_ : indices_.data(), offsets_.data(), rows_, cols_};
}

namespace {

template <Terms terms, class T>
double merged_sum(const SparseRows<T>& a, std::int64_t row_a, double inverse_a, const SparseRows<T>& b,
                  std::int64_t row_b, double inverse_b) {
  double parts[kExactLanes] = {};
  const int mask = a.cols <= kExactLanes ? 0 : kExactLanes - 1;
  std::int64_t p = a.offsets[row_a], q = b.offsets[row_b];
  const std::int64_t end_p = a.offsets[row_a + 1], end_q = b.offsets[row_b + 1];
  while (p < end_p || q < end_q) {
    // Past the end of one row comes a feature that none has.
    const std::int32_t f = p < end_p ? a.indices[p] : std::numeric_limits<std::int32_t>::max();
    const std::int32_t g = q < end_q ? b.indices[q] : std::numeric_limits<std::int32_t>::max();
    double x = 0, y = 0;
    if (f <= g) x = double(a.values[p++]);
    if (g <= f) y = double(b.values[q++]);
    if (terms == Terms::directions) {
      x *= inverse_a;
      y *= inverse_b;
    }
    const double difference = x - y;
    const double square = difference * difference;
    parts[(f < g ? f : g) & mask] += terms == Terms::absolutes ? (difference < 0 ? -difference : difference) : square;
  }
  for (int half = kExactLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) parts[l] += parts[l + half];
  }
  return parts[0];
}

}  // namespace

template <class T>
double sparse_sum(Terms terms, const SparseRows<T>& a, std::int64_t row_a, double inverse_a, const SparseRows<T>& b,
                  std::int64_t row_b, double inverse_b) {
  switch (terms) {
    case Terms::absolutes:
      return merged_sum<Terms::absolutes>(a, row_a, 1, b, row_b, 1);
    case Terms::directions:  // zeros have no direction: they are orthogonal to everything
      if (inverse_a == 0 || inverse_b == 0) return 2.0;
      return merged_sum<Terms::directions>(a, row_a, inverse_a, b, row_b, inverse_b);
    default:
      return merged_sum<Terms::squares>(a, row_a, 1, b, row_b, 1);
  }
}

#define FASTML_CANONICAL_(T, Index)                                                                          \
  template CanonicalRows<T>::CanonicalRows(const T*, const Index*, const Index*, std::int64_t, std::int64_t, \
                                           std::int64_t);
template class CanonicalRows<float>;
template class CanonicalRows<double>;
FASTML_CANONICAL_(float, std::int32_t)
FASTML_CANONICAL_(float, std::int64_t)
FASTML_CANONICAL_(double, std::int32_t)
FASTML_CANONICAL_(double, std::int64_t)
#undef FASTML_CANONICAL_
template double sparse_sum(Terms, const SparseRows<float>&, std::int64_t, double, const SparseRows<float>&,
                           std::int64_t, double);
template double sparse_sum(Terms, const SparseRows<double>&, std::int64_t, double, const SparseRows<double>&,
                           std::int64_t, double);

}  // namespace fastml::neighbors
