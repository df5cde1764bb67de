#include "linear/line_search.hpp"

#include <algorithm>
#include <cmath>

namespace fastml::linear {
namespace {

// L-BFGS-B's constants: how much the value must fall, how much the slope, how narrow the interval may get.
constexpr double kSufficientDecrease = 1e-3;
constexpr double kCurvature = 0.9;
constexpr double kNarrow = 0.1;
constexpr double kLongestStep = 1e10;

// How far beyond the last step the next one may lie, until a minimiser is bracketed.
constexpr double kLeastExtrapolation = 1.1;
constexpr double kMostExtrapolation = 4.0;

// An interval that did not shrink to this part in two steps is halved.
constexpr double kShrink = 0.66;

// The square root in the minimiser of the cubic; `clip` where it may have none.
double cubic_root(double theta, double slope_a, double slope_b, bool clip) {
  const double scale = std::max({std::abs(theta), std::abs(slope_a), std::abs(slope_b)});
  const double square = (theta / scale) * (theta / scale) - (slope_a / scale) * (slope_b / scale);
  return scale * std::sqrt(clip ? std::max(0.0, square) : square);
}

}  // namespace

LineSearch::LineSearch(double value, double slope, double step)
    : start_{0.0, value, slope},
      best_(start_),
      other_(start_),
      step_(step),
      least_(0.0),
      most_(step + kMostExtrapolation * step),
      width_(kLongestStep),
      previous_width_(2 * kLongestStep) {}

bool LineSearch::done(double value, double slope) {
  const double required_slope = kSufficientDecrease * start_.slope;
  const double limit = start_.value + step_ * required_slope;
  if (first_stage_ && value <= limit && slope >= 0) first_stage_ = false;

  const bool no_room = bracketed_ && (step_ <= least_ || step_ >= most_ || most_ - least_ <= kNarrow * most_);
  const bool longest = step_ == kLongestStep && value <= limit && slope <= required_slope;
  const bool shortest = step_ == 0.0 && (value > limit || slope >= required_slope);
  const bool wolfe = value <= limit && std::abs(slope) <= kCurvature * -start_.slope;
  if (no_room || longest || shortest || wolfe) return true;

  const Point trial{step_, value, slope};
  if (first_stage_ && value <= best_.value && value > limit) {
    // The function less the line of sufficient decrease leads to where both conditions can hold.
    const auto lowered = [=](const Point& p) {
      return Point{p.step, p.value - p.step * required_slope, p.slope - required_slope};
    };
    const auto raised = [=](const Point& p) {
      return Point{p.step, p.value + p.step * required_slope, p.slope + required_slope};
    };
    Point best = lowered(best_), other = lowered(other_);
    next_step(best, other, lowered(trial));
    best_ = raised(best);
    other_ = raised(other);
  } else {
    next_step(best_, other_, trial);
  }

  if (bracketed_) {
    if (std::abs(other_.step - best_.step) >= kShrink * previous_width_) {
      step_ = best_.step + 0.5 * (other_.step - best_.step);
    }
    previous_width_ = width_;
    width_ = std::abs(other_.step - best_.step);
    least_ = std::min(best_.step, other_.step);
    most_ = std::max(best_.step, other_.step);
  } else {
    least_ = step_ + kLeastExtrapolation * (step_ - best_.step);
    most_ = step_ + kMostExtrapolation * (step_ - best_.step);
  }
  step_ = std::clamp(step_, 0.0, kLongestStep);
  // Where there is no progress to be made, the best step ends the search.
  if (bracketed_ && (step_ <= least_ || step_ >= most_ || most_ - least_ <= kNarrow * most_)) step_ = best_.step;
  return false;
}

// Sets step_ by cubic and quadratic interpolation of the best point and the trial, and the interval anew.
void LineSearch::next_step(Point& best, Point& other, const Point& trial) {
  const double distance = trial.step - best.step;
  const double theta = 3 * (best.value - trial.value) / distance + best.slope + trial.slope;
  const bool slopes_differ = trial.slope * (best.slope / std::abs(best.slope)) < 0;
  double next;
  if (trial.value > best.value) {
    // Higher: a minimiser lies between. The cubic's, if it is closer to the best point, else halfway to the quadratic's.
    const double gamma = cubic_root(theta, best.slope, trial.slope, false) * (trial.step < best.step ? -1 : 1);
    const double ratio = ((gamma - best.slope) + theta) / (((gamma - best.slope) + gamma) + trial.slope);
    const double cubic = best.step + ratio * distance;
    const double quadratic =
        best.step + best.slope / ((best.value - trial.value) / distance + best.slope) / 2 * distance;
    next = std::abs(cubic - best.step) <= std::abs(quadratic - best.step) ? cubic : cubic + (quadratic - cubic) / 2;
    bracketed_ = true;
  } else if (slopes_differ) {
    // Lower, on the other side of a minimiser: the farther of cubic and secant.
    const double gamma = cubic_root(theta, best.slope, trial.slope, false) * (trial.step > best.step ? -1 : 1);
    const double ratio = ((gamma - trial.slope) + theta) / (((gamma - trial.slope) + gamma) + best.slope);
    const double cubic = trial.step - ratio * distance;
    const double secant = trial.step - trial.slope / (trial.slope - best.slope) * distance;
    next = std::abs(cubic - trial.step) > std::abs(secant - trial.step) ? cubic : secant;
    bracketed_ = true;
  } else if (std::abs(trial.slope) < std::abs(best.slope)) {
    // Lower and flatter. The cubic may have no minimiser in this direction.
    const double gamma = cubic_root(theta, best.slope, trial.slope, true) * (trial.step > best.step ? -1 : 1);
    const double ratio = ((gamma - trial.slope) + theta) / ((gamma + (best.slope - trial.slope)) + gamma);
    double cubic;
    if (ratio < 0 && gamma != 0) {
      cubic = trial.step - ratio * distance;
    } else {
      cubic = trial.step > best.step ? most_ : least_;
    }
    const double secant = trial.step - trial.slope / (trial.slope - best.slope) * distance;
    const bool cubic_is_closer = std::abs(cubic - trial.step) < std::abs(secant - trial.step);
    if (bracketed_) {
      next = cubic_is_closer ? cubic : secant;
      const double bound = trial.step + kShrink * (other.step - trial.step);
      next = trial.step > best.step ? std::min(bound, next) : std::max(bound, next);
    } else {
      next = std::clamp(cubic_is_closer ? secant : cubic, least_, most_);
    }
  } else if (bracketed_) {
    // Lower and no flatter: the cubic through the other end.
    const double to_other = other.step - trial.step;
    const double theta_other = 3 * (trial.value - other.value) / to_other + other.slope + trial.slope;
    const double gamma = cubic_root(theta_other, other.slope, trial.slope, false) * (trial.step > other.step ? -1 : 1);
    const double ratio = ((gamma - trial.slope) + theta_other) / (((gamma - trial.slope) + gamma) + other.slope);
    next = trial.step + ratio * to_other;
  } else {
    next = trial.step > best.step ? most_ : least_;
  }

  if (trial.value > best.value) {
    other = trial;
  } else {
    if (slopes_differ) other = best;
    best = trial;
  }
  step_ = next;
}

}  // namespace fastml::linear
