// One pass over a matrix, over threads: finiteness, variances.
#pragma once

#include <cstdint>
#include <vector>

#include "stats/column_kernels.hpp"

namespace fastml {

// As ColumnKernels::all_finite, over threads.
template <class T>
bool all_finite(const T* values, std::int64_t count, int threads);

struct ColumnSpread {
  std::vector<double> variances;  // population variance of each column about `center`
  double largest_ratio;           // largest |x - center| over the column's standard deviation, over all columns
};
template <class T>
ColumnSpread column_spread(const Rows<const T>& x, const T* center, int threads);

}  // namespace fastml
