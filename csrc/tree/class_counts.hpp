// Classification with whole weights and one output: sums are exact in whatever order, so that only splits that may win
// are put to the criterion itself.
#pragma once

#include <algorithm>
#include <vector>

#include "tree/bucket_search.hpp"
#include "tree/class_sums.hpp"
#include "tree/value_passes.hpp"
#include "tree/value_search.hpp"

namespace fastml::tree {

// Whether ClassCounts serves: weights are whole and fit 16 bits, squares of sums are exact in double.
bool countable(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
               double total_weight);

// Sums: TwoClassSums or ManyClassSums.
template <class Impurity, template <class> class SumsOf>
class ClassCounts : public ClassCriterion<Impurity> {
  using Base = ClassCriterion<Impurity>;
  using Sums = SumsOf<Impurity>;

 public:
  ClassCounts(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
              double total_weight, bool by_sample)
      : Base(targets, weights), packed_(by_sample ? targets.samples : 0) {
    this->items_.reserve(samples.size());
    for (const std::uint32_t sample : samples) {
      const std::uint32_t weight = weights == nullptr ? 1 : std::uint32_t(weights[sample]);
      const std::uint32_t packed = std::uint32_t(targets.y[sample]) << 16 | weight;
      if (by_sample) packed_[sample] = packed;
      this->items_.push_back(item(packed));
    }
    if constexpr (std::is_same_v<Impurity, Entropy>) {
      x_log_x_.resize(std::int64_t(total_weight) + 1);
      for (std::size_t x = 1; x < x_log_x_.size(); ++x) x_log_x_[x] = double(x) * std::log2(double(x));
    }
  }

  bool rounds() const override { return false; }

  void start_node(const std::uint32_t*, std::int64_t begin, std::int64_t count) override {
    node_ = this->items_.data() + begin;
    this->weight_ = Sums::add_up(node_, count, this->totals_.data(), std::int64_t(this->totals_.size()));
  }

  void search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    if (f.samples != nullptr) {
      scan(f, limits, sides, best, [&](Key key) { return node_[sample_of(key)]; });
    } else {
      scan(f, limits, sides, best, [&](Key key) { return item(packed_[sample_of(key)]); });
    }
  }

  void search(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    const ClassNode shared = node(f.count);
    const auto item_of = [&](std::int64_t entry) { return item(packed_[f.samples[entry]]); };
    sides.buckets.resize(Sums::tally_size(shared.classes));
    std::uint64_t* const zeros = sides.buckets.data();
    Sums::count_all(zeros, shared);
    for (std::int64_t i = 0; i < f.entries; ++i) Sums::uncount(zeros, shared.classes, item_of(i));
    Sums sums(shared, sides);
    double bar = estimate_bar<Impurity>(shared, best.proxy);
    std::int64_t taken = 0;
    bool took_zeros = f.zeros() == 0;
    f.each_split([&](std::int64_t left, float lower, float upper) {
      if (!took_zeros && left > f.negative) {
        sums.add_tally(zeros);
        took_zeros = true;
      }
      const std::int64_t entries = left <= f.negative ? left : left - f.zeros();
      for (; taken < entries; ++taken) sums.add(item_of(taken));
      if (!sums.reaches(bar)) return;
      if (left < limits.min_samples_leaf || f.count - left < limits.min_samples_leaf) return;
      double proxy = best.proxy;
      if (!improves(sums, f.index, limits, sides, proxy)) return;
      record(f, lower, upper, proxy, best);
      bar = estimate_bar<Impurity>(shared, proxy);
    });
  }

  std::int64_t tally_size(const RankedFeature& feature, std::int64_t count) const override {
    return few_values(feature.distinct, count) ? feature.distinct * tally_size() : 0;
  }

  void tally(const Features& features, const std::uint32_t* samples, std::int64_t count, const Limits& limits,
             Sides& sides) const override {
    const std::vector<TalliedFeature>& tallied = sides.tallied;
    sides.tallies.assign(tallied.back().start + tallied.back().feature->distinct * tally_size(), 0);
    if (counted(limits)) sides.tally_counts.assign(sides.tallies.size(), 0);
    features.with_codes([&](const auto* codes, std::int64_t sample_step, std::int64_t feature_step) {
      const auto add_up = [&](auto together, std::size_t first, std::int64_t begin, std::int64_t end) {
        constexpr std::size_t kTogether = decltype(together)::value;
        decltype(codes) columns[kTogether];
        std::uint64_t* tallies[kTogether];
        for (std::size_t k = 0; k < kTogether; ++k) {
          columns[k] = codes + tallied[first + k].index * feature_step;
          tallies[k] = sides.tallies.data() + tallied[first + k].start;
        }
        const std::int64_t size = tally_size(), classes = std::int64_t(this->totals_.size());
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t at = samples[i] * sample_step;
          const std::uint64_t item = node_[i];
          for (std::size_t k = 0; k < kTogether; ++k) Sums::count(tallies[k] + columns[k][at] * size, classes, item);
        }
        if (!counted(limits)) return;
        for (std::size_t k = 0; k < kTogether; ++k) {
          std::uint32_t* const counts = sides.tally_counts.data() + tallied[first + k].start;
          for (std::int64_t i = begin; i < end; ++i) ++counts[columns[k][samples[i] * sample_step]];
        }
      };
      for (std::int64_t begin = 0; begin < count; begin += kAheadBlock) {
        const std::int64_t end = std::min(begin + kAheadBlock, count);
        std::size_t k = 0;
        for (; k + 4 <= tallied.size(); k += 4) add_up(std::integral_constant<std::size_t, 4>(), k, begin, end);
        for (; k + 2 <= tallied.size(); k += 2) add_up(std::integral_constant<std::size_t, 2>(), k, begin, end);
        for (; k < tallied.size(); ++k) add_up(std::integral_constant<std::size_t, 1>(), k, begin, end);
      }
    });
  }

  bool search_tally(std::int64_t which, std::int64_t count, const Limits& limits, Sides& sides,
                    Best& best) const override {
    const TalliedFeature& f = sides.tallied[which];
    const ClassNode shared = node(count);
    ValueSearch<Impurity, Sums> values(*f.feature, f.index, 0, f.feature->distinct, shared, sides);
    values.take(sides.tallies.data() + f.start, counted(limits) ? sides.tally_counts.data() + f.start : nullptr);
    if (values.constant()) return false;
    values.run(considered(f.index, count, limits, sides), best);
    return true;
  }

  bool search_unsorted(const GatheredFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    const ClassNode shared = node(f.count);
    const auto consider = considered(f.index, f.count, limits, sides);
    const std::int64_t range = std::int64_t(f.high) - f.low + 1;
    if (few_values(range, f.count)) {
      ValueSearch<Impurity, Sums> values(*f.feature, f.index, f.low, range, shared, sides);
      values.fill(f.codes, node_, f.count, counted(limits));
      values.run(consider, best);
      return true;
    }
    if constexpr (kTwo) {
      return f.count >= kLeastBucketed &&
             BucketSearch<Impurity>(f, shared, node_, sides).run(limited(limits), consider, best);
    }
    return false;
  }

  // From the side that has fewer samples.
  void divide(const std::uint32_t*, std::int64_t count_left, std::int64_t count, Sides& sides) const override {
    if (count_left <= count - count_left) {
      sides.weight_left = Sums::add_up(node_, count_left, sides.left.data(), std::int64_t(sides.left.size()));
    } else {
      sides.weight_left = this->weight_ - Sums::add_up(node_ + count_left, count - count_left, sides.left.data(),
                                                       std::int64_t(sides.left.size()));
      for (std::size_t c = 0; c < this->totals_.size(); ++c) sides.left[c] = this->totals_[c] - sides.left[c];
    }
    this->complete(sides);
  }

  void divide_off(const std::uint32_t* samples, std::int64_t count, bool left, Sides& sides) const override {
    std::vector<std::uint64_t>& tally = sides.buckets;
    const std::int64_t classes = std::int64_t(this->totals_.size());
    tally.assign(Sums::tally_size(classes), 0);
    if (left) {
      for (std::int64_t i = 0; i < count; ++i) Sums::count(tally.data(), classes, item(packed_[samples[i]]));
    } else {
      Sums::count_all(tally.data(), node(0));
      for (std::int64_t i = 0; i < count; ++i) Sums::uncount(tally.data(), classes, item(packed_[samples[i]]));
    }
    Sums sums(node(0), sides);
    sums.add_tally(tally.data());
    take(sums, sides);
  }

  std::int64_t divide_at(const std::uint32_t*, const float* values, std::int64_t count, float threshold,
                         bool missing_left, std::uint32_t*, Sides& sides) const override {
    std::int64_t left = 0;
    if constexpr (kTwo) {
      Sums sums(node(count), sides);
      sums.add(value_kernels().sum_below(values, node_, count, threshold, missing_left, left));
      take(sums, sides);
    } else {
      std::vector<std::uint64_t>& weights = sides.buckets;
      weights.assign(this->totals_.size(), 0);
      for (std::int64_t i = 0; i < count; ++i) {
        const bool goes = missing_left ? !(values[i] > threshold) : values[i] <= threshold;
        weights[node_[i] >> 32] += node_[i] & -std::uint64_t(goes) & 0xffffffff;
        left += goes;
      }
      sides.weight_left = 0;
      for (std::size_t c = 0; c < weights.size(); ++c) {
        sides.left[c] = double(weights[c]);
        sides.weight_left += sides.left[c];
      }
      this->complete(sides);
    }
    return left;
  }

 private:
  static constexpr bool kTwo = std::is_same_v<Sums, TwoClassSums<Impurity>>;

  std::int64_t tally_size() const { return Sums::tally_size(std::int64_t(this->totals_.size())); }
  bool few_values(std::int64_t values, std::int64_t count) const {
    const std::int64_t tallies = values * tally_size();
    return tallies <= kMostTallies && tallies <= kTalliesPerSample * count;
  }
  static bool limited(const Limits& limits) {
    return counted(limits) || limits.min_weight_leaf > 0 || limits.monotonic != nullptr;
  }
  static bool counted(const Limits& limits) { return limits.min_samples_leaf > 1; }

  // Puts a split to the criterion, as the searches ask for it. Only where samples are counted does it need to know `left`.
  auto considered(std::int64_t feature, std::int64_t count, const Limits& limits, Sides& sides) const {
    return [=, &limits, &sides](const Sums& sums, std::int64_t left, double& proxy) {
      const std::int64_t least = limits.min_samples_leaf;
      if (counted(limits) && (left < least || count - left < least)) return false;
      return improves(sums, feature, limits, sides, proxy);
    };
  }

  static std::uint64_t item(std::uint32_t packed) { return Sums::item(packed >> 16, packed & 0xffff); }

  void take(const Sums& sums, Sides& sides) const {
    sums.write(sides.left.data());
    sides.weight_left = sums.weight();
    this->complete(sides);
  }

  ClassNode node(std::int64_t count) const {
    return {this->weight_, count, this->totals_.data(), std::int64_t(this->totals_.size()), x_log_x_.data()};
  }

  // Puts the split at `sums` to the criterion. True when it is better than `proxy`, which becomes its own.
  bool improves(const Sums& sums, std::int64_t feature, const Limits& limits, Sides& sides, double& proxy) const {
    take(sums, sides);
    if (!this->allowed(sides, feature, limits)) return false;
    const double value = this->proxy(sides);
    if (!(value > proxy)) return false;
    proxy = value;
    return true;
  }

  template <class ItemOf>
  void scan(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best, const ItemOf& item_of) const {
    const std::int64_t count = f.count(), present = f.present_count;
    const ClassNode shared = node(count);
    for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
      Sums sums(shared, sides);
      const std::int64_t offset = missing_left ? f.missing_count : 0;
      for (std::int64_t i = 0; i < offset; ++i) sums.add(item_of(f.missing[i]));
      double bar = estimate_bar<Impurity>(shared, best.proxy);
      const auto consider = [&](std::int64_t i) {
        if (!sums.reaches(bar)) return;
        const std::int64_t left = offset + i;
        if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) return;
        double proxy = best.proxy;
        if (!improves(sums, f.index, limits, sides, proxy)) return;
        record(f, i, missing_left, proxy, best);
        bar = estimate_bar<Impurity>(shared, proxy);
      };
      std::uint32_t code = code_of(f.present[0]);
      for (std::int64_t i = 1; i < present; ++i) {
        sums.add(item_of(f.present[i - 1]));
        const std::uint32_t next = code_of(f.present[i]);
        if (next == code) continue;
        code = next;
        if (f.feature->separated || f.parts(i)) consider(i);
      }
      sums.add(item_of(f.present[present - 1]));
      if (!missing_left && f.missing_count > 0) consider(present);
    }
  }

  std::vector<std::uint32_t> packed_;    // of each sample, where searches ask by sample: class << 16 | weight
  const std::uint64_t* node_ = nullptr;  // items of the node's samples
  std::vector<double> x_log_x_;
};

}  // namespace fastml::tree
