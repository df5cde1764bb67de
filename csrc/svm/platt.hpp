// Probabilities from decision values: Platt's sigmoid 1 / (1 + e^(A f + B)), fitted as Lin, Lin and Weng (2007) do.
#pragma once

#include <cstdint>

namespace fastml::svm {

struct Sigmoid {
  double a, b;
};

// `labels` above 0 are of the class whose probability it is.
Sigmoid fit_sigmoid(const double* decisions, const double* labels, std::int64_t count);

}  // namespace fastml::svm
