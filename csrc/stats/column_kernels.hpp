// The loops over columns, at each SIMD level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml {

template <class T>
struct ColumnKernels {
  // Whether all of values[0..count) are finite.
  bool (*all_finite)(const T* values, std::int64_t count);
  // sums[f] = x[0][f] + x[1][f] + ..., rounded to T after every row: the sums numpy.add.reduce(x, axis=0) gives for a
  // C-contiguous array of two columns or more. Bit for bit, because f32 k-means++ draws follow the last bit of the mean.
  void (*sums)(Rows<const T> x, T* sums);
  // squares[f] += (x[i][f] - center[f])^2 over rows [begin, end), in double; largest[f] = max |x[i][f] - center[f]| so far.
  void (*spread)(Rows<const T> x, const T* center, std::int64_t begin, std::int64_t end, double* squares, T* largest);
};

template <class T>
const ColumnKernels<T>& column_kernels(SimdLevel level = active_level());

}  // namespace fastml
