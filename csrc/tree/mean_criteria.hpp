// Squared error and Poisson deviance: criteria of regression that are about means.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tree/criterion.hpp"

namespace fastml::tree {

class MeanCriterion : public Criterion {
 public:
  MeanCriterion(const Targets& targets, const double* weights) : Criterion(targets, weights) {
    totals_.resize(targets.outputs);
  }

  void start_node(const std::uint32_t* samples, std::int64_t, std::int64_t count) override {
    std::fill(totals_.begin(), totals_.end(), 0.0);
    weight_ = 0;
    squares_ = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double weight = weight_of(samples[i]);
      const double* y = targets_.row(samples[i]);
      for (std::int64_t k = 0; k < targets_.outputs; ++k) {
        const double weighted = weight * y[k];
        totals_[k] += weighted;
        squares_ += weighted * y[k];
      }
      weight_ += weight;
    }
  }

  void value(double* out) const override {
    for (std::int64_t k = 0; k < targets_.outputs; ++k) out[k] = totals_[k] / weight_;
  }

  Sides sides() const override {
    Sides sides;
    sides.left.resize(totals_.size());
    sides.right.resize(totals_.size());
    return sides;
  }

 protected:
  void add(std::uint32_t sample, double weight, double* sums) const override {
    const double* y = targets_.row(sample);
    for (std::int64_t k = 0; k < targets_.outputs; ++k) sums[k] += weight * y[k];
  }

  double squares_ = 0;  // of the weighted targets of the node
};

// The variance, summed over outputs.
class SquaredError : public MeanCriterion {
 public:
  using MeanCriterion::MeanCriterion;

  double impurity() const override { return of(squares_, totals_.data(), weight_); }

  double proxy(const Sides& sides) const override {
    double left = 0, right = 0;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      left += sides.left[k] * sides.left[k];
      right += sides.right[k] * sides.right[k];
    }
    return left / sides.weight_left + right / sides.weight_right;
  }

  void impurities(const std::uint32_t* samples, std::int64_t count_left, std::int64_t, const Sides& sides, double& left,
                  double& right) const override {
    double squares = 0;
    for (std::int64_t i = 0; i < count_left; ++i) {
      const double weight = weight_of(samples[i]);
      const double* y = targets_.row(samples[i]);
      for (std::int64_t k = 0; k < targets_.outputs; ++k) squares += weight * y[k] * y[k];
    }
    left = of(squares, sides.left.data(), sides.weight_left);
    right = of(squares_ - squares, sides.right.data(), sides.weight_right);
  }

 private:
  double of(double squares, const double* sums, double weight) const {
    double impurity = squares / weight;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) impurity -= (sums[k] / weight) * (sums[k] / weight);
    return impurity / double(targets_.outputs);
  }
};

// Half the Poisson deviance.
class Poisson : public MeanCriterion {
 public:
  using MeanCriterion::MeanCriterion;

  void start_node(const std::uint32_t* samples, std::int64_t begin, std::int64_t count) override {
    MeanCriterion::start_node(samples, begin, count);
    node_ = samples;
    count_ = count;
  }

  double impurity() const override { return loss(node_, node_ + count_, totals_.data(), weight_); }

  double proxy(const Sides& sides) const override {
    double left = 0, right = 0;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      if (sides.left[k] <= kNothing || sides.right[k] <= kNothing) return -std::numeric_limits<double>::infinity();
      left -= sides.left[k] * log2_of(sides.left[k] / sides.weight_left);
      right -= sides.right[k] * log2_of(sides.right[k] / sides.weight_right);
    }
    return -left - right;
  }

  void impurities(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, const Sides& sides,
                  double& left, double& right) const override {
    left = loss(samples, samples + count_left, sides.left.data(), sides.weight_left);
    right = loss(samples + count_left, samples + count, sides.right.data(), sides.weight_right);
  }

 private:
  // A mean must be positive; sums that are zero but for rounding are not.
  static constexpr double kNothing = 10 * std::numeric_limits<double>::epsilon();

  static double log2_of(double x) { return std::log(x) / std::log(2.0); }

  double loss(const std::uint32_t* begin, const std::uint32_t* end, const double* sums, double weight) const {
    double sum = 0;
    for (std::int64_t k = 0; k < targets_.outputs; ++k) {
      if (sums[k] <= kNothing) return std::numeric_limits<double>::infinity();
      const double mean = sums[k] / weight;
      for (const std::uint32_t* sample = begin; sample != end; ++sample) {
        const double y = targets_.row(*sample)[k];
        if (y != 0) sum += weight_of(*sample) * (y * std::log(y / mean));
      }
    }
    return sum / (weight * double(targets_.outputs));
  }

  const std::uint32_t* node_ = nullptr;
  std::int64_t count_ = 0;
};

}  // namespace fastml::tree
