// Counts of discrete naive Bayes: for each class the sum of its rows, in one pass that also looks at every value.
#pragma once

#include <cstdint>

#include "bayes/count_kernels.hpp"
#include "bayes/sparse_rows.hpp"
#include "runtime/stop.hpp"

namespace fastml::bayes {

// Labels lie in [0, classes]. Rows of label `classes` belong to no class; their values are looked at all the same.
template <class T>
struct CountTask {
  CountedRows<T> rows;
  std::int64_t classes;
  int threads;  // at most
  StopCheck stop;
};

// The same of sparse rows: what is not stored counts nothing.
template <class T, class Index>
struct SparseCountTask {
  SparseRows<T, Index> x;
  const std::int64_t* labels;
  const double* weights;
  const double* threshold;
  std::int64_t classes;
  int threads;
  StopCheck stop;
};

// Writes the sums, row-major, classes x features, and what the values have in common. Sums are of doubles, those of a
// thread's rows in their order, and then those of the threads: they repeat bit for bit for a number of threads. False
// when stopped.
template <class T>
bool count_rows(const CountTask<T>& task, double* sums, ValueRange& range);
template <class T, class Index>
bool count_rows(const SparseCountTask<T, Index>& task, double* sums, ValueRange& range);

// Whether reading x stays within `stored` values and its columns.
template <class T, class Index>
bool in_bounds(const SparseRows<T, Index>& x, std::int64_t stored);

}  // namespace fastml::bayes
