#include "metric_options.hpp"

#include <algorithm>
#include <cmath>

namespace fastml {
namespace {

using neighbors::Metric;
using neighbors::MetricOptions;

const std::pair<const char*, Metric> kNames[] = {
    {"sqeuclidean", Metric::sqeuclidean},    {"euclidean", Metric::euclidean},
    {"manhattan", Metric::manhattan},        {"chebyshev", Metric::chebyshev},
    {"minkowski", Metric::minkowski},        {"cosine", Metric::cosine},
    {"seuclidean", Metric::seuclidean},      {"mahalanobis", Metric::mahalanobis},
    {"haversine", Metric::haversine},        {"hamming", Metric::hamming},
    {"canberra", Metric::canberra},          {"braycurtis", Metric::braycurtis},
    {"nan_euclidean", Metric::nan_euclidean}};

Metric metric_named(const std::string& metric) {
  for (const auto& [name, value] : kNames) {
    if (metric == name) return value;
  }
  throw py::value_error("metric: '" + metric + "' is not served");
}

// An array of one metric, of which every element `holds`.
template <class Holds>
std::vector<double> elements(const std::optional<Array<double>>& array, std::int64_t size, const char* name,
                             const char* otherwise, const Holds& holds) {
  const double* data = optional_data(array, size, name);
  const bool right = std::all_of(data, data + size, holds);
  require(right, std::string(name) + ": " + otherwise);
  return {data, data + size};
}

}  // namespace

MetricOptions metric_options(const std::string& metric, std::int64_t cols, const MetricArguments& arguments) {
  const Metric value = metric_named(metric);
  MetricOptions options{value, arguments.p, {}, {}};
  require(value != Metric::minkowski || (arguments.p > 0 && std::isfinite(arguments.p)),
          "p: expected a positive, finite number");
  require(value == Metric::minkowski || !arguments.weights, "weights: of minkowski only");
  require((value == Metric::seuclidean) == arguments.variances.has_value(), "V: of seuclidean, which needs it");
  require((value == Metric::mahalanobis) == arguments.inverse.has_value(), "VI: of mahalanobis, which needs it");
  require(value != Metric::haversine || cols == 2, "haversine: expected 2 features, got " + std::to_string(cols));
  if (arguments.weights) {
    options.weights = elements(arguments.weights, cols, "weights", "negative or not finite",
                               [](double weight) { return weight >= 0 && std::isfinite(weight); });
  }
  if (arguments.variances) {
    options.scales = elements(arguments.variances, cols, "V", "not positive or not finite",
                              [](double variance) { return variance > 0 && std::isfinite(variance); });
  }
  if (arguments.inverse) {
    const Array<double>& matrix = *arguments.inverse;
    require(matrix.ndim() == 2 && matrix.shape(0) == cols && matrix.shape(1) == cols,
            "VI: expected a matrix of " + std::to_string(cols) + " x " + std::to_string(cols));
    options.scales.assign(matrix.data(), matrix.data() + cols * cols);
    const bool finite =
        std::all_of(options.scales.begin(), options.scales.end(), [](double x) { return std::isfinite(x); });
    require(finite, "VI: not finite");
  }
  return options;
}

}  // namespace fastml
