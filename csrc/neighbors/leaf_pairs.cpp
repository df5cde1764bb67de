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

}  // namespace

template <class T>
LeafPairs<T>::LeafPairs(const Rows<const T>& data, const MetricOptions& options, double radius, int threads)
    : tree_(data.data, data.rows, data.cols, data.stride, options, threads),
      view_(tree_.view()),
      radius_(radius),
      reduced_(reduced_radius(tree_.metric(), radius)),
      limit_(screen_limit(tree_.metric(), radius)),
      boxes_(view_.leaves * data.cols * 2),
      query_(std::max(threads, 1) * whole_lines<T>(data.cols)) {
  for (std::int64_t leaf = 0; leaf < view_.leaves; ++leaf) measure_leaf(leaf);
}

template <class T>
void LeafPairs<T>::measure_leaf(std::int64_t leaf) {
  const std::int64_t count = std::min<std::int64_t>(kLeafPoints, view_.points - leaf * kLeafPoints);
  for (std::int64_t j = 0; j < view_.cols; ++j) {
    const T* values = view_.columns + (leaf * view_.cols + j) * kLeafPoints;
    const auto [low, high] = std::minmax_element(values, values + count);
    T* box = boxes_.data() + (leaf * view_.cols + j) * 2;
    box[0] = *low;
    box[1] = *high;
  }
}

template <class T>
void LeafPairs<T>::near(std::int64_t block, const Enter& enter, std::vector<std::int64_t>& blocks) const {
  if (view_.leaves == 1) {
    if (enter(~std::int32_t(0), 0, 1)) blocks.push_back(0);
    return;
  }
  const T* box = boxes_.data() + block * view_.cols * 2;
  std::vector<std::int32_t> waiting{view_.root};
  while (!waiting.empty()) {
    const std::int32_t at = waiting.back();
    waiting.pop_back();
    const KdNode& node = view_.nodes[at];
    double gaps[kFanOut];
    box_gaps(tree_.metric().norm, view_.boxes + at * view_.cols * 2 * kFanOut, box, view_.cols, gaps);
    for (int c = 0; c < node.children; ++c) {
      if (gaps[c] > limit_ || !enter(node.child[c], node.first_leaf[c], node.first_leaf[c + 1])) continue;
      if (node.child[c] < 0) {
        blocks.push_back(~node.child[c]);
      } else {
        waiting.push_back(node.child[c]);
      }
    }
  }
}

template <class T>
void LeafPairs<T>::compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active,
                           std::uint32_t* masks) {
  kd_tree_kernels<T>().leaf_pair(view_, tree_.metric(), radius_, reduced_,
                                 {std::int32_t(a), std::int32_t(b), boxes_.data() + b * view_.cols * 2, active[0],
                                  query_.data() + thread * whole_lines<T>(view_.cols), masks});
}

template class LeafPairs<float>;
template class LeafPairs<double>;

}  // namespace fastml::neighbors
