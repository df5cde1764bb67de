// Chunk sizes and switches of k-means, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml {

// Rows of one chunk of work. Large enough that the rows a bounds filter leaves over fill whole panels.
inline constexpr std::int64_t kKMeansChunkRows = 4096;

// A chunk costs at most about this many multiply-adds (some 20 ms on one core), so that Ctrl-C is answered in time.
inline constexpr std::int64_t kKMeansChunkWork = 1'000'000'000;

// Multiply-adds each thread must have before another one is worth waking.
inline constexpr std::int64_t kKMeansWorkPerThread = 300'000;

// Bounds are kept up while they spare at least this share of the rows; keeping them costs about a fifth of an iteration
// (12 clusters, 8 features, f32). Where they do not pay they rest for a while, each time twice as long, up to the most.
inline constexpr double kKMeansWorthwhileSkips = 0.25;
inline constexpr int kKMeansLongestRest = 8;

}  // namespace fastml
