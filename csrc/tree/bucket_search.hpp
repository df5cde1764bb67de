// The best split of a feature with many values, for two classes, without sorting: bucket, then refine (after CLOUDS, Alsabti
// et al., 1998).
//
// One pass adds the samples up in buckets of neighbouring values. Splits between buckets are known exactly. Inside of a
// bucket the criterion is convex in the two class weights on the left, so that it is bounded by its values at the corners of
// the box that the bucket spans; only where that bound reaches the best split are the samples of the bucket sorted. The
// answer is that of the full search, ties included.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "tree/class_sums.hpp"
#include "tree/gini_bounds.hpp"
#include "tree/tuning.hpp"

namespace fastml::tree {

template <class Impurity>
class BucketSearch {
 public:
  using Sums = TwoClassSums<Impurity>;

  // `items`: of the node's samples, as Sums takes them.
  BucketSearch(const GatheredFeature& feature, const ClassNode& node, const std::uint64_t* items, Sides& sides)
      : f_(feature), node_(node), items_(items), sides_(sides), empty_(node, sides) {
    const std::int64_t wanted = std::min(f_.count / kSamplesPerBucket, kMostBuckets);
    while (std::int64_t((f_.high - f_.low) >> shift_) >= wanted) ++shift_;
    buckets_ = bucket_of(f_.high) + 1;
  }

  // `consider(sums, left, proxy)` puts a split to the criterion: true when it is better than `proxy`, which becomes its own.
  // Where it is `limited` it may refuse splits for other reasons, and asks how many samples are on the left. Returns false,
  // with `best` as it was, where sorting is the better way. `best` has no threshold yet.
  template <class Consider>
  bool run(bool limited, const Consider& consider, Best& best) {
    fill(limited);
    find_bounds();
    // -inf, which stands for no split at all, reaches nothing.
    double bar = std::max(estimate_bar<Impurity>(node_, best.proxy), std::numeric_limits<double>::lowest());
    if (!limited) {
      bar = std::max(bar, best_edge() - 2 * estimate_margin<Impurity>(node_));
    } else {
      // Only splits that are not refused tell what must be reached.
      double proxy = best.proxy;
      for_each_reaching(sides_.edges.data(), bar, [&](std::uint32_t b, const Sums& sums, std::int64_t left) {
        if (surely_parts(b) && sums.reaches(bar) && consider(sums, left, proxy))
          bar = estimate_bar<Impurity>(node_, proxy);
        return true;
      });
    }
    if (!sort_open_buckets(bar)) return false;

    Best found = best;
    const auto try_split = [&](const Sums& sums, std::int64_t left, std::uint32_t last_left) {
      if (!sums.reaches(bar) || !consider(sums, left, found.proxy)) return;
      found.feature = f_.index;
      found.last_left = last_left;
      found.place = Best::Place::at_code;
      found.saw_missing = found.missing_left = false;
      bar = std::max(bar, estimate_bar<Impurity>(node_, found.proxy));
    };
    const Key* key = sides_.keys.data();
    const Key* const keys_end = key + open_;
    const bool done =
        for_each_reaching(sides_.bounds.data(), bar, [&](std::uint32_t b, const Sums& sums, std::int64_t left) {
          if (sides_.edges[b] >= bar) {
            if (!surely_parts(b)) return false;
            try_split(sums, left, first_of(b) - 1);
          }
          Sums inner = sums;
          while (key != keys_end && bucket_of(code_of(*key)) < b) ++key;
          for (std::int64_t inside = left + 1; key != keys_end && bucket_of(code_of(*key)) == b; ++inside) {
            inner.add(items_[sample_of(*key)]);
            const std::uint32_t code = code_of(*key++);
            if (key == keys_end || bucket_of(code_of(*key)) != b) break;
            if (f_.feature->apart(code, code_of(*key))) try_split(inner, inside, code);
          }
          return true;
        });
    if (done) best = found;
    return done;
  }

 private:
  std::uint32_t bucket_of(std::uint32_t code) const { return (code - f_.low) >> shift_; }
  std::uint32_t first_of(std::uint32_t bucket) const { return f_.low + (bucket << shift_); }

  void fill(bool limited) {
    limited_ = limited;
    sides_.buckets.assign(buckets_, 0);
    std::uint64_t* const sums = sides_.buckets.data();
    for (std::int64_t i = 0; i < f_.count; ++i) sums[bucket_of(f_.codes[i])] += items_[i];
    if (!limited_) return;
    sides_.bucket_counts.assign(buckets_, 0);
    for (std::int64_t i = 0; i < f_.count; ++i) ++sides_.bucket_counts[bucket_of(f_.codes[i])];
  }

  // Whether a threshold fits before a bucket, whatever the node's values on either side.
  bool surely_parts(std::uint32_t bucket) const { return f_.feature->apart(first_of(bucket) - 1, first_of(bucket)); }

  // Calls visit(bucket, sums before it, samples before it) for the buckets, in order, whose entry of `values` reaches `bar` now.
  // Stops where that returns false, and returns it.
  template <class Visit>
  bool for_each_reaching(const double* values, double bar, const Visit& visit) {
    // Which they are is hard to predict: first a list without branches.
    std::vector<std::uint32_t>& reaching = sides_.ordered;
    if (reaching.size() < buckets_) reaching.resize(buckets_);
    std::int64_t count = 0;
    for (std::uint32_t b = 0; b < buckets_; ++b) {
      reaching[count] = b;
      count += values[b] >= bar;
    }
    std::int64_t left = 0;
    std::uint32_t counted = 0;  // samples of buckets before this one are in `left`
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t b = reaching[i];
      for (; limited_ && counted < b; ++counted) left += sides_.bucket_counts[counted];
      Sums sums = empty_;
      sums.add(sides_.before[b]);
      if (!visit(b, sums, left)) return false;
    }
    return true;
  }

  // Estimates at the edges of the buckets (before each), and bounds of what they and the insides reach.
  void find_bounds() {
    const std::int64_t size = buckets_ + 1 + kBoundsPadding;
    for (auto* array : {&sides_.left_weights, &sides_.left_weights_1, &sides_.edges, &sides_.bounds}) {
      if (std::int64_t(array->size()) < size) array->resize(size);
    }
    if (std::int64_t(sides_.before.size()) < size) sides_.before.resize(size);
    double* const left = sides_.left_weights.data();
    double* const left_1 = sides_.left_weights_1.data();
    std::uint64_t sum = 0;
    for (std::int64_t b = 0; b < size; ++b) {
      sides_.before[b] = sum;
      left[b] = double(std::int64_t(sum >> 32));
      left_1[b] = double(std::int64_t(sum & 0xffffffff));
      if (b < buckets_) sum += sides_.buckets[b];
    }
    if constexpr (std::is_same_v<Impurity, Gini>) {
      gini_bound_kernels().bounds(left, left_1, buckets_, sides_.edges.data(), sides_.bounds.data());
    } else {
      for (std::int64_t b = 0; b <= buckets_; ++b) sides_.edges[b] = estimate(left[b], left_1[b]);
      for (std::int64_t b = 0; b < buckets_; ++b) {
        const double corner_0 = estimate(left[b + 1] - left_1[b + 1] + left_1[b], left_1[b]);
        const double corner_1 = estimate(left[b] - left_1[b] + left_1[b + 1], left_1[b + 1]);
        sides_.bounds[b] = std::max(std::max(sides_.edges[b], sides_.edges[b + 1]), std::max(corner_0, corner_1));
      }
    }
  }

  double best_edge() const {
    double best = kNone;
    for (std::uint32_t b = 1; b < buckets_; ++b) {
      if (sides_.edges[b] > best && surely_parts(b)) best = sides_.edges[b];
    }
    return best;
  }

  double estimate(double left, double left_1) const {
    return left > 0 && left < node_.weight ? empty_.estimate(left, left_1) : kNone;
  }

  // Sorts the samples of the buckets whose bound reaches `bar`. False when those are most of them.
  bool sort_open_buckets(double bar) {
    open_ = 0;
    sides_.open.resize(buckets_);
    bool any = false;
    for (std::uint32_t b = 0; b < buckets_; ++b) {
      sides_.open[b] = sides_.bounds[b] >= bar;
      any |= sides_.open[b];
    }
    if (!any) return true;
    // Every sample is written, and kept if its bucket is open.
    if (std::int64_t(sides_.keys.size()) <= f_.count) sides_.keys.resize(f_.count + 1);
    Key* const keys = sides_.keys.data();
    Key* next = keys;
    for (std::int64_t i = 0; i < f_.count; ++i) {
      *next = make_key(f_.codes[i], std::uint32_t(i));
      next += sides_.open[bucket_of(f_.codes[i])];
    }
    open_ = next - keys;
    if (open_ * kOpenShare > f_.count) return false;
    std::sort(keys, next);
    return true;
  }

  static constexpr double kNone = -std::numeric_limits<double>::infinity();

  const GatheredFeature& f_;
  const ClassNode& node_;
  const std::uint64_t* items_;
  Sides& sides_;
  const Sums empty_;
  int shift_ = 0;
  std::uint32_t buckets_ = 0;
  std::int64_t open_ = 0;  // samples of open buckets
  bool limited_ = false;
};

}  // namespace fastml::tree
