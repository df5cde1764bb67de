// Estimates of the criterion for runs of splits, where class weights are any numbers.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::tree {

// Arrays are read and written in whole steps of this many.
inline constexpr std::int64_t kEstimateStep = 8;

// Each writes, for `count` splits, the sum of squared class weights / weight over both sides (Gini), or of x ln x of the class
// weights less weight ln weight (entropy), and returns the greatest. A side whose weight is not positive, as rounding may have
// left it, makes it infinity. Beyond `count` the arrays are to hold such splits as well: those count.
struct ClassEstimateKernels {
  // Two classes: left_0, left_1 and left are on the left, `total`... on both sides.
  double (*two_gini)(const double* left_0, const double* left_1, const double* left, std::int64_t count, double total_0,
                     double total_1, double total, double* estimates);
  double (*two_entropy)(const double* left_0, const double* left_1, const double* left, std::int64_t count,
                        double total_0, double total_1, double total, double* estimates);
  // Many classes, from the sums of squares of either side, with `slack` added to what stands above the fraction line.
  double (*gini)(const double* left_squares, const double* right_squares, const double* left, std::int64_t count,
                 double total, double slack, double* estimates);
  // From the sums of x ln x of both sides together.
  double (*entropy)(const double* x_log_x, const double* left, std::int64_t count, double total, double* estimates);
  // x ln x, and 0 for what is not positive.
  void (*x_log_x)(const double* x, std::int64_t count, double* out);
};

const ClassEstimateKernels& class_estimate_kernels(SimdLevel level = active_level());

}  // namespace fastml::tree
