// Metrics of the neighbours searches, as scikit-learn names them.
#pragma once

namespace fastml::neighbors {

enum class Metric {
  sqeuclidean,
  euclidean,
  manhattan,
  chebyshev,
  minkowski,
  cosine,
  seuclidean,
  mahalanobis,
  haversine,
  hamming,
  canberra,
  braycurtis,
  nan_euclidean,
};

}  // namespace fastml::neighbors
