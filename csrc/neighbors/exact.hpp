// Distances by direct difference in double: what the answer of every search is made of, and what it is sorted by.
//
// A sum over up to 16 features is added up in their order, as the k-d tree does. A longer one is made of 16 partial
// sums, feature f in sum f mod 16, which are then added in halves (8 + 8, 4 + 4, ...): thousands of terms in a row
// would be off by several units in the last place. No multiply-add is fused. So a distance is the same to the bit at
// every SIMD level, in every search and at every place in it.
#pragma once

#include <cstdint>

#include "neighbors/metric.hpp"
#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

// What is summed (or, for `most`, compared) over the features. The distance is a function of it alone:
// finish_distance().
enum class Terms {
  squares,     // (x - y)^2
  absolutes,   // |x - y|
  most,        // the largest |x - y|
  powers,      // |x - y|^p, by pow()
  directions,  // (x / |x| - y / |y|)^2 / 2, which is 1 - cos
  scaled,      // (x - y)^2 / V
  sphere,      // sin^2 of half the angle between two places, given by latitude and longitude
  quadratic,   // (x - y)_i times the sum of VI_ij (x - y)_j
};

// One query, ready to be compared: in double, padded with zeros to whole groups of kExactLanes.
inline constexpr int kExactLanes = 16;

template <class T>
struct ExactQuery {
  Rows<const T> data;           // the fitted rows
  const double* query;          // padded; directions: divided by its norm
  const double* weights;        // padded; of absolutes, squares and powers, or nullptr; of scaled: V, padded with ones
  const double* inverse_norms;  // directions: 1 / |x| of each fitted row, 0 for a row of zeros
  double p;                     // powers
  const double* columns;        // quadratic: the columns of VI, each padded
  double* difference;           // quadratic: scratch memory, padded
};

template <class T>
struct ExactKernels {
  // out[i] = the terms of the query and fitted row base + rows[i], summed.
  void (*sums)(Terms terms, const ExactQuery<T>& query, std::int64_t base, const std::int32_t* rows, std::int64_t count,
               double* out);
};

template <class T>
const ExactKernels<T>& exact_kernels(SimdLevel level = active_level());

struct MetricOptions;

// Which terms a metric is computed from. minkowski with p = 1 or 2 is what it says elsewhere.
Terms terms_of(const MetricOptions& options);

// The distance of a sum of terms.
double finish_distance(const MetricOptions& options, double sum);

// The sum of terms of a distance, but for rounding.
double sum_of_distance(const MetricOptions& options, double distance);

// Whether a row is within the radius. As in scikit-learn sums are compared, the squares with the radius squared, but
// for the metrics that it takes from SciPy or computes as a whole matrix.
bool is_within(const MetricOptions& options, double sum, double distance, double radius);

}  // namespace fastml::neighbors
