// Fitted rows as the brute-force search screens them: centred, scaled, in f32, packed into panels.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "neighbors/brute_kernels.hpp"
#include "neighbors/embedding.hpp"
#include "neighbors/exact.hpp"
#include "neighbors/leading_features.hpp"
#include "neighbors/metric_options.hpp"
#include "runtime/buffer.hpp"

namespace fastml::neighbors {

// Far above what underflow adds to an estimate of vectors of size 1, and far below what matters. Lower bounds of scores
// are this much too low.
inline constexpr double kScreenFloor = 1e-30;

// Bounds of a number in f32, also where it underflows.
inline float rounded_up(double x) { return float(x + std::fabs(x) * 0x1p-22 + 1e-37); }
inline float rounded_down(double x) { return float(x - std::fabs(x) * 0x1p-22 - 1e-37); }

// What the screening needs to know of a query.
struct QuerySize {
  bool screened;  // false: too far away for f32, to be compared with every row exactly
  double size, offset;
  double rest;  // the part of upper bounds that makes up for features left out
};

template <class T>
class ScreenedRows {
 public:
  // `may_leave_out`: features that hold little, which makes upper bounds loose.
  ScreenedRows(const Rows<const T>& data, const MetricOptions& options, int threads, bool may_leave_out);

  // Whether rows can be screened at all; if not, there are no panels.
  bool usable() const { return usable_; }
  Screen screen() const { return screen_; }
  double gamma() const { return gamma_; }
  const float* panels() const { return panels_.data(); }
  const float* heads() const { return heads_.data(); }
  const float* slacks() const { return slacks_.data(); }
  // 1 / |x| of each row for the cosine, else nullptr.
  const double* inverse_norms() const { return inverse_norms_.empty() ? nullptr : inverse_norms_.data(); }

  // That are screened: those of the vectors that are compared, or the leading ones and the norm of the others.
  std::int64_t features() const {
    return features_.others.empty() ? cols_ : std::int64_t(features_.leading.size()) + 1;
  }

  // The query as panels are compared with, in `out`. `inverse_norm`: 1 / |x| for the cosine, else 1. `scratch` has room
  // for its features in double.
  QuerySize set_query(const T* query, double inverse_norm, double* scratch, float* out) const;

  // The score of a sum of terms, in the units of the screen.
  double score(double sum) const { return sum * score_scale_; }

 private:
  void center(const Rows<const T>& data, const MetricOptions& options);
  void leave_out(const Rows<const T>& data);
  void pack(const Rows<const T>& data, int threads);
  // Size of a centred vector, and the part of the estimate that is a function of it alone.
  struct Measure {
    double size, part;
  };
  Measure measure(const float* values, double reach) const;
  // Writes the features of a vector that are screened, centred and scaled. Returns the sum of squares of those left out.
  double take(const double* vector, float* out) const;
  double inverse_norm(std::int64_t row) const { return inverse_norms_.empty() ? 1.0 : inverse_norms_[row]; }

  Embedding<T> embedding_;
  std::int64_t cols_;
  Terms terms_;
  double p_;
  Screen screen_;
  double gamma_;
  bool usable_;
  double score_scale_ = 1, largest_value_;
  double scale_ = 1, reach_share_;  // a vector's size grows by reach_share_ (scale_ reach)^2
  std::vector<double> shift_, factors_, inverse_norms_;
  LeadingFeatures features_;
  Buffer<float> panels_, heads_, slacks_;
};

// 1 / |x|; 0 for zeros.
template <class T>
double inverse_norm_of(const T* row, std::int64_t cols);

}  // namespace fastml::neighbors
