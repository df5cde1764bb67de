// Matrices cut into groups of as many columns as a register tile has, each a panel of its own. For level sources only.
#pragma once

#include "gemm/microkernel.hpp"

namespace fastml {
namespace FASTML_LEVEL {

FASTML_INLINE std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
FASTML_INLINE std::int64_t groups(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

template <class T>
FASTML_INLINE std::int64_t whole_vectors(std::int64_t width) {
  return groups(width, kLanes<T>) * kLanes<T>;
}

// Where the panels lie; the last one is as many vectors wide as hold what is left.
template <class T>
struct ColumnPanels {
  std::int64_t rows;
  std::int64_t total;

  FASTML_INLINE std::int64_t count() const { return groups(total, kTileCols<T>); }
  FASTML_INLINE std::int64_t cols(std::int64_t p) const { return least(total - p * kTileCols<T>, kTileCols<T>); }
  FASTML_INLINE std::int64_t width(std::int64_t p) const { return whole_vectors<T>(cols(p)); }
  FASTML_INLINE std::int64_t offset(std::int64_t p) const { return p * rows * kTileCols<T>; }
  FASTML_INLINE std::int64_t size() const { return rows * whole_vectors<T>(total); }
};

}  // namespace FASTML_LEVEL
}  // namespace fastml
