// The k nearest points seen so far, by (distance, row). For level sources only.
#pragma once

#include "neighbors/kd_tree_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using namespace neighbors;

FASTML_INLINE bool before(double distance, std::int64_t row, const Neighbor& other) {
  return distance < other.distance || (distance == other.distance && row < other.row);
}

// What no point comes after: with it a list is filled before it is full.
inline constexpr Neighbor kNobody{__builtin_inf(), INT64_MAX};

// Few: the list is kept in order, and a new one is inserted.
class SortedList {
 public:
  FASTML_INLINE SortedList(Neighbor* list, std::int64_t k) : list_(list), k_(k) {
    for (std::int64_t i = 0; i < k; ++i) list[i] = kNobody;
  }
  FASTML_INLINE std::int64_t wanted() const { return k_; }
  FASTML_INLINE bool is_empty() const { return list_[0].row == INT64_MAX; }
  // No point beyond this distance can come in.
  FASTML_INLINE double limit() const { return list_[k_ - 1].distance; }
  FASTML_INLINE bool takes(double distance, std::int64_t row) const { return before(distance, row, list_[k_ - 1]); }
  FASTML_INLINE void add(double distance, std::int64_t row) {
    std::int64_t i = k_ - 1;
    for (; i > 0 && before(distance, row, list_[i - 1]); --i) list_[i] = list_[i - 1];
    list_[i] = {distance, row};
  }
  FASTML_INLINE Neighbor* finish() { return list_; }

 private:
  Neighbor* list_;
  std::int64_t k_;
};

// Many: they are collected in a reservoir, and whenever it is full the k nearest are kept.
class Reservoir {
 public:
  FASTML_INLINE Reservoir(Neighbor* list, std::int64_t k) : list_(list), k_(k) {}
  FASTML_INLINE std::int64_t wanted() const { return k_; }
  FASTML_INLINE bool is_empty() const { return size_ == 0; }
  FASTML_INLINE double limit() const { return worst_.distance; }
  FASTML_INLINE bool takes(double distance, std::int64_t row) const { return before(distance, row, worst_); }
  FASTML_INLINE void add(double distance, std::int64_t row) {
    list_[size_++] = {distance, row};
    // The first k give a limit at once: a walk that has none goes everywhere.
    if (size_ == 2 * k_ || (size_ == k_ && worst_.row == INT64_MAX)) {
      keep_nearest(list_, size_, k_);
      worst_ = list_[k_ - 1];
      size_ = k_;
    }
  }
  FASTML_INLINE Neighbor* finish() {
    sort_nearest(list_, size_, k_);
    return list_;
  }

 private:
  Neighbor* list_;
  std::int64_t k_;
  std::int64_t size_ = 0;
  Neighbor worst_ = kNobody;
};

}  // namespace FASTML_LEVEL
}  // namespace fastml
