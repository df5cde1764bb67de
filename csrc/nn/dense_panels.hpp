// Panels of a layer's parameters, and products of tiles with them. For level sources only.
#pragma once

#include "nn/column_panels.hpp"
#include "simd/copy_block.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// One layer's panels: a row for each input, then one with the intercepts.
template <class T>
struct Panels : ColumnPanels<T> {
  std::int64_t inputs;
  std::int64_t outputs;

  FASTML_INLINE Panels(std::int64_t inputs_, std::int64_t outputs_)
      : ColumnPanels<T>{inputs_ + 1, outputs_}, inputs(inputs_), outputs(outputs_) {}
};

// A as the columns of row-major rows: A(i, p) is value i of row p.
template <class T>
struct DirectCols {
  const T* base;
  std::int64_t stride;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[p * stride + i]; }
};

// A row of ones: the product is the sum of B's rows.
template <class T>
struct Ones {
  FASTML_INLINE T operator()(int, std::int64_t) const { return T(1); }
};

template <class T, int MR, int NV, class A>
__attribute__((noinline)) void run_product(std::int64_t depth, A a, const T* b, std::int64_t b_stride, const T* start,
                                           T* to, std::int64_t to_stride) {
  vec<T> acc[MR][NV];
#pragma GCC unroll 8
  for (int j = 0; j < NV; ++j) {
    const vec<T> first = start == nullptr ? vec<T>{} : load(start + j * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) acc[i][j] = first;
  }
  multiply_tile(depth, a, b, b_stride, acc);
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) store(to + i * to_stride + j * kLanes<T>, acc[i][j]);
  }
}

// to[i][j] = start[j] + sum over p in [0, depth) of A(i, p) * B(p, j), for `rows` rows, at most Most, and `width`
// columns, which are one or kTileVectors whole vectors. Without `start` sums begin at zero.
template <int Most, class T, class A>
FASTML_INLINE void product(int rows, std::int64_t width, std::int64_t depth, A a, const T* b, std::int64_t b_stride,
                           const T* start, T* to, std::int64_t to_stride) {
  with_rows<Most>(rows, [&](auto count) __attribute__((always_inline)) {
    constexpr int MR = decltype(count)::value;
    if (width == kLanes<T>) {
      run_product<T, MR, 1>(depth, a, b, b_stride, start, to, to_stride);
    } else {
      run_product<T, MR, kTileVectors>(depth, a, b, b_stride, start, to, to_stride);
    }
  });
}

template <class T>
void load_layer(std::int64_t inputs, std::int64_t outputs, const T* coef, const T* intercept, T* to) {
  const Panels<T> panels{inputs, outputs};
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t col = p * kTileCols<T>, cols = panels.cols(p), width = panels.width(p);
    for (std::int64_t i = 0; i <= inputs; ++i) {
      const T* from = (i < inputs ? coef + i * outputs : intercept) + col;
      T* row = to + panels.offset(p) + i * width;
      for (std::int64_t j = 0; j < cols; ++j) row[j] = from[j];
      for (std::int64_t j = cols; j < width; ++j) row[j] = T(0);
    }
  }
}

template <class T>
void store_layer(std::int64_t inputs, std::int64_t outputs, const T* from, T* coef, T* intercept) {
  const Panels<T> panels{inputs, outputs};
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t col = p * kTileCols<T>, cols = panels.cols(p), width = panels.width(p);
    for (std::int64_t i = 0; i <= inputs; ++i) {
      const T* row = from + panels.offset(p) + i * width;
      T* to = (i < inputs ? coef + i * outputs : intercept) + col;
      for (std::int64_t j = 0; j < cols; ++j) to[j] = row[j];
    }
  }
}

// Transposes the rows [first, first + cols) of a layer's panels: to[p * width + j] is the weight from input first + j
// to output p, 0 for j past cols.
template <class T>
void transpose_inputs(const T* from, Panels<T> panels, std::int64_t first, std::int64_t cols, std::int64_t width,
                      T* to) {
  if (cols < width) {
    for (std::int64_t i = 0; i < panels.outputs * width; ++i) to[i] = T(0);
  }
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t stride = panels.width(p);
    copy_block(to + p * kTileCols<T> * width, width, from + panels.offset(p) + first * stride, 1, stride,
               panels.cols(p), cols);
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
