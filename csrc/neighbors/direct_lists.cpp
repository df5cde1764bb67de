#include "neighbors/direct_lists.hpp"

#include <algorithm>

#include "neighbors/tuning.hpp"

namespace fastml::neighbors {
namespace {

template <class T>
std::int64_t panels_of(std::int64_t rows) {
  const std::int64_t panel = direct_kernels<T>().panel_rows;
  return (rows + panel - 1) / panel;
}

}  // namespace

template <class T>
DirectRows<T>::DirectRows(const Rows<const T>& data, const MetricOptions& options)
    : usable_(is_direct(options.metric)),
      cols_(data.cols),
      panels_(usable_ ? panels_of<T>(data.rows) * direct_kernels<T>().panel_rows * data.cols : 0) {
  if (!usable_) return;
  const std::int64_t panel_rows = direct_kernels<T>().panel_rows;
  for (std::int64_t i = 0; i < data.rows; ++i) {
    T* panel = panels_.data() + i / panel_rows * panel_rows * cols_ + i % panel_rows;
    for (std::int64_t f = 0; f < cols_; ++f) panel[f * panel_rows] = data.data[i * data.stride + f];
  }
}

template <class T>
DirectLists<T>::DirectLists(const DirectRows<T>& rows, const MetricOptions& options, const Rows<const T>& queries,
                            std::int64_t k, std::int64_t most_queries, bool within)
    : RowLists(options, k, most_queries, within),
      rows_(rows),
      kernels_(direct_kernels<T>()),
      queries_(queries),
      doubles_(most_queries * rows.cols()),
      packed_(most_queries * rows.cols()) {}

template <class T>
void DirectLists<T>::start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end) {
  start_lists(count, begin);
  count_ = count;
  next_panel_ = begin / kernels_.panel_rows;
  end_panel_ = panels_of<T>(end);
  end_row_ = end;
  const std::int64_t cols = rows_.cols();
  for (std::int64_t i = 0; i < count; ++i) {
    const T* query = queries_.data + (first + i) * queries_.stride;
    std::copy(query, query + cols, doubles_.data() + i * cols);
  }
  kernels_.pack_queries(doubles_.data(), count, cols, packed_.data());
}

template <class T>
bool DirectLists<T>::advance(std::int64_t work) {
  if (next_panel_ >= end_panel_) return false;
  const std::int64_t panel_work = std::max<std::int64_t>(1, count_ * kernels_.panel_rows * rows_.cols() * kDirectWork);
  const std::int64_t end = std::min(end_panel_, next_panel_ + std::max<std::int64_t>(1, work / panel_work));
  const DirectBlock<T> block{options().metric,
                             rows_.panels(),
                             rows_.cols(),
                             end_row_,
                             packed_.data(),
                             count_,
                             limits(),
                             this,
                             [](void* self, std::int64_t query, std::int64_t row, double sum) {
                               static_cast<DirectLists*>(self)->offer(query, sum, sum, row);
                             }};
  kernels_.compare(block, next_panel_, end);
  next_panel_ = end;
  return true;
}

template class DirectRows<float>;
template class DirectRows<double>;
template class DirectLists<float>;
template class DirectLists<double>;

}  // namespace fastml::neighbors
