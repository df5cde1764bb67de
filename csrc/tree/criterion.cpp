#include "tree/criterion.hpp"

#include <algorithm>
#include <cmath>

#include "tree/absolute_error.hpp"
#include "tree/class_counts.hpp"
#include "tree/class_criteria.hpp"
#include "tree/class_weights.hpp"
#include "tree/mean_criteria.hpp"
#include "tree/part_in_place.hpp"
#include "tree/single_mean.hpp"

namespace fastml::tree {

void Criterion::clip_value(double* value, double lower, double upper) const {
  if (value[0] < lower) {
    value[0] = lower;
  } else if (value[0] > upper) {
    value[0] = upper;
  }
}

void Criterion::clear_left(Sides& sides) const {
  std::fill(sides.left.begin(), sides.left.end(), 0.0);
  sides.weight_left = 0;
}

void Criterion::complete(Sides& sides) const {
  sides.weight_right = weight_ - sides.weight_left;
  for (std::size_t k = 0; k < totals_.size(); ++k) sides.right[k] = totals_[k] - sides.left[k];
}

void Criterion::divide(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, Sides& sides) const {
  // On the shorter way, as in move().
  if (count_left <= count - count_left) {
    clear_left(sides);
    for (std::int64_t i = 0; i < count_left; ++i) {
      const double weight = weight_of(samples[i]);
      add(samples[i], weight, sides.left.data());
      sides.weight_left += weight;
    }
  } else {
    std::copy(totals_.begin(), totals_.end(), sides.left.begin());
    sides.weight_left = weight_;
    for (std::int64_t i = count - 1; i >= count_left; --i) {
      const double weight = weight_of(samples[i]);
      add(samples[i], -weight, sides.left.data());
      sides.weight_left -= weight;
    }
  }
  complete(sides);
}

std::int64_t Criterion::part_places(std::uint32_t* places, const float* values, std::int64_t count, float threshold,
                                    bool missing_left, Sides& sides) {
  const auto goes_left = [=](std::uint32_t place) {
    return missing_left ? !(values[place] > threshold) : values[place] <= threshold;
  };
  return part_in_place(places, count, goes_left, sides.open, sides.ordered);
}

std::int64_t Criterion::divide_at(const std::uint32_t* samples, const float* values, std::int64_t count,
                                  float threshold, bool missing_left, std::uint32_t* places, Sides& sides) const {
  const std::int64_t left = part_places(places, values, count, threshold, missing_left, sides);
  std::vector<std::uint32_t>& ordered = sides.ordered;
  ordered.resize(count);
  for (std::int64_t i = 0; i < count; ++i) ordered[i] = samples[places[i]];
  divide(ordered.data(), left, count, sides);
  return left;
}

double Criterion::proxy(const Sides& sides) const {
  double left, right;
  impurities(nullptr, 0, 0, sides, left, right);
  return -sides.weight_right * right - sides.weight_left * left;
}

void Criterion::monotonic_values(const Sides& sides, double& left, double& right) const {
  left = sides.left[0] / sides.weight_left;
  right = sides.right[0] / sides.weight_right;
}

double Criterion::middle_value(const Sides& sides) const {
  return sides.left[0] / (2 * sides.weight_left) + sides.right[0] / (2 * sides.weight_right);
}

bool Criterion::monotonic(const Sides& sides, std::int64_t feature, const Limits& limits) const {
  if (limits.monotonic == nullptr || limits.monotonic[feature] == 0) return true;
  double left, right;
  monotonic_values(sides, left, right);
  return left >= limits.lower && right >= limits.lower && left <= limits.upper && right <= limits.upper &&
         (left - right) * limits.monotonic[feature] <= 0;
}

void Criterion::search(const SortedFeature& f, const Limits& limits, Sides& sides, Best& best) const {
  const std::int64_t count = f.count();
  const auto add_one = [&](std::uint32_t sample, double weight, double* sums) { add(sample, weight, sums); };
  for (int missing_left = 0; missing_left <= (f.missing_count > 0); ++missing_left) {
    const KeyOrder order(f, missing_left);
    const std::int64_t offset = missing_left ? f.missing_count : 0;
    clear_left(sides);
    std::int64_t position = 0;
    for (std::int64_t i = 1; i <= f.present_count; ++i) {
      // Behind the last present sample there is a split only if it parts them from the missing ones.
      const bool last = i == f.present_count;
      if (last ? missing_left || f.missing_count == 0 : !f.parts(i)) continue;
      const std::int64_t left = offset + i;
      if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) continue;
      move(order, position, left, count, sides, add_one);
      position = left;
      if (!allowed(sides, f.index, limits)) continue;
      const double value = proxy(sides);
      if (value > best.proxy) record(f, i, missing_left, value, best);
    }
  }
}

void record(const SortedFeature& f, std::int64_t count, bool missing_left, double proxy, Best& best) {
  best.proxy = proxy;
  best.feature = f.index;
  best.last_left = code_of(f.present[count - 1]);
  if (count == f.present_count) {
    best.place = Best::Place::at_threshold;
    best.threshold = std::numeric_limits<double>::infinity();
  } else {
    // Most of these are soon outdone: the values are looked up for the last.
    best.place = Best::Place::between_samples;
    best.lower = f.sample(f.present[count - 1]);
    best.upper = f.sample(f.present[count]);
  }
  best.saw_missing = f.missing_count > 0;
  best.missing_left = missing_left;
}

void Criterion::search(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best) const {
  search_with(
      f, limits, sides, best, [&](std::uint32_t sample, double weight, double* sums) { add(sample, weight, sums); },
      [&](const Sides& at) { return proxy(at); });
}

void record(const SparseFeature& f, float lower, float upper, double proxy, Best& best) {
  best.proxy = proxy;
  best.feature = f.index;
  best.threshold = lower / 2.0 + upper / 2.0;
  best.place = Best::Place::at_threshold;
  best.saw_missing = best.missing_left = false;
}

namespace {

bool all_positive(const double* weights, const std::vector<std::uint32_t>& samples) {
  if (weights == nullptr) return true;
  return std::all_of(samples.begin(), samples.end(), [&](std::uint32_t sample) { return weights[sample] > 0; });
}

template <class Impurity>
std::unique_ptr<Criterion> class_criterion(const Targets& targets, const double* weights,
                                           const std::vector<std::uint32_t>& samples, double total_weight,
                                           bool by_sample) {
  const bool two = targets.classes[0] == 2;
  if (countable(targets, weights, samples, total_weight)) {
    if (two) {
      return std::make_unique<ClassCounts<Impurity, TwoClassSums>>(targets, weights, samples, total_weight, by_sample);
    }
    return std::make_unique<ClassCounts<Impurity, ManyClassSums>>(targets, weights, samples, total_weight, by_sample);
  }
  if (weighable(targets, weights, samples, total_weight)) {
    if (two) return std::make_unique<ClassWeights<Impurity, TwoClassTrace>>(targets, weights, by_sample);
    return std::make_unique<ClassWeights<Impurity, ManyClassTrace>>(targets, weights, by_sample);
  }
  return std::make_unique<ClassCriterion<Impurity>>(targets, weights);
}

}  // namespace

bool countable(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
               double total_weight) {
  constexpr double kMostWeight = 0xffff, kMostTotal = 1 << 26;  // whose square is exact in double
  if (targets.outputs != 1 || targets.classes[0] > 0xffff || !(total_weight <= kMostTotal)) return false;
  if (weights == nullptr) return true;
  return std::all_of(samples.begin(), samples.end(), [&](std::uint32_t sample) {
    const double weight = weights[sample];
    return weight >= 1 && weight <= kMostWeight && weight == std::floor(weight);
  });
}

bool weighable(const Targets& targets, const double* weights, const std::vector<std::uint32_t>& samples,
               double total_weight) {
  if (targets.outputs != 1 || weights == nullptr || !(total_weight <= kGreatestTotal)) return false;
  return std::all_of(samples.begin(), samples.end(),
                     [&](std::uint32_t sample) { return weights[sample] >= kLeastWeight; });
}

std::unique_ptr<Criterion> make_criterion(CriterionKind kind, const Targets& targets, const double* weights,
                                          const std::vector<std::uint32_t>& samples, double total_weight,
                                          bool by_sample) {
  switch (kind) {
    case CriterionKind::gini:
      return class_criterion<Gini>(targets, weights, samples, total_weight, by_sample);
    case CriterionKind::entropy:
      return class_criterion<Entropy>(targets, weights, samples, total_weight, by_sample);
    case CriterionKind::squared_error:
      if (targets.outputs == 1 && all_positive(weights, samples)) return std::make_unique<SingleMean>(targets, weights);
      return std::make_unique<SquaredError>(targets, weights);
    case CriterionKind::poisson:
      return std::make_unique<Poisson>(targets, weights);
    case CriterionKind::absolute_error:
    default:
      return std::make_unique<AbsoluteError>(targets, weights);
  }
}

}  // namespace fastml::tree
