// Passes over what a node's samples have of one feature.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::tree {

struct ValueKernels {
  // For random splits:
  // Lowers low to the least and raises high to the greatest of the values that are not NaN.
  void (*range)(const float* values, std::int64_t count, float& low, float& high);
  // Adds up the items whose value is at most `threshold`, and where `missing_left` those whose value is NaN; `taken` is how
  // many they are.
  std::uint64_t (*sum_below)(const float* values, const std::uint64_t* items, std::int64_t count, float threshold,
                             bool missing_left, std::int64_t& taken);
  // For means: whether sum^2 / weight over both sides reaches `bar` where sums[i] and weights[i] are on the left, for any i.
  // `total` and `weight` are those of both sides.
  bool (*any_reaches)(const double* sums, const double* weights, std::int64_t count, double total, double weight,
                      double bar);
};

const ValueKernels& value_kernels(SimdLevel level = active_level());

}  // namespace fastml::tree
