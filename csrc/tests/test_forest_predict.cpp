// Prediction of trees: the packed walk and the plain one against a walk that a student could write, at every level.
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"
#include "tree/forest_predict.hpp"
#include "tree/narrow.hpp"
#include "tree/pack_tree.hpp"
#include "tree/predict_tuning.hpp"

using namespace fastml;
using tree::ForestArrays;
using tree::Node;
using tree::Samples;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool never() { return false; }
bool at_once() { return true; }

struct TestTree {
  std::vector<Node> nodes;
  std::vector<double> values;
};

// A random tree in scikit-learn's order, depth first. Thresholds are doubles between and on the samples' values.
class Growth {
 public:
  Growth(int features, int width, int most_depth, unsigned seed)
      : features_(features), width_(width), most_depth_(most_depth), random_(seed) {}

  TestTree grow() {
    grow_node(0);
    for (std::size_t i = 0; i < tree_.nodes.size() * std::size_t(width_); ++i)
      tree_.values.push_back(std::normal_distribution<double>()(random_));
    return tree_;
  }

 private:
  int draw(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

  std::int64_t grow_node(int depth) {
    const std::size_t id = tree_.nodes.size();
    tree_.nodes.emplace_back();
    tree_.nodes[id].samples = 1 + draw(9);
    if (depth == most_depth_ || (depth > 0 && draw(9) == 0)) return std::int64_t(id);
    const double thresholds[] = {double(draw(6) - 3), draw(6) - 2.9, draw(6) - 3.1, kInfinity, -1e300};
    Node node = tree_.nodes[id];
    node.feature = draw(features_ - 1);
    node.threshold = thresholds[draw(19) < 17 ? draw(2) : 3 + draw(1)];
    node.missing_left = std::uint8_t(draw(1));
    node.left = grow_node(depth + 1);
    node.right = grow_node(depth + 1);
    tree_.nodes[id] = node;
    return std::int64_t(id);
  }

  int features_, width_, most_depth_;
  std::mt19937 random_;
  TestTree tree_;
};

// All left children are leaves: as many levels as splits.
TestTree staircase(int steps, int width) {
  TestTree tree;
  for (int i = 0; i < steps; ++i) {
    Node split;
    split.left = 2 * i + 1;
    split.right = 2 * i + 2;
    split.feature = 0;
    split.threshold = i - steps / 2 + 0.5;
    split.samples = steps - i;
    tree.nodes.push_back(split);
    tree.nodes.emplace_back();
  }
  tree.nodes.emplace_back();
  for (std::size_t i = 0; i < tree.nodes.size() * std::size_t(width); ++i) tree.values.push_back(double(i));
  return tree;
}

struct Problem {
  std::vector<TestTree> trees;
  std::int64_t rows, features, width;
  std::vector<float> x;  // row-major
  bool sparse_rules = false;

  ForestArrays forest() const {
    ForestArrays arrays{{}, features, width};
    for (const TestTree& tree : trees)
      arrays.trees.push_back({tree.nodes.data(), std::int64_t(tree.nodes.size()), tree.values.data()});
    return arrays;
  }
  Samples dense() const { return {x.data(), rows, features, features, 1, {}, false}; }

  // As scikit-learn's documentation says it: up to the threshold to the left, NaN where the node sends it.
  std::int64_t leaf(const TestTree& tree, std::int64_t row) const {
    std::int64_t at = 0;
    while (tree.nodes[at].left != Node::kLeaf) {
      const Node& node = tree.nodes[at];
      const double value = x[row * features + node.feature];
      bool left = value <= node.threshold;
      if (std::isnan(value)) left = node.missing_left != 0 && !sparse_rules;
      at = left ? node.left : node.right;
    }
    return at;
  }
  std::vector<std::int64_t> leaves() const {
    std::vector<std::int64_t> all;
    for (const TestTree& tree : trees) {
      for (std::int64_t i = 0; i < rows; ++i) all.push_back(leaf(tree, i));
    }
    return all;
  }
  std::vector<double> sums(std::vector<double> out, std::int64_t stride, double scale,
                           const std::vector<std::int64_t>& columns) const {
    for (std::size_t t = 0; t < trees.size(); ++t) {
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < width; ++j) {
          const volatile double product = scale * trees[t].values[leaf(trees[t], i) * width + j];  // rounded here
          out[i * stride + (columns.empty() ? 0 : columns[t]) + j] += product;
        }
      }
    }
    return out;
  }
};

Problem random_problem(std::int64_t rows, int features, int width, int trees, int depth, bool with_nan, unsigned seed) {
  Problem p{{}, rows, features, width, integers<float>(rows * features, -3, 3, seed)};
  for (int t = 0; t < trees; ++t) p.trees.push_back(Growth(features, width, depth, seed + 100 + unsigned(t)).grow());
  std::mt19937 random(seed);
  for (float& value : p.x) {
    const unsigned draw = random() % 64;
    if (with_nan && draw == 0) value = kNan;
    if (draw == 1) value = float(kInfinity);
    if (draw == 2) value = -float(kInfinity);
  }
  return p;
}

void compare(const Problem& p, const Samples& x, const std::string& where) {
  const auto leaves = p.leaves();
  const ForestArrays forest = p.forest();
  for (const int threads : {1, 2, 3}) {
    std::vector<std::int64_t> found(leaves.size(), -7);
    CHECK(find_leaves(forest, x, found.data(), threads, threads == 1 ? nullptr : never), where);
    CHECK(found == leaves, where << " threads " << threads);
    const std::int64_t stride = p.width + 2;
    std::vector<std::int64_t> columns;
    for (std::size_t t = 0; t < p.trees.size(); ++t) columns.push_back(std::int64_t(t % 3));
    const auto before = normals<double>(p.rows * stride, 5);
    for (const bool in_columns : {false, true}) {
      auto out = before;
      const tree::LeafSums sums{out.data(), stride, in_columns ? 0.1 : 1.0, in_columns ? columns.data() : nullptr};
      CHECK(add_leaf_values(forest, x, sums, threads, nullptr), where);
      CHECK(out == p.sums(before, stride, sums.scale, in_columns ? columns : std::vector<std::int64_t>{}),
            where << " sums, threads " << threads << " in columns " << in_columns);
    }
  }
}

// The same samples in every way they can lie in memory.
void compare_layouts(Problem p, const std::string& where) {
  Guarded<float> memory(p.rows * p.features);
  Samples x = p.dense();
  x.data = memory.at_end(p.x);
  compare(p, x, where + " rows");

  std::vector<float> columns(p.x.size()), wide(p.x.size() * 6 + 6, 77);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    for (std::int64_t f = 0; f < p.features; ++f) {
      columns[f * p.rows + i] = p.x[i * p.features + f];
      wide[(p.rows - 1 - i) * p.features * 6 + f * 3] = p.x[i * p.features + f];
    }
  }
  compare(p, {memory.at_end(columns), p.rows, p.features, 1, p.rows, {}, false}, where + " columns");
  compare(p, {wide.data() + (p.rows - 1) * p.features * 6, p.rows, p.features, -p.features * 6, 3, {}, false},
          where + " strides");

  // Sparse rows: zeros are not stored, every fifth value is stored twice, the first time wrong.
  std::vector<float> values;
  std::vector<std::int32_t> indices, offsets{0};
  for (std::int64_t i = 0; i < p.rows; ++i) {
    for (std::int64_t f = p.features; f-- > 0;) {
      const float value = p.x[i * p.features + f];
      if (value == 0) continue;
      for (int copy = values.size() % 5 == 0 ? 0 : 1; copy < 2; ++copy) {
        values.push_back(copy == 0 ? 99 : value);
        indices.push_back(std::int32_t(f));
      }
    }
    offsets.push_back(std::int32_t(values.size()));
  }
  p.sparse_rules = true;
  const Csr<float> csr{values.data(), indices.data(), offsets.data(), p.rows, p.features};
  compare(p, {nullptr, p.rows, p.features, 0, 0, csr, true}, where + " CSR");
}

void forests(SimdLevel level) {
  for (const bool with_nan : {false, true}) {
    // Few rows for large trees walk the nodes as they are; many pack them. Shallow trees end within the crown.
    for (const std::int64_t rows : {1, 2, 65, 127, 128, 129, 200, 1000}) {
      for (const int depth : {0, 1, 2, 3, 4, 5, 6, 9, 13}) {
        const int width = depth % 3 + 1 + (depth == 9 ? 4 : 0), trees = depth > 9 ? 3 : 7;
        const auto p = random_problem(rows, 5 + depth, width, trees, depth, with_nan, unsigned(rows + depth));
        compare_layouts(p, std::string(name(level)) + " rows " + std::to_string(rows) + " depth " +
                               std::to_string(depth) + " NaN " + std::to_string(with_nan));
      }
    }
    // Rows too wide to be transposed for one tree.
    compare_layouts(random_problem(300, 80, 2, 1, 6, with_nan, 3), std::string(name(level)) + " wide");
  }
  // More packed nodes than are held at a time.
  const auto many = random_problem(3000, 9, 1, 60, 15, true, 4);
  std::int64_t nodes = 0;
  for (const TestTree& tree : many.trees) nodes += std::int64_t(tree.nodes.size());
  CHECK(nodes * 16 > tree::kPackedBytes, nodes);
  compare(many, many.dense(), std::string(name(level)) + " batches");
}

void deep_tree(SimdLevel level) {
  Problem p{{staircase(5000, 1), staircase(3, 1)}, 700, 1, 1, integers<float>(700, -2600, 2600, 1)};
  p.x[5] = kNan;
  compare_layouts(p, std::string(name(level)) + " staircase");
  // Features that no block of transposed rows has room for.
  Problem wide = random_problem(3, 70000, 1, 2, 4, true, 8);
  compare_layouts(wide, std::string(name(level)) + " 70000 features");
}

void malformed(SimdLevel level) {
  for (const std::int64_t rows : {1, 500}) {
    for (const int fault : {0, 1, 2, 3, 4}) {
      Problem p = random_problem(rows, 4, 1, 2, 4, false, 1);
      std::vector<Node>& nodes = p.trees[1].nodes;
      for (float& value : p.x) value = 0;
      const std::int64_t count = std::int64_t(nodes.size());
      Node& root = nodes[0];
      root.threshold = 1;
      if (fault == 0) root.left = count;
      if (fault == 1) root.left = -5;
      if (fault == 2) root.feature = 4;
      if (fault == 3) root.feature = -2;
      if (fault == 4) root.left = 0;
      std::vector<std::int64_t> leaves(2 * rows);
      CHECK_THROWS(std::invalid_argument, find_leaves(p.forest(), p.dense(), leaves.data(), 2, nullptr),
                   "do not form a tree", name(level) << " rows " << rows << " fault " << fault);
    }
  }
}

std::thread::id caller;
int asked;
bool foreign_thread_asked;
bool note_thread() {
  ++asked;
  foreign_thread_asked = foreign_thread_asked || std::this_thread::get_id() != caller;
  return false;
}

void stops(SimdLevel level) {
  for (const std::int64_t rows : {3, 5000}) {
    const auto p = random_problem(rows, 5, 1, 20, 9, false, 2);
    std::vector<std::int64_t> leaves(20 * rows);
    CHECK(!find_leaves(p.forest(), p.dense(), leaves.data(), 1, at_once), name(level) << " rows " << rows);
    caller = std::this_thread::get_id();
    asked = 0;
    CHECK(find_leaves(p.forest(), p.dense(), leaves.data(), 1, note_thread), name(level));
    CHECK(asked > 0, name(level) << " rows " << rows);
    CHECK(find_leaves(p.forest(), p.dense(), leaves.data(), 3, note_thread), name(level));
    CHECK(!foreign_thread_asked, name(level) << " rows " << rows);
  }
  const auto p = random_problem(0, 5, 1, 2, 3, false, 2);
  CHECK(find_leaves(p.forest(), p.dense(), nullptr, 2, at_once), "no rows, nothing to stop");
}

void rounding() {
  const double next = std::nextafter(1.0, 2.0), before = std::nextafter(1.0, 0.0);
  CHECK_EQUAL(tree::round_down(1.0), 1.0f, "a float");
  CHECK_EQUAL(tree::round_down(next), 1.0f, "just above");
  CHECK_EQUAL(tree::round_down(before), std::nextafter(1.0f, 0.0f), "just below");
  CHECK_EQUAL(tree::round_down(1e300), std::numeric_limits<float>::max(), "above all floats");
  CHECK_EQUAL(tree::round_down(-1e300), -float(kInfinity), "below all floats");
  CHECK_EQUAL(tree::round_down(kInfinity), float(kInfinity), "infinity");
  CHECK_EQUAL(tree::round_down(-1e-50), -std::numeric_limits<float>::denorm_min(), "between 0 and the next");
  CHECK(std::isnan(tree::round_down(double(kNan))), "NaN");
}

void narrowing() {
  for (const std::int64_t count : {0, 1, 7, 4096, 4097, 20000}) {
    for (const int threads : {1, 2}) {
      auto wide = normals<double>(count, 3);
      std::vector<float> narrow(count);
      CHECK(tree::narrow(wide.data(), count, threads, narrow.data()), count);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < count; ++i) wrong += narrow[i] != float(wide[i]);
      CHECK_EQUAL(wrong, 0, count);
      for (const double odd : {double(kNan), kInfinity, -kInfinity, 1e39, -3.5e38}) {
        if (count == 0) continue;
        wide[count - 1] = odd;
        CHECK(!tree::narrow(wide.data(), count, threads, narrow.data()), odd << " at the end of " << count);
      }
    }
  }
}

}  // namespace

int main() {
  rounding();
  at_each_level_in_a_child([](SimdLevel level) {
    forests(level);
    deep_tree(level);
    malformed(level);
    stops(level);
    narrowing();
  });
  return check::result();
}
