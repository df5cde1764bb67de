// The order in which a node looks at features: scikit-learn's Fisher-Yates draws, which skip the features that nodes above
// found constant.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "tree/random.hpp"

namespace fastml::tree {

// The permutation lives as long as the tree: a node's draws depend on those of all nodes before it.
class FeatureDraws {
 public:
  explicit FeatureDraws(std::int64_t features) : features_(features), constants_(features) {
    std::iota(features_.begin(), features_.end(), std::int64_t(0));
  }

  // `known`: how many features the nodes above found constant; they are the first of constants().
  void begin(std::int64_t known) {
    known_ = total_ = known;
    undrawn_ = std::int64_t(features_.size());
    drawn_known_ = found_ = visited_ = 0;
    swaps_.clear();
  }

  // Draws the next feature that is not known to be constant. The caller must say next whether it is, by constant() or
  // varies(). False when the node has looked at `max_features`, one of them not constant, or when none is left.
  bool draw(std::int64_t max_features, Random& random, std::int64_t& feature) {
    while (undrawn_ > total_ && (visited_ < max_features || visited_ <= found_ + drawn_known_)) {
      ++visited_;
      const std::int64_t at = random.integer(drawn_known_, undrawn_ - found_);
      if (at < known_) {
        swap(drawn_known_++, at);
        continue;
      }
      at_ = at + found_;
      feature = features_[at_];
      return true;
    }
    return false;
  }
  void constant() {
    swap(at_, total_);
    ++found_;
    ++total_;
  }
  void varies() { swap(--undrawn_, at_); }

  // A point of the node's draws that back_to() returns to.
  struct Mark {
    std::size_t swaps;
    std::int64_t total, drawn_known, found, undrawn, visited, at;
  };
  Mark mark() const { return {swaps_.size(), total_, drawn_known_, found_, undrawn_, visited_, at_}; }
  void back_to(const Mark& mark) {
    for (; swaps_.size() > mark.swaps; swaps_.pop_back()) {
      std::swap(features_[swaps_.back().first], features_[swaps_.back().second]);
    }
    total_ = mark.total;
    drawn_known_ = mark.drawn_known;
    found_ = mark.found;
    undrawn_ = mark.undrawn;
    visited_ = mark.visited;
    at_ = mark.at;
  }

  // Ends the node. Returns how many features its children know to be constant.
  std::int64_t end() {
    // The draws of constants shuffled what the siblings must find in the old order.
    for (const auto& [a, b] : swaps_) {
      if (a < known_) {
        features_[a] = constants_[a];
        features_[b] = constants_[b];
      }
    }
    std::copy(features_.begin() + known_, features_.begin() + total_, constants_.begin() + known_);
    return total_;
  }

  const std::vector<std::int64_t>& constants() const { return constants_; }

 private:
  void swap(std::int64_t a, std::int64_t b) {
    std::swap(features_[a], features_[b]);
    swaps_.emplace_back(a, b);
  }

  // Known constants that were drawn, then those that were not; constants found here; not yet drawn; drawn and not constant.
  std::vector<std::int64_t> features_;
  std::vector<std::int64_t> constants_;
  std::vector<std::pair<std::int64_t, std::int64_t>> swaps_;  // of the node, in order
  std::int64_t known_ = 0, total_ = 0, drawn_known_ = 0, found_ = 0, undrawn_ = 0, visited_ = 0, at_ = 0;
};

}  // namespace fastml::tree
