// Screening of all pairs at one SIMD level.
#include "gemm/microkernel.hpp"
#include "neighbors/brute_kernels.hpp"
#include "simd/copy_block.hpp"
#include "simd/math.hpp"
#include "simd/sign_bits.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using neighbors::BruteKernels;
using neighbors::Candidate;
using neighbors::Screen;
using neighbors::ScreenBlock;
using neighbors::Shortlist;

constexpr int kPanelRows = kTileCols<float>;

// Queries are cut into tiles of near-equal height, each Interleaved: tile t holds queries [t count / tiles, ...).
struct QueryTiles {
  std::int64_t count;
  std::int64_t queries;
  FASTML_INLINE explicit QueryTiles(std::int64_t all) : count((all + kTileRows - 1) / kTileRows), queries(all) {}
  FASTML_INLINE std::int64_t begin(std::int64_t tile) const { return tile * queries / count; }
};

void pack_panel(const float* rows, std::int64_t features, float* panel) {
  copy_block(panel, kPanelRows, rows, 1, features, features, kPanelRows);
}

void pack_queries(const float* rows, std::int64_t count, std::int64_t features, float* packed) {
  const QueryTiles tiles(count);
  for (std::int64_t t = 0; t < tiles.count; ++t) {
    const std::int64_t begin = tiles.begin(t);
    const std::int64_t height = tiles.begin(t + 1) - begin;
    copy_block(packed + begin * features, height, rows + begin * features, 1, features, features, height);
  }
}

// Puts `up` into the ascending list of the k least, unless k smaller ones stand there.
FASTML_INLINE void insert_bound(float* best, std::int64_t k, float up) {
  if (up >= best[k - 1]) return;
  std::int64_t at = k - 1;
  for (; at > 0 && best[at - 1] > up; --at) best[at] = best[at - 1];
  best[at] = up;
}

// One query and the rows of one panel whose sign is set (or all).
template <bool Everything>
FASTML_INLINE void keep_candidates(const ScreenBlock& b, std::int64_t query, const float* values, std::uint32_t signs,
                                   std::int64_t first_row) {
  Shortlist& list = b.lists[query];
  const float tau = list.tau;  // that `values` were computed with
  const float margin = list.margin + float(2 * b.gamma) * tau;
  for (; signs != 0; signs &= signs - 1) {
    const int lane = __builtin_ctz(signs);
    const std::int64_t row = first_row + lane;
    if (row >= b.rows) break;
    const float low = values[lane] + tau;
    if (!Everything && low > list.tau) continue;
    const float up = low + (margin + b.slacks[row]);
    if (list.count == b.capacity) {
      b.make_room(b.context, query);
      if (!Everything && low > list.tau) continue;
    }
    list.candidates[list.count++] = {low, up, std::int32_t(row - b.segment_row)};
    if (list.best == nullptr) continue;
    insert_bound(list.best, b.k, up);
    if (!Everything && list.best[b.k - 1] < list.tau) {
      list.tau = list.best[b.k - 1];
      b.limits[query] = neighbors::limit_of(list.tau, b.gamma, list.offset);
    }
  }
}

template <bool Everything>
__attribute__((noinline)) void keep_tile(const ScreenBlock& b, std::int64_t first_query, int height, const float* tile,
                                         std::int64_t panel) {
  for (int i = 0; i < height; ++i) {
    const float* values = tile + i * kPanelRows;
    std::uint32_t signs = 0;
    for (int v = 0; v < kTileVectors; ++v) {
      signs |= sign_bits<float>(load(values + v * kLanes<float>)) << (v * kLanes<float>);
    }
    if (Everything) signs = std::uint32_t(~std::uint64_t(0) >> (64 - kPanelRows));
    if (signs != 0) keep_candidates<Everything>(b, first_query + i, values, signs, panel * kPanelRows);
  }
}

// |x|^p; `Whole` is p where that is known to the compiler, else 0.
template <int Whole>
FASTML_INLINE vec<float> power(vec<float> x, float p) {
  const vec<float> absolute = maximum<float>(x, -x);
  if constexpr (Whole == 3) return absolute * (x * x);
  if constexpr (Whole == 4) return (x * x) * (x * x);
  return exp<float>(p * log<float>(absolute));
}

// acc += terms of all features; for `farthest`, acc = max(acc, terms).
template <Screen screen, int Whole, int MR>
FASTML_INLINE void add_terms(std::int64_t features, const float* queries, const float* panel, float p,
                             vec<float> (&acc)[MR][kTileVectors]) {
  if constexpr (screen == Screen::product) {
    multiply_tile(features, Interleaved<float, MR>{queries}, panel, kPanelRows, acc);
  } else {
    for (std::int64_t f = 0; f < features; ++f) {
      vec<float> rows[kTileVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kTileVectors; ++v) rows[v] = load(panel + f * kPanelRows + v * kLanes<float>);
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
        const vec<float> query = broadcast<float>(queries[f * MR + i]);
#pragma GCC unroll 8
        for (int v = 0; v < kTileVectors; ++v) {
          if constexpr (screen == Screen::larger) {
            acc[i][v] += maximum<float>(rows[v], query);
          } else if constexpr (screen == Screen::powers) {
            acc[i][v] += power<Whole>(rows[v] - query, p);
          } else {
            const vec<float> difference = rows[v] - query;
            acc[i][v] = maximum<float>(acc[i][v], maximum<float>(difference, -difference));
          }
        }
      }
    }
  }
}

template <Screen screen, int Whole = 0>
void screen_panels(bool everything, const ScreenBlock& b, std::int64_t begin, std::int64_t end) {
  const QueryTiles tiles(b.query_count);
  for (std::int64_t p = begin; p < end; ++p) {
    const float* panel = b.panels + p * kPanelRows * b.features;
    const float* heads = b.heads + p * kPanelRows;
    for (std::int64_t t = 0; t < tiles.count; ++t) {
      const std::int64_t first = tiles.begin(t);
      const int height = int(tiles.begin(t + 1) - first);
      with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
        constexpr int MR = decltype(rows)::value;
        vec<float> acc[MR][kTileVectors];
        const float* limits = b.limits + first;
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
          for (int v = 0; v < kTileVectors; ++v) {
            acc[i][v] = screen == Screen::farthest ? vec<float>{} : load(heads + v * kLanes<float>) - limits[i];
          }
        }
        add_terms<screen, Whole, MR>(b.features, b.queries + first * b.features, panel, b.p, acc);
        if constexpr (screen == Screen::farthest) {
#pragma GCC unroll 16
          for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
            for (int v = 0; v < kTileVectors; ++v) acc[i][v] += load(heads + v * kLanes<float>) - limits[i];
          }
        }
        ivec<float> signs{};
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
          for (int v = 0; v < kTileVectors; ++v) signs |= reinterpret_cast<ivec<float>>(acc[i][v]);
        }
        if (!everything && __builtin_expect(sign_bits<float>(reinterpret_cast<vec<float>>(signs)) == 0, 1)) return;
        alignas(64) float tile[MR * kPanelRows];
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
          for (int v = 0; v < kTileVectors; ++v) store(tile + i * kPanelRows + v * kLanes<float>, acc[i][v]);
        }
        everything ? keep_tile<true>(b, first, MR, tile, p) : keep_tile<false>(b, first, MR, tile, p);
      });
    }
  }
}

void screen(Screen screen, bool everything, const ScreenBlock& b, std::int64_t begin, std::int64_t end) {
  switch (screen) {
    case Screen::product:
      return screen_panels<Screen::product>(everything, b, begin, end);
    case Screen::larger:
      return screen_panels<Screen::larger>(everything, b, begin, end);
    case Screen::farthest:
      return screen_panels<Screen::farthest>(everything, b, begin, end);
    case Screen::powers:
      if (b.p == 3) return screen_panels<Screen::powers, 3>(everything, b, begin, end);
      if (b.p == 4) return screen_panels<Screen::powers, 4>(everything, b, begin, end);
      return screen_panels<Screen::powers>(everything, b, begin, end);
  }
}

}  // namespace

extern const BruteKernels brute_table;
const BruteKernels brute_table = {kPanelRows, pack_panel, pack_queries, screen};

}  // namespace FASTML_LEVEL
}  // namespace fastml
