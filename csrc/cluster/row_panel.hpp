// Rows side by side in the lanes of vectors: the operand B of the k-means products. For level sources only.
//
// A panel holds kTileCols rows of X, transposed: panel[f * kTileCols + r] is feature f of row r, less the shift. With rows in
// lanes, the arg-min over centres needs no work across lanes, and centres are the broadcast operand.
#pragma once

#include "gemm/microkernel.hpp"
#include "simd/copy_block.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// x - shift as a vector of Acc. The difference is rounded to In before it is widened, as in scikit-learn's centred copy.
template <class Acc, class In>
FASTML_INLINE vec<Acc> load_shifted(const In* x, const In* shift) {
  if (shift == nullptr) return load_as<Acc>(x);
  using Narrow = typename VectorOf<In, kLanes<Acc>>::unaligned;
  const Narrow difference = *reinterpret_cast<const Narrow*>(x) - *reinterpret_cast<const Narrow*>(shift);
  return __builtin_convertvector(difference, vec<Acc>);
}

// Where the rows of a panel lie: one after the other, or picked by an index list.
template <class In>
struct ConsecutiveRows {
  const In* first;
  std::int64_t stride;
  FASTML_INLINE const In* operator()(int r) const { return first + r * stride; }
};
template <class In>
struct ListedRows {
  const In* base;
  std::int64_t stride;
  const std::int64_t* index;
  FASTML_INLINE const In* operator()(int r) const { return base + index[r] * stride; }
};

// Transposes kLanes<Acc> features of kLanes<Acc> rows, from row `first` and feature `f` on, and stores the first `left` of
// them. Reads a whole vector from each row. `Most` >= left is known to the compiler, which drops the shuffles behind the
// others.
template <int Most, class Acc, class In, class RowsOf>
FASTML_INLINE void transpose_rows(const RowsOf& rows, int first, const In* shift, std::int64_t f, int left,
                                  Acc* panel) {
  vec<Acc> block[kLanes<Acc>];
#pragma GCC unroll 16
  for (int r = 0; r < kLanes<Acc>; ++r) block[r] = load_shifted<Acc>(rows(first + r) + f, shift ? shift + f : nullptr);
  transpose<Acc>(block);
#pragma GCC unroll 16
  for (int l = 0; l < Most; ++l) {
    if (l < left) store(panel + (f + l) * kTileCols<Acc>, block[l]);
  }
}

// Packs kLanes<Acc> whole rows into one vector column of a panel. The last vector of a row may be read past the row, but
// never past `end`, the end of the memory that X lies in. `shift` is padded to a whole vector, or null.
template <class Acc, class In, class RowsOf>
FASTML_INLINE void pack_vector_of_rows(const RowsOf& rows, int first, std::int64_t features, const In* shift,
                                       const In* end, Acc* panel) {
  constexpr int lanes = kLanes<Acc>;
  std::int64_t f = 0;
  for (; f + lanes <= features; f += lanes) transpose_rows<lanes>(rows, first, shift, f, lanes, panel);
  const int left = int(features - f);
  if (left == 0) return;
  // Rows come in ascending order, so the last one reaches farthest.
  if (rows(first + lanes - 1) + f + lanes > end) {
    for (int r = 0; r < lanes; ++r) {
      for (std::int64_t g = f; g < features; ++g) {
        panel[g * kTileCols<Acc> + r] = Acc(In(rows(first + r)[g] - (shift ? shift[g] : In(0))));
      }
    }
  } else if (2 * left <= lanes) {
    transpose_rows<lanes / 2>(rows, first, shift, f, left, panel);
  } else {
    transpose_rows<lanes>(rows, first, shift, f, left, panel);
  }
}

// Packs `count` <= kTileCols rows, in ascending order. The lanes of a vector column without rows are given some row's
// values, computed and dropped; whole vector columns without rows are left as they are.
template <class Acc, class In, class RowsOf>
FASTML_INLINE void pack_rows(const RowsOf& rows, int count, std::int64_t features, const In* shift, const In* end,
                             Acc* panel) {
  constexpr int lanes = kLanes<Acc>;
  for (int v = 0; v * lanes < count; ++v) {
    const int first = v * lanes;
    if (first + lanes <= count) {
      pack_vector_of_rows(rows, first, features, shift, end, panel + first);
    } else {
      const auto clamped = [&](int r) __attribute__((always_inline)) { return rows(r < count ? r : count - 1); };
      pack_vector_of_rows(clamped, first, features, shift, end, panel + first);
    }
  }
}

// |x|^2 of the rows of a panel, from its vector column v.
template <class Acc>
FASTML_INLINE vec<Acc> squared_norms(const Acc* panel, std::int64_t features, int v) {
  vec<Acc> sum{};
  for (std::int64_t f = 0; f < features; ++f) {
    const vec<Acc> x = load(panel + f * kTileCols<Acc> + v * kLanes<Acc>);
    sum += x * x;
  }
  return sum;
}

// Centres are cut into tiles of near-equal height, at most kTileRows, each Interleaved.
struct CenterTiles {
  std::int64_t count;
  std::int64_t clusters;
  FASTML_INLINE std::int64_t begin(std::int64_t tile) const { return tile * clusters / count; }
};
FASTML_INLINE CenterTiles center_tiles(std::int64_t clusters) {
  return {(clusters + kTileRows - 1) / kTileRows, clusters};
}

// packed = -2 * centers, tile after tile.
template <class Acc, class In>
FASTML_INLINE void pack_center_tiles(const In* centers, std::int64_t clusters, std::int64_t features, Acc* packed) {
  const CenterTiles tiles = center_tiles(clusters);
  for (std::int64_t t = 0; t < tiles.count; ++t) {
    const std::int64_t begin = tiles.begin(t);
    const std::int64_t height = tiles.begin(t + 1) - begin;
    Acc* to = packed + begin * features;
    for (std::int64_t i = 0; i < height; ++i) {
      for (std::int64_t f = 0; f < features; ++f)
        to[f * height + i] = Acc(-2) * Acc(centers[(begin + i) * features + f]);
    }
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
