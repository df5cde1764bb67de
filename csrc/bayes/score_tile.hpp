// Scores of some rows for all classes, and what becomes of them. For level sources only.
#pragma once

#include "bayes/outcomes.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// Scores of a tile lie class by class, kTileRows doubles each, so that what is done for a row is done for a vector of rows:
// scores[k * kTileRows + i] is that of class k for row i.
inline constexpr int kTileRows = int(bayes::kTileRows);

namespace score_tile_detail {

FASTML_INLINE vec<double> largest_score(const double* scores, std::int64_t classes) {
  vec<double> largest = load(scores);
  for (std::int64_t k = 1; k < classes; ++k) largest = maximum<double>(load(scores + k * kTileRows), largest);
  return largest;
}

// Scores become the logarithms of probabilities, or these.
FASTML_INLINE void normalize(double* scores, std::int64_t classes, bool logarithm) {
  const vec<double> largest = largest_score(scores, classes);
  // Where all scores are infinite, as scikit-learn has it: their difference from the largest is no number.
  const ivec<double> finite = largest - largest == vec<double>{};
  const vec<double> shift = select<double>(finite, largest, vec<double>{});
  vec<double> sum{};
  for (std::int64_t k = 0; k < classes; ++k) sum += exp<double>(load(scores + k * kTileRows) - shift);
  const vec<double> rest = log<double>(sum);
  for (std::int64_t k = 0; k < classes; ++k) {
    // (score - largest) first: it is exact where it matters.
    const vec<double> score = (load(scores + k * kTileRows) - shift) - rest;
    store<double>(scores + k * kTileRows, logarithm ? score : exp<double>(score));
  }
}

FASTML_INLINE void pick(const double* scores, std::int64_t classes, double* labels) {
  vec<double> best = load(scores), label{};
  for (std::int64_t k = 1; k < classes; ++k) {
    const vec<double> score = load(scores + k * kTileRows);
    const ivec<double> taken = ~(score <= best) & (best == best);
    best = select<double>(taken, score, best);
    label = select<double>(taken, broadcast(double(k)), label);
  }
  store(labels, label);
}

template <class T>
FASTML_INLINE void write_rows(const double* scores, std::int64_t rows, std::int64_t classes, T* out) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < classes; ++k) out[i * classes + k] = T(scores[k * kTileRows + i]);
  }
}

}  // namespace score_tile_detail

// Writes what is asked for of rows [first, first + rows), rows <= kTileRows, from their scores, which are overwritten. Scores
// of the rows behind them must be initialised.
FASTML_INLINE void write_outcomes(double* scores, std::int64_t rows, std::int64_t classes, std::int64_t first,
                                  const bayes::Outcomes& out) {
  using namespace score_tile_detail;
  if (out.kind == bayes::Outcome::label) {
    double labels[kTileRows];
    for (std::int64_t i = 0; i < rows; i += kLanes<double>) pick(scores + i, classes, labels + i);
    for (std::int64_t i = 0; i < rows; ++i) out.labels[first + i] = std::int64_t(labels[i]);
    return;
  }
  if (out.kind != bayes::Outcome::joint) {
    const bool logarithm = out.kind == bayes::Outcome::log_probability;
    for (std::int64_t i = 0; i < rows; i += kLanes<double>) normalize(scores + i, classes, logarithm);
  }
  if (out.narrow != nullptr) {
    write_rows(scores, rows, classes, out.narrow + first * classes);
  } else {
    write_rows(scores, rows, classes, out.wide + first * classes);
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
