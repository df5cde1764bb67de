// k-means as a textbook writes it, in double: what the kernels are compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fastml {

// Row-major points with what k-means wants to know of them; `shift` is already taken from the values.
template <class T>
struct Points {
  std::int64_t rows, cols;
  std::vector<T> values;
  std::vector<T> weights;  // empty: ones

  const T* row(std::int64_t i) const { return values.data() + i * cols; }
  double weight(std::int64_t i) const { return weights.empty() ? 1.0 : double(weights[i]); }
};

template <class T>
double squared_distance(const T* a, const T* b, std::int64_t cols) {
  double sum = 0;
  for (std::int64_t f = 0; f < cols; ++f) sum += (double(a[f]) - double(b[f])) * (double(a[f]) - double(b[f]));
  return sum;
}

// The closest centre, the lowest index among equals. `margin` receives by how much the next one is farther, squared.
template <class T>
std::int32_t closest_center(const T* x, const std::vector<T>& centers, std::int64_t cols, double* margin = nullptr) {
  const std::int64_t clusters = std::int64_t(centers.size()) / cols;
  double best = std::numeric_limits<double>::infinity(), second = best;
  std::int32_t label = 0;
  for (std::int64_t j = 0; j < clusters; ++j) {
    const double squared = squared_distance(x, centers.data() + j * cols, cols);
    if (squared < best) {
      second = best;
      best = squared;
      label = std::int32_t(j);
    } else {
      second = std::min(second, squared);
    }
  }
  if (margin != nullptr) *margin = second - best;
  return label;
}

template <class T>
std::vector<std::int32_t> closest_centers(const Points<T>& points, const std::vector<T>& centers) {
  std::vector<std::int32_t> labels(points.rows);
  for (std::int64_t i = 0; i < points.rows; ++i) labels[i] = closest_center(points.row(i), centers, points.cols);
  return labels;
}

// Sums by cluster. A row labelled -1 is in none.
struct PlainSums {
  std::vector<double> sums, weights;
  std::vector<std::int64_t> counts;  // of rows that weigh something
};
template <class T>
PlainSums sums_by_label(const Points<T>& points, const std::vector<std::int32_t>& labels, std::int64_t clusters) {
  PlainSums by{std::vector<double>(clusters * points.cols), std::vector<double>(clusters),
               std::vector<std::int64_t>(clusters)};
  for (std::int64_t i = 0; i < points.rows; ++i) {
    if (labels[i] < 0) continue;
    for (std::int64_t f = 0; f < points.cols; ++f) {
      by.sums[labels[i] * points.cols + f] += points.weight(i) * double(points.row(i)[f]);
    }
    by.weights[labels[i]] += points.weight(i);
    by.counts[labels[i]] += points.weight(i) != 0;
  }
  return by;
}

template <class T>
double inertia_of(const Points<T>& points, const std::vector<T>& centers, const std::vector<std::int32_t>& labels) {
  double sum = 0;
  for (std::int64_t i = 0; i < points.rows; ++i) {
    sum += points.weight(i) * squared_distance(points.row(i), centers.data() + labels[i] * points.cols, points.cols);
  }
  return sum;
}

// Lloyd's algorithm step by step, with scikit-learn's treatment of empty clusters.
template <class T>
class PlainLloyd {
 public:
  PlainLloyd(const Points<T>& points, const std::vector<T>& first_centers)
      : centers(first_centers),
        labels(points.rows, -1),
        points_(points),
        clusters_(std::int64_t(first_centers.size()) / points.cols) {}

  // Returns how many labels changed. `least_margin` becomes the least doubt about a label, as a share of the squared norms.
  std::int64_t assign() {
    std::int64_t changed = 0;
    double largest_norm = 0;
    const std::vector<T> origin(points_.cols, T(0));
    for (std::int64_t j = 0; j < clusters_; ++j) {
      largest_norm =
          std::max(largest_norm, squared_distance(centers.data() + j * points_.cols, origin.data(), points_.cols));
    }
    for (std::int64_t i = 0; i < points_.rows; ++i) {
      double margin;
      const std::int32_t label = closest_center(points_.row(i), centers, points_.cols, &margin);
      const double norm = squared_distance(points_.row(i), origin.data(), points_.cols);
      least_margin = std::min(least_margin, margin / (norm + largest_norm));
      changed += label != labels[i];
      labels[i] = label;
    }
    by_label_ = sums_by_label(points_, labels, clusters_);
    return changed;
  }

  std::vector<std::int64_t> empty_clusters() const {
    std::vector<std::int64_t> empty;
    for (std::int64_t j = 0; j < clusters_; ++j) {
      if (by_label_.weights[j] == 0) empty.push_back(j);
    }
    return empty;
  }

  // Row rows[i] leaves its cluster and is alone in the i-th empty one, for the next update.
  void relocate(const std::vector<std::int64_t>& rows) {
    const std::vector<std::int64_t> empty = empty_clusters();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double weight = points_.weight(rows[i]);
      for (std::int64_t f = 0; f < points_.cols; ++f) {
        const double x = weight * double(points_.row(rows[i])[f]);
        by_label_.sums[labels[rows[i]] * points_.cols + f] -= x;
        by_label_.sums[empty[i] * points_.cols + f] = x;
      }
      by_label_.weights[labels[rows[i]]] -= weight;
      by_label_.weights[empty[i]] = weight;
    }
  }

  // Moves the centres; returns the sum of their squared movements.
  double update() {
    const std::vector<T> old = centers;
    const auto heaviest = std::max_element(by_label_.weights.begin(), by_label_.weights.end());
    const auto from = heaviest - by_label_.weights.begin();
    std::vector<double> means = by_label_.sums;
    // In place and in ascending order, as scikit-learn does: an empty cluster before the heaviest copies its sum, not its mean.
    for (std::int64_t j = 0; j < clusters_; ++j) {
      for (std::int64_t f = 0; f < points_.cols; ++f) {
        double& mean = means[j * points_.cols + f];
        mean = by_label_.weights[j] > 0 ? mean * (1 / by_label_.weights[j]) : means[from * points_.cols + f];
      }
    }
    std::transform(means.begin(), means.end(), centers.begin(), [](double mean) { return T(mean); });
    double moved = 0;
    for (std::int64_t j = 0; j < clusters_; ++j) {
      moved += squared_distance(centers.data() + j * points_.cols, old.data() + j * points_.cols, points_.cols);
    }
    return moved;
  }

  std::vector<T> centers;
  std::vector<std::int32_t> labels;
  double least_margin = std::numeric_limits<double>::infinity();

 private:
  const Points<T>& points_;
  std::int64_t clusters_;
  PlainSums by_label_;
};

}  // namespace fastml
