// What is asked of a kernel machine's support vectors.
#pragma once

#include <cstdint>

#include "runtime/stop.hpp"
#include "svm/pairwise.hpp"

namespace fastml::svm {

struct DecisionTask {
  const double* dual;          // answer.outputs() x vectors
  const std::int64_t* counts;  // vectors of each class
  PairwiseAnswer answer;
  int threads;  // at most
  StopCheck stop;
};

}  // namespace fastml::svm
