// How often each category of each feature occurs in each class.
#pragma once

#include <cstdint>

#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

// Writes the largest value of each feature, and returns the least value of all. There is a row at least.
std::int64_t largest_categories(Rows<const std::int64_t> x, int threads, std::int64_t* largest);

// unknown: some x[i][j] is no category of feature j, that is, not in [0, offsets[j + 1] - offsets[j]).
enum class CategoryResult { known, unknown, stopped };

// Categories of a feature are numbered from 0, and those of all features follow one another from offsets[j] on. Labels
// lie in [0, classes]; rows of label `classes` are not counted.
struct CategoryCountTask {
  Rows<const std::int64_t> x;
  const std::int64_t* labels;
  const double* weights;        // null for 1 each
  const std::int64_t* offsets;  // features + 1, from 0
  std::int64_t classes;
  int threads;  // at most
  StopCheck stop;
};

// Writes the sums of the weights, row-major, classes x offsets[features]. They repeat bit for bit for a number of
// threads.
CategoryResult count_categories(const CategoryCountTask& task, double* counts);

}  // namespace fastml::bayes
