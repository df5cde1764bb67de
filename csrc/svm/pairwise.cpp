#include "svm/pairwise.hpp"

#include <algorithm>
#include <cmath>

namespace fastml::svm {
namespace {

// Calls step(pair, i, j) for all pairs i < j.
template <class Step>
void for_each_pair(std::int64_t classes, const Step& step) {
  std::int64_t pair = 0;
  for (std::int64_t i = 0; i < classes; ++i) {
    for (std::int64_t j = i + 1; j < classes; ++j) step(pair++, i, j);
  }
}

// 1 / (1 + e^t), from the exponential that cannot overflow.
double logistic_of(double t) {
  if (t >= 0) {
    const double small = std::exp(-t);
    return small / (1.0 + small);
  }
  return 1.0 / (1.0 + std::exp(t));
}

std::int64_t first_with_most_votes(const double* decisions, std::int64_t classes, double* votes) {
  std::fill(votes, votes + classes, 0.0);
  for_each_pair(classes,
                [&](std::int64_t pair, std::int64_t i, std::int64_t j) { votes[decisions[pair] > 0 ? i : j] += 1; });
  return std::max_element(votes, votes + classes) - votes;
}

void class_scores(const double* decisions, std::int64_t classes, double* confidences, double* to) {
  std::fill(confidences, confidences + classes, 0.0);
  std::fill(to, to + classes, 0.0);
  for_each_pair(classes, [&](std::int64_t pair, std::int64_t i, std::int64_t j) {
    confidences[i] += decisions[pair];
    confidences[j] -= decisions[pair];
    to[decisions[pair] < 0 ? j : i] += 1;
  });
  // Less than a third of a vote either way: it orders classes with as many votes, and no others.
  for (std::int64_t c = 0; c < classes; ++c) to[c] += confidences[c] / (3 * (std::fabs(confidences[c]) + 1));
}

}  // namespace

void couple_probabilities(std::int64_t k, const double* r, double* memory, double* p) {
  constexpr double tolerance = 0.005;
  const std::int64_t most_iterations = std::max<std::int64_t>(100, k);
  double* const q = memory;           // the matrix of the quadratic form p' Q p
  double* const product = q + k * k;  // Q p
  for (std::int64_t t = 0; t < k; ++t) {
    p[t] = 1.0 / double(k);
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      if (j == t) continue;
      sum += r[j * k + t] * r[j * k + t];
      q[t * k + j] = j < t ? q[j * k + t] : -r[j * k + t] * r[t * k + j];
    }
    q[t * k + t] = sum;
  }
  for (std::int64_t iteration = 0; iteration < most_iterations; ++iteration) {
    double form = 0;
    for (std::int64_t t = 0; t < k; ++t) {
      product[t] = 0;
      for (std::int64_t j = 0; j < k; ++j) product[t] += q[t * k + j] * p[j];
      form += p[t] * product[t];
    }
    double error = 0;
    for (std::int64_t t = 0; t < k; ++t) error = std::max(error, std::fabs(product[t] - form));
    if (error < tolerance / double(k)) break;
    for (std::int64_t t = 0; t < k; ++t) {
      // p_t moves to where the derivative by it vanishes, and all are scaled to sum up to 1 again.
      const double step = (form - product[t]) / q[t * k + t], scale = 1 + step;
      p[t] += step;
      form = (form + step * (step * q[t * k + t] + 2 * product[t])) / scale / scale;
      for (std::int64_t j = 0; j < k; ++j) {
        product[j] = (product[j] + step * q[t * k + j]) / scale;
        p[j] /= scale;
      }
    }
  }
}

void PairwiseAnswer::give(std::int64_t sample, const double* sums, double* scratch_memory) const {
  double* const to = values != nullptr ? values + sample * width() : nullptr;
  if (classes == 1) {
    to[0] = sums[0] + intercepts[0];
    return;
  }
  double* const decisions = answer == Answer::decisions ? to : scratch_memory;
  double* const memory = scratch_memory + pairs();
  const std::int64_t q = outputs();
  for_each_pair(classes, [&](std::int64_t pair, std::int64_t i, std::int64_t j) {
    decisions[pair] = sums[i * q + j - 1] + sums[j * q + i] + intercepts[pair];
  });
  switch (answer) {
    case Answer::decisions:
      break;
    case Answer::votes:
      classes_won[sample] = first_with_most_votes(decisions, classes, memory);
      break;
    case Answer::scores:
      class_scores(decisions, classes, memory, to);
      break;
    case Answer::probabilities:
      constexpr double least = 1e-7;
      for_each_pair(classes, [&](std::int64_t pair, std::int64_t i, std::int64_t j) {
        const double given = logistic_of(decisions[pair] * slopes[pair] + offsets[pair]);
        const double bounded = given > least ? given : least;  // NaN becomes the bound
        memory[i * classes + j] = std::min(bounded, 1 - least);
        memory[j * classes + i] = 1 - memory[i * classes + j];
      });
      couple_probabilities(classes, memory, memory + classes * classes, to);
  }
}

}  // namespace fastml::svm
