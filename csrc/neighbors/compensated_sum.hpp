// A sum of doubles as good as rounded once.
#pragma once

#include <cmath>

namespace fastml::neighbors {

// Keeps what the roundings of a running sum lose (Neumaier, 1974).
class CompensatedSum {
 public:
  void add(double x) {
    const double next = sum_ + x;
    lost_ += std::fabs(sum_) >= std::fabs(x) ? (sum_ - next) + x : (x - next) + sum_;
    sum_ = next;
  }
  // Finite terms may add up to an infinity, of which nothing can be lost.
  double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }

 private:
  double sum_ = 0, lost_ = 0;
};

}  // namespace fastml::neighbors
