// Route thresholds of tree growing, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::tree {

// Samples of up to this many bytes lie one after the other, longer ones feature by feature: 32 u16 ranks of 35,000 samples
// fill 2 MiB either way, but a node of 500 samples fits L1 with the former; of 784 ranks a node draws one in each of 28 lines.
inline constexpr std::int64_t kSampleBytes = 256;

// Values of features with more of them are not tabled (4 bytes each, often as much as X itself) but looked up in X by a
// sample that has them: a threshold asks for two.
inline constexpr std::uint32_t kMostTabled = 4096;

// Class weights for each value in the range of a node, where that makes no more than this many sums a sample ...
inline constexpr std::int64_t kTalliesPerSample = 2;
inline constexpr std::int64_t kMostTallies = 4096;  // ... and they fit L1. For two classes a value takes one sum;
// else, from this many samples on,
inline constexpr std::int64_t kLeastBucketed = 32;
// sums of buckets of about this many samples each, unless more than one sample in so many would have to be sorted after all.
inline constexpr std::int64_t kSamplesPerBucket = 4;
inline constexpr std::int64_t kMostBuckets = 4096;
inline constexpr std::int64_t kOpenShare = 2;

// Random splits read the values of this many features in one pass over the samples, of nodes that have so many: fewer are in
// L1 anyway, and more would take much memory.
inline constexpr std::int64_t kAheadFeatures = 8;
inline constexpr std::int64_t kLeastAheadSamples = 2;
inline constexpr std::int64_t kAheadSamples = 1 << 16;
// Samples of that pass whose values stay in L1 from one feature to the next.
inline constexpr std::int64_t kAheadBlock = 64;
// Sorted lists of all features are kept up (a pass over all of them for every level of the tree) where a split looks
// at one feature in this many or more; else each node sorts what it looks at.
inline constexpr std::int64_t kListedShare = 3;

// ... and while they take no more memory than this.
inline constexpr std::int64_t kMostListBytes = std::int64_t(2) << 30;

// Sparse features: what an entry costs that is read from the rows of a node and sorted by feature, and what a column costs
// beside its entries, in entries of a column that is walked.
inline constexpr double kRowEntryWork = 3;
inline constexpr double kColumnWork = 8;
// Making the rows, for each entry.
inline constexpr std::int64_t kRowsWork = 16;
// To sort an entry rather than find it again in a column that is.
inline constexpr std::int64_t kSortWork = 8;

// Samples x features of a node from which on its features are searched by several threads (a parallel region costs
// about 3 us, in which one thread looks at two thousand).
inline constexpr std::int64_t kSearchWorkPerThread = 32768;

// Samples x features looked at between two questions whether to stop (some milliseconds).
inline constexpr std::int64_t kWorkBetweenStopChecks = 1'000'000;

}  // namespace fastml::tree
