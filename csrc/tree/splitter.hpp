// Finding the split of a node, and parting its samples by it.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/stop.hpp"
#include "tree/criterion.hpp"
#include "tree/feature_draws.hpp"
#include "tree/features.hpp"
#include "tree/sorted_lists.hpp"
#include "tree/sparse_node.hpp"
#include "tree/tree.hpp"

namespace fastml::tree {

// The largest float that is not above x: floats are at most x if and only if they are at most that.
inline float round_down(double x) {
  const float rounded = float(x);
  return double(rounded) > x ? std::nextafter(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

// A node to be split: samples()[begin, end).
struct NodeRange {
  std::int64_t begin, end;
  std::int64_t count() const { return end - begin; }
};

struct Split {
  bool found = false;
  std::int64_t feature = 0;
  double threshold = 0;
  std::int64_t middle = 0;  // samples before this go left
  bool missing_left = false;
  double impurity_left = 0, impurity_right = 0;
  double improvement = 0;
  double middle_value = 0;  // between the values of the sides, for monotonic constraints
};

// The samples of a tree in growth, a contiguous range for each node, in ascending order within it.
class Splitter {
 public:
  Splitter(const Features& features, const Targets& targets, const double* weights, const Options& options,
           std::uint32_t seed, int threads, StopCheck stop);

  std::int64_t count() const { return std::int64_t(samples_.size()); }
  Criterion& criterion() { return *criterion_; }
  void start(const NodeRange& node) { criterion_->start_node(samples_.data() + node.begin, node.begin, node.count()); }

  // Looks for the best split of the current node and, if there is one, parts its samples. `constants` is how many features
  // are known to be constant, and becomes how many are for the children.
  Split split(const NodeRange& node, double impurity, double lower, double upper, std::int64_t& constants);

  // Parts the lists as split() parted the samples. Needed where a child will be split in turn.
  void part_lists(const NodeRange& node, std::int64_t middle, std::int64_t constants);

  // Whether the stop check has said so. The last split is then none.
  bool stopped() const { return stopped_; }

 private:
  void find_best(const NodeRange& node, const Limits& limits, Best& best);
  void find_best_listed(const NodeRange& node, const Limits& limits, Best& best);
  void find_random(const NodeRange& node, const Limits& limits, Best& best);
  // The two for sparse features.
  void find_best_sparse(const NodeRange& node, const Limits& limits, Best& best);
  void find_random_sparse(const NodeRange& node, const Limits& limits, Best& best);
  void start_sparse(const NodeRange& node, std::int64_t constants);
  std::int64_t part_sparse(const Best& best);
  struct Drawn;
  bool search_drawn(const NodeRange& node, const Drawn& drawn, const Limits& limits, Best& best);
  void read_ahead(const NodeRange& node, const Limits& limits);
  static std::int64_t find_range(GatheredFeature& gathered);
  void locate(const NodeRange& node, Best& best) const;
  // Counts samples x features looked at, and asks once in a while whether to stop. For the calling thread.
  bool ask_to_stop(std::int64_t work);
  void draw_ahead(std::int64_t most);
  void gather_ahead(const NodeRange& node);
  const Key* sort(const GatheredFeature& gathered, std::int64_t missing);
  template <class GoesLeft>
  std::int64_t part(const NodeRange& node, const GoesLeft& goes_left);
  template <class GoesLeft>
  std::int64_t part_like_sklearn(const NodeRange& node, const Best& best, const GoesLeft& goes_left);
  std::int64_t part_by(const NodeRange& node, const Best& best);

  // A feature drawn, and the state of the draws before it was known whether it varies.
  struct Drawn {
    std::int64_t index;
    FeatureDraws::Mark mark;
    Random random;
    float low, high;             // of a random split
    std::int64_t tally;          // of the criterion's tallies, which one is this feature's; -1 for none
    const std::uint32_t* codes;  // else what was gathered
  };

  const Features& features_;
  const Options& options_;
  Random random_;
  FeatureDraws draws_;
  int threads_;
  StopCheck stop_;
  std::vector<std::uint32_t> samples_, aside_;
  std::vector<std::uint64_t> items_aside_;
  double total_weight_ = 0;
  std::unique_ptr<Criterion> criterion_;
  const Key* last_order_ = nullptr;  // the node's samples by the last feature that was sorted, where none is missing
  std::vector<Sides> sides_;         // of each thread; those of the split that was found are the first
  std::unique_ptr<SortedLists> lists_;
  std::unique_ptr<SparseNode> sparse_;
  std::vector<std::uint32_t> codes_;
  const std::uint32_t* best_codes_ =
      nullptr;  // of the node's samples by the best feature, where they are still in codes_
  std::vector<Key> keys_, sorted_keys_, missing_;
  std::vector<float> values_;
  // Random splits whose sums are rounded: the places of the node's samples in scikit-learn's order, the feature that it looked at
  // last, and how many samples go left by the best.
  std::vector<std::uint32_t> places_;
  std::int64_t last_looked_at_ = -1, best_left_ = 0;
  std::vector<Drawn> ahead_;
  std::int64_t ahead_width_ = 1;
  std::vector<SortedFeature> candidates_;
  std::vector<Best> bests_;
  std::int64_t work_ = 0;
  std::atomic<bool> stopped_{false};
};

}  // namespace fastml::tree
