#include "linear/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linear/lbfgs_kernels.hpp"
#include "linear/line_search.hpp"
#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

// SciPy's limits: updates remembered, evaluations, and (scikit-learn's) steps tried in one line search.
constexpr int kUpdates = 10;
constexpr std::int64_t kMostEvaluations = 15'000;
constexpr int kMostTrials = 50;

double largest(const double* values, std::int64_t size) {
  double most = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    // A NaN stays: it is within no tolerance.
    if (!(std::abs(values[i]) <= most)) most = std::abs(values[i]);
  }
  return most;
}

// The last updates: steps, and how the gradient changed along them.
class Updates {
 public:
  explicit Updates(std::int64_t size)
      : size_(size), stride_(whole_lines<double>(size)), steps_(kUpdates * stride_), changes_(kUpdates * stride_) {}

  bool empty() const { return count_ == 0; }
  void forget() { count_ = 0; }

  // `curvature` is step . change, and positive.
  void add(const double* step, const double* change, double curvature) {
    std::copy(step, step + size_, steps_.data() + next_ * stride_);
    std::copy(change, change + size_, changes_.data() + next_ * stride_);
    curvatures_[next_] = curvature;
    first_scale_ = curvature / kernels_.dot(change, change, size_);
    next_ = (next_ + 1) % kUpdates;
    count_ = std::min(count_ + 1, kUpdates);
  }

  // to = -H gradient, H the inverse Hessian that the updates lead to.
  void direction(const double* gradient, double* to) const {
    std::copy(gradient, gradient + size_, to);
    kernels_.scale(to, -1, size_);
    if (count_ == 0) return;
    double factors[kUpdates];
    double product = kernels_.dot(step(0), to, size_);
    for (int u = 0; u < count_; ++u) {
      factors[u] = product / curvature(u);
      // The product with the step before comes out of the same pass.
      product = kernels_.add_and_dot(to, -factors[u], change(u), u + 1 < count_ ? step(u + 1) : change(u), size_);
    }
    kernels_.scale(to, first_scale_, size_);
    product *= first_scale_;  // of the oldest change, the last that was asked for
    for (int u = count_ - 1; u >= 0; --u) {
      const double factor = factors[u] - product / curvature(u);
      product = kernels_.add_and_dot(to, factor, step(u), change(std::max(u - 1, 0)), size_);
    }
  }

 private:
  // Update 0 is the last one.
  int place(int update) const { return (next_ - 1 - update + 2 * kUpdates) % kUpdates; }
  const double* step(int update) const { return steps_.data() + place(update) * stride_; }
  const double* change(int update) const { return changes_.data() + place(update) * stride_; }
  double curvature(int update) const { return curvatures_[place(update)]; }

  const LbfgsKernels& kernels_ = lbfgs_kernels();
  std::int64_t size_, stride_;
  Buffer<double> steps_, changes_;
  double curvatures_[kUpdates] = {};
  double first_scale_ = 1;
  int next_ = 0;
  int count_ = 0;
};

}  // namespace

LbfgsResult minimize_lbfgs(const LbfgsFunction& function, double* point, std::int64_t size,
                           const LbfgsOptions& options) {
  const LbfgsKernels& kernels = lbfgs_kernels();
  Updates updates(size);
  Buffer<double> gradient(size), old_gradient(size), old_point(size), direction(size);

  double value = 0;
  if (!function(point, value, gradient.data())) return {LbfgsOutcome::stopped, value, 0};
  std::int64_t evaluations = 1, iterations = 0;
  if (largest(gradient.data(), size) <= options.gradient_tolerance) return {LbfgsOutcome::flat, value, 0};

  for (;;) {
    updates.direction(gradient.data(), direction.data());
    const double old_slope = kernels.dot(gradient.data(), direction.data(), size);
    const double old_value = value;
    std::copy(point, point + size, old_point.data());
    std::copy(gradient.begin(), gradient.end(), old_gradient.data());

    bool found = false;
    double slope = old_slope, step = 1;
    if (!(old_slope >= 0)) {
      // The first direction has no scale.
      if (iterations == 0) step = 1 / std::sqrt(kernels.dot(direction.data(), direction.data(), size));
      LineSearch search(old_value, old_slope, std::min(step, 1e10));
      for (int trial = 0; trial < kMostTrials && !found; ++trial) {
        step = search.step();
        kernels.add(old_point.data(), step, direction.data(), point, size);
        if (!function(point, value, gradient.data())) return {LbfgsOutcome::stopped, value, iterations};
        ++evaluations;
        slope = kernels.dot(gradient.data(), direction.data(), size);
        found = search.done(value, slope);
      }
    }
    if (!found) {
      std::copy(old_point.begin(), old_point.end(), point);
      std::copy(old_gradient.begin(), old_gradient.end(), gradient.data());
      value = old_value;
      if (updates.empty()) return {LbfgsOutcome::abnormal, value, iterations};
      updates.forget();
      continue;
    }

    ++iterations;
    if (iterations >= options.most_iterations) return {LbfgsOutcome::iterations, value, iterations};
    if (evaluations > kMostEvaluations) return {LbfgsOutcome::evaluations, value, iterations};
    if (largest(gradient.data(), size) <= options.gradient_tolerance) return {LbfgsOutcome::flat, value, iterations};
    const double magnitude = std::max({std::abs(old_value), std::abs(value), 1.0});
    if (old_value - value <= options.reduction_tolerance * magnitude) {
      return {LbfgsOutcome::no_progress, value, iterations};
    }

    // Where the slope hardly changed along the step, the update would be noise.
    const double curvature = (slope - old_slope) * step;
    if (curvature > std::numeric_limits<double>::epsilon() * -old_slope * step) {
      kernels.add(gradient.data(), -1, old_gradient.data(), old_gradient.data(), size);
      kernels.scale(direction.data(), step, size);
      updates.add(direction.data(), old_gradient.data(), curvature);
    }
  }
}

}  // namespace fastml::linear
