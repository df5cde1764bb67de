// What one-vs-one machines answer: from the decisions of all pairs of classes to a class, to a score or to a probability for
// each class.
//
// Pairs are in the order (0, 1), (0, 2), ..., (1, 2), ...; a decision above zero is one for the first class of its pair. A
// single class stands for regression, whose one decision is the answer.
#pragma once

#include <cstdint>

namespace fastml::svm {

enum class Answer {
  decisions,  // one for each pair
  votes,      // the class with the most pairs won, the first one of those with as many
  scores,     // for each class the pairs won, and less than a third of how clearly: what one-vs-rest machines would say
  probabilities,  // for each class
};

struct PairwiseAnswer {
  Answer answer;
  std::int64_t classes;
  const double* intercepts;  // one a pair
  const double* slopes;      // of the sigmoids of probabilities, one a pair: 1 / (1 + e^(slope decision + offset))
  const double* offsets;
  double* values;             // samples x width(); for votes nullptr
  std::int64_t* classes_won;  // one a sample, for votes

  std::int64_t outputs() const { return classes > 1 ? classes - 1 : 1; }
  std::int64_t pairs() const { return classes > 1 ? classes * (classes - 1) / 2 : 1; }
  std::int64_t width() const { return answer == Answer::decisions ? pairs() : classes; }
  // Numbers of working memory that give() wants.
  std::int64_t scratch() const { return pairs() + 2 * classes * classes + classes; }

  // Writes the answer for a sample. sums[c * outputs() + q]: the values of the kernel with the support vectors of class c,
  // weighed with row q of the dual coefficients; that against class d is row d - 1 for d > c, else row d.
  void give(std::int64_t sample, const double* sums, double* scratch_memory) const;
};

// Probabilities p of k classes from those r[i * k + j] of i against j, by the second method of T.-F. Wu, C.-J. Lin and
// R. C. Weng, "Probability estimates for multi-class classification by pairwise coupling", JMLR 5 (2004): p minimises
// sum over i < j of (r_ji p_i - r_ij p_j)^2. The iteration stops where LIBSVM's does, early enough to be seen in the result.
// `memory` holds k * (k + 1) numbers.
void couple_probabilities(std::int64_t k, const double* r, double* memory, double* p);

}  // namespace fastml::svm
