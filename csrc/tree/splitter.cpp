#include "tree/splitter.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "tree/tuning.hpp"

namespace fastml::tree {
namespace {

// Calls run(codes) with the feature's codes as an array of their type.
template <class Run>
auto with_codes(const RankedFeature& feature, const Run& run) {
  return feature.narrow != nullptr ? run(feature.narrow) : run(feature.wide);
}

bool use_lists(const Features& features, const Options& options, std::int64_t samples) {
  return !options.random_splits && options.max_features * kListedShare >= features.count() &&
         SortedLists::bytes(samples, features.count()) <= kMostListBytes;
}

}  // namespace

Splitter::Splitter(const Features& features, const Targets& targets, const double* weights, const Options& options,
                   std::uint32_t seed, int threads)
    : features_(features),
      options_(options),
      random_(seed),
      draws_(features.count()),
      threads_(threads) {
  samples_.reserve(features.samples());
  for (std::int64_t i = 0; i < features.samples(); ++i) {
    const double weight = weights == nullptr ? 1.0 : weights[i];
    if (weight != 0) samples_.push_back(std::uint32_t(i));
    total_weight_ += weight;
  }
  aside_.resize(count());
  criterion_ = make_criterion(options.criterion, targets, weights, samples_, total_weight_);
  if (use_lists(features, options, count())) {
    lists_ = std::make_unique<SortedLists>(features, samples_, threads_);
  } else {
    threads_ = 1;
    if (options.random_splits) {
      values_.resize(count());
    } else {
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
  split.missing_left = best.missing_left;
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
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    work_ += node.count();
    SortedFeature sorted;
    if (!sort_feature(node, index, sorted)) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    criterion_->search(sorted, limits, sides_[0], best);
  }
}

// Returns false where the feature is constant.
bool Splitter::sort_feature(const NodeRange& node, std::int64_t index, SortedFeature& sorted) {
  const RankedFeature& feature = features_.ranked(index);
  const std::uint32_t* samples = samples_.data() + node.begin;
  std::uint32_t low = feature.distinct, high = 0;
  std::int64_t present = 0, missing = 0;
  with_codes(feature, [&](const auto* codes) {
    if (!feature.has_missing) {
      for (std::int64_t i = 0; i < node.count(); ++i) {
        const std::uint32_t code = codes[samples[i]];
        low = std::min(low, code);
        high = std::max(high, code);
        keys_[i] = make_key(code, samples[i]);
      }
      present = node.count();
      return;
    }
    for (std::int64_t i = 0; i < node.count(); ++i) {
      const std::uint32_t code = codes[samples[i]];
      const bool is_missing = code == feature.distinct;
      const Key key = make_key(code, samples[i]);
      keys_[present] = key;
      missing_[missing] = key;
      present += !is_missing;
      missing += is_missing;
      low = std::min(low, code);
      high = is_missing ? high : std::max(high, code);
    }
  });
  if (present == 0) return false;
  if (missing == 0 && (low == high || (!feature.separated && same_value(feature.values[low], feature.values[high])))) {
    return false;
  }
  const Key* keys = bucket_sort(keys_.data(), sorted_keys_.data(), present, low, high);
  sorted = {index, &feature, keys, present, missing_.data(), missing};
  return true;
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
    candidates_.push_back({index, &feature, list, present, list + present, missing});
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
    const float* column = features_.column(index);
    float low = std::numeric_limits<float>::infinity(), high = -low;
    std::int64_t missing = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const float value = column[samples[i]];
      values_[i] = value;
      low = value < low ? value : low;
      high = value > high ? value : high;
      missing += std::isnan(value);
    }
    if (missing == count || (missing == 0 && same_value(low, high))) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    Best drawn;
    drawn.feature = index;
    drawn.threshold = random_.uniform(low, high);
    drawn.missing_left = missing > 0 && random_.integer(0, 2) != 0;
    if (drawn.threshold == high) drawn.threshold = low;
    drawn.count_left = part(node, [&](std::int64_t i) {
      return std::isnan(values_[i]) ? drawn.missing_left : values_[i] <= drawn.threshold;
    }, aside_.data());
    const std::int64_t right = count - drawn.count_left;
    if (drawn.count_left < limits.min_samples_leaf || right < limits.min_samples_leaf) continue;
    Sides& sides = sides_[0];
    criterion_->divide(aside_.data(), drawn.count_left, count, sides);
    if (!criterion_->allowed(sides, index, limits)) continue;
    drawn.proxy = criterion_->proxy(sides);
    if (!(drawn.proxy > best.proxy)) continue;
    if (missing == 0) drawn.missing_left = drawn.count_left > right;
    best = drawn;
  }
}

// Copies the node's samples into `to`, those that go left first. Returns how many do.
template <class GoesLeft>
std::int64_t Splitter::part(const NodeRange& node, const GoesLeft& goes_left, std::uint32_t* to) {
  const std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  std::int64_t left = 0, right = count;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool goes = goes_left(i);
    to[goes ? left : right - 1] = samples[i];
    left += goes;
    right -= !goes;
  }
  std::reverse(to + left, to + count);
  return left;
}

std::int64_t Splitter::part_by(const NodeRange& node, const Best& best) {
  std::uint32_t* samples = samples_.data() + node.begin;
  std::int64_t left;
  if (options_.random_splits) {
    const float* column = features_.column(best.feature);
    left = part(node, [&](std::int64_t i) {
      const float value = column[samples[i]];
      return std::isnan(value) ? best.missing_left : value <= best.threshold;
    }, aside_.data());
  } else {
    const RankedFeature& feature = features_.ranked(best.feature);
    left = with_codes(feature, [&](const auto* codes) {
      return part(node, [&](std::int64_t i) {
        const std::uint32_t code = codes[samples[i]];
        return code <= best.last_left || (best.missing_left && code == feature.distinct);
      }, aside_.data());
    });
  }
  std::copy(aside_.data(), aside_.data() + node.count(), samples);
  return left;
}

}  // namespace fastml::tree
