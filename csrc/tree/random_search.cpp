// Random splits: a threshold for each feature drawn, the best of them taken (Geurts et al., 2006).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tree/splitter.hpp"
#include "tree/tuning.hpp"
#include "tree/value_passes.hpp"

namespace fastml::tree {

void Splitter::find_random(const NodeRange& node, const Limits& limits, Best& best) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  last_looked_at_ = -1;
  if (criterion_->rounds()) {
    places_.resize(count);
    std::iota(places_.begin(), places_.end(), 0);
  }
  for (;;) {
    draw_ahead(count < kLeastAheadSamples || count > kAheadSamples ? 1 : ahead_width_);
    if (ahead_.empty()) return;
    ahead_width_ = std::min(2 * ahead_width_, kAheadFeatures);
    if (ask_to_stop(count * std::int64_t(ahead_.size()))) return;
    gather_ahead(node);
    const Random after = random_;
    for (std::size_t k = 0; k < ahead_.size(); ++k) {
      const Drawn& drawn = ahead_[k];
      const float* values = values_.data() + std::int64_t(k) * count;
      std::int64_t missing = 0;
      if (features_.has_missing(drawn.index)) {
        missing = std::count_if(values, values + count, [](float value) { return std::isnan(value); });
      }
      random_ = drawn.random;
      last_looked_at_ = drawn.index;
      if (missing == count || (missing == 0 && same_value(drawn.low, drawn.high))) {
        // What was drawn after it was drawn in vain: where constants are many, fewer are drawn ahead.
        ahead_width_ = std::max<std::int64_t>(ahead_width_ / 4, 1);
        draws_.back_to(drawn.mark);
        draws_.constant();
        break;
      }
      Best split;
      split.feature = drawn.index;
      split.threshold = random_.uniform(drawn.low, drawn.high);
      split.saw_missing = missing > 0;
      split.missing_left = missing > 0 && random_.integer(0, 2) != 0;
      if (split.threshold == drawn.high) split.threshold = drawn.low;
      // Behind the last feature, known constants may have been drawn in search of another.
      if (missing == 0) random_ = after;
      Sides& sides = sides_[0];
      const std::int64_t left = criterion_->divide_at(samples, values, count, round_down(split.threshold),
                                                      split.missing_left, places_.data(), sides);
      if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) continue;
      if (!criterion_->allowed(sides, drawn.index, limits)) continue;
      split.proxy = criterion_->proxy(sides);
      if (split.proxy > best.proxy) {
        best = split;
        best_left_ = left;
      }
    }
  }
}

// Puts the node's values of the features drawn into values_, and finds their ranges.
void Splitter::gather_ahead(const NodeRange& node) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count(), stride = features_.stride();
  for (std::int64_t begin = 0; begin < count; begin += kAheadBlock) {
    const std::int64_t end = std::min(begin + kAheadBlock, count);
    float* values = values_.data();
    for (const Drawn& drawn : ahead_) {
      const float* column = features_.column(drawn.index);
      for (std::int64_t i = begin; i < end; ++i) values[i] = column[samples[i] * stride];
      values += count;
    }
  }
  // Not at once: whole vectors cannot be loaded while their elements are still on the way to the cache.
  const ValueKernels& kernels = value_kernels();
  const float* values = values_.data();
  for (Drawn& drawn : ahead_) {
    kernels.range(values, count, drawn.low, drawn.high);
    values += count;
  }
}

}  // namespace fastml::tree
