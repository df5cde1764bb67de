// Squared error of one output with positive weights: the search behind regression trees and gradient boosting.
#pragma once

#include <vector>

#include "tree/mean_criteria.hpp"
#include "tree/value_passes.hpp"

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

  void search(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
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

  // What is on the left while a split moves to the right.
  struct Cursor {
    double sum, weight;
    std::int64_t position;  // samples on the left of the last split that was possible
    double bar;             // what the next must reach
  };

  // Criterion::search with the sums in registers, and a test without divisions before the criterion itself.
  template <bool Weights>
  void scan(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const {
    for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
      Cursor cursor{0, 0, 0, screen(best.proxy)};
      for (std::int64_t i = 0; missing_left && i < f.missing_count; ++i)
        enter(at<Weights>(f.sample(f.missing[i])), cursor);
      std::int64_t i = 1;
      for (; i + kBlock <= f.present_count; i += kBlock) {
        if (!pass_by<Weights>(f, i, missing_left, limits, cursor)) {
          cursor = walk<Weights>(f, i, i + kBlock, missing_left, cursor, limits, sides, best);
        }
      }
      cursor = walk<Weights>(f, i, f.present_count, missing_left, cursor, limits, sides, best);
      if (missing_left || f.missing_count == 0) continue;
      enter(at<Weights>(f.sample(f.present[f.present_count - 1])), cursor);
      consider<Weights>(f, f.present_count, missing_left, cursor, limits, sides, best);
    }
  }

  template <bool Weights>
  void scan(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const {
    Cursor cursor{0, 0, 0, screen(best.proxy)};
    f.each_split([&](std::int64_t left, float lower, float upper) {
      if (left < limits.min_samples_leaf || f.count - left < limits.min_samples_leaf) return;
      if (left - cursor.position <= f.count - left) {
        for (std::int64_t p = cursor.position; p < left; ++p) enter(at<Weights>(f.order[p]), cursor);
      } else {
        cursor.sum = totals_[0];
        cursor.weight = weight_;
        for (std::int64_t p = f.count - 1; p >= left; --p) leave(at<Weights>(f.order[p]), cursor);
      }
      cursor.position = left;
      const double right = totals_[0] - cursor.sum, weight_right = weight_ - cursor.weight;
      if (!(cursor.sum * cursor.sum * weight_right + right * right * cursor.weight >=
            cursor.bar * (cursor.weight * weight_right))) {
        return;
      }
      sides.left[0] = cursor.sum;
      sides.right[0] = right;
      sides.weight_left = cursor.weight;
      sides.weight_right = weight_right;
      if (!allowed(sides, f.index, limits)) return;
      const double value = proxy(sides);
      if (!(value > best.proxy)) return;
      record(f, lower, upper, value, best);
      cursor.bar = screen(value);
    });
  }

  // Takes the cursor past kBlock splits from the one at present[begin] on, if they are not ties and none reaches the bar.
  template <bool Weights>
  bool pass_by(const SortedFeature& f, std::int64_t begin, int missing_left, const Limits& limits,
               Cursor& cursor) const {
    const Key* const keys = f.present + begin - 1;
    const std::uint32_t tie = f.feature->close.longest();
    bool tied = false;
    for (std::int64_t i = 0; i < kBlock; ++i) tied |= code_of(keys[i + 1]) - code_of(keys[i]) <= tie;
    if (tied) return false;
    double sums[kBlock], weights[kBlock];
    Cursor passed = cursor;
    for (std::int64_t i = 0; i < kBlock; ++i) {
      enter(at<Weights>(f.sample(keys[i])), passed);
      sums[i] = passed.sum;
      weights[i] = passed.weight;
    }
    if (value_kernels().any_reaches(sums, weights, kBlock, totals_[0], weight_, cursor.bar)) return false;
    // Splits that leave too few samples on the left do not count as passed.
    const std::int64_t left = (missing_left ? f.missing_count : 0) + begin + kBlock - 1;
    if (left >= limits.min_samples_leaf) passed.position = left;
    cursor = passed;
    return true;
  }

  // Looks at the splits at present[begin], ..., present[end - 1].
  template <bool Weights>
  Cursor walk(const SortedFeature& f, std::int64_t begin, std::int64_t end, int missing_left, Cursor cursor,
              const Limits& limits, Sides& sides, Best& best) const {
    for (std::int64_t i = begin; i < end; ++i) {
      enter(at<Weights>(f.sample(f.present[i - 1])), cursor);
      if (f.parts(i)) consider<Weights>(f, i, missing_left, cursor, limits, sides, best);
    }
    return cursor;
  }

  template <bool Weights>
  void consider(const SortedFeature& f, std::int64_t i, int missing_left, Cursor& cursor, const Limits& limits,
                Sides& sides, Best& best) const {
    const std::int64_t count = f.count(), left = (missing_left ? f.missing_count : 0) + i;
    if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) return;
    if (left - cursor.position > count - left) come_from_right<Weights>(f, i, missing_left, cursor);
    cursor.position = left;
    const double right = totals_[0] - cursor.sum, weight_right = weight_ - cursor.weight;
    if (cursor.sum * cursor.sum * weight_right + right * right * cursor.weight >=
        cursor.bar * (cursor.weight * weight_right)) {
      cursor.bar = evaluate(f, i, missing_left, cursor, limits, sides, best);
    }
  }

  // scikit-learn comes from the shorter side, here from the right one.
  template <bool Weights>
  __attribute__((noinline)) void come_from_right(const SortedFeature& f, std::int64_t i, int missing_left,
                                                 Cursor& cursor) const {
    cursor.sum = totals_[0];
    cursor.weight = weight_;
    if (!missing_left) {
      for (std::int64_t p = f.missing_count - 1; p >= 0; --p) leave(at<Weights>(f.sample(f.missing[p])), cursor);
    }
    for (std::int64_t p = f.present_count - 1; p >= i; --p) leave(at<Weights>(f.sample(f.present[p])), cursor);
  }

  // Puts a split to the criterion. Returns the new bar. Not inline: its sums are in memory.
  __attribute__((noinline)) double evaluate(const SortedFeature& f, std::int64_t i, int missing_left, Cursor cursor,
                                            const Limits& limits, Sides& sides, Best& best) const {
    sides.left[0] = cursor.sum;
    sides.right[0] = totals_[0] - cursor.sum;
    sides.weight_left = cursor.weight;
    sides.weight_right = weight_ - cursor.weight;
    if (!allowed(sides, f.index, limits)) return cursor.bar;
    const double value = proxy(sides);
    if (!(value > best.proxy)) return cursor.bar;
    record(f, i, missing_left, value, best);
    return screen(value);
  }

  static void enter(const Weighted& sample, Cursor& cursor) {
    cursor.sum += sample.target;
    cursor.weight += sample.weight;
  }
  static void leave(const Weighted& sample, Cursor& cursor) {
    cursor.sum -= sample.target;
    cursor.weight -= sample.weight;
  }

  // Splits below this cannot be better than `proxy`, by whatever few roundings both were computed.
  static double screen(double proxy) { return proxy * (1 - 1e-14); }

  static constexpr std::int64_t kBlock = 32;

  std::vector<Weighted> weighted_;  // of each sample; empty where all weights are 1
};

}  // namespace fastml::tree
