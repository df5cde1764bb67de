// Disjoint sets that several threads join at the same time, without locks.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

namespace fastml::neighbors {

// A parent has a lower number than its child, so that every way up ends, whatever other threads do meanwhile; which
// sets there are in the end does not depend on the order of the calls.
class UnionFind {
 public:
  explicit UnionFind(std::int64_t size) : parents_(size) {
    for (std::int64_t i = 0; i < size; ++i) parents_[i].store(i, std::memory_order_relaxed);
  }

  // The least element of i's set, as far as joined. Shortens the way there: an ancestor stays one, so that what is
  // stored may be outdated but never wrong.
  std::int64_t find(std::int64_t i) {
    while (true) {
      const std::int64_t parent = parents_[i].load(std::memory_order_relaxed);
      if (parent == i) return i;
      const std::int64_t above = parents_[parent].load(std::memory_order_relaxed);
      if (above == parent) return parent;
      parents_[i].store(above, std::memory_order_relaxed);
      i = above;
    }
  }

  void unite(std::int64_t a, std::int64_t b) {
    while (true) {
      a = find(a);
      b = find(b);
      if (a == b) return;
      if (a < b) std::swap(a, b);
      std::int64_t expected = a;
      if (parents_[a].compare_exchange_strong(expected, b, std::memory_order_relaxed)) return;
    }
  }

 private:
  std::vector<std::atomic<std::int64_t>> parents_;
};

}  // namespace fastml::neighbors
