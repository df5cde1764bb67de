// Distances from rows to k-means++ candidates and to centres, in double. For level sources only.
#pragma once

#include "cluster/kmeans.hpp"
#include "cluster/row_panel.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// One tile: rows in lanes, MR candidates. distances[i][v] = max(0, |x|^2 + |c_i|^2 - 2 c_i.x)
template <int MR, int NV>
FASTML_INLINE void squared_distances(const double* panel, std::int64_t features, const double* packed,
                                     const double* norms, const vec<double> (&row_norms)[NV],
                                     vec<double> (&distances)[MR][NV]) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) distances[i][v] = vec<double>{};
  }
  multiply_tile(features, Interleaved<double, MR>{packed}, panel, kTileCols<double>, distances);
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      distances[i][v] = maximum<double>(distances[i][v] + row_norms[v] + norms[i], vec<double>{});
    }
  }
}

// Distances of the rows of one packed panel to a tile of `height` centres. Both passes below call it, for rows of either
// type: its tiles are compiled once.
__attribute__((noinline)) inline void distance_tile(int height, const double* panel, std::int64_t features,
                                                    const double* packed, const double* norms,
                                                    const vec<double> (&row_norms)[kTileVectors],
                                                    double (&tile)[kTileRows][kTileCols<double>]) {
  with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
    constexpr int MR = decltype(rows)::value;
    vec<double> distances[MR][kTileVectors];
    squared_distances(panel, features, packed, norms, row_norms, distances);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kTileVectors; ++v) store(&tile[i][v * kLanes<double>], distances[i][v]);
    }
  });
}

// Runs `use(centre, distances)` for each centre over one packed panel.
template <class Use>
FASTML_INLINE void for_each_distance_tile(const double* panel, std::int64_t features, const double* packed,
                                          const double* norms, std::int64_t count, Use use) {
  vec<double> row_norms[kTileVectors];
  for (int v = 0; v < kTileVectors; ++v) row_norms[v] = squared_norms(panel, features, v);
  alignas(64) double tile[kTileRows][kTileCols<double>];
  const CenterTiles tiles = center_tiles(count);
  for (std::int64_t t = 0; t < tiles.count; ++t) {
    const std::int64_t begin = tiles.begin(t);
    const int height = int(tiles.begin(t + 1) - begin);
    distance_tile(height, panel, features, packed + begin * features, norms + begin, row_norms, tile);
    for (int i = 0; i < height; ++i) use(begin + i, tile[i]);
  }
}

template <class T>
FASTML_INLINE int pack_range(const Rows<const T>& x, const T* shift, std::int64_t row, std::int64_t end,
                             double* panel) {
  const int count = int(end - row < kTileCols<double> ? end - row : kTileCols<double>);
  if (count <= kLanes<double>) {  // the tile's other vectors are computed and dropped: give them numbers
    for (std::int64_t i = 0; i < x.cols * kTileCols<double>; ++i) panel[i] = 0.0;
  }
  const ConsecutiveRows<T> rows{x.data + row * x.stride, x.stride};
  pack_rows(rows, count, x.cols, shift, x.data + (x.rows - 1) * x.stride + x.cols, panel);
  return count;
}

template <class T>
void candidate_distances(const CandidateDistances<T>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; row += kTileCols<double>) {
    const int count = pack_range(a.x, a.shift, row, end, a.panel);
    for_each_distance_tile(a.panel, a.x.cols, a.candidates, a.candidate_norms, a.count,
                           [&](std::int64_t candidate, const double* distances) __attribute__((always_inline)) {
                             T* out = a.out + candidate * a.out_stride + row;
                             for (int r = 0; r < count; ++r) {
                               const T d = T(distances[r]);
                               out[r] = a.closest != nullptr && a.closest[row + r] < d ? a.closest[row + r] : d;
                             }
                           });
  }
}

template <class T>
void center_distances(const CenterDistances<T>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; row += kTileCols<double>) {
    const int count = pack_range<T>(a.x, nullptr, row, end, a.panel);
    for_each_distance_tile(a.panel, a.x.cols, a.centers, a.center_norms, a.clusters,
                           [&](std::int64_t center, const double* squared) __attribute__((always_inline)) {
                             alignas(64) T distance[kTileCols<double>];
                             for (int r = 0; r < kTileCols<double>; ++r) {
                               // rounded to T before the root, as scikit-learn does
                               distance[r] = T(__builtin_sqrt(double(T(squared[r]))));
                             }
                             T* out = a.out + row * a.clusters + center;
                             for (int r = 0; r < count; ++r) out[r * a.clusters] = distance[r];
                           });
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
