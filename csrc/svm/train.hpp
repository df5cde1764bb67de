// Training of support vector machines: from samples and targets to coefficients, as LIBSVM numbers and signs them.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stop.hpp"
#include "svm/samples.hpp"
#include "svm/smo.hpp"

namespace fastml::svm {

enum class Machine { c_svc, nu_svc, one_class, epsilon_svr, nu_svr };

struct TrainOptions {
  Machine machine;
  double c;            // c_svc, epsilon_svr, nu_svr
  double nu;           // nu_svc, one_class, nu_svr
  double epsilon;      // epsilon_svr
  SmoOptions smo;      // cache_bytes are those of all problems that are solved at a time
  bool probability;    // c_svc, nu_svc: sigmoids by 5-fold cross-validation
  std::uint32_t seed;  // of the folds
  int threads;
};

struct TrainingSet {
  Samples samples;
  // Classes count from 0 for classification; else values to be met. One-class does not read them.
  const double* targets;
  const double* weights;        // of samples; those of weight 0 or less are left out
  const double* class_weights;  // c_svc: of each class
  std::int64_t classes;         // of classification, at least 2; some may have no samples left
};

// Classification has one problem for each pair (i, j) of classes, i < j, in order; the others have a single one.
struct TrainedMachine {
  std::vector<std::int32_t> support;    // samples, by class and then ascending
  std::vector<std::int32_t> n_support;  // of each class that has samples; of classification
  std::int64_t present_classes;         // those that have samples; 2 for the other machines
  std::vector<double> coefficients;     // (present_classes - 1) x support
  std::vector<double> intercepts;       // of each problem
  std::vector<std::int32_t> n_iter;
  std::vector<double> objectives;
  // Support vectors of each problem, and those among them that are at their bound.
  std::vector<std::int64_t> problem_support, problem_bounded;
  std::vector<double> sigmoid_a, sigmoid_b;
  bool timed_out;
};

// The targets, weights and options must have been checked. Throws Stopped when stopped, and std::bad_alloc.
TrainedMachine train(const TrainingSet& set, const TrainOptions& options, StopCheck stop);

}  // namespace fastml::svm
