#include "tree/splitter.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>

#include "tree/part_in_place.hpp"
#include "tree/tuning.hpp"

namespace fastml::tree {
namespace {

bool use_lists(const Features& features, const Options& options, std::int64_t samples) {
  return !options.random_splits && features.sparse() == nullptr &&
         options.max_features * kListedShare >= features.count() &&
         SortedLists::bytes(samples, features.count()) <= kMostListBytes;
}

}  // namespace

Splitter::Splitter(const Features& features, const Targets& targets, const double* weights, const Options& options,
                   std::uint32_t seed, int threads, StopCheck stop)
    : features_(features), options_(options), random_(seed), draws_(features.count()), threads_(threads), stop_(stop) {
  samples_.reserve(features.samples());
  for (std::int64_t i = 0; i < features.samples(); ++i) {
    const double weight = weights == nullptr ? 1.0 : weights[i];
    if (weight != 0) samples_.push_back(std::uint32_t(i));
    total_weight_ += weight;
  }
  aside_.resize(count());
  const bool listed = use_lists(features, options, count());
  const bool by_sample = listed || features.sparse() != nullptr;
  criterion_ = make_criterion(options.criterion, targets, weights, samples_, total_weight_, by_sample);
  if (criterion_->items() != nullptr) items_aside_.resize(count());
  if (listed) {
    lists_ = std::make_unique<SortedLists>(features, samples_, threads_);
  } else {
    threads_ = 1;
    if (features.sparse() != nullptr) {
      sparse_ = std::make_unique<SparseNode>(*features.sparse(), samples_, criterion_->items(), criterion_->rounds());
    } else if (options.random_splits) {
      values_.resize(std::max(count(), std::min(count(), kAheadSamples) * kAheadFeatures));
    }
  }
  for (int t = 0; t < threads_; ++t) sides_.push_back(criterion_->sides());
}

bool Splitter::ask_to_stop(std::int64_t work) {
  work_ += work;
  if (stop_ != nullptr && work_ >= kWorkBetweenStopChecks) {
    work_ = 0;
    if (stop_()) stopped_ = true;
  }
  return stopped_;
}

Split Splitter::split(const NodeRange& node, double impurity, double lower, double upper, std::int64_t& constants) {
  const Limits limits{options_.min_samples_leaf, options_.min_weight_leaf,
                      options_.monotonic.empty() ? nullptr : options_.monotonic.data(), lower, upper};
  Best best;
  last_order_ = nullptr;
  best_codes_ = nullptr;
  draws_.begin(constants);
  if (sparse_) {
    start_sparse(node, constants);
    options_.random_splits ? find_random_sparse(node, limits, best) : find_best_sparse(node, limits, best);
  } else if (options_.random_splits) {
    find_random(node, limits, best);
  } else if (lists_) {
    find_best_listed(node, limits, best);
  } else {
    find_best(node, limits, best);
  }
  constants = draws_.end();

  Split split;
  if (!best.found() || stopped_) return split;
  const bool look_up = best.place == Best::Place::between_samples;
  const RankedFeature* ranked = look_up ? &features_.ranked(best.feature) : nullptr;
  // X is seldom in the cache: it comes while the samples are parted.
  for (const std::uint32_t sample : {best.lower, best.upper}) {
    if (look_up) __builtin_prefetch(ranked->column + sample * ranked->stride);
  }
  const std::int64_t left = sparse_ ? part_sparse(best) : part_by(node, best);
  if (look_up) best.threshold = threshold_between(*ranked, best.lower, best.upper);
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
    if (missing > 0) {
      last_order_ = nullptr;
    } else if (code_of(list[0]) != code_of(list[present - 1])) {
      last_order_ = list;
    }
    if (present == 0 || (missing == 0 && !feature.apart(code_of(list[0]), code_of(list[present - 1])))) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    candidates_.push_back({index, nullptr, &feature, list, present, list + present, missing});
  }
  const std::int64_t count = std::int64_t(candidates_.size());
  if (threads_ == 1 || count * node.count() < threads_ * kSearchWorkPerThread) {
    for (const SortedFeature& candidate : candidates_) {
      if (ask_to_stop(node.count())) return;
      criterion_->search(candidate, limits, sides_[0], best);
    }
    return;
  }
  bests_.assign(count, Best());
  std::atomic<bool> out_of_memory{false};
#pragma omp parallel for num_threads(threads_) schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    if (omp_get_thread_num() == 0) ask_to_stop(node.count());
    if (stopped_) continue;
    // An exception must not leave the parallel region.
    try {
      criterion_->search(candidates_[i], limits, sides_[omp_get_thread_num()], bests_[i]);
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  }
  if (out_of_memory) throw std::bad_alloc();
  for (const Best& each : bests_) {
    if (each.proxy > best.proxy) best = each;
  }
}

// Moves the samples that go left to the front, all in the order they had. Returns how many they are.
template <class GoesLeft>
std::int64_t Splitter::part(const NodeRange& node, const GoesLeft& goes_left) {
  std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  std::int64_t left = 0, right = 0;
  if (criterion_->items() == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t sample = samples[i];
      const bool goes = goes_left(i);
      samples[left] = sample;
      aside_[right] = sample;
      left += goes;
      right += !goes;
    }
  } else {
    std::uint64_t* items = criterion_->items() + node.begin;
    for (std::int64_t i = 0; i < count; ++i) {
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

// scikit-learn's order of samples, on which rounded sums depend: that of the last feature looked at, parted once more. (Where
// that feature has ties, its unstable sort has another order.) Random splits part the samples by each feature looked at, and
// by the best if it was not the last.
template <class GoesLeft>
std::int64_t Splitter::part_like_sklearn(const NodeRange& node, const Best& best, const GoesLeft& goes_left) {
  std::uint32_t* samples = samples_.data() + node.begin;
  const std::int64_t count = node.count();
  if (options_.random_splits) {
    for (std::int64_t i = 0; i < count; ++i) aside_[i] = samples[places_[i]];
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t at = sample_of(last_order_[i]);
      aside_[i] = lists_ ? at : samples[at];
    }
  }
  std::copy(aside_.data(), aside_.data() + count, samples);
  if (options_.random_splits && best.feature == last_looked_at_) return best_left_;
  return part_in_place(samples, count, goes_left, sides_[0].open, sides_[0].ordered);
}

std::int64_t Splitter::part_by(const NodeRange& node, const Best& best) {
  std::uint32_t* samples = samples_.data() + node.begin;
  std::int64_t left;
  if (options_.random_splits) {
    const float* column = features_.column(best.feature);
    const std::int64_t stride = features_.stride();
    const float threshold = round_down(best.threshold);
    const auto goes_left = [=, missing_left = best.missing_left](std::uint32_t sample) {
      const float value = column[sample * stride];
      return missing_left ? !(value > threshold) : value <= threshold;
    };
    if (criterion_->rounds()) return part_like_sklearn(node, best, goes_left);
    left = part(node, [=](std::int64_t i) { return goes_left(samples[i]); });
  } else {
    // By value: the compiler must take what is stored in between for a change of `best`.
    const std::uint32_t last = best.last_left;
    const std::uint32_t missing = best.missing_left ? features_.ranked(best.feature).distinct : last;
    const auto code_goes_left = [last, missing](std::uint32_t code) { return code <= last || code == missing; };
    left = features_.with_codes(best.feature, [&](const auto* codes, std::int64_t stride) {
      const auto goes_left = [=](std::uint32_t sample) { return code_goes_left(codes[sample * stride]); };
      if (last_order_ != nullptr && criterion_->rounds()) return part_like_sklearn(node, best, goes_left);
      if (best_codes_ != nullptr) {
        return part(node, [=, gathered = best_codes_](std::int64_t i) { return code_goes_left(gathered[i]); });
      }
      return part(node, [=](std::int64_t i) { return goes_left(samples[i]); });
    });
  }
  return left;
}

}  // namespace fastml::tree
