// Sizes and switches of prediction, each with the reason behind it. Measured on a Zen 4 with 1 MB of L2 a core.
#pragma once

#include <cstdint>

namespace fastml::tree {

// Bytes of packed nodes that a block of rows is taken through before the next block. With the values of their leaves they
// stay in L2 meanwhile.
inline constexpr std::int64_t kGroupBytes = 192 << 10;

// Bytes of packed nodes held at a time.
inline constexpr std::int64_t kPackedBytes = 4 << 20;

// Trees are packed where each of their nodes would be stepped on this often, on average; else they are walked as they are.
inline constexpr double kStepsWorthPacking = 3;

// ... and where dense samples have no more features than this: a block of transposed rows is then 16 MB.
inline constexpr std::int64_t kMostPackedFeatures = 32768;
// Sparse ones are limited by the 32 bits that the place of a feature takes.
inline constexpr std::int64_t kMostPackedSparseFeatures = std::int64_t(1) << 29;

// Rows are transposed for as many features as this a tree: a step less a level of the crown, against a copy of the row.
inline constexpr std::int64_t kFeaturesWorthTransposing = 16;

// Sparse rows are transposed for as many features; beyond that they lie one after the other in fewer rows, so many that L2
// holds them.
inline constexpr std::int64_t kTransposedSparseFeatures = 256;
inline constexpr std::int64_t kSparseRowFloats = 1 << 18;

// Rows of a chunk of work: enough for a group to be worth loading.
inline constexpr std::int64_t kPredictChunkRows = 8192;

// Floats of a chunk of transposed rows at most.
inline constexpr std::int64_t kChunkFloats = 1 << 20;

// Steps of a chunk at most (some 20 ms), so that Ctrl-C is answered in time.
inline constexpr std::int64_t kPredictChunkSteps = 20'000'000;

// Steps each thread must have before another one is worth waking: a team's start takes up to 25 us.
inline constexpr std::int64_t kStepsPerThread = 20'000;

// Steps are taken without asking which rows have arrived while no more than this share of the training samples had.
inline constexpr double kShareArrived = 0.3;

// Floats of a copy of rows that are not contiguous, for walking nodes as they are. The copy has fewer rows where they are
// longer than this allows, but at least one.
inline constexpr std::int64_t kPlainFloats = std::int64_t(1) << 20;

}  // namespace fastml::tree
