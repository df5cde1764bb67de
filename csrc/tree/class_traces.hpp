// Class weights left of a moving split, any positive numbers, added up one by one as scikit-learn adds them; and estimates of
// the criterion for a run of splits at a time.
//
// How far an estimate may be from the criterion is bounded for samples of a weight and totals in [kLeastWeight, kGreatestTotal].
// Sums of such weights are whole multiples of 2e-96 at least: no product of three of them underflows, and no |ln x| of one
// is more than kMostLog.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "tree/class_criteria.hpp"
#include "tree/class_estimates.hpp"

namespace fastml::tree {

inline constexpr double kLeastWeight = 1e-80, kGreatestTotal = 1e80, kMostLog = 256;
inline constexpr std::int64_t kTraceLength = 32;
static_assert(kTraceLength % kEstimateStep == 0);

struct WeighedNode {
  double weight;
  std::int64_t count;
  const double* totals;  // of each class
  std::int64_t classes;
};

// Estimates are the criterion's proxy plus the weight (Gini), or times ln 2 (entropy), but for rounding.
template <class Impurity>
class EstimateErrors {
 public:
  explicit EstimateErrors(const WeighedNode& node) : weight_(node.weight) {
    // Gini: both are few roundings for each class of positive numbers, of which the largest is the estimate or the weight.
    // Entropy: a few roundings for each sample and class of numbers up to weight * kMostLog. As many make the weight of a
    // side differ from the sum of its class weights.
    relative_ = double(64 + 4 * node.classes) * kEpsilon;
    absolute_ = kEntropy ? 16 * double(node.count + node.classes + 64) * kEpsilon * kMostLog * weight_ : 0.0;
  }

  // What an estimate must reach so that no split better than `proxy` is passed over.
  double bar(double proxy) const {
    if (proxy == -std::numeric_limits<double>::infinity()) return proxy;
    if constexpr (kEntropy) return proxy * std::log(2.0) - absolute_;
    return proxy + weight_ - relative_ * (weight_ + std::abs(proxy));
  }
  // The same so that none better than the split with this estimate is.
  double bar_below(double estimate) const {
    if constexpr (kEntropy) return estimate - 2 * absolute_;
    return estimate - 2 * relative_ * (weight_ + std::abs(estimate));
  }

 private:
  static constexpr bool kEntropy = std::is_same_v<Impurity, Entropy>;
  static constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  double weight_, relative_, absolute_;
};

// What traces of two and of many classes have in common: for each split of the run, the weight on its left.
//
// A trace's State is what changes from sample to sample. It is a value, so that it can be kept in registers.
struct TraceOfWeights {
  double left[kTraceLength] = {};

  // Repeats the last of `count` entries up to a whole step.
  static void pad(double* entries, std::int64_t count) {
    for (std::int64_t k = count; k % kEstimateStep != 0; ++k) entries[k] = entries[count - 1];
  }
};

template <class Impurity>
class TwoClassTrace : TraceOfWeights {
 public:
  // The weight of a sample, with a minus if it is of class 1.
  using Item = double;
  static Item item(double label, double weight) { return label != 0 ? -weight : weight; }
  static double weight_of(Item item) { return std::abs(item); }
  static double label_of(Item item) { return item < 0 ? 1.0 : 0.0; }

  struct State {
    double of_0 = 0, of_1 = 0, weight = 0;
  };

  TwoClassTrace(const WeighedNode& node, Sides&) : node_(node), kernels_(class_estimate_kernels()) {}

  State nothing() const { return {}; }
  State everything() const { return {node_.totals[0], node_.totals[1], node_.weight}; }
  // Adding 0 changes no sum: these are those of scikit-learn, which adds to one class.
  void enter(Item item, State& state) const {
    state.of_0 += item > 0 ? item : 0.0;
    state.of_1 += -item > 0 ? -item : 0.0;
    state.weight += std::abs(item);
  }
  void leave(Item item, State& state) const {
    state.of_0 -= item > 0 ? item : 0.0;
    state.of_1 -= -item > 0 ? -item : 0.0;
    state.weight -= std::abs(item);
  }

  // Begins a run of splits at these sums.
  void begin(State&) {}
  // Begins the next run, after the last step of this one.
  void restart(State&) {}
  void step(Item item, State& state) { enter(item, state); }
  // Makes these the sums left of split k of the run.
  void note(std::int64_t k, const State& state) {
    left_0_[k] = state.of_0;
    left_1_[k] = state.of_1;
    left[k] = state.weight;
  }
  // Writes estimates, no lower than the criterion, of the run's `count` splits; returns the greatest.
  double estimate(std::int64_t count, State&, double* estimates) {
    if (count == 0) return -std::numeric_limits<double>::infinity();
    for (double* entries : {left_0_, left_1_, left}) pad(entries, count);
    const auto kernel = std::is_same_v<Impurity, Entropy> ? kernels_.two_entropy : kernels_.two_gini;
    return kernel(left_0_, left_1_, left, count, node_.totals[0], node_.totals[1], node_.weight, estimates);
  }
  // Lowers an estimate of split k so that it is no higher.
  double lowered(std::int64_t, double estimate) const { return estimate; }
  void write(std::int64_t k, const State&, Sides& sides) const {
    sides.left[0] = left_0_[k];
    sides.left[1] = left_1_[k];
    sides.weight_left = left[k];
  }

 private:
  const WeighedNode& node_;
  const ClassEstimateKernels& kernels_;
  double left_0_[kTraceLength] = {}, left_1_[kTraceLength] = {};
};

// Many classes. Estimates follow from sums over the classes that each sample changes by a little: they are rounded once for
// each sample.
template <class Impurity>
class ManyClassTrace : TraceOfWeights {
 public:
  struct Item {
    double weight;
    std::int64_t label;
  };
  static Item item(double label, double weight) { return {weight, std::int64_t(label)}; }
  static double weight_of(Item item) { return item.weight; }
  static std::int64_t label_of(Item item) { return item.label; }

  struct State {
    double weight = 0;
    std::int64_t steps = 0;                  // of the run
    double squares = 0, totals_weighed = 0;  // Gini: sums over classes of left * left, left * total
  };

  ManyClassTrace(const WeighedNode& node, Sides& sides) : node_(node), kernels_(class_estimate_kernels()) {
    sides.class_sums.resize((kEntropy ? 3 : 1) * node.classes);
    sums_ = sides.class_sums.data();
    terms_ = kEntropy ? sums_ + node.classes : nullptr;
    for (std::int64_t c = 0; c < node.classes; ++c) total_squares_ += node.totals[c] * node.totals[c];
    slack_ = 16 * double(node.count + node.classes + 16) * std::numeric_limits<double>::epsilon() * total_squares_ *
             node.weight;
  }

  State nothing() const {
    std::fill(sums_, sums_ + node_.classes, 0.0);
    return {};
  }
  State everything() const {
    std::copy(node_.totals, node_.totals + node_.classes, sums_);
    State state;
    state.weight = node_.weight;
    return state;
  }
  void enter(Item item, State& state) const {
    sums_[item.label] += item.weight;
    state.weight += item.weight;
  }
  void leave(Item item, State& state) const {
    sums_[item.label] -= item.weight;
    state.weight -= item.weight;
  }

  void begin(State& state) {
    state.steps = 0;
    state.squares = state.totals_weighed = logs_ = 0;
    for (std::int64_t c = 0; c < node_.classes; ++c) {
      if constexpr (kEntropy) {
        terms_[2 * c] = x_log_x(sums_[c]);
        terms_[2 * c + 1] = x_log_x(node_.totals[c] - sums_[c]);
        logs_ += terms_[2 * c] + terms_[2 * c + 1];
      } else {
        state.squares += sums_[c] * sums_[c];
        state.totals_weighed += sums_[c] * node_.totals[c];
      }
    }
  }
  void restart(State& state) { state.steps = 0; }
  void step(Item item, State& state) {
    const double before = sums_[item.label], total = node_.totals[item.label], after = before + item.weight;
    labels_[state.steps] = item.label;
    before_[state.steps] = before;
    if constexpr (kEntropy) {
      left_sums_[state.steps] = after;
      right_sums_[state.steps] = total - after;
    } else {
      state.squares += item.weight * (before + after);
      state.totals_weighed += item.weight * total;
    }
    sums_[item.label] = after;
    state.weight += item.weight;
    ++state.steps;
  }
  void note(std::int64_t k, const State& state) {
    steps_[k] = state.steps;
    left[k] = state.weight;
    if constexpr (!kEntropy) {
      // The squares of total - left follow from those of left, of total, and of both together.
      left_sums_[k] = state.squares;
      right_sums_[k] = total_squares_ - 2 * state.totals_weighed + state.squares;
    }
  }
  double estimate(std::int64_t count, const State& state, double* estimates) {
    if constexpr (kEntropy) add_up_logs(state.steps);
    if (count == 0) return -std::numeric_limits<double>::infinity();
    pad(left, count);
    if constexpr (kEntropy) {
      double sums[kTraceLength];
      for (std::int64_t k = 0; k < count; ++k) sums[k] = logs_after_[steps_[k]];
      pad(sums, count);
      return kernels_.entropy(sums, left, count, node_.weight, estimates);
    } else {
      pad(left_sums_, count);
      pad(right_sums_, count);
      return kernels_.gini(left_sums_, right_sums_, left, count, node_.weight, slack_, estimates);
    }
  }
  double lowered(std::int64_t k, double estimate) const {
    return kEntropy ? estimate : estimate - 2 * slack_ / (left[k] * (node_.weight - left[k]));
  }
  void write(std::int64_t k, const State& state, Sides& sides) const {
    std::copy(sums_, sums_ + node_.classes, sides.left.begin());
    for (std::int64_t step = state.steps; step-- > steps_[k];) sides.left[labels_[step]] = before_[step];
    sides.weight_left = left[k];
  }

 private:
  static constexpr bool kEntropy = std::is_same_v<Impurity, Entropy>;
  static double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0.0; }

  // The sums of x ln x after each step.
  void add_up_logs(std::int64_t steps) {
    double left_terms[kTraceLength], right_terms[kTraceLength];
    kernels_.x_log_x(left_sums_, steps, left_terms);
    kernels_.x_log_x(right_sums_, steps, right_terms);
    logs_after_[0] = logs_;
    for (std::int64_t step = 0; step < steps; ++step) {
      double* const terms = terms_ + 2 * labels_[step];
      logs_ += (left_terms[step] - terms[0]) + (right_terms[step] - terms[1]);
      terms[0] = left_terms[step];
      terms[1] = right_terms[step];
      logs_after_[step + 1] = logs_;
    }
  }

  const WeighedNode& node_;
  const ClassEstimateKernels& kernels_;
  double* sums_;   // on the left, of each class
  double* terms_;  // entropy: x ln x on the left and on the right, of each class
  double total_squares_ = 0, slack_ = 0, logs_ = 0;
  std::int64_t labels_[kTraceLength];  // of each step,
  double before_[kTraceLength];        // and its class's sum before
  std::int64_t steps_[kTraceLength];   // before each split
  // Gini: squares at each split; entropy: the class's sum after each step.
  double left_sums_[kTraceLength] = {}, right_sums_[kTraceLength] = {};
  double logs_after_[kTraceLength + 1];
};

}  // namespace fastml::tree
