// The best split of a feature with few values, for two classes, without sorting: a sum for each value.
#pragma once

#include <algorithm>
#include <vector>

#include "tree/class_sums.hpp"

namespace fastml::tree {

template <class Impurity>
class ValueSearch {
 public:
  using Sums = TwoClassSums<Impurity>;

  // The codes of the node's samples lie in [low, low + values).
  ValueSearch(const RankedFeature& feature, std::int64_t index, std::uint32_t low, std::int64_t values,
              const ClassNode& node, Sides& sides)
      : feature_(feature), index_(index), low_(low), values_(values), node_(node), sides_(sides), empty_(node, sides) {}

  // code(i): of the node's i-th sample. items: of the samples, as Sums takes them. counted: whether run() will be asked how
  // many samples are on the left.
  template <class Code>
  void fill(const Code& code, const std::uint64_t* items, std::int64_t count, bool counted) {
    counted_ = counted;
    sides_.buckets.assign(values_, 0);
    std::uint64_t* const sums = sides_.buckets.data();
    if (!counted_) {
      for (std::int64_t i = 0; i < count; ++i) sums[code(i) - low_] += items[i];
      return;
    }
    sides_.bucket_counts.assign(values_, 0);
    std::uint32_t* const counts = sides_.bucket_counts.data();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t value = code(i) - low_;
      sums[value] += items[i];
      ++counts[value];
    }
  }

  // Whether all samples have the same value.
  bool constant() const {
    const auto held = [](std::uint64_t sum) { return sum != 0; };
    const auto first = std::find_if(sides_.buckets.begin(), sides_.buckets.end(), held);
    const auto last = std::find_if(sides_.buckets.rbegin(), sides_.buckets.rend(), held);
    return same_value(value(first - sides_.buckets.begin()), value(sides_.buckets.rend() - last - 1));
  }

  // `consider(sums, left, proxy)` puts a split to the criterion, `left` samples being on its left: true when it is better
  // than `proxy`, which becomes its own.
  template <class Consider>
  void run(const Consider& consider, Best& best) {
    double bar = estimate_bar<Impurity>(node_, best.proxy);
    Sums sums = empty_;
    std::int64_t left = 0, last = -1;
    for (std::int64_t word = 0; word < values_; word += 64) {
      for (std::uint64_t held = occupancy(word); held != 0; held &= held - 1) {
        const std::int64_t at = word + __builtin_ctzll(held);
        if (last >= 0 && sums.reaches(bar) && (feature_.separated || !same_value(value(last), value(at))) &&
            consider(sums, left, best.proxy)) {
          best.feature = index_;
          best.last_left = low_ + std::uint32_t(last);
          best.threshold = value(last) / 2.0 + value(at) / 2.0;
          best.placed = true;
          best.saw_missing = best.missing_left = false;
          bar = estimate_bar<Impurity>(node_, best.proxy);
        }
        last = at;
        sums.add(sides_.buckets[at]);
        if (counted_) left += sides_.bucket_counts[at];
      }
    }
  }

 private:
  float value(std::int64_t at) const { return feature_.values[low_ + at]; }

  // A bit for each of the 64 values from `first` on that a sample has: which they are is hard to predict.
  std::uint64_t occupancy(std::int64_t first) const {
    std::uint64_t bits = 0;
    const std::int64_t count = std::min<std::int64_t>(64, values_ - first);
    for (std::int64_t i = 0; i < count; ++i) bits |= std::uint64_t(sides_.buckets[first + i] != 0) << i;
    return bits;
  }

  const RankedFeature& feature_;
  const std::int64_t index_;
  const std::uint32_t low_;
  const std::int64_t values_;
  const ClassNode& node_;
  Sides& sides_;
  const Sums empty_;
  bool counted_ = false;
};

}  // namespace fastml::tree
