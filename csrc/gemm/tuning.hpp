// Block sizes and route thresholds of the matrix product, each with the measurement behind it.
// Measured on Zen 4 (32 KiB L1, 1 MiB L2, 32 MiB L3 shared by 2 cores), AVX-512, GCC 12.
#pragma once

#include <cstdint>

namespace fastml {

// Depth of a packed block: steps along the common dimension between two visits of a C tile. The micro-kernel runs at
// 99.5% of the FMA peak while its panels come from L2, so what remains is the cost of visiting C: 2048^3 f32 on one
// thread ran at 104, 105 and 109 GFLOP/s with depths 256, 384 and 512.
inline constexpr int kGemmDepth = 512;

// Rows of A packed at a time (a multiple of every level's tile rows, 4, 6 and 14): 168 x 528 f64 take 0.7 MiB of L2.
inline constexpr int kGemmRows = 168;

// Columns of B packed at a time: 512 x 4096 f32 take 8 MiB of L3.
inline constexpr int kGemmCols = 4096;

// A C larger than this is prefetched tile by tile: its stores would else wait for their lines (60000 x 48 x 128 f32 on one
// thread: 86 GFLOP/s without, 91 with).
inline constexpr std::int64_t kGemmPrefetchBytes = 512 << 10;

// Below this many multiply-adds in all, nothing is packed but ragged edges: A and B fit L2 as they lie.
inline constexpr std::int64_t kGemmUnpackedWork = 160LL * 160 * 160;

// Multiply-adds each thread must have before another one is worth waking (a parallel region costs about 3 us, in which one
// core does 170 thousand f32 multiply-adds).
inline constexpr std::int64_t kGemmWorkPerThread = 400'000;

}  // namespace fastml
