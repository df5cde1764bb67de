#include "decomposition/sparse_product.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "decomposition/product_kernels.hpp"
#include "decomposition/tuning.hpp"

namespace fastml::decomposition {
namespace {

template <class T>
void multiply(const SparseMatrix<T, std::int32_t>& a, std::int64_t begin, std::int64_t end, Rows<const T> b,
              Rows<T> y) {
  product_kernels<T>().narrow(a, begin, end, b, y);
}
template <class T>
void multiply(const SparseMatrix<T, std::int64_t>& a, std::int64_t begin, std::int64_t end, Rows<const T> b,
              Rows<T> y) {
  product_kernels<T>().wide(a, begin, end, b, y);
}

// The first row of part p of `parts` that have about as much work each: stored values, and one for the row itself.
template <class Index>
std::int64_t part_begin(const Index* offsets, std::int64_t rows, std::int64_t p, std::int64_t parts) {
  const double limit = (double(offsets[rows]) + double(rows)) * double(p) / double(parts);
  std::int64_t low = 0, high = rows;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (double(offsets[middle]) + double(middle) < limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

template <class T, class Index>
bool checked_rows(const SparseMatrix<T, Index>& a, std::int64_t begin, std::int64_t end) {
  return are_columns(a.indices + a.offsets[begin], a.offsets[end] - a.offsets[begin], a.cols);
}

int threads_worth(double work, double per_thread, int threads) {
  return int(std::clamp(work / per_thread, 1.0, double(std::max(threads, 1))));
}

}  // namespace

template <class T, class Index>
Outcome sparse_product(const SparseMatrix<T, Index>& a, Rows<const T> b, Rows<T> y, int threads, StopCheck stop) {
  const double work = (double(a.offsets[a.rows]) + double(a.rows)) * double(b.cols);
  threads = threads_worth(work, kProductWorkPerThread, threads);
  // Some chunks for each thread: rows of one chunk may lie in caches where those of another do not.
  const auto chunks = std::int64_t(threads == 1 ? 1 : 4 * threads) + std::int64_t(work / kProductChunkWork);
  std::atomic<Outcome> outcome{Outcome::done};
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    bool asks = false;
#pragma omp master
    asks = stop != nullptr;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t c = 0; c < chunks; ++c) {
      if (outcome != Outcome::done) continue;
      const std::int64_t begin = part_begin(a.offsets, a.rows, c, chunks);
      const std::int64_t end = c + 1 == chunks ? a.rows : part_begin(a.offsets, a.rows, c + 1, chunks);
      if (!checked_rows(a, begin, end)) {
        outcome = Outcome::index_out_of_range;
        continue;
      }
      multiply(a, begin, end, b, y);
      if (asks && stop()) outcome = Outcome::stopped;
    }
  }
  // The thread that asks may have come too late for a chunk.
  if (outcome == Outcome::done && stop != nullptr && stop()) return Outcome::stopped;
  return outcome;
}

template <class T, class Index>
Outcome transpose(const SparseMatrix<T, Index>& a, T* values, Index* indices, Index* offsets, int threads) {
  const std::int64_t stored = a.offsets[a.rows];
  // Every thread keeps a counter for each column, and one goes through them all.
  const double per_thread = double(std::max(kTransposeValuesPerThread, a.cols));
  threads = threads_worth(double(stored), per_thread, threads);
  std::vector<std::int64_t> first_row(threads + 1);
  for (int t = 0; t <= threads; ++t) first_row[t] = t == threads ? a.rows : part_begin(a.offsets, a.rows, t, threads);
  if (!checked_rows(a, 0, a.rows)) return Outcome::index_out_of_range;
  std::vector<Index> places(threads * a.cols);
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
#pragma omp for schedule(static, 1)
    for (int t = 0; t < threads; ++t) {
      Index* counts = places.data() + t * a.cols;
      for (Index p = a.offsets[first_row[t]]; p < a.offsets[first_row[t + 1]]; ++p) ++counts[a.indices[p]];
    }
#pragma omp single
    {
      Index before = 0;
      for (std::int64_t j = 0; j < a.cols; ++j) {
        offsets[j] = before;
        for (int t = 0; t < threads; ++t) {
          Index& place = places[t * a.cols + j];
          const Index count = place;
          place = before;
          before += count;
        }
      }
      offsets[a.cols] = before;
    }
#pragma omp for schedule(static, 1)
    for (int t = 0; t < threads; ++t) {
      Index* next = places.data() + t * a.cols;
      for (std::int64_t i = first_row[t]; i < first_row[t + 1]; ++i) {
        for (Index p = a.offsets[i]; p < a.offsets[i + 1]; ++p) {
          const Index to = next[a.indices[p]]++;
          values[to] = a.values[p];
          indices[to] = Index(i);
        }
      }
    }
  }
  return Outcome::done;
}

#define FASTML_FOR_TYPES(T, Index)                                                                        \
  template Outcome sparse_product(const SparseMatrix<T, Index>&, Rows<const T>, Rows<T>, int, StopCheck); \
  template Outcome transpose(const SparseMatrix<T, Index>&, T*, Index*, Index*, int);
FASTML_FOR_TYPES(float, std::int32_t)
FASTML_FOR_TYPES(float, std::int64_t)
FASTML_FOR_TYPES(double, std::int32_t)
FASTML_FOR_TYPES(double, std::int64_t)
#undef FASTML_FOR_TYPES

}  // namespace fastml::decomposition
