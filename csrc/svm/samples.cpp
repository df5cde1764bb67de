#include "svm/samples.hpp"

#include <algorithm>

#include "svm/row_kernels.hpp"

namespace fastml::svm {
namespace {

// Of gamma |x|^2: a value of the kernel is off by some 1e-16 times as much. Below this bound that is nothing beside the
// rounding to float, and samples stay as they are: integers then give exact distances, as in LIBSVM.
constexpr double kFarFromOrigin = 1e6;

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
  row_kernels().norms(x.data, x.stride, count, features, nullptr, squared.data());
  if (samples.kernel.kind != KernelKind::rbf || count == 0) return;
  if (samples.kernel.gamma * *std::max_element(squared.begin(), squared.end()) <= kFarFromOrigin) return;
  center.assign(features, 0.0);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t f = 0; f < features; ++f) center[f] += x.data[i * x.stride + f] / double(count);
  }
  row_kernels().norms(x.data, x.stride, count, features, center.data(), squared.data());
}

}  // namespace fastml::svm
