// The passes over all variables that a step of sequential minimal optimisation takes, at each SIMD level.
//
// Sums and products are rounded one by one, as LIBSVM's are (no fused multiply-add), and of equal values the last wins:
// the same working sets come out. `y G` stands for the gradient of each variable times its label, which LIBSVM keeps as G.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::svm {

// The least quadratic coefficient of a step: LIBSVM's, for kernels that are not positive definite.
inline constexpr double kLeastCurvature = 1e-12;

// A value and where it stands; index -1 where there is none.
struct Place {
  double value;
  std::int64_t index;
};

// What the choice of the second variable reads. `low` is 0 for variables that may go down along their label, else -infinity.
struct SecondChoice {
  const double* gradients;  // y G
  const float* low;
  const double* diagonal;
  const float* row;  // the kernel's values of the first variable
  double gradient;   // -y G of the first variable
  double first_diagonal;
  std::int64_t count;
};

// The variable that lessens the objective most: its place, and the least change (negative). `most` is the largest y G among
// `low`, of which the stopping rule is made.
struct SecondFound {
  Place best;
  double most;
};

struct SmoKernels {
  // The largest of up[k] - gradients[k], `up` being 0 or -infinity.
  Place (*most_violating)(const double* gradients, const float* up, std::int64_t count);
  SecondFound (*second)(const SecondChoice& choice);
  // gradients[k] += first[k] * a + second[k] * b, and then as most_violating.
  Place (*update)(double* gradients, const float* first, double a, const float* second, double b, const float* up,
                  std::int64_t count);
  // sums[k] += row[k] * a
  void (*add_row)(double* sums, const float* row, double a, std::int64_t count);
  // values[k] = row[columns[k]]
  void (*gather)(const float* row, const std::int32_t* columns, std::int64_t count, float* values);
};

const SmoKernels& smo_kernels(SimdLevel level = active_level());

}  // namespace fastml::svm
