// Packing: copy a strided block into row-major order. For level sources only.
#pragma once

#include "simd/transpose.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// to[i * to_stride + j] = from[i * row_stride + j * col_stride] for i < rows, j < cols. Blocks whose rows or whose columns are
// contiguous move by whole vectors (transposed in registers in the second case); others element by element.
// The block written must not overlap the one read.
template <class T>
FASTML_INLINE void copy_block(T* to, std::int64_t to_stride, const T* from, std::int64_t row_stride,
                              std::int64_t col_stride, std::int64_t rows, std::int64_t cols) {
  constexpr int lanes = kLanes<T>;
  if (col_stride == 1) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* source = from + i * row_stride;
      T* target = to + i * to_stride;
      std::int64_t j = 0;
      for (; j + lanes <= cols; j += lanes) store(target + j, load(source + j));
      for (; j < cols; ++j) target[j] = source[j];
    }
    return;
  }
  std::int64_t whole_rows = 0;
  std::int64_t whole_cols = 0;
  if (row_stride == 1 && lanes > 1) {
    whole_rows = rows / lanes * lanes;
    whole_cols = cols / lanes * lanes;
    for (std::int64_t j = 0; j < whole_cols; j += lanes) {
      for (std::int64_t i = 0; i < whole_rows; i += lanes) {
        vec<T> block[lanes];
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) block[l] = load(from + i + (j + l) * col_stride);
        transpose<T>(block);
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) store(to + (i + l) * to_stride + j, block[l]);
      }
    }
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = i < whole_rows ? whole_cols : 0; j < cols; ++j) {
      to[i * to_stride + j] = from[i * row_stride + j * col_stride];
    }
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
