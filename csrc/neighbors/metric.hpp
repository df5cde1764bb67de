// Metrics of the neighbours searches, as scikit-learn names them.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::neighbors {

enum class Metric { sqeuclidean, euclidean, manhattan, chebyshev, minkowski, cosine };

struct MetricOptions {
  Metric metric = Metric::euclidean;
  double p = 2;                 // of minkowski
  std::vector<double> weights;  // of minkowski, one a feature: (sum w |x - y|^p)^(1/p); empty for ones
};

}  // namespace fastml::neighbors
