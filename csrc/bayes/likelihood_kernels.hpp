// The loops over dense rows, at each SIMD level.
#pragma once

#include <cstdint>

#include "bayes/outcomes.hpp"
#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

// What a feature of value x adds to the score of a class with the two parameters a and b.
enum class Term {
  product,   // -(x - a)^2 b: b is half the inverse of the variance
  quotient,  // -(x - a)^2 / b: for variances without an inverse
};

// Parameters a term has for each feature and class.
inline constexpr int kParameters = 2;

// Classes stand in groups, the last one filled up with zeros: for each group, each feature and each parameter one number a
// class of the group.
struct PackedModel {
  Term term;
  std::int64_t features, classes;
  const double* parameters;  // groups x features x kParameters x LikelihoodKernels::group
  const double* constants;   // what a score starts from; groups x LikelihoodKernels::group
};

template <class T>
struct LikelihoodKernels {
  int group;  // classes of a group
  // Doubles that `score` needs for itself.
  std::int64_t (*scratch_size)(std::int64_t features, std::int64_t classes);
  // Writes the outcomes of rows [begin, end) of x; `scratch` is aligned to a line. Returns whether these rows are finite.
  bool (*score)(const PackedModel& model, Rows<const T> x, std::int64_t begin, std::int64_t end, const Outcomes& out,
                double* scratch);
};

template <class T>
const LikelihoodKernels<T>& likelihood_kernels(SimdLevel level = active_level());

}  // namespace fastml::bayes
