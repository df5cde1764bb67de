// What simd/ offers to level sources, through pointers: so that tests can run it at every level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml {

// `lanes` elements where nothing else is said. Each function does what the level header's function of that name does.
template <class T, class Integer>
struct VectorOperations {
  int lanes;
  void (*load_store)(const T* from, T* to);
  void (*widen)(const float* from, double* to);  // load_as<double>: a vector of double
  void (*broadcast)(T x, T* to);
  void (*broadcast_integer)(Integer x, Integer* to);
  void (*load_partial)(const T* from, int count, T fill, T* to);
  void (*store_partial)(const T* from, int count, T* to);
  void (*select_less)(const T* a, const T* b, const T* yes, const T* no, T* to);  // a < b ? yes : no
  void (*select_integer_less)(const T* a, const T* b, const Integer* yes, const Integer* no, Integer* to);
  void (*minimum)(const T* a, const T* b, T* to);
  void (*maximum)(const T* a, const T* b, T* to);
  T (*reduce_add)(const T* from);
  T (*reduce_min)(const T* from);
  bool (*any_less)(const T* a, const T* b);
  // for_each_run over `count` elements: copies each run and returns the sum of the runs' sums.
  T (*copy_runs)(const T* from, std::int64_t count, T* to);
  void (*transpose)(const T* from, T* to);  // lanes x lanes
  void (*copy_block)(T* to, std::int64_t to_stride, const T* from, std::int64_t row_stride, std::int64_t col_stride,
                     std::int64_t rows, std::int64_t cols);
  void (*exp)(const T* from, T* to, std::int64_t count);
  void (*decay)(const T* from, T* to, std::int64_t count);
  void (*log)(const T* from, T* to, std::int64_t count);
  void (*log1p_of_unit)(const T* from, T* to, std::int64_t count);
  void (*tanh)(const T* from, T* to, std::int64_t count);
  // The first bytes of two Scratch buffers of `size` elements, and padded(size).
  bool (*scratch_is_aligned)(std::int64_t size);
  std::int64_t (*padded)(std::int64_t size);
};

template <class T>
struct VectorOperationsOf;
template <>
struct VectorOperationsOf<float> {
  using type = VectorOperations<float, std::int32_t>;
};
template <>
struct VectorOperationsOf<double> {
  using type = VectorOperations<double, std::int64_t>;
};

template <class T>
const typename VectorOperationsOf<T>::type& vector_operations(SimdLevel level);

}  // namespace fastml
