// Block sizes and thresholds of the neighbours searches, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::neighbors {

// Multiply-adds each thread must have before another one is worth waking (a parallel region costs about 3 us).
inline constexpr std::int64_t kBruteWorkPerThread = 400'000;

// Queries of one task: a multiple of every level's tile rows (4, 6 and 14). They are packed and their lists of
// candidates kept in L2, while the fitted rows stream past; more of them would spill, fewer read the rows more often.
inline constexpr std::int64_t kQueryBlock = 168;
inline constexpr std::int64_t kQueryBlockBytes = 384 << 10;

// What a feature of two rows costs where distances are computed as they stand, in multiply-adds of the screen: the
// lanes are half as many, the steps two to five.
inline constexpr std::int64_t kDirectWork = 8;

// Values of sparse rows that stay in L2 beside the panel of a group of queries: each group of a block reads them again.
inline constexpr std::int64_t kCsrChunk = 1 << 16;

// A task asks whether to stop after about this many multiply-adds (a few ms).
inline constexpr std::int64_t kBruteChunkWork = 200'000'000;

// Up to this k the least upper bounds are kept sorted, so that every candidate tightens the limit; above, the k-th is
// selected when the list of candidates is full.
inline constexpr std::int64_t kSortedBounds = 24;

// From this k on a sample of the rows gives a first limit, which spares most of the candidates of the first rows. So
// many rows of the sample are expected among the k nearest; the limit is the bound of its kSortedBounds-th, so that it
// falls short for one query in 100,000 where the rows have no order. It pays where the rows are so many times k.
inline constexpr std::int64_t kSampledFrom = 100;
inline constexpr std::int64_t kExpectedOfSample = 8;
inline constexpr std::int64_t kRowsPerSampled = 30;
// A block whose limits fell short is screened again. Beyond the first ones there are no more samples if that happened to
// more than one in so many.
inline constexpr std::int64_t kFreeRedone = 2;
inline constexpr std::int64_t kSamplesPerRedone = 8;

// The screen looks at the features that hold this share of the rows' spread, if they are at most that share of all, and
// there are many of both. Otherwise it would spare too little for what it leaves to be compared exactly, which is tried
// out on some of the rows: each costs about ten times what it does in the screen.
inline constexpr std::int64_t kLeastColsToLead = 64;
inline constexpr std::int64_t kLeastRowsToLead = 500;
inline constexpr double kLeadingShare = 0.95;
inline constexpr double kMostLeading = 0.75;
inline constexpr std::int64_t kLeadingSample = 1000;
inline constexpr std::int64_t kLeadingProbes = 8;
inline constexpr double kMostLeft = 0.02;

// Rows of a segment at least, where few queries leave threads to share out the rows.
inline constexpr std::int64_t kSegmentRows = 2048;

// DBSCAN: up to this many features blocks are leaves of a k-d tree, for more they are tiles, unless the bounds of these
// leave this share of a radius open.
inline constexpr std::int64_t kLeafCols = 10;
inline constexpr double kMostOpen = 0.3;

}  // namespace fastml::neighbors
