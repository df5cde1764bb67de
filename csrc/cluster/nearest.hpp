// The epilogue that k-means fuses into the matrix product: the closest centre, while the tile is in registers.
// For level sources only.
#pragma once

#include "cluster/row_panel.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// Per row (a lane of NV vectors): the least score so far, its centre, and (if Second) the second least score. A score is
// |c|^2 - 2 c.x, the squared distance less |x|^2. Centres arrive in ascending order and replace only on strictly less, so
// the lowest index wins a tie.
template <class T, int NV, bool Second>
struct Nearest {
  vec<T> best[NV];
  vec<T> second[NV];
  ivec<T> label[NV];

  FASTML_INLINE Nearest() {
    for (int v = 0; v < NV; ++v) {
      best[v] = broadcast<T>(T(__builtin_inf()));
      second[v] = broadcast<T>(T(__builtin_inf()));
      label[v] = ivec<T>{};
    }
  }

  template <int MR>
  FASTML_INLINE void add_tile(const vec<T> (&scores)[MR][NV], std::int64_t first_center) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
      const ivec<T> center = broadcast_integer<T>(Integer<T>(first_center + i));
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) {
        const vec<T> score = scores[i][v];
        const ivec<T> closer = score < best[v];
        if constexpr (Second) second[v] = minimum<T>(maximum<T>(best[v], score), second[v]);
        label[v] = select_integer<T>(closer, center, label[v]);
        best[v] = minimum<T>(score, best[v]);
      }
    }
  }
};

// Compares the rows of a panel with all centres. `packed` and `norms` as in AssignDense.
template <class T, int NV, bool Second>
FASTML_INLINE void find_nearest(const T* panel, std::int64_t features, const T* packed, const T* norms,
                                std::int64_t clusters, Nearest<T, NV, Second>& nearest) {
  const CenterTiles tiles = center_tiles(clusters);
  for (std::int64_t t = 0; t < tiles.count; ++t) {
    const std::int64_t begin = tiles.begin(t);
    const int height = int(tiles.begin(t + 1) - begin);
    with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
      constexpr int MR = decltype(rows)::value;
      vec<T> scores[MR][NV];
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) scores[i][v] = broadcast<T>(norms[begin + i]);
      }
      multiply_tile(features, Interleaved<T, MR>{packed + begin * features}, panel, kTileCols<T>, scores);
      nearest.template add_tile<MR>(scores, begin);
    });
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
