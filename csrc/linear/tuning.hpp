// Chunk sizes and thresholds of the linear models' kernels, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::linear {

// Rows whose mean X is shifted by before its products are summed: any number close to the mean does, and rows that lie far
// apart cost a cache miss each.
inline constexpr std::int64_t kShiftRows = 64;

// Where the correction for the rest of the mean is larger than this many times what it leaves, the sums are taken once more
// about the mean itself: they lost two digits.
inline constexpr double kMostCorrection = 100;

// Multiply-adds between two looks for Ctrl-C: some 20 ms on one core.
inline constexpr double kCrossChunkWork = 1e8;

// Multiply-adds each thread must have before another one is worth waking.
inline constexpr double kCrossWorkPerThread = 300'000;

// Constant columns are left out of products where they are at least this part of all, since rows are then copied first.
inline constexpr double kLeastConstant = 1.0 / 16;

// Where the sums of all threads together would take more doubles, threads share one matrix and have rows of it each,
// for which each packs all of X.
inline constexpr std::int64_t kMostPrivateSums = 2'000'000;

// The same for sparse rows, whose multiply-adds go to scattered sums, at one or two cycles each.
inline constexpr double kSparseCrossChunkWork = 2e7;
inline constexpr double kSparseCrossWorkPerThread = 50'000;

// Doubles of the sums that sparse rows are scattered over at a time, so that they stay in L3: each slice costs a pass over
// X. (On a Zen 4, 10000 x 3000 with one value in 50 stored takes twice as long without slices; smaller ones gain nothing.)
inline constexpr std::int64_t kSliceSums = 1 << 20;

}  // namespace fastml::linear
