// Sorting few keys without branches: each key's place is the number of keys below it.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::tree {

// The most keys that are sorted so: n^2 comparisons, a vector of them at a time.
inline constexpr std::int64_t kSmallSort = 64;

struct SmallSortKernels {
  // sorted[...] = codes[i] << 32 | i for i in [0, count), ascending. count <= kSmallSort; codes lie in [low, low + 2^26).
  void (*sort)(const std::uint32_t* codes, std::int64_t count, std::uint32_t low, std::uint64_t* sorted);
};

const SmallSortKernels& small_sort_kernels(SimdLevel level = active_level());

}  // namespace fastml::tree
