// A metric as Python names it.
#pragma once

#include "bindings.hpp"
#include "neighbors/metric_options.hpp"

namespace fastml {

// Of minkowski: p and the weights of features. V: the variances of seuclidean. VI: the matrix of mahalanobis.
struct MetricArguments {
  double p;
  std::optional<Array<double>> weights, variances, inverse;
};

// Raises ValueError for a metric that no search serves, and for arguments that are missing, of another metric, or out
// of the metric's range. `cols`: features of the rows.
neighbors::MetricOptions metric_options(const std::string& metric, std::int64_t cols, const MetricArguments& arguments);

}  // namespace fastml
