#include "svm/platt.hpp"

#include <cmath>
#include <vector>

namespace fastml::svm {
namespace {

// The settings of LIBSVM, so that the same sigmoids come out.
constexpr int kMostSteps = 100;
constexpr double kLeastStep = 1e-10;
constexpr double kRidge = 1e-12;  // keeps the Hessian positive definite
constexpr double kTolerance = 1e-5;
constexpr double kSufficientDecrease = 1e-4;

// The cross entropy of targets t under the sigmoid, without overflow.
double loss_of(const double* decisions, const std::vector<double>& targets, double a, double b) {
  double loss = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double f = decisions[i] * a + b;
    loss += f >= 0 ? targets[i] * f + std::log(1 + std::exp(-f)) : (targets[i] - 1) * f + std::log(1 + std::exp(f));
  }
  return loss;
}

}  // namespace

// Newton's method on two parameters, steps halved until they lessen the loss.
Sigmoid fit_sigmoid(const double* decisions, const double* labels, std::int64_t count) {
  double positive = 0, negative = 0;
  for (std::int64_t i = 0; i < count; ++i) (labels[i] > 0 ? positive : negative) += 1;
  std::vector<double> targets(count);
  for (std::int64_t i = 0; i < count; ++i)
    targets[i] = labels[i] > 0 ? (positive + 1) / (positive + 2) : 1 / (negative + 2);

  double a = 0, b = std::log((negative + 1) / (positive + 1));
  double loss = loss_of(decisions, targets, a, b);
  for (int step = 0; step < kMostSteps; ++step) {
    double h_aa = kRidge, h_bb = kRidge, h_ab = 0, g_a = 0, g_b = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double f = decisions[i] * a + b;
      const double e = std::exp(f >= 0 ? -f : f);
      const double p = f >= 0 ? e / (1 + e) : 1 / (1 + e);
      const double q = f >= 0 ? 1 / (1 + e) : e / (1 + e);
      const double curvature = p * q, slope = targets[i] - p;
      h_aa += decisions[i] * decisions[i] * curvature;
      h_bb += curvature;
      h_ab += decisions[i] * curvature;
      g_a += decisions[i] * slope;
      g_b += slope;
    }
    if (std::fabs(g_a) < kTolerance && std::fabs(g_b) < kTolerance) break;
    const double determinant = h_aa * h_bb - h_ab * h_ab;
    const double d_a = -(h_bb * g_a - h_ab * g_b) / determinant;
    const double d_b = -(-h_ab * g_a + h_aa * g_b) / determinant;
    const double slope = g_a * d_a + g_b * d_b;
    double length = 1;
    for (; length >= kLeastStep; length /= 2) {
      const double next = loss_of(decisions, targets, a + length * d_a, b + length * d_b);
      if (next < loss + kSufficientDecrease * length * slope) {
        a += length * d_a;
        b += length * d_b;
        loss = next;
        break;
      }
    }
    if (length < kLeastStep) break;
  }
  return {a, b};
}

}  // namespace fastml::svm
