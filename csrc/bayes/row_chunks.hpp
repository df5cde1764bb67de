// Rows dealt to threads, with a look for Ctrl-C between chunks. For baseline sources.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "bayes/discrete_tuning.hpp"
#include "runtime/stop.hpp"

namespace fastml::bayes {

// At most as many threads as were asked for, and no more than there are parts of rows.
inline int threads_for_rows(std::int64_t rows, std::int64_t rows_per_thread, int threads) {
  return int(std::clamp<std::int64_t>(rows / rows_per_thread, 1, std::max(threads, 1)));
}

// The threads that `values` are worth which each of them adds to `sums` of its own, few beside the values.
inline int threads_for_sums(std::int64_t values, std::int64_t sums, int threads) {
  const std::int64_t most = std::min(values / kValuesPerThread, values / (kValuesPerSum * sums));
  return int(std::clamp<std::int64_t>(most, 1, std::max(threads, 1)));
}

// Calls step(thread, begin, end) for chunks of [0, rows), thread t's among the t-th part of the rows: the same chunks to the
// same thread in every run. Parts end at multiples of `align`, as chunks do. Returns false when stopped.
template <class Step>
bool for_each_row_chunk(std::int64_t rows, std::int64_t chunk, std::int64_t align, int threads, StopCheck stop,
                        const Step& step) {
  const std::int64_t blocks = (rows + align - 1) / align;
  chunk = std::max<std::int64_t>(chunk / align, 1) * align;
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t last = std::min(blocks * (t + 1) / threads * align, rows);
    for (std::int64_t begin = blocks * t / threads * align; begin < last && !stopped; begin += chunk) {
      step(t, begin, std::min(begin + chunk, last));
      if (t == 0 && stop != nullptr && stop()) stopped = true;
    }
  }
  return !stopped;
}

}  // namespace fastml::bayes
