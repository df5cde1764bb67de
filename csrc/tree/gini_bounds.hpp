// Gini's criterion at and between the edges of buckets of samples of two classes.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::tree {

// Entries that must follow the last one in the arrays of GiniBounds: whole vectors are read and written.
inline constexpr std::int64_t kBoundsPadding = 16;

// left[b], left_1[b]: the weight, and that of class 1, of the samples before bucket b, for b = 0 .. buckets; the last are those
// of all samples. They are read up to kBoundsPadding entries beyond.
// edges[b] = sum of squared class weights / weight, of the samples before bucket b and of the rest together; -inf where a side
// has none. bounds[b]: what this can reach with any of the samples of bucket b on the left.
//
// reach[i] = whether this reaches `bar` with sums[i] on the left, where both sides have weight. sums[i]: weight << 32 | weight
// of class 1, in all less than 2^58; `total` and `total_1` are those of both sides. As many entries as above are read and
// written beyond the last.
struct GiniBoundKernels {
  void (*bounds)(const double* left, const double* left_1, std::int64_t buckets, double* edges, double* bounds);
  void (*reaching)(const std::uint64_t* sums, std::int64_t count, double total, double total_1, double bar,
                   std::uint8_t* reach);
};

const GiniBoundKernels& gini_bound_kernels(SimdLevel level = active_level());

}  // namespace fastml::tree
