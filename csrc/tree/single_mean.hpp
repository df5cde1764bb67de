// Squared error of one output with positive weights: the search behind regression trees and gradient boosting.
#pragma once

#include <vector>

#include "tree/mean_criteria.hpp"

namespace fastml::tree {

class SingleMean : public SquaredError {
 public:
  SingleMean(const Targets& targets, const double* weights) : SquaredError(targets, weights) {
    if (weights == nullptr) return;
    weighted_.resize(targets.samples);
    for (std::int64_t i = 0; i < targets.samples; ++i) weighted_[i] = {weights[i] * targets.y[i], weights[i]};
  }

  void search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    weighted_.empty() ? scan<false>(f, limits, sides, best) : scan<true>(f, limits, sides, best);
  }

 private:
  struct Weighted {
    double target, weight;
  };

  template <bool Weights>
  Weighted at(std::uint32_t sample) const {
    if constexpr (Weights) return weighted_[sample];
    return {targets_.y[sample], 1.0};
  }

  // Criterion::search with the sums in registers, and a test without divisions before the criterion itself.
  template <bool Weights>
  void scan(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const {
    const std::int64_t count = f.count(), present = f.present_count;
    const double total = totals_[0], weight = weight_;
    for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
      const std::int64_t offset = missing_left ? f.missing_count : 0;
      double sum = 0, weight_left = 0;
      for (std::int64_t i = 0; i < offset; ++i) {
        const Weighted sample = at<Weights>(f.sample(f.missing[i]));
        sum += sample.target;
        weight_left += sample.weight;
      }
      std::int64_t position = 0;
      double bar = screen(best.proxy);
      const auto consider = [&](std::int64_t i) {
        const std::int64_t left = offset + i;
        if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) return;
        if (left - position > count - left) {
          // scikit-learn comes from the shorter side, here from the right one.
          sum = total;
          weight_left = weight;
          if (!missing_left) {
            for (std::int64_t p = f.missing_count - 1; p >= 0; --p)
              leave(at<Weights>(f.sample(f.missing[p])), sum, weight_left);
          }
          for (std::int64_t p = present - 1; p >= i; --p) leave(at<Weights>(f.sample(f.present[p])), sum, weight_left);
        }
        position = left;
        const double right = total - sum, weight_right = weight - weight_left;
        if (!(sum * sum * weight_right + right * right * weight_left >= bar * (weight_left * weight_right))) return;
        sides.left[0] = sum;
        sides.right[0] = right;
        sides.weight_left = weight_left;
        sides.weight_right = weight_right;
        if (!allowed(sides, f.index, limits)) return;
        const double value = proxy(sides);
        if (!(value > best.proxy)) return;
        record(f, i, missing_left, value, best);
        bar = screen(value);
      };
      for (std::int64_t i = 1; i <= present; ++i) {
        const Weighted sample = at<Weights>(f.sample(f.present[i - 1]));
        sum += sample.target;
        weight_left += sample.weight;
        if (i == present) {
          if (!missing_left && f.missing_count > 0) consider(i);
        } else if (f.parts(i)) {
          consider(i);
        }
      }
    }
  }

  static void leave(const Weighted& sample, double& sum, double& weight) {
    sum -= sample.target;
    weight -= sample.weight;
  }

  // Splits below this cannot be better than `proxy`, by whatever few roundings both were computed.
  static double screen(double proxy) { return proxy * (1 - 1e-14); }

  std::vector<Weighted> weighted_;  // of each sample; empty where all weights are 1
};

}  // namespace fastml::tree
