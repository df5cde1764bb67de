// The best split of a feature with few values without sorting: class weights for each value.
#pragma once

#include <algorithm>
#include <vector>

#include "tree/class_sums.hpp"

namespace fastml::tree {

template <class Impurity, class Sums>
class ValueSearch {
 public:
  // The codes of the node's samples lie in [low, low + values).
  ValueSearch(const RankedFeature& feature, std::int64_t index, std::uint32_t low, std::int64_t values,
              const ClassNode& node, Sides& sides)
      : feature_(feature),
        index_(index),
        low_(low),
        values_(values),
        node_(node),
        sides_(sides),
        size_(Sums::tally_size(node.classes)) {}

  // Searches tallies that are there: class weights for each value, and how many samples have it if run() will be asked for
  // that, else null.
  void take(const std::uint64_t* tallies, const std::uint32_t* counts) {
    tallies_ = tallies;
    counts_ = counts;
  }

  // Makes them. items: of the samples, as Sums takes them.
  void fill(const std::uint32_t* codes, const std::uint64_t* items, std::int64_t count, bool counted) {
    sides_.buckets.assign(values_ * size_, 0);
    std::uint64_t* const tallies = sides_.buckets.data();
    for (std::int64_t i = 0; i < count; ++i) Sums::count(tallies + (codes[i] - low_) * size_, node_.classes, items[i]);
    if (counted) {
      sides_.bucket_counts.assign(values_, 0);
      for (std::int64_t i = 0; i < count; ++i) ++sides_.bucket_counts[codes[i] - low_];
    }
    take(tallies, counted ? sides_.bucket_counts.data() : nullptr);
  }

  // Whether all samples have the same value.
  bool constant() const {
    std::int64_t first = 0, last = values_ - 1;
    while (!held(first)) ++first;
    while (!held(last)) --last;
    return !apart(first, last);
  }

  // `consider(sums, left, proxy)` puts a split to the criterion, `left` samples being on its left: true when it is better
  // than `proxy`, which becomes its own.
  template <class Consider>
  void run(const Consider& consider, Best& best) {
    double bar = estimate_bar<Impurity>(node_, best.proxy);
    Sums sums(node_, sides_);
    std::int64_t left = 0, last = -1;
    for (std::int64_t word = 0; word < values_; word += 64) {
      for (std::uint64_t held = occupancy(word); held != 0; held &= held - 1) {
        const std::int64_t at = word + __builtin_ctzll(held);
        if (last >= 0 && sums.reaches(bar) && apart(last, at) && consider(sums, left, best.proxy)) {
          best.feature = index_;
          best.last_left = low_ + std::uint32_t(last);
          best.place = feature_.values != nullptr ? Best::Place::at_threshold : Best::Place::at_code;
          if (feature_.values != nullptr) best.threshold = value(last) / 2.0 + value(at) / 2.0;
          best.saw_missing = best.missing_left = false;
          bar = estimate_bar<Impurity>(node_, best.proxy);
        }
        last = at;
        sums.add_tally(tally(at));
        if (counts_ != nullptr) left += counts_[at];
      }
    }
  }

 private:
  const std::uint64_t* tally(std::int64_t at) const { return tallies_ + at * size_; }
  bool held(std::int64_t at) const { return Sums::held(tally(at), node_.classes); }
  float value(std::int64_t at) const { return feature_.values[low_ + at]; }
  bool apart(std::int64_t lower, std::int64_t upper) const {
    return feature_.apart(low_ + std::uint32_t(lower), low_ + std::uint32_t(upper));
  }

  // A bit for each of the 64 values from `first` on that a sample has: which they are is hard to predict.
  std::uint64_t occupancy(std::int64_t first) const {
    std::uint64_t bits = 0;
    const std::int64_t count = std::min<std::int64_t>(64, values_ - first);
    for (std::int64_t i = 0; i < count; ++i) bits |= std::uint64_t(held(first + i)) << i;
    return bits;
  }

  const RankedFeature& feature_;
  const std::int64_t index_;
  const std::uint32_t low_;
  const std::int64_t values_;
  const ClassNode& node_;
  Sides& sides_;
  const std::int64_t size_;
  const std::uint64_t* tallies_ = nullptr;
  const std::uint32_t* counts_ = nullptr;
};

}  // namespace fastml::tree
