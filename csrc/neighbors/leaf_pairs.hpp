// Blocks of points that are the leaves of a k-d tree, compared by direct difference: for few features, and wherever a
// radius is so small beside the extent of the points that the bounds of a product say nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/block_pairs.hpp"
#include "neighbors/kd_tree.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

template <class T>
class LeafPairs : public BlockPairs {
 public:
  // Metrics and errors as of KdTree, Stopped among them. Neighbours are those that KdTree::within finds.
  LeafPairs(const Rows<const T>& data, const MetricOptions& options, double radius, int threads,
            StopCheck stop = nullptr);

  std::int64_t points() const override { return tree_.rows(); }
  int words() const override { return 1; }
  std::int64_t row(std::int64_t place) const override {
    return view_.rows != nullptr ? view_.rows[place] : view_.long_rows[place];
  }
  const KdNode* nodes() const override { return view_.nodes; }
  std::int64_t node_count() const override { return std::int64_t(tree_.nodes().size()); }
  void set_cores(const std::uint32_t* cores) override;
  void near(std::int64_t block, Side here, Side there, const Enter& enter,
            std::vector<std::int64_t>& blocks) const override;
  void compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active, std::uint32_t* masks) override;

 private:
  const T* box(Side side, std::int64_t leaf) const {
    return (side == Side::all ? boxes_ : core_boxes_).data() + leaf * view_.cols * 2;
  }

  KdTree<T> tree_;
  KdTreeView<T> view_;
  double radius_, reduced_, limit_;
  std::vector<T> boxes_, core_boxes_;  // [leaf][feature][low, high], of all points and of those that are core
  Buffer<T> query_;                    // of each thread
};

}  // namespace fastml::neighbors
