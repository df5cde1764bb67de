// The loops of the brute-force search that screen: f32 bounds for all pairs, of which few are looked at.
//
// Every metric that is screened has a *score* that grows with its distance, and for fitted row y and query z, both
// centred, scaled and rounded to f32, an estimate of it that is a sum over features:
//
//   differences squared    |y|^2 / 2 - y.z + |z|^2 / 2               half the squared distance
//   differences, absolute  sum max(y, z) - sum y / 2 - sum z / 2     half the distance
//   the largest            max |y - z|                               the distance
//   powers                 sum |y - z|^p                             the distance to the power of p
//
// With a *size* for each vector (|y|^2, sum |y|, max |y|, sum |y|^p), the estimate, however rounded, differs from the
// score of the numbers given by at most gamma (size y + size z + tau), where tau is any number that takes part in the
// sum (brute.cpp has the proof). The part of y is in its *head*, the parts of z and tau in the *limit* of the query, so
// that what the tile computes,
//
//   a  =  head - limit + sum over features,
//
// is negative for every row whose score is at most tau, and then a + tau is a lower bound of that score, and
// a + tau + 2 gamma (size y + size z + tau) an upper one. A tile's result is one number: whether any sign is set.
//
// Features may be left out of a product (leading_features.hpp). Upper bounds then have more added.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

enum class Screen { product, larger, farthest, powers };

// A fitted row that may be among the nearest, with bounds of its score. `row` counts from the first row of the segment.
struct Candidate {
  float low, up;
  std::int32_t row;
};

// What is known of one query.
struct Shortlist {
  double offset;  // limit = tau (1 + gamma) + offset
  float tau;      // at least k rows seen have scores of at most tau; before k were seen: what the limit was made from
  float margin;   // what the query adds to upper bounds, as `slacks` do for rows, and the floor of underflow
  std::int32_t count;  // candidates held
  Candidate* candidates;
  float* best;  // ascending: the k least upper bounds so far; nullptr: tau is lowered by make_room alone
};

struct ScreenBlock {
  const float* panels;  // fitted rows, `panel_rows` to a panel: panel[f * panel_rows + r]
  const float* heads;   // one a row; rows that fill up the last panel have one that nothing reaches
  const float* slacks;  // what a row adds to upper bounds: 2 gamma size, and what is not screened of it
  std::int64_t features;
  std::int64_t rows;         // those of the panels that are rows; the others fill up the last panel
  std::int64_t segment_row;  // the row that candidates are counted from, the first of a panel
  const float* queries;      // as pack_queries wrote them
  std::int64_t query_count;
  float* limits;
  Shortlist* lists;
  std::int64_t k;  // length of `best`
  std::int32_t capacity;
  double gamma;
  float p;  // of powers
  void* context;
  // Called when the list of a query is full: leaves room for one candidate at least. May lower tau and the limit.
  void (*make_room)(void* context, std::int64_t query);
};

// The limit that belongs to tau, rounded up. Always inlined: no copy compiled at a level may reach the linker.
__attribute__((always_inline)) inline float limit_of(double tau, double gamma, double offset) {
  const double limit = tau * (1 + gamma) + offset;
  return float(limit + (limit < 0 ? -limit : limit) * 0x1p-22);
}

struct BruteKernels {
  std::int64_t panel_rows;
  // Transposes `panel_rows` rows of `features` elements each into a panel.
  void (*pack_panel)(const float* rows, std::int64_t features, float* panel);
  // Queries in the order in which tiles read them.
  void (*pack_queries)(const float* rows, std::int64_t count, std::int64_t features, float* packed);
  // Compares the queries with the rows of the panels [begin, end). `everything`: all rows become candidates.
  void (*screen)(Screen screen, bool everything, const ScreenBlock& block, std::int64_t begin, std::int64_t end);
};

const BruteKernels& brute_kernels(SimdLevel level = active_level());

}  // namespace fastml::neighbors
