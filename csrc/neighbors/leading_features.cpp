#include "neighbors/leading_features.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "neighbors/tuning.hpp"

namespace fastml::neighbors {
namespace {

// The squared distance. In lanes, so that the compiler may add several terms at a time.
float squared_distance(const float* x, const float* y, std::int64_t cols) {
  constexpr int lanes = 16;
  float sums[lanes] = {};
  std::int64_t f = 0;
  for (; f + lanes <= cols; f += lanes) {
    for (int l = 0; l < lanes; ++l) sums[l] += (x[f + l] - y[f + l]) * (x[f + l] - y[f + l]);
  }
  for (int l = 0; f < cols; ++f, ++l) sums[l] += (x[f] - y[f]) * (x[f] - y[f]);
  return std::accumulate(sums, sums + lanes, 0.0F);
}

}  // namespace

LeadingFeatures leading_features(const std::vector<double>& squares) {
  const auto cols = std::int64_t(squares.size());
  if (cols < kLeastColsToLead) return {};
  std::vector<std::int64_t> order(cols);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return squares[a] != squares[b] ? squares[a] > squares[b] : a < b; });
  const double enough = kLeadingShare * std::accumulate(squares.begin(), squares.end(), 0.0);
  std::int64_t count = 0;
  for (double sum = 0; count < cols && sum < enough; ++count) sum += squares[order[count]];
  if (count == 0 || double(count) > kMostLeading * double(cols)) return {};
  LeadingFeatures features{{order.begin(), order.begin() + count}, {order.begin() + count, order.end()}};
  std::sort(features.leading.begin(), features.leading.end());
  std::sort(features.others.begin(), features.others.end());
  return features;
}

bool tell_rows_apart(const std::vector<float>& rows, const LeadingFeatures& features) {
  const auto leading = std::int64_t(features.leading.size());
  const std::int64_t cols = leading + std::int64_t(features.others.size());
  const std::int64_t count = std::int64_t(rows.size()) / cols;
  if (count < kLeastRowsToLead) return false;
  // Leading features first.
  std::vector<float> sorted(rows.size()), norms(count);
  for (std::int64_t i = 0; i < count; ++i) {
    float* to = sorted.data() + i * cols;
    for (std::int64_t l = 0; l < leading; ++l) to[l] = rows[i * cols + features.leading[l]];
    for (std::int64_t o = leading; o < cols; ++o) {
      to[o] = rows[i * cols + features.others[o - leading]];
      norms[i] += to[o] * to[o];
    }
    norms[i] = std::sqrt(norms[i]);
  }
  constexpr int near = 3;  // the row itself is the nearest of all
  std::vector<float> parts(count), wholes(count);
  std::int64_t left = 0;
  for (std::int64_t probe = 0; probe < kLeadingProbes; ++probe) {
    const std::int64_t at = probe * count / kLeadingProbes;
    const float* query = sorted.data() + at * cols;
    for (std::int64_t i = 0; i < count; ++i) {
      const float* row = sorted.data() + i * cols;
      parts[i] = squared_distance(query, row, leading);
      wholes[i] = parts[i] + squared_distance(query + leading, row + leading, cols - leading);
      parts[i] += (norms[i] - norms[at]) * (norms[i] - norms[at]);
    }
    std::nth_element(wholes.begin(), wholes.begin() + near, wholes.end());
    left += std::count_if(parts.begin(), parts.end(), [&](float part) { return part <= wholes[near]; });
  }
  return double(left) <= kMostLeft * double(kLeadingProbes * count);
}

}  // namespace fastml::neighbors
