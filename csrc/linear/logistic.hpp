// The objective of logistic regression on rows, with its derivatives: what solvers call.
//
//   objective(w) = sum over rows of weight * loss / total weight + l2 / 2 |w|^2, intercepts without penalty
//
// The loss of two classes is log(1 + e^s) - y s with one score s a row, that of more is the cross entropy of the softmax
// of one score a class. Coefficients are in scikit-learn's order: those of a feature side by side, all outputs; the
// intercepts last, where there are any.
//
// float32 rows are multiplied in float32, and summed up in double. Rows are dealt to threads in equal shares: the sums
// depend on the number of threads, and on nothing else that could change from run to run.
#pragma once

#include <cstdint>
#include <memory>

#include "linear/logistic_kernels.hpp"
#include "runtime/stop.hpp"

namespace fastml::linear {

// Whether reading x stays within `stored` values and `cols` columns.
inline bool in_bounds(const SparseSamples& x, std::int64_t stored) {
  std::int64_t last = 0;
  for (std::int64_t i = 0; i <= x.rows; ++i) {
    if (x.offsets[i] < last || x.offsets[i] > stored) return false;
    last = x.offsets[i];
  }
  return are_indices(x.indices + x.offsets[0], last - x.offsets[0], x.cols);
}

struct LogisticOptions {
  bool intercept;
  double total_weight;  // of all rows
  int threads;
};

// Arrays are borrowed. Methods return false when stopped, and throw std::bad_alloc. Not for several threads at once.
class LogisticLoss {
 public:
  virtual ~LogisticLoss() = default;

  // The number of coefficients.
  virtual std::int64_t size() const = 0;
  virtual bool loss_gradient(const double* coefficients, double l2, double& loss, double* gradient, StopCheck stop) = 0;
  // The same; from then on hessian_product() is about these coefficients. Keeps outputs * rows numbers.
  virtual bool loss_gradient_curvature(const double* coefficients, double l2, double& loss, double* gradient,
                                       StopCheck stop) = 0;
  virtual bool hessian_product(const double* direction, double l2, double* product, StopCheck stop) = 0;
  // `hessian` is size() x size().
  virtual bool loss_gradient_hessian(const double* coefficients, double l2, double& loss, double* gradient,
                                     double* hessian, StopCheck stop) = 0;
};

// Of DenseSamples<float>, DenseSamples<double> or SparseSamples.
template <class Samples>
std::unique_ptr<LogisticLoss> make_logistic_loss(const Samples& samples,
                                                 const LogisticTargets<typename Samples::Value>& targets,
                                                 const LogisticOptions& options);

// probabilities[i * classes + c] of each row, `classes` 2 where there is one output. Coefficients (with intercepts last) as
// above. False when stopped.
template <class Samples>
bool logistic_probabilities(const Samples& samples, std::int64_t outputs, const typename Samples::Value* coefficients,
                            int threads, typename Samples::Value* probabilities, StopCheck stop);

}  // namespace fastml::linear
