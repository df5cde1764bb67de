#include "neighbors/exact.hpp"

#include <algorithm>
#include <cmath>

#include "neighbors/metric_options.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE neighbors::ExactKernels<float>
#define FASTML_TABLE_NAME exact_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::ExactKernels<float>& neighbors::exact_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::exact_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE neighbors::ExactKernels<double>
#define FASTML_TABLE_NAME exact_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::ExactKernels<double>& neighbors::exact_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::exact_table_f64;
  }
}

namespace neighbors {

Terms terms_of(const MetricOptions& options) {
  switch (options.metric) {
    case Metric::manhattan:
      return Terms::absolutes;
    case Metric::chebyshev:
      return Terms::most;
    case Metric::cosine:
      return Terms::directions;
    case Metric::minkowski:
      return options.p == 1 ? Terms::absolutes : options.p == 2 ? Terms::squares : Terms::powers;
    case Metric::seuclidean:
      return Terms::scaled;
    case Metric::haversine:
      return Terms::sphere;
    case Metric::mahalanobis:
      return Terms::quadratic;
    default:
      return Terms::squares;
  }
}

double finish_distance(const MetricOptions& options, double sum) {
  switch (options.metric) {
    case Metric::euclidean:
    case Metric::seuclidean:
    case Metric::mahalanobis:
    case Metric::nan_euclidean:
      return std::sqrt(sum);
    case Metric::haversine:  // between two ends of the earth the sum may be rounded to more than 1
      return 2 * std::asin(std::sqrt(std::min(sum, 1.0)));
    case Metric::cosine:
      return 0.5 * sum;
    case Metric::minkowski:
      return options.p == 1 ? sum : options.p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / options.p);
    default:
      return sum;
  }
}

double sum_of_distance(const MetricOptions& options, double distance) {
  switch (options.metric) {
    case Metric::euclidean:
    case Metric::seuclidean:
    case Metric::mahalanobis:
    case Metric::nan_euclidean:
      return distance * distance;
    case Metric::haversine: {
      const double sine = std::sin(0.5 * distance);
      return sine * sine;
    }
    case Metric::cosine:
      return 2 * distance;
    case Metric::minkowski:
      return options.p == 1 ? distance : std::pow(distance, options.p);
    default:
      return distance;
  }
}

bool is_within(const MetricOptions& options, double sum, double distance, double radius) {
  const bool whole = options.metric == Metric::mahalanobis || options.metric == Metric::nan_euclidean;
  return whole ? distance <= radius : sum <= sum_of_distance(options, radius);
}

}  // namespace neighbors
}  // namespace fastml
