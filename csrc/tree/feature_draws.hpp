// The order in which a node looks at features: scikit-learn's Fisher-Yates draws, which skip the features that nodes above
// found constant.
#pragma once

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
  }

  // Draws the next feature that is not known to be constant. The caller must say next whether it is, by constant() or
  // varies(). False when the node has looked at `max_features`, one of them not constant, or when none is left.
  bool draw(std::int64_t max_features, Random& random, std::int64_t& feature) {
    while (undrawn_ > total_ && (visited_ < max_features || visited_ <= found_ + drawn_known_)) {
      ++visited_;
      const std::int64_t at = random.integer(drawn_known_, undrawn_ - found_);
      if (at < known_) {
        std::swap(features_[drawn_known_++], features_[at]);
        continue;
      }
      at_ = at + found_;
      feature = features_[at_];
      return true;
    }
    return false;
  }
  void constant() {
    std::swap(features_[at_], features_[total_]);
    ++found_;
    ++total_;
  }
  void varies() { std::swap(features_[--undrawn_], features_[at_]); }

  // Ends the node. Returns how many features its children know to be constant.
  std::int64_t end() {
    // The draws of constants shuffled what the siblings must find in the old order.
    std::copy(constants_.begin(), constants_.begin() + known_, features_.begin());
    std::copy(features_.begin() + known_, features_.begin() + total_, constants_.begin() + known_);
    return total_;
  }

  const std::vector<std::int64_t>& constants() const { return constants_; }

 private:
  // Known constants that were drawn, then those that were not; constants found here; not yet drawn; drawn and not constant.
  std::vector<std::int64_t> features_;
  std::vector<std::int64_t> constants_;
  std::int64_t known_ = 0, total_ = 0, drawn_known_ = 0, found_ = 0, undrawn_ = 0, visited_ = 0, at_ = 0;
};

}  // namespace fastml::tree
