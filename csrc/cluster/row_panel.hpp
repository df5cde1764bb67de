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

// Transposes kLanes<Acc> features of kLanes<Acc> rows, starting at feature f, and stores the first `left` of them. Reads a
// whole vector from each row. `Most` >= left is known to the compiler, which drops the shuffles behind the others.
template <int Most, class Acc, class In>
FASTML_INLINE void transpose_rows(const In* const* rows, const In* shift, std::int64_t f, int left, Acc* panel) {
  vec<Acc> block[kLanes<Acc>];
#pragma GCC unroll 16
  for (int r = 0; r < kLanes<Acc>; ++r) block[r] = load_shifted<Acc>(rows[r] + f, shift ? shift + f : nullptr);
  transpose<Acc>(block);
#pragma GCC unroll 16
  for (int l = 0; l < Most; ++l) {
    if (l < left) store(panel + (f + l) * kTileCols<Acc>, block[l]);
  }
}

// Packs kLanes<Acc> rows into one vector column of a panel. `end` is the end of the memory that X lies in: the last vector
// of a row may be read past the row, but never past `end`. `shift` is padded to a whole vector, or null.
template <class Acc, class In>
FASTML_INLINE void pack_vector_of_rows(const In* const* rows, std::int64_t features, const In* shift, const In* end,
                                       Acc* panel) {
  constexpr int lanes = kLanes<Acc>;
  std::int64_t f = 0;
  for (; f + lanes <= features; f += lanes) transpose_rows<lanes>(rows, shift, f, lanes, panel);
  const int left = int(features - f);
  if (left == 0) return;
  bool inside = true;
  for (int r = 0; r < lanes; ++r) inside = inside && rows[r] + f + lanes <= end;
  if (!inside) {
    for (int r = 0; r < lanes; ++r) {
      for (std::int64_t g = f; g < features; ++g) {
        panel[g * kTileCols<Acc> + r] = Acc(In(rows[r][g] - (shift ? shift[g] : In(0))));
      }
    }
  } else if (2 * left <= lanes) {
    transpose_rows<lanes / 2>(rows, shift, f, left, panel);
  } else {
    transpose_rows<lanes>(rows, shift, f, left, panel);
  }
}

// Packs up to kTileCols rows; missing rows repeat the first one (their lanes are computed and dropped).
template <class Acc, class In>
FASTML_INLINE void pack_rows(const In* const* rows, int count, std::int64_t features, const In* shift, const In* end,
                             Acc* panel) {
  const In* padded[kTileCols<Acc>];
  for (int r = 0; r < kTileCols<Acc>; ++r) padded[r] = rows[r < count ? r : 0];
  for (int v = 0; v < kTileVectors; ++v) {
    if (v * kLanes<Acc> < count) {
      pack_vector_of_rows(padded + v * kLanes<Acc>, features, shift, end, panel + v * kLanes<Acc>);
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
      for (std::int64_t f = 0; f < features; ++f) to[f * height + i] = Acc(-2) * Acc(centers[(begin + i) * features + f]);
    }
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
