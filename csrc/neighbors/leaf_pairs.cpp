#include "neighbors/leaf_pairs.hpp"

#include <algorithm>
#include <cmath>

namespace fastml::neighbors {
namespace {

// Screened distances between a box and those of a node's children, in double: they are off by less than the screen of
// points in T, which the limit has room for.
template <class T>
void box_gaps(Norm norm, const T* children, const T* box, std::int64_t cols, double* gaps) {
  std::fill_n(gaps, kFanOut, 0.0);
  for (std::int64_t j = 0; j < cols; ++j) {
    const T *low = children + 2 * j * kFanOut, *high = low + kFanOut;
    const double box_low = double(box[2 * j]), box_high = double(box[2 * j + 1]);
    for (int c = 0; c < kFanOut; ++c) {
      const double gap = std::max({double(low[c]) - box_high, box_low - double(high[c]), 0.0});
      if (norm == Norm::max) {
        gaps[c] = std::max(gaps[c], gap);
      } else {
        gaps[c] += norm == Norm::l2 ? gap * gap : gap;
      }
    }
  }
}

// The screened distance between two boxes.
template <class T>
double box_gap(Norm norm, const T* x, const T* y, std::int64_t cols) {
  double sum = 0;
  for (std::int64_t j = 0; j < cols; ++j) {
    const double gap =
        std::max({double(x[2 * j]) - double(y[2 * j + 1]), double(y[2 * j]) - double(x[2 * j + 1]), 0.0});
    if (norm == Norm::max) {
      sum = std::max(sum, gap);
    } else {
      sum += norm == Norm::l2 ? gap * gap : gap;
    }
  }
  return sum;
}

// The box of some points of a leaf. Of none it is not used.
template <class T>
void measure_leaf(const KdTreeView<T>& tree, std::int64_t leaf, std::uint32_t points, T* box) {
  if (points == 0) return;
  for (std::int64_t j = 0; j < tree.cols; ++j) {
    const T* values = tree.columns + (leaf * tree.cols + j) * kLeafPoints;
    T low = values[__builtin_ctz(points)], high = low;
    for (std::uint32_t left = points; left != 0; left &= left - 1) {
      const T x = values[__builtin_ctz(left)];
      low = std::min(low, x);
      high = std::max(high, x);
    }
    box[2 * j] = low;
    box[2 * j + 1] = high;
  }
}

}  // namespace

template <class T>
LeafPairs<T>::LeafPairs(const Rows<const T>& data, const MetricOptions& options, double radius, int threads,
                        StopCheck stop)
    : tree_(data.data, data.rows, data.cols, data.stride, options, threads, stop),
      view_(tree_.view()),
      radius_(radius),
      reduced_(reduced_radius(tree_.metric(), radius)),
      limit_(screen_limit(tree_.metric(), radius)),
      boxes_(view_.leaves * data.cols * 2),
      query_(std::max(threads, 1) * whole_lines<T>(data.cols)) {
  for (std::int64_t leaf = 0; leaf < view_.leaves; ++leaf) {
    const std::int64_t points = view_.points - leaf * kLeafPoints;
    const std::uint32_t all = points >= kLeafPoints ? ~std::uint32_t(0) : (std::uint32_t(1) << points) - 1;
    measure_leaf(view_, leaf, all, boxes_.data() + leaf * data.cols * 2);
  }
}

template <class T>
void LeafPairs<T>::set_cores(const std::uint32_t* cores) {
  core_boxes_.resize(boxes_.size());
  for (std::int64_t leaf = 0; leaf < view_.leaves; ++leaf) {
    measure_leaf(view_, leaf, cores[leaf], core_boxes_.data() + leaf * view_.cols * 2);
  }
}

template <class T>
void LeafPairs<T>::near(std::int64_t block, Side here, Side there, const Enter& enter,
                        std::vector<std::int64_t>& blocks) const {
  if (view_.leaves == 1) {
    if (enter(~std::int32_t(0), 0, 1)) blocks.push_back(0);
    return;
  }
  const Norm norm = tree_.metric().norm;
  const T* from = box(here, block);
  std::vector<std::int32_t> waiting{view_.root};
  while (!waiting.empty()) {
    const std::int32_t at = waiting.back();
    waiting.pop_back();
    const KdNode& node = view_.nodes[at];
    double gaps[kFanOut];
    box_gaps(norm, view_.boxes + at * view_.cols * 2 * kFanOut, from, view_.cols, gaps);
    for (int c = 0; c < node.children; ++c) {
      const std::int32_t child = node.child[c];
      if (gaps[c] > limit_ || !enter(child, node.first_leaf[c], node.first_leaf[c + 1])) continue;
      if (child >= 0) {
        waiting.push_back(child);
      } else if (there == Side::all || box_gap(norm, from, box(there, ~child), view_.cols) <= limit_) {
        blocks.push_back(~child);
      }
    }
  }
}

template <class T>
void LeafPairs<T>::compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active,
                           std::uint32_t* masks) {
  kd_tree_kernels<T>().leaf_pair(view_, tree_.metric(), radius_, reduced_,
                                 {std::int32_t(a), std::int32_t(b), box(Side::all, b), active[0],
                                  query_.data() + thread * whole_lines<T>(view_.cols), masks});
}

template class LeafPairs<float>;
template class LeafPairs<double>;

}  // namespace fastml::neighbors
