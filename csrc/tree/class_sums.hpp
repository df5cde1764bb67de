// Exact class weights left of a moving split, and an estimate of the criterion that needs no pass over the classes.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "tree/class_criteria.hpp"

namespace fastml::tree {

// What the estimates of a node share. Estimates are sums of squares / weight over both sides (Gini), or of x log2 x less
// weight log2 weight (entropy): the criterion's proxy but for a constant and rounding.
struct ClassNode {
  double weight;
  std::int64_t count;
  const double* totals;  // of each class
  std::int64_t classes;
  const double* x_log_x;  // of every sum there can be; entropy only
};

// What an estimate must reach so that no split better than `proxy` is passed over. Estimate and proxy differ by the node's
// weight (Gini), and by rounding: a few roundings of numbers up to the weight, or one for each sample of numbers up to
// weight * log2(weight).
template <class Impurity>
double estimate_margin(const ClassNode& node) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  if constexpr (std::is_same_v<Impurity, Entropy>) {
    return 8 * double(node.count + 64) * eps * node.weight * (1 + std::log2(node.weight));
  }
  return 64 * eps * node.weight;
}
template <class Impurity>
double estimate_bar(const ClassNode& node, double proxy) {
  return proxy - estimate_margin<Impurity>(node) + (std::is_same_v<Impurity, Entropy> ? 0.0 : node.weight);
}

// Samples as the sums take them: weight << 32 | weight of class 1, so that one addition does for both.
template <class Impurity>
class TwoClassSums {
 public:
  static std::uint64_t item(std::uint32_t label, std::uint32_t weight) {
    return std::uint64_t(weight) << 32 | (-label & weight);
  }

  // Writes the class weights of samples; returns their sum.
  static double add_up(const std::uint64_t* items, std::int64_t count, double* totals, std::int64_t) {
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += items[i];
    totals[1] = double(sum & 0xffffffff);
    totals[0] = double(sum >> 32) - totals[1];
    return double(sum >> 32);
  }

  // Tallies: the sums of the samples with one value.
  static std::int64_t tally_size(std::int64_t) { return 1; }
  static void count(std::uint64_t* tally, std::int64_t, std::uint64_t item) { *tally += item; }
  static bool held(const std::uint64_t* tally, std::int64_t) { return *tally != 0; }
  void add_tally(const std::uint64_t* tally) { left_ += *tally; }
  // The tally of all samples of the node, and without one of them.
  static void count_all(std::uint64_t* tally, const ClassNode& node) {
    *tally = std::uint64_t(node.weight) << 32 | std::uint64_t(node.totals[1]);
  }
  static void uncount(std::uint64_t* tally, std::int64_t, std::uint64_t item) { *tally -= item; }

  TwoClassSums(const ClassNode& node, Sides&) : total_(node.weight), total_1_(node.totals[1]), x_log_x_(node.x_log_x) {}

  void add(std::uint64_t item) { left_ += item; }
  double weight() const { return double(left_ >> 32); }
  bool reaches(double bar) const {
    const double left = double(std::int64_t(left_ >> 32)), left_1 = double(std::int64_t(left_ & 0xffffffff));
    if constexpr (std::is_same_v<Impurity, Entropy>) return estimate(left, left_1) >= bar;
    const double right = total_ - left;
    return squares(left, left_1) * right + squares(right, total_1_ - left_1) * left >= bar * (left * right);
  }
  double estimate(double left, double left_1) const {
    const double right = total_ - left, right_1 = total_1_ - left_1;
    if constexpr (std::is_same_v<Impurity, Entropy>) return logs(left, left_1) + logs(right, right_1);
    return (squares(left, left_1) * right + squares(right, right_1) * left) / (left * right);
  }
  void write(double* left) const {
    left[1] = double(left_ & 0xffffffff);
    left[0] = weight() - left[1];
  }

 private:
  static double squares(double weight, double weight_1) {
    return (weight - weight_1) * (weight - weight_1) + weight_1 * weight_1;
  }
  double logs(double weight, double weight_1) const {
    return x_log_x_[std::int64_t(weight - weight_1)] + x_log_x_[std::int64_t(weight_1)] -
           x_log_x_[std::int64_t(weight)];
  }

  std::uint64_t left_ = 0;
  double total_, total_1_;
  const double* x_log_x_;
};

// Samples as the sums take them: class << 32 | weight.
template <class Impurity>
class ManyClassSums {
 public:
  static std::uint64_t item(std::uint32_t label, std::uint32_t weight) { return std::uint64_t(label) << 32 | weight; }
  static constexpr std::uint64_t kNothing = std::uint64_t(0xffffffff)
                                            << 32;  // what stays of an item without its weight

  // Writes the class weights of samples; returns their sum.
  static double add_up(const std::uint64_t* items, std::int64_t count, double* totals, std::int64_t classes) {
    std::fill(totals, totals + classes, 0.0);
    double weight = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      totals[items[i] >> 32] += double(items[i] & 0xffffffff);
      weight += double(items[i] & 0xffffffff);
    }
    return weight;
  }

  // Tallies: the sums of the samples with one value, by class, and then of all classes.
  static std::int64_t tally_size(std::int64_t classes) { return classes + 1; }
  static void count(std::uint64_t* tally, std::int64_t classes, std::uint64_t item) {
    tally[item >> 32] += item & 0xffffffff;
    tally[classes] += item & 0xffffffff;
  }
  static bool held(const std::uint64_t* tally, std::int64_t classes) { return tally[classes] != 0; }
  void add_tally(const std::uint64_t* tally) {
    for (std::int64_t c = 0; c < classes_; ++c) add(c, double(std::int64_t(tally[c])));
  }

  // The tally of all samples of the node, and without one of them.
  static void count_all(std::uint64_t* tally, const ClassNode& node) {
    for (std::int64_t c = 0; c < node.classes; ++c) tally[c] = std::uint64_t(node.totals[c]);
    tally[node.classes] = std::uint64_t(node.weight);
  }
  static void uncount(std::uint64_t* tally, std::int64_t classes, std::uint64_t item) {
    tally[item >> 32] -= item & 0xffffffff;
    tally[classes] -= item & 0xffffffff;
  }

  ManyClassSums(const ClassNode& node, Sides& sides)
      : classes_(node.classes), total_(node.weight), totals_(node.totals), x_log_x_(node.x_log_x) {
    sides.class_sums.assign(classes_, 0.0);
    sums_ = sides.class_sums.data();
    for (std::int64_t c = 0; c < classes_; ++c) {
      total_squares_ += totals_[c] * totals_[c];
      if constexpr (kEntropy) right_logs_ += x_log_x(totals_[c]);
    }
  }

  void add(std::uint64_t item) { add(std::int64_t(item >> 32), double(std::int64_t(item & 0xffffffff))); }
  void add(std::int64_t label, double weight) {
    const double sum = sums_[label], total = totals_[label];
    if constexpr (kEntropy) {
      left_logs_ += x_log_x(sum + weight) - x_log_x(sum);
      right_logs_ += x_log_x(total - sum - weight) - x_log_x(total - sum);
    } else {
      left_squares_ += weight * (2 * sum + weight);
      left_totals_ += weight * total;
    }
    sums_[label] = sum + weight;
    left_ += weight;
  }
  double weight() const { return left_; }
  bool reaches(double bar) const {
    const double right = total_ - left_;
    if constexpr (kEntropy) return left_logs_ - x_log_x(left_) + right_logs_ - x_log_x(right) >= bar;
    // The squares of total - left follow from those of left, of total, and of both together.
    return left_squares_ * right + (total_squares_ - 2 * left_totals_ + left_squares_) * left_ >= bar * (left_ * right);
  }
  void write(double* out) const { std::copy(sums_, sums_ + classes_, out); }

 private:
  static constexpr bool kEntropy = std::is_same_v<Impurity, Entropy>;

  double x_log_x(double x) const { return x_log_x_[std::int64_t(x)]; }

  // All whole numbers.
  std::int64_t classes_;
  double total_;
  const double* totals_;
  double* sums_;
  double left_ = 0, left_squares_ = 0, left_totals_ = 0, total_squares_ = 0;
  double left_logs_ = 0, right_logs_ = 0;
  const double* x_log_x_;
};

}  // namespace fastml::tree
