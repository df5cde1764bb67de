// The samples of a tree sorted by every feature, kept sorted within each node as nodes are split: what is sorted once is
// parted stably, and never sorted again.
#pragma once

#include <cstdint>
#include <vector>

#include "tree/features.hpp"
#include "tree/sort.hpp"

namespace fastml::tree {

class SortedLists {
 public:
  // `samples`: those in the tree, ascending. Features must be ranked.
  SortedLists(const Features& features, const std::vector<std::uint32_t>& samples, int threads);

  static std::int64_t bytes(std::int64_t samples, std::int64_t features) {
    return samples * features * std::int64_t(sizeof(Key));
  }

  const Key* list(std::int64_t feature) const { return keys_.data() + feature * count_; }

  // Notes that these samples go left; part() then moves them to the front of [begin, end) of the lists, in order. Features
  // in `skipped`, the first `skipped_count`, are not looked at again below.
  void mark(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count);
  void part(std::int64_t begin, std::int64_t end, const std::int64_t* skipped, std::int64_t skipped_count);

 private:
  std::int64_t count_, features_;
  int threads_;
  std::vector<Key> keys_;           // list after list
  std::vector<Key> aside_;          // `count_` for each thread
  std::vector<std::uint8_t> left_;  // of each sample
  std::vector<std::uint8_t> skip_;  // of each feature
};

}  // namespace fastml::tree
