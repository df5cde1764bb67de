// Tiles of distances in double at one SIMD level. Compiled with -ffp-contract=off.
#include "gemm/microkernel.hpp"
#include "neighbors/direct_kernels.hpp"
#include "simd/copy_block.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using neighbors::DirectBlock;
using neighbors::kDirectFeatures;
using neighbors::Metric;

// Four queries and two vectors of rows: with a second sum each, and the totals of blocks, as much as registers hold.
constexpr int kHeight = 4, kVectors = 2;
constexpr int kRows = kVectors * kLanes<double>;

// Without the sign bit: one instruction, where -x and a maximum are two.
FASTML_INLINE vec<double> absolute(vec<double> x) {
  return reinterpret_cast<vec<double>>(reinterpret_cast<ivec<double>>(x) & INT64_MAX);
}

// What is summed: `first` decides, `second` is what it is divided by.
struct Sums {
  vec<double> first, second;
};

template <Metric metric>
FASTML_INLINE void add_term(Sums& sums, vec<double> x, vec<double> query) {
  constexpr vec<double> zero{};
  if constexpr (metric == Metric::hamming) {
    sums.first += select<double>(x != query, broadcast<double>(1.0), zero);
  } else if constexpr (metric == Metric::canberra) {
    const vec<double> both = absolute(x) + absolute(query);
    sums.first += select<double>(both > zero, absolute(x - query) / both, zero);
  } else if constexpr (metric == Metric::braycurtis) {
    sums.first += absolute(x - query);
    sums.second += absolute(x) + absolute(query);
  } else {
    const vec<double> difference = x - query;
    const ivec<double> present = difference == difference;
    sums.first += select<double>(present, difference * difference, zero);
    sums.second += select<double>(present, broadcast<double>(1.0), zero);
  }
}

template <Metric metric>
FASTML_INLINE vec<double> finish(const Sums& sums, double features) {
  if constexpr (metric == Metric::hamming) {
    return sums.first / features;
  } else if constexpr (metric == Metric::canberra) {
    return sums.first;
  } else if constexpr (metric == Metric::braycurtis) {
    return select<double>(sums.second > 0, sums.first / sums.second, vec<double>{});
  } else {
    return sums.first / sums.second * features;  // 0 / 0 is the NaN of two rows without a feature in common
  }
}

// One tile: `height` queries from `first` on with the rows of a panel.
template <Metric metric, int MR, class T>
FASTML_INLINE void compare_tile(const DirectBlock<T>& b, std::int64_t first, const T* panel, std::int64_t first_row) {
  Sums total[MR][kVectors] = {};
  const double* queries = b.queries + first * b.features;
  for (std::int64_t begin = 0; begin < b.features; begin += kDirectFeatures) {
    const std::int64_t end = b.features - begin < kDirectFeatures ? b.features : begin + kDirectFeatures;
    Sums sums[MR][kVectors] = {};
    for (std::int64_t f = begin; f < end; ++f) {
      vec<double> rows[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) rows[v] = load_as<double>(panel + f * kRows + v * kLanes<double>);
#pragma GCC unroll 4
      for (int i = 0; i < MR; ++i) {
        const vec<double> query = broadcast<double>(queries[f * MR + i]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) add_term<metric>(sums[i][v], rows[v], query);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        total[i][v].first += sums[i][v].first;
        total[i][v].second += sums[i][v].second;
      }
    }
  }
  for (int i = 0; i < MR; ++i) {
    vec<double> values[kVectors];
    ivec<double> near{};
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      values[v] = finish<metric>(total[i][v], double(b.features));
      near |= ~(values[v] >= b.limits[first + i]);  // NaN is near: who asked for it knows best
    }
    if (__builtin_expect(!any<double>(near), 1)) continue;
    alignas(64) double lanes[kRows];
    for (int v = 0; v < kVectors; ++v) store(lanes + v * kLanes<double>, values[v]);
    for (int r = 0; r < kRows && first_row + r < b.rows; ++r) {
      if (!(lanes[r] >= b.limits[first + i])) b.offer(b.context, first + i, first_row + r, lanes[r]);
    }
  }
}

// Queries are cut into tiles of near-equal height, as the tiles of the product are.
FASTML_INLINE std::int64_t tiles_of(std::int64_t count) { return (count + kHeight - 1) / kHeight; }

template <Metric metric, class T>
void compare_panels(const DirectBlock<T>& b, std::int64_t begin, std::int64_t end) {
  const std::int64_t tiles = tiles_of(b.query_count);
  for (std::int64_t p = begin; p < end; ++p) {
    const T* panel = b.panels + p * kRows * b.features;
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t first = t * b.query_count / tiles;
      const int height = int((t + 1) * b.query_count / tiles - first);
      with_rows<kHeight>(height, [&](auto rows) __attribute__((always_inline)) {
        compare_tile<metric, decltype(rows)::value>(b, first, panel, p * kRows);
      });
    }
  }
}

template <class T>
void compare(const DirectBlock<T>& b, std::int64_t begin, std::int64_t end) {
  switch (b.metric) {
    case Metric::hamming:
      return compare_panels<Metric::hamming>(b, begin, end);
    case Metric::canberra:
      return compare_panels<Metric::canberra>(b, begin, end);
    case Metric::braycurtis:
      return compare_panels<Metric::braycurtis>(b, begin, end);
    default:
      return compare_panels<Metric::nan_euclidean>(b, begin, end);
  }
}

void pack_queries(const double* rows, std::int64_t count, std::int64_t features, double* packed) {
  const std::int64_t tiles = tiles_of(count);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t begin = t * count / tiles;
    const std::int64_t height = (t + 1) * count / tiles - begin;
    copy_block(packed + begin * features, height, rows + begin * features, 1, features, features, height);
  }
}

}  // namespace

extern const neighbors::DirectKernels<float> direct_table_f32;
extern const neighbors::DirectKernels<double> direct_table_f64;
const neighbors::DirectKernels<float> direct_table_f32 = {kRows, pack_queries, compare<float>};
const neighbors::DirectKernels<double> direct_table_f64 = {kRows, pack_queries, compare<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
