#include "tree/grow.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "tree/splitter.hpp"
#include "tree/tuning.hpp"

namespace fastml::tree {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// The values that a node may take, below splits on monotonic features.
struct Bounds {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
};

// A node on the way into the tree.
struct Entry {
  NodeRange range;
  std::int64_t depth;
  std::int64_t parent;  // -1 for the root
  bool is_left;
  double impurity;
  std::int64_t constants;
  Bounds bounds;
};

// A node of the tree that has been searched and may be split (best first).
struct Frontier {
  std::int64_t node;
  NodeRange range;
  std::int64_t depth;
  Split split;  // not found: a leaf
  double improvement;
  Bounds bounds;
};

class Grower {
 public:
  Grower(const Features& features, const Targets& targets, const double* weights, const Options& options,
         std::uint32_t seed, int threads, StopCheck stop, GrownTree& tree)
      : options_(options),
        values_(targets.values()),
        splitter_(features, targets, weights, options, seed, threads, stop),
        tree_(tree) {
    // As many as there can be: what is not used is never touched, so it takes no memory, and nothing is moved on the way.
    tree_.nodes.reserve(most_nodes());
    tree_.values.reserve(most_nodes() * values_);
  }

  // False when stopped.
  bool run() { return options_.max_leaf_nodes < 0 ? depth_first() : best_first(); }

 private:
  bool depth_first() {
    std::vector<Entry> stack{root()};
    while (!stack.empty()) {
      Entry entry = stack.back();
      stack.pop_back();
      const Split split = search(entry);
      if (splitter_.stopped()) return false;
      const std::int64_t node = add(entry, split);
      tree_.max_depth = std::max(tree_.max_depth, entry.depth);
      if (!split.found) continue;
      Entry left, right;
      children(node, entry, split, left, right);
      if (may_split(left) || may_split(right)) splitter_.part_lists(entry.range, split.middle, entry.constants);
      stack.push_back(right);
      stack.push_back(left);
    }
    return true;
  }

  bool best_first() {
    std::vector<Frontier> heap;
    const auto worse = [](const Frontier& a, const Frontier& b) { return a.improvement < b.improvement; };
    const auto enter = [&](Entry entry) {
      entry.constants = 0;
      Frontier record;
      record.split = search(entry);
      record.node = add(entry, record.split);
      record.range = entry.range;
      record.depth = entry.depth;
      record.improvement = record.split.found ? record.split.improvement : 0.0;
      record.bounds = entry.bounds;
      return record;
    };
    const auto push = [&](const Frontier& record) {
      heap.push_back(record);
      std::push_heap(heap.begin(), heap.end(), worse);
    };
    std::int64_t splits_left = options_.max_leaf_nodes - 1;
    push(enter(root()));
    while (!heap.empty()) {
      if (splitter_.stopped()) return false;
      std::pop_heap(heap.begin(), heap.end(), worse);
      const Frontier record = heap.back();
      heap.pop_back();
      tree_.max_depth = std::max(tree_.max_depth, record.depth);
      if (!record.split.found || splits_left <= 0) {
        // The node stays as it was entered, but is a leaf; where its missing values would have gone is kept.
        Node& node = tree_.nodes[record.node];
        node.left = node.right = Node::kLeaf;
        node.feature = Node::kUndefined;
        node.threshold = Node::kUndefined;
        continue;
      }
      --splits_left;
      Entry parent{record.range, record.depth, 0, false, 0, 0, record.bounds};
      Entry left, right;
      children(record.node, parent, record.split, left, right);
      const Frontier left_record = enter(left), right_record = enter(right);
      push(left_record);
      push(right_record);
    }
    return true;
  }

  Entry root() {
    const NodeRange all{0, splitter_.count()};
    splitter_.start(all);
    return {all, 0, -1, false, splitter_.criterion().impurity(), 0, {}};
  }

  std::int64_t most_nodes() const {
    std::int64_t leaves = std::max<std::int64_t>(splitter_.count() / options_.min_samples_leaf, 1);
    if (options_.max_leaf_nodes >= 0) leaves = std::min(leaves, options_.max_leaf_nodes);
    if (options_.max_depth < 62) leaves = std::min(leaves, std::int64_t(1) << options_.max_depth);
    return 2 * leaves - 1;
  }

  bool may_split(const Entry& entry) const {
    const std::int64_t count = entry.range.count();
    return entry.depth < options_.max_depth && count >= options_.min_samples_split &&
           count >= 2 * options_.min_samples_leaf && !(entry.impurity <= kEpsilon);
  }

  // Makes the entry's node the current one and looks for its split.
  Split search(Entry& entry) {
    splitter_.start(entry.range);
    if (!may_split(entry) || splitter_.criterion().weight() < 2 * options_.min_weight_leaf) return {};
    Split split = splitter_.split(entry.range, entry.impurity, entry.bounds.lower, entry.bounds.upper, entry.constants);
    if (split.found && split.improvement + kEpsilon < options_.min_impurity_decrease) split.found = false;
    // Later nodes move on: in a best-first tree the lists must be parted now.
    if (split.found && options_.max_leaf_nodes >= 0) splitter_.part_lists(entry.range, split.middle, 0);
    return split;
  }

  std::int64_t add(const Entry& entry, const Split& split) {
    const std::int64_t index = std::int64_t(tree_.nodes.size());
    Node node;
    node.impurity = entry.impurity;
    node.samples = entry.range.count();
    node.weight = splitter_.criterion().weight();
    if (split.found) {
      node.feature = split.feature;
      node.threshold = split.threshold;
      node.missing_left = split.missing_left;
    }
    if (entry.parent >= 0) (entry.is_left ? tree_.nodes[entry.parent].left : tree_.nodes[entry.parent].right) = index;
    tree_.nodes.push_back(node);
    tree_.values.resize((index + 1) * values_);
    double* value = tree_.values.data() + index * values_;
    splitter_.criterion().value(value);
    if (!options_.monotonic.empty()) splitter_.criterion().clip_value(value, entry.bounds.lower, entry.bounds.upper);
    return index;
  }

  void children(std::int64_t node, const Entry& entry, const Split& split, Entry& left, Entry& right) const {
    Bounds left_bounds = entry.bounds, right_bounds = entry.bounds;
    const int direction = options_.monotonic.empty() ? 0 : options_.monotonic[split.feature];
    if (direction > 0) left_bounds.upper = right_bounds.lower = split.middle_value;
    if (direction < 0) left_bounds.lower = right_bounds.upper = split.middle_value;
    left = {{entry.range.begin, split.middle},
            entry.depth + 1,
            node,
            true,
            split.impurity_left,
            entry.constants,
            left_bounds};
    right = {{split.middle, entry.range.end},
             entry.depth + 1,
             node,
             false,
             split.impurity_right,
             entry.constants,
             right_bounds};
  }

  const Options& options_;
  const std::int64_t values_;
  Splitter splitter_;
  GrownTree& tree_;
};

}  // namespace

bool grow(const Features& features, const Targets& targets, const double* weights, const Options& options,
          std::uint32_t seed, int threads, StopCheck stop, GrownTree& tree) {
  return Grower(features, targets, weights, options, seed, threads, stop, tree).run();
}

std::optional<CompactTree> grow_compact(const Features& features, const Targets& targets, const double* weights,
                                        const Options& options, std::uint32_t seed, int threads, StopCheck stop,
                                        std::int64_t& max_depth) {
  GrownTree tree;
  Grower grower(features, targets, weights, options, seed, threads, stop, tree);
  if (!grower.run()) return std::nullopt;
  max_depth = tree.max_depth;
  const std::int64_t count = std::int64_t(tree.nodes.size());
  return CompactTree(tree.nodes.data(), count, tree.values.data(), std::int64_t(tree.values.size()) / count);
}

}  // namespace fastml::tree
