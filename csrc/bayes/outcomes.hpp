// What is asked of a model for each row: scores, probabilities or the likeliest class.
#pragma once

#include <cstdint>

namespace fastml::bayes {

// Rows of a tile, whose scores are kept together: chunks of rows are whole tiles. A whole number of vectors at every level.
inline constexpr std::int64_t kTileRows = 32;

enum class Outcome {
  joint,            // log P(x, class), as it is
  log_probability,  // less the logarithm of their exponentials' sum
  probability,
  label,  // the number of the class with the highest score; the first of equal ones, or the first that is NaN
};

// Where results go, row by row: one of the three is not null. Labels have one element a row, the others one a class.
struct Outcomes {
  Outcome kind;
  double* wide;
  float* narrow;
  std::int64_t* labels;
};

}  // namespace fastml::bayes
