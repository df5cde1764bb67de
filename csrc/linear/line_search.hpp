// The line search of More and Thuente (ACM TOMS 20, 1994), as L-BFGS-B uses it: steps that meet the strong Wolfe conditions.
#pragma once

namespace fastml::linear {

// Ask for a step, evaluate the function there, hand over what was found, until it is done:
//
//   LineSearch search(value_at_0, slope_at_0, first_step);
//   do { value, slope = at(search.step()); } while (!search.done(value, slope));
//
// The slope at 0 must be negative. The search may go on for ever, where the function is noise: count.
class LineSearch {
 public:
  LineSearch(double value, double slope, double step);

  double step() const { return step_; }

  // Whether the step is accepted: both conditions hold, or rounding leaves nothing to gain. Otherwise step() is the next.
  bool done(double value, double slope);

 private:
  // A step, with the function and its slope there.
  struct Point {
    double step, value, slope;
  };

  void next_step(Point& best, Point& other, const Point& trial);

  Point start_;
  Point best_;   // the least value so far
  Point other_;  // the other end of the interval that holds a minimiser, once bracketed_
  double step_;
  double least_, most_;  // between them the next step is looked for
  double width_, previous_width_;
  bool bracketed_ = false;
  bool first_stage_ = true;
};

}  // namespace fastml::linear
