// Growing against a slow grower that a student could read: all thresholds of all features drawn, the criteria as they
// are defined, every node's samples in a list. Weights and targets are whole, so that sums are exact and trees equal to
// the bit. The order of the features drawn and the random thresholds are the real ones.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/feature_draws.hpp"
#include "tree/grow.hpp"
#include "tree/random.hpp"

using namespace fastml;
using tree::CriterionKind;
using tree::Encoding;
using tree::Features;
using tree::GrownTree;
using tree::Node;
using tree::Options;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

struct Problem {
  std::int64_t rows, cols;
  std::vector<float> x;  // row-major
  std::vector<double> y;
  std::int64_t classes = 0;     // 0: regression
  std::vector<double> weights;  // none: all 1

  float at(std::int64_t i, std::int64_t f) const { return x[i * cols + f]; }
  double weight(std::int64_t i) const { return weights.empty() ? 1.0 : weights[i]; }
};

// Rounded to a double here, whatever the compiler would like to fuse.
double product(double a, double b) {
  const volatile double rounded = a * b;
  return rounded;
}

using Rows = std::vector<std::int64_t>;

class PlainGrower {
 public:
  PlainGrower(const Problem& problem, const Options& options, std::uint32_t seed)
      : p_(problem), o_(options), random_(seed), draws_(problem.cols) {}

  GrownTree grow() {
    NodeToBe root;
    for (std::int64_t i = 0; i < p_.rows; ++i) {
      if (p_.weight(i) != 0) root.rows.push_back(i);
      total_weight_ += p_.weight(i);
    }
    o_.max_leaf_nodes < 0 ? grow_depth_first(root, 0) : grow_best_first(root);
    return tree_;
  }

 private:
  // Of the weights of each class, or of the weighted targets; for regression, of their squares.
  struct Sums {
    double weight = 0, squares = 0;
    std::vector<double> of;
  };
  struct NodeToBe {
    Rows rows;
    std::int64_t depth = 0, parent = -1;
    bool is_left = false;
    double lower = -kInfinity, upper = kInfinity;  // what its value must keep to below monotonic splits
  };
  struct Split {
    bool found = false;
    double proxy = -kInfinity;
    std::int64_t feature = 0;
    double threshold = 0;
    bool missing_left = false, saw_missing = false;
    double improvement = 0, middle = 0;
  };
  struct Open {
    NodeToBe node;
    std::int64_t index;
    Split split;
  };

  Sums none() const { return {0, 0, std::vector<double>(std::max<std::int64_t>(p_.classes, 1))}; }
  void add(std::int64_t row, Sums& sums) const {
    const double weight = p_.weight(row), y = p_.y[row];
    sums.weight += weight;
    sums.of[p_.classes > 0 ? std::int64_t(y) : 0] += p_.classes > 0 ? weight : weight * y;
    sums.squares += weight * y * y;
  }
  Sums sum(const Rows& rows) const {
    Sums sums = none();
    for (const std::int64_t row : rows) add(row, sums);
    return sums;
  }

  double impurity(const Sums& sums) const {
    double result = 0;
    switch (o_.criterion) {
      case CriterionKind::gini:
        for (const double of_class : sums.of) result += of_class * of_class;
        return 1.0 - result / (sums.weight * sums.weight);
      case CriterionKind::entropy:
        for (const double of_class : sums.of) {
          const double share = of_class / sums.weight;
          if (share > 0) result -= product(share, std::log(share) / std::log(2.0));
        }
        return result;
      default:
        return sums.squares / sums.weight - product(sums.of[0] / sums.weight, sums.of[0] / sums.weight);
    }
  }
  // What splits of a node are compared by: their decrease of impurity, but for what they have in common.
  double proxy(const Sums& left, const Sums& right) const {
    if (p_.classes == 0) return left.of[0] * left.of[0] / left.weight + right.of[0] * right.of[0] / right.weight;
    return -product(right.weight, impurity(right)) - product(left.weight, impurity(left));
  }

  bool goes_left(std::int64_t row, const Split& split) const {
    const float value = p_.at(row, split.feature);
    return std::isnan(value) ? split.missing_left : value <= split.threshold;
  }
  std::pair<Rows, Rows> part(const Rows& rows, const Split& split) const {
    std::pair<Rows, Rows> sides;
    for (const std::int64_t row : rows) (goes_left(row, split) ? sides.first : sides.second).push_back(row);
    return sides;
  }

  void consider(const NodeToBe& node, Split split, Split& best) const {
    Sums left = none(), right = none();
    std::int64_t count_left = 0, count_right = 0;
    for (const std::int64_t row : node.rows) {
      const bool goes = goes_left(row, split);
      add(row, goes ? left : right);
      ++(goes ? count_left : count_right);
    }
    if (count_left < o_.min_samples_leaf || count_right < o_.min_samples_leaf) return;
    if (left.weight < o_.min_weight_leaf || right.weight < o_.min_weight_leaf) return;
    const int direction = o_.monotonic.empty() ? 0 : o_.monotonic[split.feature];
    if (direction != 0) {
      const double low = left.of[0] / left.weight, high = right.of[0] / right.weight;
      if (std::min(low, high) < node.lower || std::max(low, high) > node.upper) return;
      if ((low - high) * direction > 0) return;
    }
    split.proxy = proxy(left, right);
    if (split.proxy > best.proxy) best = split;
  }

  // Returns false if the node's values of the feature are all the same.
  bool try_feature(const NodeToBe& node, std::int64_t feature, Split& best) {
    std::vector<float> values;
    for (const std::int64_t row : node.rows) {
      if (!std::isnan(p_.at(row, feature))) values.push_back(p_.at(row, feature));
    }
    const bool missing = values.size() < node.rows.size();
    std::sort(values.begin(), values.end());
    if (values.empty() || (!missing && values.back() <= values.front() + 1e-7f)) {
      draws_.constant();
      return false;
    }
    draws_.varies();
    Split split;
    split.feature = feature;
    split.saw_missing = missing;
    if (o_.random_splits) {
      split.threshold = random_.uniform(values.front(), values.back());
      split.missing_left = missing && random_.integer(0, 2) != 0;
      if (split.threshold == values.back()) split.threshold = values.front();
      consider(node, split, best);
      return true;
    }
    for (const bool missing_left : {false, true}) {
      if (missing_left && !missing) break;
      split.missing_left = missing_left;
      for (std::size_t i = 1; i < values.size(); ++i) {
        if (values[i] <= values[i - 1] + 1e-7f) continue;
        split.threshold = values[i - 1] / 2.0 + values[i] / 2.0;
        consider(node, split, best);
      }
      split.threshold = kInfinity;
      if (missing && !missing_left) consider(node, split, best);
    }
    return true;
  }

  Split search(const NodeToBe& node, const Sums& sums, std::int64_t& constants) {
    const std::int64_t count = std::int64_t(node.rows.size());
    const double here = impurity(sums);
    if (node.depth >= o_.max_depth || count < o_.min_samples_split || count < 2 * o_.min_samples_leaf ||
        sums.weight < 2 * o_.min_weight_leaf || here <= kEpsilon) {
      return {};
    }
    Split best;
    draws_.begin(constants);
    for (std::int64_t feature; draws_.draw(o_.max_features, random_, feature);) try_feature(node, feature, best);
    constants = draws_.end();
    if (best.proxy == -kInfinity) return {};

    const auto [left_rows, right_rows] = part(node.rows, best);
    if (!best.saw_missing) best.missing_left = left_rows.size() > right_rows.size();
    const Sums left = sum(left_rows), right = sum(right_rows);
    best.improvement =
        product(sums.weight / total_weight_, here - product(right.weight / sums.weight, impurity(right)) -
                                                 product(left.weight / sums.weight, impurity(left)));
    best.middle = left.of[0] / (2 * left.weight) + right.of[0] / (2 * right.weight);
    best.found = best.improvement + kEpsilon >= o_.min_impurity_decrease;
    return best;
  }

  std::int64_t add_node(const NodeToBe& node, const Sums& sums) {
    const std::int64_t index = std::int64_t(tree_.nodes.size());
    Node made;
    made.impurity = impurity(sums);
    made.samples = std::int64_t(node.rows.size());
    made.weight = sums.weight;
    tree_.nodes.push_back(made);
    if (node.parent >= 0) (node.is_left ? tree_.nodes[node.parent].left : tree_.nodes[node.parent].right) = index;
    tree_.max_depth = std::max(tree_.max_depth, node.depth);
    for (const double of : sums.of) tree_.values.push_back(of / sums.weight);
    if (!o_.monotonic.empty()) {
      double& value = tree_.values[index * std::int64_t(sums.of.size())];
      value = std::min(std::max(value, node.lower), node.upper);
      if (p_.classes == 2) tree_.values.back() = 1 - value;
    }
    return index;
  }

  NodeToBe child(const NodeToBe& node, std::int64_t index, const Split& split, bool is_left) const {
    auto sides = part(node.rows, split);
    NodeToBe made{is_left ? sides.first : sides.second, node.depth + 1, index, is_left, node.lower, node.upper};
    const int direction = o_.monotonic.empty() ? 0 : o_.monotonic[split.feature];
    if (direction != 0) ((direction > 0) == is_left ? made.upper : made.lower) = split.middle;
    return made;
  }

  static void write(const Split& split, Node& node) {
    node.feature = split.feature;
    node.threshold = split.threshold;
    node.missing_left = split.missing_left;
  }

  void grow_depth_first(const NodeToBe& node, std::int64_t constants) {
    const Sums sums = sum(node.rows);
    const Split split = search(node, sums, constants);
    const std::int64_t index = add_node(node, sums);
    if (!split.found) return;
    write(split, tree_.nodes[index]);
    grow_depth_first(child(node, index, split, true), constants);
    grow_depth_first(child(node, index, split, false), constants);
  }

  Open open(const NodeToBe& node) {
    const Sums sums = sum(node.rows);
    std::int64_t constants = 0;
    const Split split = search(node, sums, constants);
    return {node, add_node(node, sums), split};
  }

  // The node whose split improves most is split next. Nodes that stay leaves keep where missing values would have gone.
  void grow_best_first(const NodeToBe& root) {
    const auto improvement = [](const Open& node) { return node.split.found ? node.split.improvement : 0.0; };
    const auto worse = [&](const Open& a, const Open& b) { return improvement(a) < improvement(b); };
    std::vector<Open> heap{open(root)};
    for (std::int64_t leaves = 1; !heap.empty();) {
      std::pop_heap(heap.begin(), heap.end(), worse);
      const Open next = heap.back();
      heap.pop_back();
      if (!next.split.found) continue;
      tree_.nodes[next.index].missing_left = next.split.missing_left;
      if (leaves >= o_.max_leaf_nodes) continue;
      ++leaves;
      write(next.split, tree_.nodes[next.index]);
      const Open left = open(child(next.node, next.index, next.split, true));
      const Open right = open(child(next.node, next.index, next.split, false));
      for (const Open& side : {left, right}) {
        heap.push_back(side);
        std::push_heap(heap.begin(), heap.end(), worse);
      }
    }
  }

  const Problem& p_;
  const Options& o_;
  tree::Random random_;
  tree::FeatureDraws draws_;
  double total_weight_ = 0;
  GrownTree tree_;
};

// Columns of all kinds: many values, few, neighbours too close to be parted, skewed, constant.
Problem make_problem(std::int64_t rows, std::int64_t classes, bool weighted, bool missing, unsigned seed) {
  Problem p{rows, 5, {}, {}, classes, {}};
  const auto normal = normals<float>(rows, seed), skewed = normals<float>(rows, seed + 1);
  const auto few = integers<float>(rows, -2, 3, seed + 2), close = integers<float>(rows, 0, 300, seed + 3);
  const auto noise = integers<int>(rows, 0, 99, seed + 4), draws = integers<int>(rows * 5, 0, 9, seed + 5);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float row[] = {normal[i], few[i], close[i] * 4e-8f, std::exp(4 * skewed[i]), 7.0f};
    for (int f = 0; f < 5; ++f) p.x.push_back(missing && f != 1 && draws[i * 5 + f] == 0 ? kNan : row[f]);
    const double signal = 2 * double(normal[i]) + few[i] + (close[i] > 120 ? 1.5 : 0.0) + skewed[i] + noise[i] / 30.0;
    const double many = std::floor(std::min(std::max(signal + 2, 0.0), double(classes - 1)));
    p.y.push_back(classes == 0 ? std::round(4 * signal) : classes == 2 ? double(signal > 2) : many);
  }
  if (weighted) p.weights = integers<double>(rows, 0, 4, seed + 6);
  return p;
}

void compare(const GrownTree& grown, const GrownTree& plain, const std::string& where) {
  CHECK_EQUAL(grown.nodes.size(), plain.nodes.size(), where);
  CHECK_EQUAL(grown.max_depth, plain.max_depth, where);
  for (std::size_t i = 0; i < std::min(grown.nodes.size(), plain.nodes.size()); ++i) {
    const Node &a = grown.nodes[i], &b = plain.nodes[i];
    const bool same = a.left == b.left && a.right == b.right && a.feature == b.feature && a.threshold == b.threshold &&
                      a.impurity == b.impurity && a.samples == b.samples && a.weight == b.weight &&
                      a.missing_left == b.missing_left;
    CHECK(same, where << ", node " << i << ": feature " << a.feature << " at " << a.threshold << ", impurity "
                      << a.impurity << "; expected " << b.feature << " at " << b.threshold << ", " << b.impurity);
    if (!same) return;
  }
  CHECK(grown.values == plain.values, where << " values");
}

// Returns how many nodes the tree has.
std::size_t compare(const Problem& p, const Options& options, std::uint32_t seed, const std::string& what) {
  const std::string where = what + ", max_features " + std::to_string(options.max_features) +
                            (options.random_splits ? ", random" : "") + (p.weights.empty() ? "" : ", weighted");
  const GrownTree plain = PlainGrower(p, options, seed).grow();
  tree::Targets targets{p.y.data(), p.rows, 1, {}};
  if (p.classes > 0) targets.classes = {p.classes};
  const double* weights = p.weights.empty() ? nullptr : p.weights.data();
  for (const Encoding encoding : {Encoding::values, Encoding::ranks, Encoding::sorted}) {
    if ((encoding == Encoding::values) != options.random_splits) continue;
    const Features features({p.x.data(), p.rows, p.cols, p.cols, 1}, encoding, 1);
    GrownTree grown;
    CHECK(tree::grow(features, targets, weights, options, seed, 1, nullptr, grown), where);
    compare(grown, plain, where);
  }
  return plain.nodes.size();
}

std::map<std::string, Options> all_limits(const Problem& p, const Options& base) {
  std::map<std::string, Options> all;
  const auto limit = [&](const std::string& name, const auto& change) { change(all[name] = base); };
  limit("no limits", [](Options&) {});
  limit("min_samples_leaf", [](Options& o) { o.min_samples_leaf = 9; });
  limit("min_weight_leaf", [](Options& o) { o.min_weight_leaf = 20; });
  limit("max_depth", [](Options& o) { o.max_depth = 4; });
  limit("min_samples_split", [](Options& o) { o.min_samples_split = 25; });
  limit("min_impurity_decrease", [&](Options& o) { o.min_impurity_decrease = p.classes == 0 ? 0.3 : 0.004; });
  limit("best first", [](Options& o) { o.max_leaf_nodes = 17; });
  limit("best first, limited", [](Options& o) { o.max_leaf_nodes = 1000, o.min_samples_leaf = 7; });
  // scikit-learn has constraints for two classes or a regression without missing values only.
  const bool missing = std::any_of(p.x.begin(), p.x.end(), [](float value) { return std::isnan(value); });
  if (missing || p.classes > 2) return all;
  limit("monotonic", [](Options& o) { o.monotonic = {1, -1, 0, -1, 1}; });
  limit("monotonic, best first, limited", [](Options& o) {
    o.monotonic = {-1, -1, 1, 0, 0};
    o.max_leaf_nodes = 40;
    o.min_samples_leaf = 3;
    o.min_weight_leaf = 11;
  });
  return all;
}

Options options_for(CriterionKind criterion, std::int64_t max_features = 1, bool random_splits = false) {
  Options options;
  options.criterion = criterion;
  options.max_depth = 1 << 20;
  options.max_features = max_features;
  options.random_splits = random_splits;
  return options;
}

const struct Task {
  std::string name;
  CriterionKind criterion;
  std::int64_t classes;
} kTasks[]{{"gini, 2 classes", CriterionKind::gini, 2},
           {"gini, 6 classes", CriterionKind::gini, 6},
           {"entropy, 2 classes", CriterionKind::entropy, 2},
           {"entropy, 6 classes", CriterionKind::entropy, 6},
           {"squared error", CriterionKind::squared_error, 0}};

// Every criterion with every limit, weights, missing values and number of features looked at. With one of five features
// there are no sorted lists.
void small_trees() {
  std::uint32_t seed = 1;
  for (const Task& task : kTasks) {
    std::size_t nodes = 0;
    for (const bool weighted : {false, true}) {
      for (const bool missing : {false, true}) {
        const Problem p = make_problem(200, task.classes, weighted, missing, seed);
        for (const std::int64_t max_features : {1, 2, 5}) {
          for (const bool random_splits : {false, true}) {
            for (const auto& [name, options] :
                 all_limits(p, options_for(task.criterion, max_features, random_splits))) {
              nodes += compare(p, options, ++seed, task.name + ", " + name + (missing ? ", missing" : ""));
            }
          }
        }
      }
    }
    CHECK(nodes > 2000, task.name << " grew only " << nodes << " nodes");
  }
}

// Many features that are constant in most nodes: draws depend on which of them nodes above found so, and random splits
// draw several features ahead as if none were.
void many_constants() {
  std::uint32_t seed = 500;
  for (const bool missing : {false, true}) {
    Problem p = make_problem(150, 2, false, false, 33);
    const Problem narrow = p;
    p.cols = 40;
    p.x.clear();
    const auto draws = integers<int>(p.rows * p.cols, 0, 99, 34);
    for (std::int64_t i = 0; i < p.rows; ++i) {
      for (std::int64_t f = 0; f < p.cols; ++f) {
        const int draw = draws[i * p.cols + f];
        const float value = f % 8 == 0 ? narrow.at(i, f / 8) : float(draw < f / 2);
        p.x.push_back(missing && f % 5 == 1 && draw >= 90 ? kNan : value);
      }
    }
    for (const std::int64_t max_features : {1, 2, 6, 13, 40}) {
      for (const bool random_splits : {false, true}) {
        for (int repetition = 0; repetition < 8; ++repetition) {
          const CriterionKind criterion = repetition % 2 == 0 ? CriterionKind::gini : CriterionKind::entropy;
          Options options = options_for(criterion, max_features, random_splits);
          if (repetition % 4 == 3) options.max_leaf_nodes = 30;
          compare(p, options, ++seed, std::string("many constants") + (missing ? ", missing" : ""));
        }
      }
    }
  }
}

// Nodes of thousands of samples, whose values are sorted in buckets or not at all.
void large_nodes() {
  std::uint32_t seed = 1000;
  for (const Task& task : kTasks) {
    for (const bool missing : {false, true}) {
      const Problem p = make_problem(2500, task.classes, missing, missing, seed);
      Options options = options_for(task.criterion);
      options.max_depth = 7;
      for (const auto& [name, limited] : all_limits(p, options)) {
        if (limited.max_leaf_nodes >= 0 || limited.min_samples_split > 2) continue;
        compare(p, limited, ++seed, task.name + ", " + name + ", large");
      }
    }
  }
}

// Targets and samples that leave little to be done.
void degenerate() {
  for (const Task& task : kTasks) {
    const Options options = options_for(task.criterion);
    for (const std::int64_t rows : {1, 2, 3}) {
      compare(make_problem(rows, task.classes, false, false, 5), options, 3,
              task.name + ", rows " + std::to_string(rows));
    }
    Problem same = make_problem(40, task.classes, false, true, 6);
    same.y.assign(40, 1.0);
    compare(same, options, 4, task.name + ", one target");
    Problem constant = make_problem(40, task.classes, false, false, 7);
    constant.x.assign(constant.x.size(), 2.0f);
    compare(constant, options, 5, task.name + ", constant features");
    constant.x.assign(constant.x.size(), kNan);
    compare(constant, options, 5, task.name + ", all missing");
    Problem one = make_problem(40, task.classes, true, false, 8);
    one.weights.assign(40, 0.0);
    one.weights[17] = 3.0;
    compare(one, options, 6, task.name + ", one sample with weight");
  }
  for (const std::int64_t classes : {1, 300}) {
    Problem p = make_problem(120, 2, false, false, 9);
    p.classes = classes;
    p.y = integers<double>(120, 0, int(classes) - 1, 10);
    compare(p, options_for(CriterionKind::gini), 7, std::to_string(classes) + " classes");
    compare(p, options_for(CriterionKind::entropy), 8, std::to_string(classes) + " classes, entropy");
  }
}

}  // namespace

int main() {
  small_trees();
  many_constants();
  large_nodes();
  degenerate();
  return check::result();
}
