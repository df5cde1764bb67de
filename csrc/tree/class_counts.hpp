// Classification with whole weights and one output: sums are exact in whatever order, so that only splits that may win
// are put to the criterion itself.
#pragma once

#include <cmath>
#include <type_traits>
#include <vector>

#include "tree/class_criteria.hpp"

namespace fastml::tree {

// Whether ClassCounts serves: weights are whole and fit 16 bits, squares of sums are exact in double.
bool countable(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
               double total_weight);

template <class Impurity>
class ClassCounts : public ClassCriterion<Impurity> {
  using Base = ClassCriterion<Impurity>;

 public:
  ClassCounts(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
              double total_weight)
      : Base(targets, weights), packed_(targets.samples) {
    for (const std::uint32_t sample : samples) {
      const std::uint32_t weight = weights == nullptr ? 1 : std::uint32_t(weights[sample]);
      packed_[sample] = std::uint32_t(targets.y[sample]) << 16 | weight;
    }
    if constexpr (kEntropy) {
      x_log_x_.resize(std::int64_t(total_weight) + 1);
      for (std::size_t x = 1; x < x_log_x_.size(); ++x) x_log_x_[x] = double(x) * std::log2(double(x));
    }
  }

  void start_node(const std::uint32_t* samples, std::int64_t count) override {
    std::fill(this->totals_.begin(), this->totals_.end(), 0.0);
    std::int64_t weight = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t packed = packed_[samples[i]];
      this->totals_[packed >> 16] += packed & 0xffff;
      weight += packed & 0xffff;
    }
    this->weight_ = double(weight);
  }

  Sides sides() const override {
    Sides sides = Base::sides();
    sides.counts.resize(2 * this->totals_.size());
    return sides;
  }

  void search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    this->totals_.size() == 2 ? scan<TwoClasses>(f, limits, sides, best) : scan<ManyClasses>(f, limits, sides, best);
  }

 private:
  static constexpr bool kEntropy = std::is_same_v<Impurity, Entropy>;

  // Sums of the left side of a node, and an estimate of the proxy that needs no pass over the classes.
  struct TwoClasses {
    std::int64_t both = 0;  // weight << 32 | weight of class 1: one addition a sample
    double total, total_1;
    const double* x_log_x;

    TwoClasses(const ClassCounts& counts, Sides&)
        : total(counts.weight_), total_1(counts.totals_[1]), x_log_x(counts.x_log_x_.data()) {}
    void add(std::uint32_t packed) {
      const std::int64_t weight = packed & 0xffff;
      both += weight << 32 | (-(packed >> 16) & weight);
    }
    double weight() const { return double(both >> 32); }
    // Times weights on both sides, for Gini: sum of squares / weight, of both sides.
    bool reaches(double bar) const {
      const double left = double(both >> 32), left_1 = double(both & 0xffffffff);
      const double right = total - left, right_1 = total_1 - left_1, left_0 = left - left_1, right_0 = right - right_1;
      if constexpr (kEntropy) {
        return x_log_x[std::int64_t(left_0)] + x_log_x[std::int64_t(left_1)] - x_log_x[std::int64_t(left)] +
                   x_log_x[std::int64_t(right_0)] + x_log_x[std::int64_t(right_1)] - x_log_x[std::int64_t(right)] >=
               bar;
      }
      return (left_0 * left_0 + left_1 * left_1) * right + (right_0 * right_0 + right_1 * right_1) * left >=
             bar * (left * right);
    }
    void write(double* left) const {
      left[1] = double(both & 0xffffffff);
      left[0] = weight() - left[1];
    }
  };

  struct ManyClasses {
    std::int64_t* sums;
    std::int64_t* totals;
    std::int64_t classes;
    std::int64_t left = 0;
    double total;
    // Gini: sums over classes of left^2, left * total, total^2. Entropy: of x log x, left and right.
    std::int64_t left_squares = 0, left_totals = 0;
    double total_squares = 0, left_logs = 0, right_logs = 0;
    const double* x_log_x;

    ManyClasses(const ClassCounts& counts, Sides& sides)
        : sums(sides.counts.data()),
          totals(sums + counts.totals_.size()),
          classes(std::int64_t(counts.totals_.size())),
          total(counts.weight_),
          x_log_x(counts.x_log_x_.data()) {
      for (std::int64_t c = 0; c < classes; ++c) {
        sums[c] = 0;
        totals[c] = std::int64_t(counts.totals_[c]);
        total_squares += counts.totals_[c] * counts.totals_[c];
        if constexpr (kEntropy) right_logs += x_log_x[totals[c]];
      }
    }
    void add(std::uint32_t packed) {
      const std::int64_t weight = packed & 0xffff;
      std::int64_t& sum = sums[packed >> 16];
      if constexpr (kEntropy) {
        const std::int64_t rest = totals[packed >> 16] - sum;
        left_logs += x_log_x[sum + weight] - x_log_x[sum];
        right_logs += x_log_x[rest - weight] - x_log_x[rest];
      } else {
        left_squares += weight * (2 * sum + weight);
        left_totals += weight * totals[packed >> 16];
      }
      sum += weight;
      left += weight;
    }
    double weight() const { return double(left); }
    bool reaches(double bar) const {
      if constexpr (kEntropy) {
        return left_logs - x_log_x[left] + right_logs - x_log_x[std::int64_t(total) - left] >= bar;
      }
      const double squares = double(left_squares), weight_left = double(left), weight_right = total - weight_left;
      return squares * weight_right + (total_squares - 2 * double(left_totals) + squares) * weight_left >=
             bar * (weight_left * weight_right);
    }
    void write(double* out) const {
      for (std::int64_t c = 0; c < classes; ++c) out[c] = double(sums[c]);
    }
  };

  // What reaches() must be given so that no split better than `proxy` is passed over. The estimate and the criterion
  // differ by the node's weight (Gini), and by rounding: a few roundings of numbers up to the weight, or one for each
  // sample of numbers up to weight * log2(weight).
  double screen(double proxy, std::int64_t count) const {
    const double weight = this->weight_, eps = std::numeric_limits<double>::epsilon();
    if constexpr (kEntropy) return proxy - 8 * double(count + 64) * eps * weight * (1 + std::log2(weight));
    return proxy + weight - 64 * eps * weight;
  }

  template <class Sums>
  void scan(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const {
    const std::int64_t count = f.count(), present = f.present_count;
    for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
      Sums sums(*this, sides);
      const std::int64_t offset = missing_left ? f.missing_count : 0;
      for (std::int64_t i = 0; i < offset; ++i) sums.add(packed_[sample_of(f.missing[i])]);
      double bar = screen(best.proxy, count);
      const auto consider = [&](std::int64_t i) {
        if (!sums.reaches(bar)) return;
        const std::int64_t left = offset + i;
        if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) return;
        sums.write(sides.left.data());
        sides.weight_left = sums.weight();
        this->complete(sides);
        if (!this->allowed(sides, f.index, limits)) return;
        const double value = this->proxy(sides);
        if (!(value > best.proxy)) return;
        record(f, i, missing_left, value, best);
        bar = screen(value, count);
      };
      std::uint32_t code = code_of(f.present[0]);
      for (std::int64_t i = 1; i < present; ++i) {
        sums.add(packed_[sample_of(f.present[i - 1])]);
        const std::uint32_t next = code_of(f.present[i]);
        if (next == code) continue;
        code = next;
        if (f.feature->separated || f.parts(i)) consider(i);
      }
      sums.add(packed_[sample_of(f.present[present - 1])]);
      if (!missing_left && f.missing_count > 0) consider(present);
    }
  }

  std::vector<std::uint32_t> packed_;  // of each sample: class << 16 | weight
  std::vector<double> x_log_x_;        // of every sum there can be
};

}  // namespace fastml::tree
