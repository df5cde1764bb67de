// A metric with its parameters.
#pragma once

#include <vector>

#include "neighbors/metric.hpp"

namespace fastml::neighbors {

struct MetricOptions {
  Metric metric = Metric::euclidean;
  double p = 2;                 // of minkowski
  std::vector<double> weights;  // of minkowski, one a feature: (sum w |x - y|^p)^(1/p); empty for ones
  // seuclidean: the variances V, one a feature. mahalanobis: the matrix VI of sum VI_ij (x - y)_i (x - y)_j, by rows.
  std::vector<double> scales = {};
};

}  // namespace fastml::neighbors
