// Embedding: rows of a table by number, and the gradient of the table.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

template <class T>
struct EmbeddingKernels {
  // to[i] = table[index[i]], rows of `cols`.
  void (*take)(std::int64_t count, std::int64_t cols, const T* table, const std::int64_t* index, T* to);
  // table[index[i]] += from[i] for one i after the other, columns `first` to `last` - 1 of rows of `cols`. Rows named
  // `skipped` are left out.
  void (*add)(std::int64_t count, std::int64_t cols, std::int64_t first, std::int64_t last, std::int64_t skipped,
              const T* from, const std::int64_t* index, T* table);
};

struct EmbeddingTables {
  EmbeddingKernels<float> f32;
  EmbeddingKernels<double> f64;
};
const EmbeddingTables& embedding_tables(SimdLevel level = active_level());

// y[i] = table[index[i]]. Indices must lie in the table.
template <class T>
void embedding(std::int64_t count, std::int64_t cols, const T* table, const std::int64_t* index, T* y, int threads);

// The gradient of the table, of `rows` rows: dy[i] is added to row index[i], in the order of i, whatever the number of
// threads: each has columns of its own. `skipped` is a row that gets none, or -1. With `clear` the table is set to 0
// first.
template <class T>
void embedding_backward(std::int64_t count, std::int64_t rows, std::int64_t cols, const T* dy,
                        const std::int64_t* index, std::int64_t skipped, bool clear, T* table, int threads);

}  // namespace fastml::nn
