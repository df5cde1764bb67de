// Mean absolute error: splits around weighted medians.
//
// The errors of all prefixes and suffixes of a feature's order come from two passes over it, with a Fenwick tree (Fenwick,
// 1994) of the weights by rank of the target: O(n log n), as scikit-learn does it since 1.8.
#pragma once

#include <algorithm>
#include <cmath>

#include "tree/criterion.hpp"

namespace fastml::tree {

// Weights and weighted targets by rank, with sums over the first ranks in O(log n).
class RankedWeights {
 public:
  void reset(std::int64_t size) {
    size_ = size;
    weights_.assign(size + 1, 0.0);
    targets_.assign(size + 1, 0.0);
    weight_ = target_ = 0;
    highest_ = 1;
    while (highest_ * 2 <= size) highest_ *= 2;
  }

  void add(std::int64_t rank, double y, double weight) {
    const double target = weight * y;
    for (std::int64_t i = rank + 1; i <= size_; i += i & -i) {
      weights_[i] += weight;
      targets_[i] += target;
    }
    weight_ += weight;
    target_ += target;
  }

  // The weighted median of the targets that are in, and the sum of weighted distances to it. y: targets by rank.
  void median(const double* y, double& median, double& error) const {
    double rest = 0.5 * weight_, weight = 0, target = 0;
    std::int64_t at = 0, bit = highest_;
    for (; bit != 0 && !(at + bit <= size_ && rest == weights_[at + bit]); bit >>= 1) {
      if (at + bit <= size_ && rest > weights_[at + bit]) step(at, bit, rest, weight, target);
    }
    if (bit == 0) {
      median = y[at];
    } else {
      // Half of the weight ends exactly at a rank: the median is halfway to the next that holds anything.
      std::int64_t before = at;
      double half = rest;
      for (std::int64_t b = bit; b != 0; b >>= 1) {
        if (before + b <= size_ && half > weights_[before + b]) {
          half -= weights_[before + b];
          before += b;
        }
      }
      for (; bit != 0; bit >>= 1) {
        if (at + bit <= size_ && rest >= weights_[at + bit]) step(at, bit, rest, weight, target);
      }
      median = before == at ? y[at] : (y[before] + y[at]) / 2;
    }
    error = ((target_ - target) - median * (weight_ - weight)) + (median * weight - target);
  }

 private:
  void step(std::int64_t& at, std::int64_t bit, double& rest, double& weight, double& target) const {
    at += bit;
    rest -= weights_[at];
    weight += weights_[at];
    target += targets_[at];
  }

  std::int64_t size_ = 0, highest_ = 1;
  double weight_ = 0, target_ = 0;
  std::vector<double> weights_, targets_;
};

class AbsoluteError : public Criterion {
 public:
  AbsoluteError(const Targets& targets, const double* weights) : Criterion(targets, weights) {
    // Of each output: the place of each sample among the targets of all.
    const std::int64_t n = targets.samples;
    places_.resize(n * targets.outputs);
    std::vector<std::uint32_t> order(n);
    for (std::int64_t k = 0; k < targets.outputs; ++k) {
      for (std::int64_t i = 0; i < n; ++i) order[i] = std::uint32_t(i);
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return targets.row(a)[k] < targets.row(b)[k]; });
      for (std::int64_t i = 0; i < n; ++i) places_[k * n + order[i]] = std::uint32_t(i);
    }
    ranks_.resize(places_.size());
    medians_.resize(targets.outputs);
  }

  void start_node(const std::uint32_t* samples, std::int64_t, std::int64_t count) override {
    weight_ = 0;
    for (std::int64_t i = 0; i < count; ++i) weight_ += weight_of(samples[i]);
    sorted_.resize(count * targets_.outputs);
    std::vector<Key> keys(count);
    RankedWeights in;
    error_ = 0;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      const std::uint32_t* places = places_.data() + k * targets_.samples;
      for (std::int64_t i = 0; i < count; ++i) keys[i] = make_key(places[samples[i]], samples[i]);
      std::sort(keys.begin(), keys.end());
      double* sorted = sorted_.data() + k * count;
      for (std::int64_t i = 0; i < count; ++i) {
        ranks_[k * targets_.samples + sample_of(keys[i])] = std::uint32_t(i);
        sorted[i] = targets_.row(sample_of(keys[i]))[k];
      }
      in.reset(count);
      for (std::int64_t i = count - 1; i >= 0; --i) put(in, samples[i], k, sorted);
      double error;
      in.median(sorted, medians_[k], error);
      error_ += error;
    }
    count_ = count;
  }

  double impurity() const override { return error_ / (weight_ * double(targets_.outputs)); }
  void value(double* out) const override { std::copy(medians_.begin(), medians_.end(), out); }

  // left and right: {sum of absolute errors, median of the last output}.
  Sides sides() const override {
    Sides sides;
    sides.left.resize(2);
    sides.right.resize(2);
    return sides;
  }

  void search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    const std::int64_t count = f.count();
    Prefixes prefixes(sides.scratch, count);
    for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
      const KeyOrder order(f, missing_left);
      const std::int64_t offset = missing_left ? f.missing_count : 0;
      evaluate(order, count, prefixes);
      double weight_left = 0;
      std::int64_t position = 0;
      for (std::int64_t i = 1; i <= f.present_count; ++i) {
        const bool last = i == f.present_count;
        if (last ? missing_left || f.missing_count == 0 : !f.parts(i)) continue;
        const std::int64_t left = offset + i;
        if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) continue;
        for (; position < left; ++position) weight_left += weight_of(order[position]);
        take(prefixes, left, weight_left, sides);
        if (!allowed(sides, f.index, limits)) continue;
        const double value = proxy(sides);
        if (value > best.proxy) record(f, i, missing_left, value, best);
      }
    }
  }

  void search(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    Prefixes prefixes(sides.scratch, f.count);
    evaluate(f.order, f.count, prefixes);
    double weight_left = 0;
    std::int64_t position = 0;
    f.each_split([&](std::int64_t left, float lower, float upper) {
      if (left < limits.min_samples_leaf || f.count - left < limits.min_samples_leaf) return;
      for (; position < left; ++position) weight_left += weight_of(f.order[position]);
      take(prefixes, left, weight_left, sides);
      if (!allowed(sides, f.index, limits)) return;
      const double value = proxy(sides);
      if (value > best.proxy) record(f, lower, upper, value, best);
    });
  }

  void divide(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, Sides& sides) const override {
    Prefixes prefixes(sides.scratch, count);
    evaluate(samples, count, prefixes);
    double weight_left = 0;
    for (std::int64_t i = 0; i < count_left; ++i) weight_left += weight_of(samples[i]);
    take(prefixes, count_left, weight_left, sides);
  }

  void impurities(const std::uint32_t*, std::int64_t, std::int64_t, const Sides& sides, double& left,
                  double& right) const override {
    left = sides.left[0] / (sides.weight_left * double(targets_.outputs));
    right = sides.right[0] / (sides.weight_right * double(targets_.outputs));
  }

  double middle_value(const Sides& sides) const override { return (sides.left[1] + sides.right[1]) / 2; }

 protected:
  void add(std::uint32_t, double, double*) const override {}  // errors are not sums over samples

  void monotonic_values(const Sides& sides, double& left, double& right) const override {
    left = sides.left[1];
    right = sides.right[1];
  }

 private:
  // Errors and medians of the samples before a position and of those from it on.
  struct Prefixes {
    double *left_errors, *left_medians, *right_errors, *right_medians;
    Prefixes(std::vector<double>& scratch, std::int64_t count) {
      scratch.resize(4 * count);
      left_errors = scratch.data();
      left_medians = left_errors + count;
      right_errors = left_medians + count;
      right_medians = right_errors + count;
    }
  };

  double put(RankedWeights& in, std::uint32_t sample, std::int64_t output, const double* sorted) const {
    const std::uint32_t rank = ranks_[output * targets_.samples + sample];
    in.add(rank, sorted[rank], weight_of(sample));
    return sorted[rank];
  }

  template <class Samples>
  void evaluate(const Samples& order, std::int64_t count, Prefixes& prefixes) const {
    std::fill(prefixes.left_errors, prefixes.left_errors + count, 0.0);
    std::fill(prefixes.right_errors, prefixes.right_errors + count, 0.0);
    RankedWeights in;
    double error;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      const double* sorted = sorted_.data() + k * count_;
      in.reset(count);
      for (std::int64_t i = 0; i < count; ++i) {
        put(in, order[i], k, sorted);
        in.median(sorted, prefixes.left_medians[i], error);
        prefixes.left_errors[i] += error;
      }
      in.reset(count);
      for (std::int64_t i = count - 1; i >= 0; --i) {
        put(in, order[i], k, sorted);
        in.median(sorted, prefixes.right_medians[i], error);
        prefixes.right_errors[i] += error;
      }
    }
  }

  void take(const Prefixes& prefixes, std::int64_t left, double weight_left, Sides& sides) const {
    sides.left[0] = prefixes.left_errors[left - 1];
    sides.left[1] = prefixes.left_medians[left - 1];
    sides.right[0] = prefixes.right_errors[left];
    sides.right[1] = prefixes.right_medians[left];
    sides.weight_left = weight_left;
    sides.weight_right = weight_ - weight_left;
  }

  std::vector<std::uint32_t> places_, ranks_;  // by output, then sample: among all samples, among those of the node
  std::vector<double> sorted_;                 // targets of the node by output, then rank
  std::vector<double> medians_;
  std::int64_t count_ = 0;
  double error_ = 0;
};

}  // namespace fastml::tree
