#include "svm/samples.hpp"

#include <algorithm>

namespace fastml::svm {
namespace {

// Of gamma |x|^2: a value of the kernel is off by some 1e-16 times as much. Below this bound that is nothing beside the
// rounding to float, and samples stay as they are: integers then give exact distances, as in LIBSVM.
constexpr double kFarFromOrigin = 1e6;

double norm_of(const double* x, const double* center, std::int64_t features) {
  double sum = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const double v = center == nullptr ? x[f] : x[f] - center[f];
    sum += v * v;
  }
  return sum;
}

}  // namespace

SampleNorms::SampleNorms(const Samples& samples) {
  if (samples.is_given()) return;
  const std::int64_t count = samples.count(), features = samples.features();
  squared.resize(count);
  if (samples.is_sparse) {
    for (std::int64_t i = 0; i < count; ++i) squared[i] = squared_norm(samples.sparse, i);
    return;
  }
  const Rows<const double>& x = samples.dense;
  for (std::int64_t i = 0; i < count; ++i) squared[i] = norm_of(x.data + i * x.stride, nullptr, features);
  if (samples.kernel.kind != KernelKind::rbf || count == 0) return;
  if (samples.kernel.gamma * *std::max_element(squared.begin(), squared.end()) <= kFarFromOrigin) return;
  center.assign(features, 0.0);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t f = 0; f < features; ++f) center[f] += x.data[i * x.stride + f] / double(count);
  }
  for (std::int64_t i = 0; i < count; ++i) squared[i] = norm_of(x.data + i * x.stride, center.data(), features);
}

}  // namespace fastml::svm
