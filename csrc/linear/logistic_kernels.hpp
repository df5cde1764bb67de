// Passes over the rows of logistic regression: losses, gradients, Hessians, probabilities.
//
// A pass reads X once. Rows are taken in blocks that stay in the cache between the product that gives their scores and the
// product that adds up their gradients; in between the scores of a block become probabilities, by whole vectors.
//
// Two classes have one score a row, that of the second class; more have one for each (softmax). Weights come feature by
// feature, all classes of a feature side by side, which is scikit-learn's order of the coefficients.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::linear {

// Rows of a block at most, and the distance between the scores of two classes.
inline constexpr std::int64_t kBlockRows = 256;

template <class T>
struct DenseSamples {
  using Value = T;
  Rows<const T> x;
};

// Row i holds values[offsets[i] .. offsets[i + 1]). Indices lie in [0, cols), in any order.
struct SparseSamples {
  using Value = double;
  const double* values;
  const std::int32_t* indices;
  const std::int64_t* offsets;
  std::int64_t rows;
  std::int64_t cols;
};

template <class T>
struct LogisticTargets {
  const T* classes;      // the class of each row: 0, 1, ...
  const T* weights;      // of each row; or nullptr
  std::int64_t outputs;  // scores a row: 1, or the number of classes from 3 on
};

// weights[j * outputs + c], c an output; where there is one output, padded with zeros to whole vectors. One intercept an
// output.
template <class T>
struct LogisticModel {
  const T* weights;
  const T* intercepts;
};

// Sums over rows, in double, of one thread. Dense samples have feature j of output c at [c * padded + j], sparse ones at
// [j * outputs + c]; after all of them come the sums of the intercepts.
struct LogisticSums {
  double* values;
  std::int64_t padded;  // features, padded to whole vectors
};

template <class Samples>
struct LogisticKernels {
  using T = typename Samples::Value;

  int lanes;  // elements of a vector: what features are padded to

  // Elements of T that a thread needs as `scratch`; of `passes` all but hessian need the first number.
  std::int64_t (*scratch_size)(std::int64_t features, std::int64_t outputs);
  std::int64_t (*hessian_scratch_size)(std::int64_t features, std::int64_t outputs);

  // Adds the gradient of the losses of rows [begin, end) to `sums`; returns the losses' sum. Where `curvature` is not null
  // it gets what hessian_product needs, at [c * rows + i]: w p (1 - p) of one output, else the probabilities.
  double (*loss_gradient)(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& model,
                          std::int64_t begin, std::int64_t end, T* scratch, T* curvature, LogisticSums sums);

  // Adds the product of the Hessian of rows [begin, end) and `direction` to `sums`.
  void (*hessian_product)(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& direction,
                          std::int64_t begin, std::int64_t end, T* scratch, const T* curvature, LogisticSums sums);

  // As loss_gradient; adds the Hessian, too. It is made of a matrix for each pair of outputs (a, b), b <= a, at place
  // a (a + 1) / 2 + b: rows and columns are the features and the intercept, rows lie hessian_stride apart, and only
  // columns from the diagonal on count.
  double (*hessian)(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& model,
                    std::int64_t begin, std::int64_t end, T* scratch, LogisticSums sums, double* hessian);
  std::int64_t (*hessian_stride)(std::int64_t features);

  // probabilities[i * classes + c] for rows [begin, end), `classes` 2 where there is one output.
  void (*probabilities)(const Samples& samples, std::int64_t outputs, const LogisticModel<T>& model, std::int64_t begin,
                        std::int64_t end, T* scratch, T* probabilities);
};

template <class Samples>
const LogisticKernels<Samples>& logistic_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear
