// What every tree keeps to, whatever it is grown by, told by sending its samples through it. And trees that are as deep
// as they have samples.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/grow.hpp"

using namespace fastml;
using tree::CriterionKind;
using tree::Encoding;
using tree::Features;
using tree::GrownTree;
using tree::Node;
using tree::Options;
using tree::Targets;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

bool same_trees(const GrownTree& a, const GrownTree& b) {
  return a.max_depth == b.max_depth && a.values == b.values && a.nodes.size() == b.nodes.size() &&
         std::memcmp(a.nodes.data(), b.nodes.data(), a.nodes.size() * sizeof(Node)) == 0;
}

// Samples, row-major, with a target of each kind.
struct Problem {
  std::int64_t rows, cols;
  std::vector<float> x;
  std::vector<double> amounts, labels, weights;

  Targets targets(CriterionKind criterion) const {
    if (criterion == CriterionKind::gini || criterion == CriterionKind::entropy) return {labels.data(), rows, 1, {2}};
    return {amounts.data(), rows, 1, {}};
  }
  GrownTree grow(const Options& options, std::uint32_t seed) const {
    const Encoding encoding = options.random_splits ? Encoding::values : Encoding::ranks;
    const Features features({x.data(), rows, cols, cols, 1}, encoding, 1);
    const double* some_weights = weights.empty() ? nullptr : weights.data();
    GrownTree grown;
    CHECK(tree::grow(features, targets(options.criterion), some_weights, options, seed, 1, nullptr, grown), "stopped");
    return grown;
  }
};

Problem make_problem(std::int64_t rows, std::int64_t cols, bool missing) {
  Problem p{rows, cols, normals<float>(rows * cols, 1), normals<double>(rows, 2), {}, integers<double>(rows, 0, 3, 3)};
  for (std::int64_t i = 0; i < rows; ++i) {
    float* const row = p.x.data() + i * cols;
    for (std::int64_t f = 1; f < cols; f += 2) row[f] = std::round(2 * row[f]);  // ties
    p.amounts[i] = std::abs(p.amounts[i] + 2 * double(row[0]) + double(row[1]));
    p.labels.push_back(p.amounts[i] > 1.5);
    if (missing && i % 11 == 0) row[i % cols] = kNan;
  }
  return p;
}

void check_limits(const Problem& p, const Options& o, const GrownTree& grown, const std::string& where) {
  const std::size_t nodes = grown.nodes.size(), width = grown.values.size() / nodes;
  std::vector<std::int64_t> counts(nodes), depths(nodes);
  std::vector<double> sums(nodes);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    if (p.weights[i] == 0) continue;
    for (std::int64_t at = 0;;) {
      const Node& node = grown.nodes[at];
      ++counts[at];
      sums[at] += p.weights[i];
      if (node.left == Node::kLeaf) break;
      const float value = p.x[i * p.cols + node.feature];
      const bool left = std::isnan(value) ? node.missing_left != 0 : value <= node.threshold;
      const std::int64_t next = left ? node.left : node.right;
      depths[next] = depths[at] + 1;
      at = next;
    }
  }
  std::int64_t leaves = 0;
  for (std::size_t n = 0; n < nodes; ++n) {
    const Node& node = grown.nodes[n];
    const bool leaf = node.left == Node::kLeaf;
    leaves += leaf;
    CHECK_EQUAL(leaf, node.right == Node::kLeaf, where << ", node " << n);
    CHECK_EQUAL(counts[n], node.samples, where << ", node " << n);
    CHECK_EQUAL(sums[n], node.weight, where << ", node " << n);
    CHECK(node.samples >= o.min_samples_leaf && node.weight >= o.min_weight_leaf, where << ", node " << n);
    CHECK(depths[n] <= o.max_depth && depths[n] <= grown.max_depth, where << ", node " << n);
    CHECK(leaf || node.samples >= o.min_samples_split, where << ", node " << n);
    if (leaf || o.monotonic.empty()) continue;
    const double rise = grown.values[node.right * width] - grown.values[node.left * width];
    CHECK(rise * o.monotonic[node.feature] >= 0, where << ", node " << n << " rises by " << rise);
  }
  CHECK_EQUAL(*std::max_element(depths.begin(), depths.end()), grown.max_depth, where);
  CHECK(o.max_leaf_nodes < 0 || leaves <= o.max_leaf_nodes, where << ": " << leaves << " leaves");
}

// The values of the leaves, in the order of a feature on which nothing else depends, must not turn.
void check_monotonic(const Problem& p, const Options& o, const GrownTree& grown, const std::string& where) {
  const std::size_t width = grown.values.size() / grown.nodes.size();
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t f = 0; f < p.cols; ++f) {
      double before = 0;
      for (int step = 0; step <= 60; ++step) {
        std::int64_t at = 0;
        while (grown.nodes[at].left != Node::kLeaf) {
          const Node& node = grown.nodes[at];
          const float value = node.feature == f ? float(step) / 10 - 3 : p.x[i * p.cols + node.feature];
          at = value <= node.threshold ? node.left : node.right;
        }
        const double value = grown.values[at * width];
        CHECK(step == 0 || (value - before) * o.monotonic[f] >= 0, where << ", sample " << i << ", feature " << f);
        before = value;
      }
    }
  }
}

void limits() {
  const std::string names[] = {"gini", "entropy", "squared error", "absolute error", "poisson"};
  for (const bool missing : {false, true}) {
    const Problem p = make_problem(1500, 6, missing);
    for (int criterion = 0; criterion < 5; ++criterion) {
      for (const bool random_splits : {false, true}) {
        for (int limit = 0; limit < 7; ++limit) {
          Options o;
          o.criterion = CriterionKind(criterion);
          o.random_splits = random_splits;
          o.max_features = 3;
          o.max_depth = 12;
          if (limit == 1) o.min_samples_leaf = 12;
          if (limit == 2) o.min_weight_leaf = 25;
          if (limit == 3) o.min_samples_split = 40;
          if (limit == 4) o.max_leaf_nodes = 20;
          if (limit >= 5) {
            // Not for Poisson deviance nor for missing values, as scikit-learn has it.
            if (missing || o.criterion == CriterionKind::poisson) continue;
            o.monotonic = {1, -1, 0, 1, -1, 0};
            if (limit == 6) o.max_leaf_nodes = 60, o.min_samples_leaf = 4;
          }
          const std::string where = names[criterion] + ", limit " + std::to_string(limit) +
                                    (random_splits ? ", random" : "") + (missing ? ", missing" : "");
          const GrownTree grown = p.grow(o, 25);
          CHECK(grown.nodes.size() > 8, where << ": " << grown.nodes.size() << " nodes");
          check_limits(p, o, grown, where);
          if (!o.monotonic.empty()) check_monotonic(p, o, grown, where);
          CHECK(same_trees(grown, p.grow(o, 25)), where << ", same seed");
          CHECK(!same_trees(grown, p.grow(o, 26)), where << ", other seed");
        }
      }
    }
  }
}

// Alternating labels: the best split is always to part one sample from the rest.
void deep_trees() {
  const std::int64_t rows = 3001;
  Problem narrow{rows, 1, {}, {}, {}, {}}, wide{rows, 4, {}, {}, {}, {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    narrow.x.push_back(float(i));
    wide.x.insert(wide.x.end(), {float(i), 1.0f, 1.0f, 1.0f});  // of which one is looked at: no sorted lists
    narrow.labels.push_back(double(i % 2));
  }
  narrow.amounts = wide.amounts = wide.labels = narrow.labels;
  for (const CriterionKind criterion : {CriterionKind::gini, CriterionKind::squared_error}) {
    for (const bool best_first : {false, true}) {
      Options o;
      o.criterion = criterion;
      o.max_depth = 1 << 20;
      if (best_first) o.max_leaf_nodes = rows;
      const std::string where = "criterion " + std::to_string(int(criterion)) + (best_first ? ", best first" : "");
      const GrownTree grown = narrow.grow(o, 1);
      CHECK_EQUAL(grown.max_depth, rows - 1, where);
      CHECK_EQUAL(grown.nodes.size(), std::size_t(2 * rows - 1), where);
      std::int64_t lonely = 0;
      for (const Node& node : grown.nodes) {
        if (node.left == Node::kLeaf) continue;
        lonely += grown.nodes[node.left].samples == 1 || grown.nodes[node.right].samples == 1;
      }
      CHECK_EQUAL(lonely, rows - 1, where);
      if (!best_first) CHECK(same_trees(grown, wide.grow(o, 1)), where << ", without lists");
    }
  }
}

}  // namespace

int main() {
  limits();
  deep_trees();
  return check::result();
}
