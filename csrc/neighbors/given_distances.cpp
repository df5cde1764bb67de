#include "neighbors/given_distances.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

namespace fastml::neighbors {
namespace {

template <class T>
struct Given {
  T distance;
  std::int64_t index;
  bool operator<(const Given& other) const {
    return distance < other.distance || (distance == other.distance && index < other.index);
  }
};

// A reservoir of twice k: whenever it is full, the k nearest stay. What comes later is taken if it is nearer than all of them
// are known to be; one as far as the farthest comes behind it by its index.
template <class T>
void nearest_of(const T* row, std::int64_t count, std::int64_t k, std::vector<Given<T>>& kept) {
  kept.clear();
  std::int64_t j = 0;
  for (; j < k; ++j) kept.push_back({row[j], j});
  T limit = std::max_element(kept.begin(), kept.end())->distance;
  for (; j < count; ++j) {
    if (!(row[j] < limit)) continue;
    kept.push_back({row[j], j});
    if (std::int64_t(kept.size()) < 2 * k) continue;
    std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end());
    kept.resize(k);
    limit = kept.back().distance;
  }
  std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end());
  kept.resize(k);
  std::sort(kept.begin(), kept.end());
}

// Rows taken at a time: some 100,000 distances.
constexpr std::int64_t kDistancesAtOnce = 100'000;

}  // namespace

template <class T>
bool nearest_given(const Rows<const T>& given, std::int64_t k, int threads, StopCheck stop, T* distances,
                   std::int64_t* indices) {
  const std::int64_t at_once = std::max<std::int64_t>(1, kDistancesAtOnce / given.cols);
  const std::int64_t blocks = (given.rows + at_once - 1) / at_once;
  const int team = int(std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(blocks, 1)));
  std::vector<std::vector<Given<T>>> lists(team);
  for (auto& list : lists) list.reserve(2 * k);
  std::atomic<std::int64_t> taken{0};
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(team) if (team > 1) schedule(static, 1)
  for (int thread = 0; thread < team; ++thread) {
    for (std::int64_t b; (b = taken.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
      if (stopped.load(std::memory_order_relaxed)) break;
      for (std::int64_t i = b * at_once; i < std::min(given.rows, (b + 1) * at_once); ++i) {
        nearest_of(given.data + i * given.stride, given.cols, k, lists[thread]);
        for (std::int64_t n = 0; n < k; ++n) {
          distances[i * k + n] = lists[thread][n].distance;
          indices[i * k + n] = lists[thread][n].index;
        }
      }
      // The first of the team is the caller, which may call back into its interpreter.
      if (thread == 0 && stop != nullptr && stop()) stopped.store(true, std::memory_order_relaxed);
    }
  }
  return !stopped.load();
}

template bool nearest_given(const Rows<const float>&, std::int64_t, int, StopCheck, float*, std::int64_t*);
template bool nearest_given(const Rows<const double>&, std::int64_t, int, StopCheck, double*, std::int64_t*);

}  // namespace fastml::neighbors
