// Matrices of any layout for tests, inside storage whose other elements are known.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fastml {

enum class Layout { rows, padded_rows, columns, padded_columns, strided, rows_backwards, columns_backwards };

inline constexpr Layout kLayouts[] = {
    Layout::rows,    Layout::padded_rows,    Layout::columns,          Layout::padded_columns,
    Layout::strided, Layout::rows_backwards, Layout::columns_backwards};

inline const char* name(Layout layout) {
  switch (layout) {
    case Layout::rows:
      return "rows contiguous";
    case Layout::padded_rows:
      return "rows contiguous, padded";
    case Layout::columns:
      return "columns contiguous";
    case Layout::padded_columns:
      return "columns contiguous, padded";
    case Layout::strided:
      return "neither contiguous";
    case Layout::rows_backwards:
      return "rows contiguous, last row first";
    default:
      return "columns contiguous, last column first";
  }
}

template <class T>
class Matrix {
 public:
  // Elements hold `values` (row-major), or `fill` where there are none; all other storage holds `fill`.
  Matrix(Layout layout, std::int64_t rows, std::int64_t cols, T fill, const std::vector<T>& values = {})
      : rows_(rows), cols_(cols), fill_(fill) {
    switch (layout) {
      case Layout::rows:
        set_strides(cols, 1);
        break;
      case Layout::padded_rows:
        set_strides(cols + 5, 1);
        break;
      case Layout::columns:
        set_strides(1, rows);
        break;
      case Layout::padded_columns:
        set_strides(1, rows + 3);
        break;
      case Layout::strided:
        set_strides(2 * cols + 1, 2);
        break;
      case Layout::rows_backwards:
        set_strides(-(cols + 1), 1);
        break;
      case Layout::columns_backwards:
        set_strides(1, -(rows + 1));
        break;
    }
    const std::int64_t down = row_stride_ * std::max<std::int64_t>(rows - 1, 0);
    const std::int64_t across = col_stride_ * std::max<std::int64_t>(cols - 1, 0);
    origin_ = kMargin - std::min<std::int64_t>(down, 0) - std::min<std::int64_t>(across, 0);
    const std::int64_t last = origin_ + std::max<std::int64_t>(down, 0) + std::max<std::int64_t>(across, 0);
    storage_.assign(last + 1 + kMargin, fill);
    if (values.empty()) return;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) at(i, j) = values[i * cols + j];
    }
  }

  T* data() { return storage_.data() + origin_; }
  std::int64_t row_stride() const { return row_stride_; }
  std::int64_t col_stride() const { return col_stride_; }
  T& at(std::int64_t i, std::int64_t j) { return data()[i * row_stride_ + j * col_stride_]; }

  // Whether the storage outside of the leading `rows` x `cols` elements still holds the fill (a NaN counts as any NaN).
  // Those elements are overwritten by it.
  bool untouched_outside(std::int64_t rows, std::int64_t cols) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) at(i, j) = fill_;
    }
    return std::all_of(storage_.begin(), storage_.end(), [&](T x) { return x == fill_ || (x != x && fill_ != fill_); });
  }

 private:
  static constexpr std::int64_t kMargin = 40;  // more than the widest tile reaches

  void set_strides(std::int64_t row_stride, std::int64_t col_stride) {
    row_stride_ = row_stride;
    col_stride_ = col_stride;
  }

  std::int64_t rows_, cols_, row_stride_ = 0, col_stride_ = 0, origin_ = 0;
  T fill_;
  std::vector<T> storage_;
};

}  // namespace fastml
