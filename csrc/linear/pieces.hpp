// Passes over shares of the rows, a share a thread, in pieces between which the caller is asked whether to stop.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/stop.hpp"

namespace fastml::linear {

// Calls step(thread, begin, end) for pieces of the threads' shares, in order within a share. Share t is
// [shares[t], shares[t + 1]). False when stopped.
template <class Step>
bool for_each_piece(const std::vector<std::int64_t>& shares, std::int64_t piece, StopCheck stop, const Step& step) {
  const int threads = int(shares.size()) - 1;
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t begin = shares[t]; begin < shares[t + 1]; begin += piece) {
      if (stopped.load(std::memory_order_relaxed)) break;
      step(t, begin, std::min(begin + piece, shares[t + 1]));
      // The calling thread has the first share.
      if (t == 0 && stop != nullptr && begin + piece < shares[t + 1] && stop()) stopped = true;
    }
  }
  return !stopped && (stop == nullptr || !stop());
}

}  // namespace fastml::linear
