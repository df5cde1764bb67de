#include "neighbors/embedding.hpp"

#include <cmath>

namespace fastml::neighbors {

template <class T>
Embedding<T>::Embedding(const Rows<const T>& data, const MetricOptions& options)
    : metric_(options.metric), cols_(data.cols) {
  if (metric_ == Metric::mahalanobis) factorize(data, options.scales);
}

// Cholesky's factorization of VI. What it rounds is at most (cols + 1) 2^-53 |L| |L'|, so that the square of a distance
// is off by that times (sum |L_j| |x - y|_j)^2: the reach has it.
template <class T>
void Embedding<T>::factorize(const Rows<const T>& data, const std::vector<double>& matrix) {
  origin_ = mean_of_some(data.rows, cols_, [&](std::int64_t i, double* out) {
    for (std::int64_t f = 0; f < cols_; ++f) out[f] = double(data.data[i * data.stride + f]);
  });
  factor_.assign(cols_ * cols_, 0.0);
  lengths_.assign(cols_, 0.0);
  constexpr double kAsymmetric = 1e-10;  // an inverse is symmetric but for rounding
  for (std::int64_t i = 0; i < cols_ && usable_; ++i) {
    double* row = factor_.data() + i * cols_;
    double squares = 0;
    for (std::int64_t j = 0; j <= i; ++j) {
      const double entry = matrix[i * cols_ + j], mirrored = matrix[j * cols_ + i];
      const double size = std::sqrt(std::fabs(matrix[i * cols_ + i] * matrix[j * cols_ + j]));
      usable_ = usable_ && std::fabs(entry - mirrored) <= kAsymmetric * size;
      const double* other = factor_.data() + j * cols_;
      double rest = 0.5 * entry + 0.5 * mirrored;
      for (std::int64_t l = 0; l < j; ++l) rest -= row[l] * other[l];
      row[j] = j < i ? rest / other[j] : std::sqrt(rest);
      squares += row[j] * row[j];
    }
    lengths_[i] = std::sqrt(squares);
    usable_ = usable_ && row[i] > 0 && std::isfinite(lengths_[i]);  // the root of a negative number is NaN
  }
}

template <class T>
double Embedding<T>::embed(const T* row, double inverse_norm, double* out) const {
  if (metric_ == Metric::haversine) {
    const double latitude = double(row[0]), longitude = double(row[1]);
    out[0] = 0.5 * std::cos(latitude) * std::cos(longitude);
    out[1] = 0.5 * std::cos(latitude) * std::sin(longitude);
    out[2] = 0.5 * std::sin(latitude);
    // The difference of two angles is rounded, too, and more of it the larger they are.
    return 1 + std::fabs(latitude) + std::fabs(longitude);
  }
  if (metric_ == Metric::mahalanobis) {
    double reach = 0;
    for (std::int64_t f = 0; f < cols_; ++f) out[f] = 0;
    for (std::int64_t j = 0; j < cols_; ++j) {
      const double value = double(row[j]) - origin_[j];
      const double* factor = factor_.data() + j * cols_;
      for (std::int64_t i = 0; i <= j; ++i) out[i] += factor[i] * value;
      reach += lengths_[j] * std::fabs(value);
    }
    return reach;
  }
  for (std::int64_t f = 0; f < cols_; ++f) out[f] = double(row[f]) * inverse_norm;
  return 0;
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace fastml::neighbors
