// How rows of a score table are laid out at a level. For level sources only.
#pragma once

#include "bayes/row_score_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// Vectors of classes whose sums stay in registers.
inline constexpr int kClassVectors = 3;

// Two classes are the most frequent case, and take half a vector or less.
inline constexpr int kFewClasses = kLanes<double> < 2 ? kLanes<double> : 2;

// Few classes may leave half of the last vector empty, as 10 classes leave vectors of 8: half vectors then do less
// work. Vectors of 4 take what is left as it is.
inline constexpr int kHalfVector = kLanes<double> < 8 ? kLanes<double> : kLanes<double> / 2;

FASTML_INLINE int table_width(std::int64_t classes) {
  if (classes <= kFewClasses) return kFewClasses;
  const std::int64_t rest = classes % kLanes<double>;
  const bool half_is_empty = rest > 0 && rest <= kHalfVector;
  return half_is_empty && classes <= kClassVectors * kHalfVector ? kHalfVector : kLanes<double>;
}

FASTML_INLINE std::int64_t table_stride(std::int64_t classes) {
  const int width = table_width(classes);
  return (classes + width - 1) / width * width;
}

template <int N, class Step>
FASTML_INLINE void for_each_block_of(std::int64_t classes, const Step& step) {
  std::int64_t k = 0;
  for (; k + kClassVectors * N <= classes; k += kClassVectors * N) step(Width<N>{}, Width<kClassVectors>{}, k);
  if (classes - k == N) step(Width<N>{}, Width<1>{}, k);
  if (classes - k == 2 * N) step(Width<N>{}, Width<2>{}, k);
}

// Calls step(Width<N>, Width<V>, k) for blocks of classes from k on that cover the table: V runs of N classes each.
template <class Step>
FASTML_INLINE void for_each_class_block(const bayes::ScoreTable& table, const Step& step) {
  const int width = table_width(table.classes);
  if (width == kLanes<double>) {
    for_each_block_of<kLanes<double>>(table.stride, step);
  } else if (width == kFewClasses) {
    step(Width<kFewClasses>{}, Width<1>{}, std::int64_t(0));
  } else {
    for_each_block_of<kHalfVector>(table.stride, step);
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
