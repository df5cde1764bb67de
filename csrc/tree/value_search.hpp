// The best split of a feature with few values without sorting: class weights for each value.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "tree/class_sums.hpp"
#include "tree/gini_bounds.hpp"

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
    if constexpr (std::is_same_v<Sums, TwoClassSums<Gini>>) {
      run_by_vectors(consider, best);
      return;
    }
    double bar = estimate_bar<Impurity>(node_, best.proxy);
    Sums sums(node_, sides_);
    std::int64_t left = 0, last = -1;
    for (std::int64_t word = 0; word < values_; word += 64) {
      for (std::uint64_t held = occupancy(word); held != 0; held &= held - 1) {
        const std::int64_t at = word + __builtin_ctzll(held);
        if (last >= 0 && sums.reaches(bar) && apart(last, at) && consider(sums, left, best.proxy)) {
          record(last, at, best);
          bar = estimate_bar<Impurity>(node_, best.proxy);
        }
        last = at;
        sums.add_tally(tally(at));
        if (counts_ != nullptr) left += counts_[at];
      }
    }
  }

 private:
  // Tests all values first, by vectors: of most features none reaches the bar.
  template <class Consider>
  void run_by_vectors(const Consider& consider, Best& best) {
    const double first_bar = estimate_bar<Impurity>(node_, best.proxy);
    const std::size_t size = std::size_t(values_ + kBoundsPadding);
    if (sides_.before.size() < size) sides_.before.resize(size);
    if (sides_.open.size() < size) sides_.open.resize(size);
    std::uint64_t* const through = sides_.before.data();  // sums of a value and all before it
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < values_; ++i) through[i] = sum += tallies_[i];
    std::uint8_t* const reach = sides_.open.data();
    gini_bound_kernels().reaching(through, values_, node_.weight, node_.totals[1], first_bar, reach);

    double bar = first_bar;
    std::int64_t left = 0, counted = 0;  // samples of values before `counted`
    const auto try_split = [&](std::int64_t last) {
      if (!held(last)) return;
      Sums sums(node_, sides_);
      sums.add(through[last]);
      if (bar != first_bar && !sums.reaches(bar)) return;
      std::int64_t at = last + 1;  // there is one: not all of the weight is on the left
      while (!held(at)) ++at;
      for (; counts_ != nullptr && counted <= last; ++counted) left += counts_[counted];
      if (!apart(last, at) || !consider(sums, left, best.proxy)) return;
      record(last, at, best);
      bar = estimate_bar<Impurity>(node_, best.proxy);
    };
    for (std::int64_t begin = 0; begin < values_; begin += 8) {
      std::uint64_t any;
      std::memcpy(&any, reach + begin, sizeof any);
      if (any == 0) continue;
      for (std::int64_t i = begin; i < std::min(begin + 8, values_); ++i) {
        if (reach[i]) try_split(i);
      }
    }
  }

  void record(std::int64_t last, std::int64_t next, Best& best) const {
    best.feature = index_;
    best.last_left = low_ + std::uint32_t(last);
    best.place = feature_.values != nullptr ? Best::Place::at_threshold : Best::Place::at_code;
    if (feature_.values != nullptr) best.threshold = value(last) / 2.0 + value(next) / 2.0;
    best.saw_missing = best.missing_left = false;
  }

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
