// The register tile of every matrix product in fastml: MR rows of A times NV vectors of columns of B.
// docs/microkernel.md states its contract and draws the panels. For level sources only.
#pragma once

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// Tile size per level: MR * NV accumulators plus NV vectors of B plus one broadcast must fit the register file (32
// registers on AVX-512 and NEON, 16 elsewhere), and at least 8 accumulators must be in flight to hide the FMA's latency.
// Measured on Zen 4 at 512^3 f32: 14 x 2 reaches 95% of the FMA peak where 12 x 2 reaches 94% and 8 x 3 93%.
#if FASTML_VECTOR_BYTES == 64
inline constexpr int kTileRows = 14;
inline constexpr int kTileVectors = 2;
#elif FASTML_VECTOR_BYTES == 32 || FASTML_VECTOR_BYTES == 16
inline constexpr int kTileRows = 6;
inline constexpr int kTileVectors = 2;
#else
inline constexpr int kTileRows = 4;
inline constexpr int kTileVectors = 2;
#endif

template <class T>
inline constexpr int kTileCols = kTileVectors * kLanes<T>;

// How the micro-kernel finds A(i, p), i a row of the tile, p the position along the common dimension.
//
// PackedRows: each row's run of up to Depth elements is contiguous and rows lie Depth + kRowPad apart, a constant, so that
// every element of the tile is one base register plus a displacement. Packing row-major A is then copying, not transposing.
// The padding spreads the rows over the L1 sets.
inline constexpr int kRowPad = 16;
template <class T, int Depth>
struct PackedRows {
  const T* base;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[i * (Depth + kRowPad) + p]; }
};

// Interleaved: A(0, p), A(1, p), ... lie side by side, Rows to a step of p. k-means packs its centres so.
template <class T, int Rows>
struct Interleaved {
  const T* base;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[p * Rows + i]; }
};

// DirectRows: A as the caller holds it, row-major with any stride.
template <class T>
struct DirectRows {
  const T* base;
  std::int64_t stride;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[i * stride + p]; }
};

// acc[i][j] += sum over p in [0, depth) of A(i, p) * B(p, j). B's row p starts at b + p * b_stride.
template <class T, int MR, int NV, class A>
FASTML_INLINE void multiply_tile(std::int64_t depth, A a, const T* b, std::int64_t b_stride, vec<T> (&acc)[MR][NV]) {
  for (std::int64_t p = 0; p < depth; ++p) {
    vec<T> columns[NV];
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) columns[j] = load(b + p * b_stride + j * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
      const T scalar = a(i, p);
#pragma GCC unroll 8
      // `scalar * vector` compiles to a broadcast from memory and an FMA; a vector of copies would take shuffles.
      for (int j = 0; j < NV; ++j) acc[i][j] += scalar * columns[j];
    }
  }
}

// A tile height known to the compiler, as an argument of a generic lambda.
template <int Count>
struct RowCount {
  static constexpr int value = Count;
};

// Calls run(RowCount<rows>{}) for the run-time height `rows`, 1 <= rows <= Max.
template <int Max, class Run>
FASTML_INLINE void with_rows(int rows, const Run& run) {
  if constexpr (Max == 1) {
    run(RowCount<1>{});
  } else {
    if (rows == Max) {
      run(RowCount<Max>{});
    } else {
      with_rows<Max - 1>(rows, run);
    }
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
