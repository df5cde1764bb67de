#include "nn/embedding.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

template <class T>
void take(std::int64_t count, std::int64_t cols, const T* table, const std::int64_t* index, T* to) {
  for (std::int64_t i = 0; i < count; ++i, to += cols) {
    std::memcpy(to, table + index[i] * cols, std::size_t(cols) * sizeof(T));
  }
}

template <class T>
FASTML_INLINE void add_to(std::int64_t n, const T* __restrict from, T* __restrict to) {
  for (std::int64_t j = 0; j < n; ++j) to[j] += from[j];
}

template <class T>
void add(std::int64_t count, std::int64_t cols, std::int64_t first, std::int64_t last, std::int64_t skipped,
         const T* from, const std::int64_t* index, T* table) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (index[i] != skipped) add_to(last - first, from + i * cols + first, table + index[i] * cols + first);
  }
}

}  // namespace

extern const nn::EmbeddingTables embedding_tables_of_level;
const nn::EmbeddingTables embedding_tables_of_level{{take<float>, add<float>}, {take<double>, add<double>}};

}  // namespace FASTML_LEVEL
}  // namespace fastml
