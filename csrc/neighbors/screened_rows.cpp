#include "neighbors/screened_rows.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "neighbors/direct_lists.hpp"
#include "neighbors/tuning.hpp"

// Why the screen is right
// -----------------------
// u = 2^-24 is the unit roundoff of f32. Let Y = factor (x - shift) and Z likewise for a query, in real numbers: their
// score G is the score of x and the query, times a constant, since a common shift drops out. y and z are Y and Z
// rounded to f32 (the double arithmetic before is exact to 2^-53, and what it adds is smaller than the terms spared
// below).
//
// Product. The score is G = |Y - Z|^2 / 2.
// 1. | |Y - Z| - |y - z| | <= u (|y| + |z|), so half the squares differ by at most u (|y| + |z|)^2 (1 + u), which is at
// most
//    2 u (1 + u) (|y|^2 + |z|^2).
// 2. a = head - limit - sum y z is added one product after the other, from head - limit on. With or without FMA its
// error
//    is at most (d + 2) u / (1 - (d + 2) u) times |head - limit| + sum |y z|, and |head - limit| <= |y|^2 / 2 + |z|^2 / 2 +
//    tau, sum |y z| <= (|y|^2 + |z|^2) / 2.
// 3. Rounding head, limit, a + tau and the sizes takes a few u of the same terms.
// In all (d + 16) u (|y|^2 + |z|^2 + tau) is enough; gamma is more than that.
//
// Larger. The score is G = sum |Y - Z| / 2 = sum max(Y, Z) - sum Y / 2 - sum Z / 2, sizes are sums of absolute values.
// Rounding Y and Z moves it by at most u (size y + size z) / 2 (max is a choice), the sum of d terms after head - limit
// by (d + 1) u (|head - limit| + sum |max(y, z)|) <= (d + 1) u (1.5 (size y + size z) + tau).
//
// Farthest. The score is G = max |Y - Z|: two roundings of values, one of the difference, one of the sum with the
// limit.
//
// Powers, p >= 1. The score is G = sum |Y - Z|^p, sizes are sums of p-th powers. Since (|y| + |z|)^p <= 2^(p-1) (|y|^p
// + |z|^p), a term is at most 2^(p-1) times its share of the sizes, and moves by p u as much when Y, Z and their
// difference are rounded (3 p u in all). |y - z|^p by exp and log is off by p (4 u |log|) + 2 u, |log| < 89, of
// which p in f32 is a quarter; by products by less. The sum adds d u.
//
// Embeddings that are not exact (embedding.hpp): e = (d + 8) 2^-53 reach is what a vector is off by, and the square of
// a distance is off by (d + 8) 2^-53 times the square of the sum of reaches once more, in its terms. With size = |y|^2
// + (d + 8) 2^-29 reach^2, the part of the reach in gamma size, (d + 32) (d + 8) 2^-53 reach^2, covers the second, and
// in the step 1 above e is at most u times the root of the size.
//
// Features left out, y' and z': | |y'| - |z'| | <= |y' - z'|, so with their norms as one more feature the score is at most
// that of all features. It is less by |y' - z'|^2 / 2 - (|y'| - |z'|)^2 / 2 <= 2 |y'| |z'| <= |y'|^2 + |z'|^2, which upper
// bounds have added, rounded up. The norms are exact to about d 2^-53, as the double arithmetic above.
//
// Underflow adds at most a few d 2^-126, where values are scaled to 1 or so: kScreenFloor is far above, and also makes
// a row negative, not zero, that is equal to the query.
namespace fastml::neighbors {
namespace {

constexpr double kRoundoff = 0x1p-24;
constexpr double kLargestValue = 1e15;  // its square times any number of features is far from the end of f32
constexpr double kLargestPower = 1e25;  // where values are raised to a power
constexpr double kLargestGamma = 0.01;  // beyond, the terms left out above would count
constexpr float kNeverReached = 3e38F;  // the head of rows that fill up a panel

// Rows of whole panels.
std::int64_t panel_rows_of(std::int64_t rows) {
  const std::int64_t panel = brute_kernels().panel_rows;
  return (rows + panel - 1) / panel * panel;
}

Screen screen_of(Terms terms) {
  switch (terms) {
    case Terms::absolutes:
      return Screen::larger;
    case Terms::most:
      return Screen::farthest;
    case Terms::powers:
      return Screen::powers;
    default:
      return Screen::product;
  }
}

double gamma_of(Terms terms, std::int64_t cols, double p) {
  const double d = double(cols);
  switch (screen_of(terms)) {
    case Screen::larger:
      return 1.01 * (1.5 * d + 32) * kRoundoff;
    case Screen::farthest:
      return 32 * kRoundoff;
    case Screen::powers:
      return 1.01 * std::exp2(std::max(p - 1, 0.0)) * (d + 400 * p + 32) * kRoundoff;
    default:
      return 1.01 * (d + 32) * kRoundoff;
  }
}

}  // namespace

template <class T>
double inverse_norm_of(const T* row, std::int64_t cols) {
  double squares = 0;
  for (std::int64_t f = 0; f < cols; ++f) squares += double(row[f]) * double(row[f]);
  return squares > 0 ? 1 / std::sqrt(squares) : 0.0;
}

template <class T>
ScreenedRows<T>::ScreenedRows(const Rows<const T>& data, const MetricOptions& options, int threads, bool may_leave_out)
    : embedding_(data, options),
      cols_(embedding_.features()),
      terms_(terms_of(options)),
      p_(options.p),
      screen_(screen_of(terms_)),
      gamma_(gamma_of(terms_, cols_, p_)),
      usable_((terms_ != Terms::powers || p_ >= 1) && gamma_ < kLargestGamma && data.rows > 0 && embedding_.usable() &&
              !is_direct(options.metric)),
      largest_value_(terms_ == Terms::powers ? std::pow(kLargestPower, 1 / p_) : kLargestValue),
      reach_share_(double(cols_ + 8) * 0x1p-29),
      panels_(0),
      heads_(0),
      slacks_(0) {
  if (terms_ == Terms::directions) {
    inverse_norms_.resize(data.rows);
    for (std::int64_t i = 0; i < data.rows; ++i)
      inverse_norms_[i] = inverse_norm_of(data.data + i * data.stride, data.cols);
  }
  if (usable_) center(data, options);
  if (!usable_) return;
  const bool is_exact = options.metric != Metric::mahalanobis && options.metric != Metric::haversine;
  if (may_leave_out && is_exact && screen_ == Screen::product) leave_out(data);
  panels_ = Buffer<float>(panel_rows_of(data.rows) * features());
  heads_ = Buffer<float>(panel_rows_of(data.rows));
  slacks_ = Buffer<float>(panel_rows_of(data.rows));
  pack(data, threads);
}

// The shift, and factors that make the values 1 or so.
template <class T>
void ScreenedRows<T>::center(const Rows<const T>& data, const MetricOptions& options) {
  factors_.assign(cols_, 1.0);
  shift_ = mean_of_some(data.rows, cols_, [&](std::int64_t i, double* out) {
    embedding_.embed(data.data + i * data.stride, inverse_norm(i), out);
  });
  for (std::size_t f = 0; f < options.weights.size(); ++f) {
    factors_[f] = terms_ == Terms::squares  ? std::sqrt(options.weights[f])
                  : terms_ == Terms::powers ? std::pow(options.weights[f], 1 / p_)
                                            : options.weights[f];
  }
  if (terms_ == Terms::scaled) {
    for (std::int64_t f = 0; f < cols_; ++f) factors_[f] = 1 / std::sqrt(options.scales[f]);
  }
  double most = 0, sum = 0;
  std::vector<double> vector(cols_);
  for (std::int64_t i = 0; i < data.rows; ++i) {
    const double reach = embedding_.embed(data.data + i * data.stride, inverse_norm(i), vector.data());
    double row_most = 0;
    for (std::int64_t f = 0; f < cols_; ++f) {
      const double value = std::fabs(vector[f] - shift_[f]) * factors_[f];
      row_most = value > row_most ? value : row_most;
    }
    most = std::max({most, row_most, reach});
    sum += row_most / double(data.rows);
  }
  usable_ = std::isfinite(most) && std::isfinite(sum);
  for (std::int64_t f = 0; f < cols_; ++f) usable_ = usable_ && std::isfinite(shift_[f]);
  if (!usable_) return;
  // A power of two, so that scaling rounds nothing. Typical values become 1, unless the largest one would be too large.
  int exponent = sum > 0 ? -std::ilogb(sum) : 0;
  if (most > 0) exponent = std::min(exponent, std::ilogb(largest_value_) - 1 - std::ilogb(most));
  exponent = std::max(-400, std::min(400, exponent));
  const double scale = scale_ = std::ldexp(1.0, exponent);
  // Where no scale that is allowed makes the rows fit f32, none of them can be screened.
  usable_ = most * scale <= largest_value_;
  for (double& factor : factors_) factor *= scale;
  switch (screen_) {
    case Screen::product:
      score_scale_ = 0.5 * scale * scale;
      break;
    case Screen::larger:
      score_scale_ = 0.5 * scale;
      break;
    case Screen::farthest:
      score_scale_ = scale;
      break;
    case Screen::powers:
      score_scale_ = std::pow(scale, p_);
      usable_ = std::isnormal(score_scale_);
      break;
  }
}

// Leaves out features that hold little, where that is seen to pay.
template <class T>
void ScreenedRows<T>::leave_out(const Rows<const T>& data) {
  if (cols_ < kLeastColsToLead || data.rows < kLeastRowsToLead) return;
  const std::int64_t step = std::max<std::int64_t>(1, data.rows / kLeadingSample);
  std::vector<double> vector(cols_), squares(cols_);
  std::vector<float> sample;
  for (std::int64_t i = 0; i < data.rows; i += step) {
    embedding_.embed(data.data + i * data.stride, inverse_norm(i), vector.data());
    for (std::int64_t f = 0; f < cols_; ++f) {
      const double value = (vector[f] - shift_[f]) * factors_[f];
      squares[f] += value * value;
      sample.push_back(float(value));
    }
  }
  LeadingFeatures found = leading_features(squares);
  if (!found.others.empty() && tell_rows_apart(sample, found)) features_ = std::move(found);
}

template <class T>
double ScreenedRows<T>::take(const double* vector, float* out) const {
  const auto value = [&](std::int64_t f) { return (vector[f] - shift_[f]) * factors_[f]; };
  double rest = 0;
  if (features_.others.empty()) {
    for (std::int64_t f = 0; f < cols_; ++f) out[f] = float(value(f));
  } else {
    for (const std::int64_t f : features_.leading) *out++ = float(value(f));
    for (const std::int64_t f : features_.others) rest += value(f) * value(f);
    *out = float(std::sqrt(rest));
  }
  return rest * (1 + 1e-9);  // whatever was rounded
}

template <class T>
typename ScreenedRows<T>::Measure ScreenedRows<T>::measure(const float* values, double reach) const {
  const std::int64_t features = this->features();
  double size = 0, part = 0;
  switch (screen_) {
    case Screen::product:
      for (std::int64_t f = 0; f < features; ++f) size += double(values[f]) * double(values[f]);
      part = 0.5 * size;
      size += reach_share_ * (scale_ * reach) * (scale_ * reach);
      break;
    case Screen::larger:
      for (std::int64_t f = 0; f < features; ++f) {
        size += std::fabs(double(values[f]));
        part -= 0.5 * double(values[f]);
      }
      break;
    case Screen::farthest:
      for (std::int64_t f = 0; f < features; ++f) size = std::max(size, std::fabs(double(values[f])));
      break;
    case Screen::powers:
      for (std::int64_t f = 0; f < features; ++f) size += std::pow(std::fabs(double(values[f])), p_);
      break;
  }
  return {size, part};
}

template <class T>
void ScreenedRows<T>::pack(const Rows<const T>& data, int threads) {
  const BruteKernels& kernels = brute_kernels();
  const std::int64_t panel_rows = kernels.panel_rows, panels = panel_rows_of(data.rows) / panel_rows;
  const std::int64_t features = this->features(), share = whole_lines<float>(panel_rows * features);
  const std::int64_t worth = panels * panel_rows * cols_ / kBruteWorkPerThread;
  threads = int(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, worth)));
  Buffer<float> scratch(threads * share);
  Buffer<double> vectors(threads * whole_lines<double>(cols_));
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    float* rows = scratch.data() + thread * share;
    double* vector = vectors.data() + thread * whole_lines<double>(cols_);
    for (std::int64_t p = thread; p < panels; p += threads) {
      for (std::int64_t r = 0; r < panel_rows; ++r) {
        const std::int64_t i = p * panel_rows + r;
        float* to = rows + r * features;
        if (i >= data.rows) {
          std::fill(to, to + features, 0.0F);
          heads_.data()[i] = kNeverReached;
          continue;
        }
        const double inverse = inverse_norm(i);
        const double reach = embedding_.embed(data.data + i * data.stride, inverse, vector);
        const double rest = take(vector, to);
        const Measure m = measure(to, reach);
        heads_.data()[i] = rounded_down(m.part - gamma_ * m.size);
        slacks_.data()[i] = rounded_up(2 * gamma_ * m.size + rest);
        // Zeros have score 1 with everything, where the panel says half of that: only their upper bound must be raised.
        if (terms_ == Terms::directions && inverse == 0) slacks_.data()[i] = rounded_up(4 * score_scale_);
      }
      kernels.pack_panel(rows, features, panels_.data() + p * panel_rows * features);
    }
  }
}

template <class T>
QuerySize ScreenedRows<T>::set_query(const T* query, double inverse_norm, double* scratch, float* out) const {
  const double reach = embedding_.embed(query, inverse_norm, scratch);
  const std::int64_t features = this->features();
  double most = scale_ * reach;
  for (std::int64_t f = 0; f < cols_; ++f) most = std::max(most, std::fabs((scratch[f] - shift_[f]) * factors_[f]));
  const double rest = take(scratch, out);
  // Not `most > ...`: NaN, from values whose difference overflows, is not screened either. std::max keeps the first of
  // unordered values, so that NaN must be looked for in the sum.
  const Measure m = measure(out, reach);
  if (!(most <= largest_value_) || !std::isfinite(m.size) || !std::isfinite(rest) || inverse_norm == 0) {
    std::fill(out, out + features, 0.0F);
    return {false, 0, 0, 0};
  }
  if (screen_ == Screen::product) {
    for (std::int64_t f = 0; f < features; ++f) out[f] = -out[f];
  }
  // a = head - limit + ...: what belongs to the query comes with the other sign.
  return {true, m.size, -m.part + gamma_ * m.size + kScreenFloor, rest};
}

template double inverse_norm_of(const float*, std::int64_t);
template double inverse_norm_of(const double*, std::int64_t);
template class ScreenedRows<float>;
template class ScreenedRows<double>;

}  // namespace fastml::neighbors
