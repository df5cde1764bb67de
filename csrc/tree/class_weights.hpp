// Classification with fractional weights and one output: sums are rounded, so they are added up sample by sample, in
// scikit-learn's order; only splits that may win are put to the criterion itself.
#pragma once

#include <algorithm>
#include <vector>

#include "tree/class_traces.hpp"

namespace fastml::tree {

// Whether ClassWeights serves: there are weights, of a size that bounds on rounding hold for.
bool weighable(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
               double total_weight);

// Trace: TwoClassTrace or ManyClassTrace.
template <class Impurity, template <class> class TraceOf>
class ClassWeights : public ClassCriterion<Impurity> {
  using Base = ClassCriterion<Impurity>;
  using Trace = TraceOf<Impurity>;
  using Item = typename Trace::Item;
  using State = typename Trace::State;

 public:
  ClassWeights(const Targets& targets, const double* weights, bool by_sample)
      : Base(targets, weights), by_sample_(by_sample) {
    items_of_all_.reserve(targets.samples);
    for (std::int64_t i = 0; i < targets.samples; ++i) items_of_all_.push_back(Trace::item(targets.y[i], weights[i]));
  }

  void start_node(const std::uint32_t* samples, std::int64_t, std::int64_t count) override {
    std::fill(this->totals_.begin(), this->totals_.end(), 0.0);
    this->weight_ = 0;
    if (!by_sample_ && std::int64_t(node_.size()) < count) node_.resize(count);
    double* const totals = this->totals_.data();
    double weight = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const Item item = items_of_all_[samples[i]];
      totals[std::int64_t(Trace::label_of(item))] += Trace::weight_of(item);
      weight += Trace::weight_of(item);
      if (!by_sample_) node_[i] = item;
    }
    this->weight_ = weight;
  }

  using Base::search;
  void search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const override {
    if (f.samples != nullptr) {
      Search(*this, node_.data(), f, limits, sides, best).run();
    } else {
      Search(*this, items_of_all_.data(), f, limits, sides, best).run();
    }
  }

  void divide(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, Sides& sides) const override {
    divide_items([&](std::int64_t i) { return items_of_all_[samples[i]]; }, count_left, count, sides);
  }

  std::int64_t divide_at(const std::uint32_t*, const float* values, std::int64_t count, float threshold,
                         bool missing_left, std::uint32_t* places, Sides& sides) const override {
    const std::int64_t left = this->part_places(places, values, count, threshold, missing_left, sides);
    divide_items([&](std::int64_t i) { return node_[places[i]]; }, left, count, sides);
    return left;
  }

 private:
  // Criterion::search for one feature, in runs of up to kTraceLength splits.
  class Search {
   public:
    // `items`: of what the feature's keys hold.
    Search(const ClassWeights& criterion, const Item* items, const SortedFeature& feature, const Limits& limits,
           Sides& sides, Best& best)
        : criterion_(criterion),
          items_(items),
          f_(feature),
          limits_(limits),
          sides_(sides),
          best_(best),
          count_(feature.count()),
          node_{criterion.weight_, count_, criterion.totals_.data(), std::int64_t(criterion.totals_.size())},
          errors_(node_),
          trace_(node_, sides),
          bar_(errors_.bar(best.proxy)) {}

    void run() {
      for (int missing_left = 0; missing_left <= (f_.missing_count > 0); ++missing_left) {
        missing_left_ = missing_left;
        offset_ = missing_left ? f_.missing_count : 0;
        scan();
      }
    }

   private:
    Item item(Key key) const { return items_[sample_of(key)]; }

    void scan() {
      const std::int64_t least = std::max<std::int64_t>(limits_.min_samples_leaf, 1), present = f_.present_count;
      const std::int64_t first = std::max<std::int64_t>(least - offset_, 1);
      const std::int64_t last = std::min(present - 1, count_ - least - offset_);
      const bool parts_missing = !missing_left_ && f_.missing_count >= least && present >= least;
      if (first > last && !parts_missing) return;
      State state = trace_.nothing();
      for (std::int64_t i = 0; i < offset_; ++i) trace_.enter(item(f_.missing[i]), state);
      const std::int64_t before = std::min(first, present) - 1;
      for (std::int64_t i = 0; i < before; ++i) trace_.enter(item(f_.present[i]), state);
      trace_.begin(state);
      position_ = 0;
      noted_ = 0;
      for (std::int64_t i = first; i <= last;) {
        const std::int64_t end = std::min(i + kTraceLength - noted_, last + 1);
        i = pass(i, end, state);
        consider(state);
        if (i == end) continue;
        come_from_right(i, state);
        ++i;
      }
      consider(state);
      if (!parts_missing) return;
      // Behind the last present sample there is a split that parts them from the missing ones.
      trace_.step(item(f_.present[present - 1]), state);
      if (present - position_ > count_ - present) {
        come_from_right(present, state);
      } else {
        note(present, present, state);
      }
      consider(state);
    }

    void note(std::int64_t i, std::int64_t left, const State& state) {
      trace_.note(noted_, state);
      at_[noted_++] = i;
      position_ = left;
    }

    // Takes the splits at present[begin], ..., present[end - 1] into the run, but stops where scikit-learn comes from the
    // other side. Returns where.
    std::int64_t pass(std::int64_t begin, std::int64_t end, State& state) {
      const bool separated = f_.feature->separated;
      State sums = state;
      std::int64_t noted = noted_, position = position_, i = begin;
      for (; i < end; ++i) {
        trace_.step(item(f_.present[i - 1]), sums);
        bool parts = code_of(f_.present[i - 1]) != code_of(f_.present[i]);
        if (!separated && parts) parts = f_.parts(i);
        const std::int64_t left = offset_ + i;
        if (parts & (left - position > count_ - left)) break;
        // Written in any case, and kept if it is a split.
        trace_.note(noted, sums);
        at_[noted] = i;
        noted += parts;
        position = parts ? left : position;
      }
      state = sums;
      noted_ = noted;
      position_ = position;
      return i;
    }

    // scikit-learn comes from the shorter side, here from the right one. Begins a run with that split.
    void come_from_right(std::int64_t i, State& state) {
      state = trace_.everything();
      if (!missing_left_) {
        for (std::int64_t p = f_.missing_count - 1; p >= 0; --p) trace_.leave(item(f_.missing[p]), state);
      }
      for (std::int64_t p = f_.present_count - 1; p >= i; --p) trace_.leave(item(f_.present[p]), state);
      trace_.begin(state);
      note(i, offset_ + i, state);
    }

    // Puts those of the run's splits that may be the best to the criterion, and begins another.
    void consider(State& state) {
      const double most = trace_.estimate(noted_, state, estimates_);
      if (noted_ > 0 && !(most < bar_)) evaluate(state);
      noted_ = 0;
      trace_.restart(state);
    }

    __attribute__((noinline)) void evaluate(const State& state) {
      double bar = bar_;
      if (limits_.monotonic == nullptr && !(limits_.min_weight_leaf > 0)) {
        // None of them is refused: where many are better than the best so far, only those near the best of them count.
        for (std::int64_t k = 0; k < noted_; ++k) {
          if (estimates_[k] < std::numeric_limits<double>::infinity()) {
            bar = std::max(bar, errors_.bar_below(trace_.lowered(k, estimates_[k])));
          }
        }
      }
      for (std::int64_t k = 0; k < noted_; ++k) {
        if (estimates_[k] < bar) continue;
        trace_.write(k, state, sides_);
        criterion_.complete(sides_);
        if (!criterion_.allowed(sides_, f_.index, limits_)) continue;
        const double value = criterion_.proxy(sides_);
        if (!(value > best_.proxy)) continue;
        record(f_, at_[k], missing_left_, value, best_);
        bar_ = errors_.bar(value);
        bar = std::max(bar, bar_);
      }
    }

    const ClassWeights& criterion_;
    const Item* const items_;
    const SortedFeature& f_;
    const Limits& limits_;
    Sides& sides_;
    Best& best_;
    const std::int64_t count_;
    const WeighedNode node_;
    const EstimateErrors<Impurity> errors_;
    Trace trace_;
    double bar_;  // what an estimate must reach
    bool missing_left_ = false;
    std::int64_t offset_ = 0;
    std::int64_t position_ = 0;  // samples left of the last split
    std::int64_t noted_ = 0;     // splits in the run,
    std::int64_t at_[kTraceLength];
    double estimates_[kTraceLength];
  };

  // On the shorter way, as Criterion::divide.
  template <class ItemAt>
  void divide_items(const ItemAt& item_at, std::int64_t count_left, std::int64_t count, Sides& sides) const {
    double* const left = sides.left.data();
    double weight;
    if (count_left <= count - count_left) {
      std::fill(sides.left.begin(), sides.left.end(), 0.0);
      weight = 0;
      for (std::int64_t i = 0; i < count_left; ++i) {
        const Item item = item_at(i);
        left[std::int64_t(Trace::label_of(item))] += Trace::weight_of(item);
        weight += Trace::weight_of(item);
      }
    } else {
      std::copy(this->totals_.begin(), this->totals_.end(), sides.left.begin());
      weight = this->weight_;
      for (std::int64_t i = count - 1; i >= count_left; --i) {
        const Item item = item_at(i);
        left[std::int64_t(Trace::label_of(item))] -= Trace::weight_of(item);
        weight -= Trace::weight_of(item);
      }
    }
    sides.weight_left = weight;
    this->complete(sides);
  }

  const bool by_sample_;
  std::vector<Item> items_of_all_;  // of each sample of the data
  std::vector<Item> node_;          // of the node's samples, unless searches ask by sample
};

}  // namespace fastml::tree
