// Mean and variance of every feature in every class, from one pass over dense rows.
#pragma once

#include <cstdint>

#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

template <class T>
struct MomentsTask {
  Rows<const T> x;
  const std::int64_t* labels;  // the class of each row, in [0, classes)
  const T* weights;            // of the rows; may be null
  std::int64_t classes;
  int threads;
  StopCheck stop;
};

// What is known of the rows seen so far: what the rows of each class weigh together, and the mean and variance of every
// feature, row-major, classes x features; zeros where nothing was seen. Variances are divided by the weight.
struct GaussianMoments {
  double* weights;
  double* means;
  double* variances;
};

// Joins the moments of x with what is known, after `smoothing` times the largest variance of a feature over all rows of x
// (without their weights) was taken from the variances. Classes whose rows in x weigh nothing stay as they are.
// `largest_variance` is not finite where x is not.
//
// Sums are of doubles, about the mean of some rows of the class, so that large means cancel before they are squared. The
// result depends on the number of threads in its last bits only, and repeats bit for bit. Returns false when stopped, and
// leaves what is known as it was.
template <class T>
bool add_moments(const MomentsTask<T>& task, double smoothing, const GaussianMoments& known, double* largest_variance);

}  // namespace fastml::bayes
