// Gini impurity and entropy, by scikit-learn's own expressions: any number of outputs, any weights.
#pragma once

#include <algorithm>
#include <cmath>

#include "tree/criterion.hpp"

namespace fastml::tree {

// Impurities of class weights, added to a running total over outputs.

// 1 - sum of squared shares (Breiman et al., 1984).
struct Gini {
  static void add(const double* sums, std::int64_t classes, double weight, double& total) {
    double squares = 0;
    for (std::int64_t c = 0; c < classes; ++c) squares += sums[c] * sums[c];
    total += 1.0 - squares / (weight * weight);
  }
};

// Shannon's entropy in bits, whose decrease is the information gain of ID3 (Quinlan, 1986).
struct Entropy {
  static double log2_of(double x) { return std::log(x) / std::log(2.0); }
  static void add(const double* sums, std::int64_t classes, double weight, double& total) {
    for (std::int64_t c = 0; c < classes; ++c) {
      if (!(sums[c] > 0.0)) continue;
      const double share = sums[c] / weight;
      total -= share * log2_of(share);
    }
  }
};

template <class Impurity>
class ClassCriterion : public Criterion {
 public:
  ClassCriterion(const Targets& targets, const double* weights)
      : Criterion(targets, weights), stride_(targets.most_classes()) {
    totals_.resize(targets.outputs * stride_);
  }

  void start_node(const std::uint32_t* samples, std::int64_t, std::int64_t count) override {
    std::fill(totals_.begin(), totals_.end(), 0.0);
    weight_ = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double weight = weight_of(samples[i]);
      add(samples[i], weight, totals_.data());
      weight_ += weight;
    }
  }

  double impurity() const override { return of(totals_.data(), weight_); }

  void value(double* out) const override {
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      for (std::int64_t c = 0; c < stride_; ++c) {
        out[k * stride_ + c] = c < targets_.classes[k] ? totals_[k * stride_ + c] / weight_ : 0.0;
      }
    }
  }

  // Two classes, whose shares add up to 1.
  void clip_value(double* value, double lower, double upper) const override {
    Criterion::clip_value(value, lower, upper);
    value[1] = 1 - value[0];
  }

  Sides sides() const override {
    Sides sides;
    sides.left.resize(totals_.size());
    sides.right.resize(totals_.size());
    return sides;
  }

  void impurities(const std::uint32_t*, std::int64_t, std::int64_t, const Sides& sides, double& left,
                  double& right) const override {
    left = of(sides.left.data(), sides.weight_left);
    right = of(sides.right.data(), sides.weight_right);
  }

  using Criterion::search;
  void search(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    search_with(
        f, limits, sides, best,
        [&](std::uint32_t sample, double weight, double* sums) { ClassCriterion::add(sample, weight, sums); },
        [&](const Sides& at) {
          const double right = of(at.right.data(), at.weight_right), left = of(at.left.data(), at.weight_left);
          return -at.weight_right * right - at.weight_left * left;
        });
  }

 protected:
  void add(std::uint32_t sample, double weight, double* sums) const override {
    const double* codes = targets_.row(sample);
    for (std::int64_t k = 0; k < targets_.outputs; ++k) sums[k * stride_ + std::int64_t(codes[k])] += weight;
  }

  // The mean over outputs.
  double of(const double* sums, double weight) const {
    double total = 0;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      Impurity::add(sums + k * stride_, targets_.classes[k], weight, total);
    }
    return total / double(targets_.outputs);
  }

  std::int64_t stride_;  // classes of the output that has most
};

}  // namespace fastml::tree
