// Best splits without sorted lists: each node sorts what it looks at, or finds a way around that.
#include <algorithm>
#include <limits>

#include "tree/small_sort.hpp"
#include "tree/splitter.hpp"
#include "tree/tuning.hpp"

namespace fastml::tree {

void Splitter::find_best(const NodeRange& node, const Limits& limits, Best& best) {
  const std::int64_t count = node.count();
  for (;;) {
    draw_ahead(count > kAheadSamples ? 1 : ahead_width_);
    if (ahead_.empty()) return;
    ahead_width_ = std::min(2 * ahead_width_, kAheadFeatures);
    if (ask_to_stop(count * std::int64_t(ahead_.size()))) return;
    read_ahead(node, limits);
    best_codes_ = nullptr;  // overwritten
    for (const Drawn& drawn : ahead_) {
      const double proxy = best.proxy;
      if (search_drawn(node, drawn, limits, best)) {
        if (best.proxy > proxy) best_codes_ = drawn.codes;
        continue;
      }
      // What was drawn after it was drawn in vain: where constants are many, fewer are drawn ahead.
      ahead_width_ = std::max<std::int64_t>(ahead_width_ / 4, 1);
      random_ = drawn.random;
      draws_.back_to(drawn.mark);
      draws_.constant();
      break;
    }
    if (best.place == Best::Place::at_code) locate(node, best);
  }
}

// Draws up to `most` features as if none of them were constant: then they can be read together. Few are.
void Splitter::draw_ahead(std::int64_t most) {
  ahead_.clear();
  std::int64_t index;
  while (std::int64_t(ahead_.size()) < most && draws_.draw(options_.max_features, random_, index)) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ahead_.push_back({index, draws_.mark(), random_, kInfinity, -kInfinity, -1, nullptr});
    draws_.varies();
    if (!options_.random_splits) continue;
    random_.skip();                            // the threshold
    if (features_.has_missing(index)) return;  // values that are missing in this node take another random number
  }
}

// Adds up the features with few values, and gathers the codes of the others. The samples of a large node are not in L1: all
// features are read while a sample is.
void Splitter::read_ahead(const NodeRange& node, const Limits& limits) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  Sides& sides = sides_[0];
  sides.tallied.clear();
  std::int64_t tallies = 0, gathered = 0;
  for (Drawn& drawn : ahead_) {
    const RankedFeature& feature = features_.ranked(drawn.index);
    const std::int64_t size = feature.has_missing ? 0 : criterion_->tally_size(feature, count);
    if (size > 0 && tallies + size <= kMostTallies) {
      drawn.tally = std::int64_t(sides.tallied.size());
      sides.tallied.push_back({drawn.index, &feature, tallies});
      tallies += size;
    } else {
      ++gathered;
    }
  }
  if (tallies > 0) criterion_->tally(features_, samples, count, limits, sides);
  if (gathered == 0) return;

  if (std::int64_t(codes_.size()) < gathered * count) codes_.resize(gathered * count);
  std::uint32_t* to = codes_.data();
  for (Drawn& drawn : ahead_) {
    if (drawn.tally >= 0) continue;
    drawn.codes = to;
    to += count;
  }
  features_.with_codes([&](const auto* codes, std::int64_t sample_step, std::int64_t feature_step) {
    for (std::int64_t begin = 0; begin < count; begin += kAheadBlock) {
      const std::int64_t end = std::min(begin + kAheadBlock, count);
      to = codes_.data();
      for (const Drawn& drawn : ahead_) {
        if (drawn.tally >= 0) continue;
        const auto* column = codes + drawn.index * feature_step;
        for (std::int64_t i = begin; i < end; ++i) to[i] = column[samples[i] * sample_step];
        to += count;
      }
    }
  });
}

// False where the feature is constant.
bool Splitter::search_drawn(const NodeRange& node, const Drawn& drawn, const Limits& limits, Best& best) {
  if (drawn.tally >= 0) return criterion_->search_tally(drawn.tally, node.count(), limits, sides_[0], best);

  const std::uint32_t* samples = samples_.data() + node.begin;
  const RankedFeature& feature = features_.ranked(drawn.index);
  GatheredFeature gathered{drawn.index, &feature, drawn.codes, node.count(), 0, 0};
  const std::int64_t missing = find_range(gathered);
  if (missing == node.count() || (missing == 0 && !feature.apart(gathered.low, gathered.high))) return false;
  if (missing == 0 && criterion_->search_unsorted(gathered, limits, sides_[0], best)) return true;
  const Key* keys = sort(gathered, missing);
  last_order_ = missing == 0 ? keys : nullptr;
  criterion_->search({drawn.index, samples, &feature, keys, node.count() - missing, missing_.data(), missing}, limits,
                     sides_[0], best);
  return true;
}

// Finds the range of the node's codes, missing ones apart. Returns how many are missing.
std::int64_t Splitter::find_range(GatheredFeature& gathered) {
  const std::uint32_t* codes = gathered.codes;
  std::uint32_t low = std::numeric_limits<std::uint32_t>::max(), high = 0;
  for (std::int64_t i = 0; i < gathered.count; ++i) {
    low = std::min(low, codes[i]);
    high = std::max(high, codes[i]);
  }
  std::int64_t missing = 0;
  const std::uint32_t distinct = gathered.feature->distinct;
  if (gathered.feature->has_missing && high == distinct) {
    high = 0;
    for (std::int64_t i = 0; i < gathered.count; ++i) {
      const bool is_missing = codes[i] == distinct;
      missing += is_missing;
      high = is_missing ? high : std::max(high, codes[i]);
    }
  }
  gathered.low = low;
  gathered.high = high;
  return missing;
}

// Finds samples on either side of the best split, which is known by its code.
void Splitter::locate(const NodeRange& node, Best& best) const {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::uint32_t* const codes = best_codes_;
  const std::uint32_t* const end = codes + node.count();
  const std::uint32_t last = best.last_left;
  std::uint32_t lower = 0, upper = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t* code = codes; code != end; ++code) {
    lower = std::max(lower, *code <= last ? *code : 0);
    upper = std::min(upper, *code > last ? *code : std::numeric_limits<std::uint32_t>::max());
  }
  best.place = Best::Place::between_samples;
  best.last_left = lower;
  best.lower = samples[std::find(codes, end, lower) - codes];
  best.upper = samples[std::find(codes, end, upper) - codes];
}

// Returns the present samples' keys in order; those of missing ones go to missing_.
const Key* Splitter::sort(const GatheredFeature& gathered, std::int64_t missing) {
  const std::uint32_t* codes = gathered.codes;
  const std::uint32_t range = gathered.high - gathered.low;
  // Nodes that the criterion searches unsorted never come here: the buffers have the size of those that did.
  for (auto* keys : {&keys_, &sorted_keys_}) {
    if (std::int64_t(keys->size()) < gathered.count) keys->resize(gathered.count);
  }
  if (missing == 0) {
    if (gathered.count <= kSmallSort && range < 1u << 26) {
      small_sort_kernels().sort(codes, gathered.count, gathered.low, keys_.data());
      return keys_.data();
    }
    for (std::int64_t i = 0; i < gathered.count; ++i) keys_[i] = make_key(codes[i], std::uint32_t(i));
  } else {
    if (std::int64_t(missing_.size()) < gathered.count) missing_.resize(gathered.count);
    std::int64_t present = 0, absent = 0;
    for (std::int64_t i = 0; i < gathered.count; ++i) {
      const Key key = make_key(codes[i], std::uint32_t(i));
      const bool is_missing = codes[i] == gathered.feature->distinct;
      keys_[present] = key;
      missing_[absent] = key;
      present += !is_missing;
      absent += is_missing;
    }
  }
  return radix_sort(keys_.data(), sorted_keys_.data(), gathered.count - missing, gathered.low, gathered.high);
}

}  // namespace fastml::tree
