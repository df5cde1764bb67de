// Chunk sizes of the decompositions' kernels, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::decomposition {

// Multiply-adds of a chunk of rows: some 2 ms on one core of a Zen 4 where the dense rows lie in L3. It is what threads take
// in turn, and what passes between two looks for Ctrl-C.
inline constexpr double kProductChunkWork = 1e7;

// Multiply-adds each thread must have before another one is worth waking.
inline constexpr double kProductWorkPerThread = 200'000;

// Stored values each thread must have for the transposition, which takes some nanoseconds for each.
inline constexpr std::int64_t kTransposeValuesPerThread = 30'000;

}  // namespace fastml::decomposition
