#include "nn/embedding.hpp"

#include <algorithm>
#include <type_traits>

#include "runtime/memory.hpp"

#define FASTML_TABLE_TYPE nn::EmbeddingTables
#define FASTML_TABLE_NAME embedding_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::EmbeddingTables& nn::embedding_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::embedding_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const EmbeddingKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return embedding_tables().f32;
  } else {
    return embedding_tables().f64;
  }
}

}  // namespace

template <class T>
void embedding(std::int64_t count, std::int64_t cols, const T* table, const std::int64_t* index, T* y, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = count * t / threads, end = count * (t + 1) / threads;
    kernels<T>().take(end - begin, cols, table, index + begin, y + begin * cols);
  }
}

template <class T>
void embedding_backward(std::int64_t count, std::int64_t rows, std::int64_t cols, const T* dy,
                        const std::int64_t* index, std::int64_t skipped, bool clear, T* table, int threads) {
  constexpr auto line = std::int64_t(kAlignment / sizeof(T));
  const std::int64_t lines = (cols + line - 1) / line;
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, lines), 1));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t first = lines * t / threads * line, last = std::min(lines * (t + 1) / threads * line, cols);
    if (clear) {
      for (std::int64_t r = 0; r < rows; ++r) std::fill(table + r * cols + first, table + r * cols + last, T(0));
    }
    kernels<T>().add(count, cols, first, last, skipped, dy, index, table);
  }
}

#define FASTML_INSTANTIATE(T)                                                                               \
  template void embedding(std::int64_t, std::int64_t, const T*, const std::int64_t*, T*, int);              \
  template void embedding_backward(std::int64_t, std::int64_t, std::int64_t, const T*, const std::int64_t*, \
                                   std::int64_t, bool, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace nn
}  // namespace fastml
