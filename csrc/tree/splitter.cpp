#include "tree/splitter.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "tree/tuning.hpp"

namespace fastml::tree {
namespace {

// The largest float that is not above x: floats are at most x if and only if they are at most that.
float round_down(double x) {
  const float rounded = float(x);
  return double(rounded) > x ? std::nextafter(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

bool use_lists(const Features& features, const Options& options, std::int64_t samples) {
  return !options.random_splits && options.max_features * kListedShare >= features.count() &&
         SortedLists::bytes(samples, features.count()) <= kMostListBytes;
}

}  // namespace

Splitter::Splitter(const Features& features, const Targets& targets, const double* weights, const Options& options,
                   std::uint32_t seed, int threads)
    : features_(features), options_(options), random_(seed), draws_(features.count()), threads_(threads) {
  samples_.reserve(features.samples());
  for (std::int64_t i = 0; i < features.samples(); ++i) {
    const double weight = weights == nullptr ? 1.0 : weights[i];
    if (weight != 0) samples_.push_back(std::uint32_t(i));
    total_weight_ += weight;
  }
  aside_.resize(count());
  criterion_ = make_criterion(options.criterion, targets, weights, samples_, total_weight_);
  if (criterion_->items() != nullptr) items_aside_.resize(count());
  if (use_lists(features, options, count())) {
    lists_ = std::make_unique<SortedLists>(features, samples_, threads_);
  } else {
    threads_ = 1;
    if (options.random_splits) {
      values_.resize(count());
    } else {
      codes_.resize(count());
      keys_.resize(count());
      sorted_keys_.resize(count());
      missing_.resize(count());
    }
  }
  for (int t = 0; t < threads_; ++t) sides_.push_back(criterion_->sides());
}

Split Splitter::split(const NodeRange& node, double impurity, double lower, double upper, std::int64_t& constants) {
  const Limits limits{options_.min_samples_leaf, options_.min_weight_leaf,
                      options_.monotonic.empty() ? nullptr : options_.monotonic.data(), lower, upper};
  Best best;
  draws_.begin(constants);
  if (options_.random_splits) {
    find_random(node, limits, best);
  } else if (lists_) {
    find_best_listed(node, limits, best);
  } else {
    find_best(node, limits, best);
  }
  constants = draws_.end();

  Split split;
  if (!best.found()) return split;
  const std::int64_t left = part_by(node, best);
  Sides& sides = sides_[0];
  const std::uint32_t* samples = samples_.data() + node.begin;
  criterion_->divide(samples, left, node.count(), sides);
  criterion_->impurities(samples, left, node.count(), sides, split.impurity_left, split.impurity_right);
  split.found = true;
  split.feature = best.feature;
  split.threshold = best.threshold;
  split.middle = node.begin + left;
  split.missing_left = best.saw_missing ? best.missing_left : left > node.count() - left;
  const double weight = criterion_->weight();
  split.improvement = (weight / total_weight_) * (impurity - (sides.weight_right / weight * split.impurity_right) -
                                                  (sides.weight_left / weight * split.impurity_left));
  if (limits.monotonic != nullptr) split.middle_value = criterion_->middle_value(sides);
  return split;
}

void Splitter::part_lists(const NodeRange& node, std::int64_t middle, std::int64_t constants) {
  if (!lists_) return;
  lists_->mark(samples_.data() + node.begin, middle - node.begin, node.count());
  lists_->part(node.begin, node.end, draws_.constants().data(), constants);
}

void Splitter::find_best(const NodeRange& node, const Limits& limits, Best& best) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    work_ += node.count();
    if (!features_.has_missing(index)) {
      const Outcome outcome =
          criterion_->search_values({index, &features_, samples, node.count()}, limits, sides_[0], best);
      if (outcome != Outcome::not_served) {
        outcome == Outcome::constant ? draws_.constant() : draws_.varies();
        continue;
      }
    }
    GatheredFeature gathered{index, &features_.ranked(index), codes_.data(), node.count(), 0, 0};
    const std::int64_t missing = gather(node, gathered);
    const RankedFeature& feature = *gathered.feature;
    if (missing == node.count() ||
        (missing == 0 &&
         (gathered.low == gathered.high || same_value(feature.values[gathered.low], feature.values[gathered.high])))) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    if (missing == 0 && criterion_->search_unsorted(gathered, limits, sides_[0], best)) continue;
    const Key* keys = sort(gathered, missing);
    criterion_->search({index, samples, &feature, keys, node.count() - missing, missing_.data(), missing}, limits,
                       sides_[0], best);
  }
}

// Puts the node's codes into codes_ and finds their range, missing ones apart. Returns how many are missing.
std::int64_t Splitter::gather(const NodeRange& node, GatheredFeature& gathered) {
  const RankedFeature& feature = *gathered.feature;
  const std::uint32_t* samples = samples_.data() + node.begin;
  std::uint32_t low = feature.distinct, high = 0;
  std::int64_t missing = 0;
  features_.with_codes(gathered.index, [&](const auto* codes, std::int64_t stride) {
    for (std::int64_t i = 0; i < node.count(); ++i) {
      const std::uint32_t code = codes[samples[i] * stride];
      codes_[i] = code;
      low = std::min(low, code);
      high = std::max(high, code);
    }
  });
  if (feature.has_missing && high == feature.distinct) {
    high = 0;
    for (std::int64_t i = 0; i < node.count(); ++i) {
      const bool is_missing = codes_[i] == feature.distinct;
      missing += is_missing;
      high = is_missing ? high : std::max(high, codes_[i]);
    }
  }
  gathered.low = low;
  gathered.high = high;
  return missing;
}

// Returns the present samples' keys in order; those of missing ones go to missing_.
const Key* Splitter::sort(const GatheredFeature& gathered, std::int64_t missing) {
  const std::uint32_t* codes = gathered.codes;
  if (missing == 0) {
    for (std::int64_t i = 0; i < gathered.count; ++i) keys_[i] = make_key(codes[i], std::uint32_t(i));
  } else {
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
  return bucket_sort(keys_.data(), sorted_keys_.data(), gathered.count - missing, gathered.low, gathered.high);
}

void Splitter::find_best_listed(const NodeRange& node, const Limits& limits, Best& best) {
  candidates_.clear();
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    const RankedFeature& feature = features_.ranked(index);
    const Key* list = lists_->list(index) + node.begin;
    std::int64_t present = node.count();
    if (feature.has_missing) {
      present = std::lower_bound(list, list + node.count(), make_key(feature.distinct, 0)) - list;
    }
    const std::int64_t missing = node.count() - present;
    if (present == 0 ||
        (missing == 0 && same_value(feature.values[code_of(list[0])], feature.values[code_of(list[present - 1])]))) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    candidates_.push_back({index, nullptr, &feature, list, present, list + present, missing});
  }
  const std::int64_t count = std::int64_t(candidates_.size()), work = count * node.count();
  work_ += work;
  if (threads_ == 1 || work < threads_ * kSearchWorkPerThread) {
    for (const SortedFeature& candidate : candidates_) criterion_->search(candidate, limits, sides_[0], best);
    return;
  }
  bests_.assign(count, Best());
#pragma omp parallel for num_threads(threads_) schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    criterion_->search(candidates_[i], limits, sides_[omp_get_thread_num()], bests_[i]);
  }
  for (const Best& each : bests_) {
    if (each.proxy > best.proxy) best = each;
  }
}

void Splitter::find_random(const NodeRange& node, const Limits& limits, Best& best) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    work_ += count;
    float low, high;
    const std::int64_t missing = gather_values(node, index, low, high);
    if (missing == count || (missing == 0 && same_value(low, high))) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    Best drawn;
    drawn.feature = index;
    drawn.threshold = random_.uniform(low, high);
    drawn.saw_missing = missing > 0;
    drawn.missing_left = missing > 0 && random_.integer(0, 2) != 0;
    if (drawn.threshold == high) drawn.threshold = low;
    Sides& sides = sides_[0];
    const std::int64_t left =
        criterion_->divide_at(samples, values_.data(), count, round_down(drawn.threshold), drawn.missing_left, sides);
    if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) continue;
    if (!criterion_->allowed(sides, index, limits)) continue;
    drawn.proxy = criterion_->proxy(sides);
    if (drawn.proxy > best.proxy) best = drawn;
  }
}

// Puts the node's values of a feature into values_ and finds their range. Returns how many are missing.
std::int64_t Splitter::gather_values(const NodeRange& node, std::int64_t index, float& low, float& high) {
  constexpr int kLanes = 4;  // independent chains of comparisons
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::uint32_t* samples = samples_.data() + node.begin;
  const float* column = features_.column(index);
  const std::int64_t count = node.count(), stride = features_.stride();
  float lows[kLanes], highs[kLanes];
  std::fill(lows, lows + kLanes, kInfinity);
  std::fill(highs, highs + kLanes, -kInfinity);
  const auto take = [&](std::int64_t i, int lane) {
    const float value = column[samples[i] * stride];
    values_[i] = value;
    lows[lane] = value < lows[lane] ? value : lows[lane];
    highs[lane] = value > highs[lane] ? value : highs[lane];
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const std::int64_t ahead = std::min(i + kPrefetchSamples, count - kLanes);
    for (int lane = 0; lane < kLanes; ++lane) __builtin_prefetch(column + samples[ahead + lane] * stride);
    for (int lane = 0; lane < kLanes; ++lane) take(i + lane, lane);
  }
  for (; i < count; ++i) take(i, 0);
  low = *std::min_element(lows, lows + kLanes);
  high = *std::max_element(highs, highs + kLanes);
  if (!features_.has_missing(index)) return 0;
  return std::count_if(values_.begin(), values_.begin() + count, [](float value) { return std::isnan(value); });
}

// Moves the samples that go left to the front, all in the order they had. Returns how many they are.
template <class GoesLeft>
std::int64_t Splitter::part(const NodeRange& node, const GoesLeft& goes_left) {
  std::uint32_t* samples = samples_.data() + node.begin;
  std::int64_t left = 0, right = 0;
  if (criterion_->items() == nullptr) {
    for (std::int64_t i = 0; i < node.count(); ++i) {
      const std::uint32_t sample = samples[i];
      const bool goes = goes_left(i);
      samples[left] = sample;
      aside_[right] = sample;
      left += goes;
      right += !goes;
    }
  } else {
    std::uint64_t* items = criterion_->items() + node.begin;
    for (std::int64_t i = 0; i < node.count(); ++i) {
      const std::uint32_t sample = samples[i];
      const std::uint64_t item = items[i];
      const bool goes = goes_left(i);
      samples[left] = sample;
      aside_[right] = sample;
      items[left] = item;
      items_aside_[right] = item;
      left += goes;
      right += !goes;
    }
    std::copy(items_aside_.data(), items_aside_.data() + right, items + left);
  }
  std::copy(aside_.data(), aside_.data() + right, samples + left);
  return left;
}

std::int64_t Splitter::part_by(const NodeRange& node, const Best& best) {
  std::uint32_t* samples = samples_.data() + node.begin;
  std::int64_t left;
  if (options_.random_splits) {
    const float* column = features_.column(best.feature);
    const std::int64_t stride = features_.stride();
    const float threshold = round_down(best.threshold);
    left = part(node, [&](std::int64_t i) {
      const float value = column[samples[i] * stride];
      return best.missing_left ? !(value > threshold) : value <= threshold;
    });
  } else {
    const RankedFeature& feature = features_.ranked(best.feature);
    left = features_.with_codes(best.feature, [&](const auto* codes, std::int64_t stride) {
      return part(node, [&](std::int64_t i) {
        const std::uint32_t code = codes[samples[i] * stride];
        return code <= best.last_left || (best.missing_left && code == feature.distinct);
      });
    });
  }
  return left;
}

}  // namespace fastml::tree
