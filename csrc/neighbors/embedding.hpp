// From a row to the vector that is screened: the distance of two rows follows from that of their vectors.
//
//   cosine        the row divided by its norm
//   mahalanobis   L' (x - a mean row), where L L' = VI: the sum of terms is |L' (x - y)|^2
//   haversine     half the place on the unit sphere, in three dimensions: half a chord is the sine of half the angle
//   others        the row as it is
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/metric_options.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

template <class T>
class Embedding {
 public:
  Embedding(const Rows<const T>& data, const MetricOptions& options);

  // False where there is none: VI is not symmetric or not (or hardly) positive definite.
  bool usable() const { return usable_; }
  std::int64_t features() const { return metric_ == Metric::haversine ? 3 : cols_; }

  // Writes the vector of a row, whose 1 / |x| is given for the cosine (else 1). Returns its reach: whatever was
  // rounded, in the vector or in the terms that are summed for two rows exactly, adds up to at most (features + 8)
  // 2^-53 times the sum of their reaches in the distance, or that times its square in the square. 0 where the vector is
  // exact but for the last places of its own numbers.
  double embed(const T* row, double inverse_norm, double* out) const;

 private:
  void factorize(const Rows<const T>& data, const std::vector<double>& matrix);

  Metric metric_;
  std::int64_t cols_;
  bool usable_ = true;
  std::vector<double> origin_, factor_, lengths_;  // L by rows, and the norms of its rows
};

// A mean of few rows, for what need not be exact.
template <class Row>
std::vector<double> mean_of_some(std::int64_t rows, std::int64_t cols, const Row& row) {
  constexpr std::int64_t most = 4096;
  std::vector<double> mean(cols, 0.0), values(cols);
  const std::int64_t step = rows > most ? rows / most : 1;
  const double count = double((rows + step - 1) / step);
  for (std::int64_t i = 0; i < rows; i += step) {
    row(i, values.data());
    for (std::int64_t f = 0; f < cols; ++f) mean[f] += values[f] / count;
  }
  return mean;
}

}  // namespace fastml::neighbors
