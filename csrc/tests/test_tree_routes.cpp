// The routes of tree growing against each other: what is faster for some nodes must give the same bytes as what is
// right for all. With and without sorted lists, orders kept or found anew, exact class counts or sums of any weights,
// any number of threads, many trees at once.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/grow.hpp"
#include "tree/tuning.hpp"

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

bool never() { return false; }

Options options_for(CriterionKind criterion, std::int64_t max_features = 1) {
  Options options;
  options.criterion = criterion;
  options.max_depth = 1 << 20;
  options.max_features = max_features;
  return options;
}

std::string name(CriterionKind criterion) {
  const char* names[] = {"gini", "entropy", "squared error", "absolute error", "poisson"};
  return names[int(criterion)];
}

struct Table {
  std::int64_t rows, cols;
  std::vector<float> x;  // row-major
  Features features(Encoding encoding, int threads = 1) const {
    return Features({x.data(), rows, cols, cols, 1}, encoding, threads);
  }
};

GrownTree grow(const Features& features, const Targets& targets, const double* weights, const Options& options,
               std::uint32_t seed = 1, int threads = 1) {
  GrownTree grown;
  CHECK(tree::grow(features, targets, weights, options, seed, threads, threads == 1 ? nullptr : never, grown),
        "not stopped");
  return grown;
}

bool same_nodes(const Node& a, const Node& b) { return std::memcmp(&a, &b, sizeof(Node)) == 0; }

bool same_trees(const GrownTree& a, const GrownTree& b) {
  return a.max_depth == b.max_depth && a.values == b.values && a.nodes.size() == b.nodes.size() &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), same_nodes);
}

// Where two trees part, for messages.
std::string difference(const GrownTree& a, const GrownTree& b) {
  std::size_t i = 0;
  while (i < std::min(a.nodes.size(), b.nodes.size()) && same_nodes(a.nodes[i], b.nodes[i])) ++i;
  return std::to_string(a.nodes.size()) + " and " + std::to_string(b.nodes.size()) + " nodes, the first " +
         std::to_string(i) + " the same";
}

struct Limited {
  std::string name;
  Options options;
};

// Limits that bind in nodes of every size.
std::vector<Limited> all_limits(const Options& base, std::int64_t cols, bool constraints) {
  std::vector<Limited> all;
  const auto limit = [&](const std::string& name, const auto& change) {
    all.push_back({name, base});
    change(all.back().options);
  };
  limit("no limits", [](Options&) {});
  limit("min_samples_leaf 200", [](Options& o) { o.min_samples_leaf = 200; });
  limit("min_weight_leaf 200", [](Options& o) { o.min_weight_leaf = 200; });
  limit("best first", [](Options& o) { o.max_leaf_nodes = 100; });
  if (!constraints) return all;
  limit("increasing", [&](Options& o) { o.monotonic.assign(cols, 1); });
  limit("decreasing, min_samples_leaf 20", [&](Options& o) {
    o.monotonic.assign(cols, -1);
    o.min_samples_leaf = 20;
  });
  return all;
}

// One feature that varies and three that do not: whether one of them is looked at or all four, the splits are the same.
// With one there are no sorted lists.
Table one_of_four(std::int64_t rows, int kind, unsigned seed) {
  Table table{rows, 4, {}};
  const auto normal = normals<float>(rows, seed);
  const auto whole = integers<float>(rows, 0, 9000, seed);
  for (std::int64_t i = 0; i < rows; ++i) {
    float value = normal[i];
    if (kind == 1) value = std::exp(6 * value);  // skewed
    if (kind == 2) value = whole[i] * 4e-8f;     // neighbours that no threshold parts
    if (kind == 3 && i % 7 == 0) value = kNan;
    table.x.insert(table.x.end(), {1.0f, value, 2.0f, 2.0f});
  }
  return table;
}

enum class Labels { noise, step, rare, alternating };

// Class codes, or targets of a regression, that depend on column 1.
std::vector<double> labels(const Table& table, Labels kind, std::int64_t classes, unsigned seed) {
  const auto draws = integers<int>(table.rows, 0, 999, seed + 50);
  std::vector<double> y;
  for (std::int64_t i = 0; i < table.rows; ++i) {
    const float x = table.x[i * table.cols + 1];
    const bool high = x > 1e-4f && x < 1.5f;
    switch (kind) {
      case Labels::noise:
        y.push_back(double(draws[i] % classes));
        break;
      case Labels::step:
        y.push_back(double((draws[i] < 150 ? !high : high) + (draws[i] % 3 == 0) * (classes - 2)));
        break;
      case Labels::rare:
        y.push_back(draws[i] < 5 ? 1.0 : 0.0);
        break;
      case Labels::alternating:
        y.push_back(double(i % 2));
    }
  }
  return y;
}

void lists_or_not() {
  const std::int64_t rows = 6000;
  static_assert(tree::kMostTallies < 5000, "the samples are to have more values than are counted one by one");
  int compared = 0;
  for (const int kind : {0, 1, 2, 3}) {
    const Table table = one_of_four(rows, kind, unsigned(kind + 1));
    const Features features = table.features(Encoding::ranks);
    if (kind < 2) CHECK(features.ranked(1).distinct > 5000, kind);
    for (const bool weighted : {false, true}) {
      const auto weights = integers<double>(rows, 0, 3, 77);
      for (const Labels labelled : {Labels::noise, Labels::step, Labels::rare, Labels::alternating}) {
        for (const CriterionKind criterion :
             {CriterionKind::gini, CriterionKind::entropy, CriterionKind::squared_error}) {
          for (const std::int64_t classes : {2, 3}) {
            const auto y = labels(table, labelled, classes, unsigned(kind));
            const bool regression = criterion == CriterionKind::squared_error;
            if ((classes == 3 && regression) || (weighted && (classes == 3 || kind > 2))) continue;
            const Targets targets{y.data(), rows, 1, regression ? std::vector<std::int64_t>{} : std::vector{classes}};
            const bool constraints = classes == 2 && kind != 3;
            Options options = options_for(criterion);
            // Bottoms of trees are much the same whatever is above.
            if (kind > 0 || labelled != Labels::noise) options.max_depth = 7;
            for (const Limited& limited : all_limits(options, table.cols, constraints)) {
              Options all = limited.options;
              all.max_features = table.cols;
              const double* w = weighted ? weights.data() : nullptr;
              const GrownTree without = grow(features, targets, w, limited.options, 9);
              const GrownTree with = grow(features, targets, w, all, 9);
              CHECK(same_trees(without, with), name(criterion)
                                                   << ", " << classes << " classes, " << limited.name << ", column "
                                                   << kind << ", labels " << int(labelled) << ", weighted " << weighted
                                                   << ": " << difference(without, with));
              compared += with.nodes.size() > 10;
            }
          }
        }
      }
    }
  }
  CHECK(compared > 250, "only " << compared << " trees of more than ten nodes");
}

Table mixed(std::int64_t rows, std::int64_t cols, unsigned seed) {
  Table table{rows, cols, normals<float>(rows * cols, seed)};
  const auto draws = integers<int>(rows * cols, 0, 19, seed + 1);
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    const std::int64_t f = i % cols;
    if (f % 4 == 1) table.x[i] = std::round(2 * table.x[i]);
    if (f % 4 == 2) table.x[i] = std::round(500 * table.x[i]) * 4e-8f;
    if (f % 4 == 3 && draws[i] == 0) table.x[i] = kNan;
  }
  return table;
}

// Targets and weights whose sums depend on the order of summation.
struct Rough {
  std::vector<double> y, codes, weights;
  Rough(const Table& table, std::int64_t classes, unsigned seed)
      : y(normals<double>(table.rows, seed)), weights(normals<double>(table.rows, seed + 1)) {
    const auto noise = integers<int>(table.rows, 0, 3, seed + 2);
    for (std::int64_t i = 0; i < table.rows; ++i) {
      y[i] = std::abs(y[i] + 2 * double(table.x[i * table.cols]) + double(table.x[i * table.cols + 1])) + 0.1;
      codes.push_back(double((std::int64_t(y[i]) + (noise[i] == 0)) % classes));
      weights[i] = noise[i] == 1 ? 0.0 : std::abs(weights[i]) + 0.01;
    }
  }
  Targets targets(bool classification, std::int64_t classes) const {
    return {classification ? codes.data() : y.data(), std::int64_t(y.size()), 1,
            classification ? std::vector<std::int64_t>{classes} : std::vector<std::int64_t>{}};
  }
};

bool is_classification(CriterionKind criterion) {
  return criterion == CriterionKind::gini || criterion == CriterionKind::entropy;
}
const std::vector<CriterionKind> kCriteria{CriterionKind::gini, CriterionKind::entropy, CriterionKind::squared_error,
                                           CriterionKind::absolute_error, CriterionKind::poisson};

// The lists of a tree are sorted on their own, or taken from the order of all samples.
void ranks_or_sorted() {
  const Table table = mixed(900, 7, 3);
  const Features ranks = table.features(Encoding::ranks), sorted = table.features(Encoding::sorted);
  for (const CriterionKind criterion : kCriteria) {
    for (const std::int64_t classes : {2, 5}) {
      const Rough rough(table, classes, 4);
      const Targets targets = rough.targets(is_classification(criterion), classes);
      for (const std::int64_t max_features : {1, 3, 7}) {
        for (const bool weighted : {false, true}) {
          const double* weights = weighted ? rough.weights.data() : nullptr;
          Options options = options_for(criterion, max_features);
          options.min_samples_leaf = max_features;
          const GrownTree a = grow(ranks, targets, weights, options, 5), b = grow(sorted, targets, weights, options, 5);
          CHECK(a.nodes.size() > 50, name(criterion));
          CHECK(same_trees(a, b), name(criterion) << ", " << classes << " classes, max_features " << max_features
                                                  << ", weighted " << weighted << ": " << difference(a, b));
        }
      }
    }
  }
}

// Weights that are no whole numbers rule out exact counts. Halves of whole ones have sums that are exact nevertheless,
// so that only the weights of the nodes differ.
void counts_or_sums() {
  for (const bool missing : {false, true}) {
    Table table = mixed(1500, 4, 6);
    for (float& value : table.x) value = !missing && std::isnan(value) ? 0.0f : value;
    const auto whole = integers<double>(table.rows, 0, 4, 8);
    std::vector<double> halves;
    for (const double weight : whole) halves.push_back(weight / 2);
    for (const bool random_splits : {false, true}) {
      const Features features = table.features(random_splits ? Encoding::values : Encoding::ranks);
      for (const CriterionKind criterion : {CriterionKind::gini, CriterionKind::entropy}) {
        for (const std::int64_t classes : {2, 5}) {
          const Rough rough(table, classes, 7);
          const Targets targets = rough.targets(true, classes);
          for (const std::int64_t max_features : {1, 4}) {
            Options options = options_for(criterion, max_features);
            options.random_splits = random_splits;
            for (Limited& limited : all_limits(options, 4, classes == 2 && !missing)) {
              limited.options.min_weight_leaf /= 10;
              const GrownTree counts = grow(features, targets, whole.data(), limited.options, 11);
              limited.options.min_weight_leaf /= 2;
              GrownTree sums = grow(features, targets, halves.data(), limited.options, 11);
              for (Node& node : sums.nodes) node.weight *= 2;
              CHECK(same_trees(counts, sums), name(criterion)
                                                  << ", " << classes << " classes, " << limited.name
                                                  << ", max_features " << max_features << ", random " << random_splits
                                                  << ", missing " << missing << ": " << difference(counts, sums));
            }
          }
        }
      }
    }
  }
}

// One target has a search of its own. A second one that is always 0 changes nothing but halves the impurities.
void one_target_or_two() {
  const Table table = mixed(1200, 5, 9);
  const Features features = table.features(Encoding::ranks);
  const Rough rough(table, 2, 10);
  std::vector<double> two;
  for (const double y : rough.y) two.insert(two.end(), {y, 0.0});
  for (const bool weighted : {false, true}) {
    const double* weights = weighted ? rough.weights.data() : nullptr;
    for (const std::int64_t max_features : {1, 5}) {
      for (const Limited& limited : all_limits(options_for(CriterionKind::squared_error, max_features), 5, false)) {
        const GrownTree one = grow(features, rough.targets(false, 0), weights, limited.options, 12);
        GrownTree both = grow(features, {two.data(), table.rows, 2, {}}, weights, limited.options, 12);
        for (Node& node : both.nodes) node.impurity *= 2;
        for (std::size_t i = 0; i < both.nodes.size() && 2 * i < both.values.size(); ++i)
          both.values[i] = both.values[2 * i];
        both.values.resize(both.nodes.size());
        CHECK(same_trees(one, both), limited.name << ", max_features " << max_features << ", weighted " << weighted
                                                  << ": " << difference(one, both));
      }
    }
  }
}

// Splits that leave too few samples on the left do not count when it comes to which side is the shorter: two features part the
// samples in the same way, and how their sums were rounded decides between them.
void which_way_sums_came() {
  constexpr std::int64_t kRows = 280;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Table table{kRows, 2, {}};
    std::vector<double> y = normals<double>(kRows, seed), two;
    for (std::int64_t i = 0; i < kRows; ++i) {
      table.x.push_back(i < 165 ? 0.0f : 1.0f);
      table.x.push_back(i < 100 || i >= 150 ? float(i) : 100.0f);
      y[i] += i < 165 ? 0.0 : 10.0;
      two.insert(two.end(), {y[i], 0.0});
    }
    const Features features = table.features(Encoding::ranks);
    Options options = options_for(CriterionKind::squared_error, 2);
    options.max_depth = 1;
    options.min_samples_leaf = 110;
    const GrownTree one = grow(features, {y.data(), kRows, 1, {}}, nullptr, options, seed);
    const GrownTree both = grow(features, {two.data(), kRows, 2, {}}, nullptr, options, seed);
    CHECK_EQUAL(one.nodes[0].threshold, both.nodes[0].threshold, "seed " << seed);
  }
}

void threads() {
  const Table table = mixed(5000, 48, 13);
  static_assert(5000 * 48 >= 4 * tree::kSearchWorkPerThread, "four threads are to have work");
  const Features ranks = table.features(Encoding::ranks, 2), values = table.features(Encoding::values);
  for (const CriterionKind criterion : kCriteria) {
    for (const bool random_splits : {false, true}) {
      for (const bool best_first : {false, true}) {
        const std::int64_t classes = best_first ? 4 : 2;
        const Rough rough(table, classes, 14);
        Options options = options_for(criterion, 48);
        options.random_splits = random_splits;
        options.max_depth = criterion == CriterionKind::absolute_error ? 1 : 3;
        if (best_first) options.max_leaf_nodes = 6;
        if (best_first && (random_splits || criterion == CriterionKind::absolute_error)) continue;
        const Features& features = random_splits ? values : ranks;
        const Targets targets = rough.targets(is_classification(criterion), classes);
        const GrownTree one = grow(features, targets, nullptr, options, 15, 1);
        CHECK(one.nodes.size() > 2, name(criterion));
        for (const int count : {2, 4}) {
          const GrownTree many = grow(features, targets, nullptr, options, 15, count);
          CHECK(same_trees(one, many), name(criterion)
                                           << ", threads " << count << ", random " << random_splits << ", best first "
                                           << best_first << ": " << difference(one, many));
        }
      }
    }
  }
}

// Several trees at once, from the same features and targets.
void at_once() {
  const Table table = mixed(6000, 50, 16);
  const Features ranks = table.features(Encoding::sorted), values = table.features(Encoding::values);
  const Rough rough(table, 2, 17);
  for (const CriterionKind criterion : {CriterionKind::gini, CriterionKind::entropy, CriterionKind::squared_error}) {
    const Targets targets = rough.targets(is_classification(criterion), 2);
    for (const int route : {0, 1, 2}) {
      Options options = options_for(criterion, route == 0 ? 3 : 50);
      options.random_splits = route == 2;
      options.max_depth = route == 1 ? 3 : 8;
      const Features& features = options.random_splits ? values : ranks;
      constexpr int kTrees = 4;
      std::vector<GrownTree> expected, found(kTrees);
      for (int t = 0; t < kTrees; ++t)
        expected.push_back(grow(features, targets, nullptr, options, 18 + std::uint32_t(t)));
      std::vector<std::thread> workers;
      for (int t = 0; t < kTrees; ++t) {
        workers.emplace_back(
            [&, t] { tree::grow(features, targets, nullptr, options, 18 + std::uint32_t(t), 2, nullptr, found[t]); });
      }
      for (std::thread& worker : workers) worker.join();
      for (int t = 0; t < kTrees; ++t) {
        CHECK(same_trees(expected[t], found[t]),
              name(criterion) << ", route " << route << ", tree " << t << ": " << difference(expected[t], found[t]));
      }
      if (route != 1) CHECK(!same_trees(expected[0], expected[1]), name(criterion) << ", the seed tells");
    }
  }
}

std::thread::id caller;
int asked, stop_at;
bool foreign_thread_asked;
bool count_questions() {
  foreign_thread_asked = foreign_thread_asked || std::this_thread::get_id() != caller;
  return ++asked == stop_at;
}

void stops() {
  const Table table = mixed(6000, 48, 19);
  static_assert(6000 * 48 >= 2 * tree::kSearchWorkPerThread, "two threads are to have work");
  const Features ranks = table.features(Encoding::ranks), values = table.features(Encoding::values);
  const Rough rough(table, 2, 20);
  caller = std::this_thread::get_id();
  for (const int route : {0, 1, 2, 3, 4}) {
    const bool random_splits = route == 2;
    Options options =
        options_for(route == 4 ? CriterionKind::squared_error : CriterionKind::gini, route == 0 ? 15 : 48);
    options.random_splits = random_splits;
    options.max_depth = 25;
    if (route == 3) options.max_leaf_nodes = 100;
    const Features& features = random_splits ? values : ranks;
    const Targets targets = rough.targets(route != 4, 2);
    for (const int count : {1, 2}) {
      GrownTree whole;
      asked = 0;
      stop_at = 0;
      CHECK(tree::grow(features, targets, nullptr, options, 21, count, count_questions, whole), "route " << route);
      const int questions = asked;
      CHECK(questions >= 1, "route " << route << ", threads " << count << " asked " << questions);
      // With several threads it depends on their shares how often is asked.
      for (const int at : count == 1 ? std::vector<int>{1, questions} : std::vector<int>{1}) {
        GrownTree part;
        asked = 0;
        stop_at = at;
        CHECK(!tree::grow(features, targets, nullptr, options, 21, count, count_questions, part),
              "route " << route << ", threads " << count << ", at " << at << " of " << questions);
        CHECK_EQUAL(asked, at, "route " << route << ", threads " << count);
      }
    }
  }
  CHECK(!foreign_thread_asked, "only the calling thread asks");
}

}  // namespace

int main() {
  lists_or_not();
  ranks_or_sorted();
  counts_or_sums();
  one_target_or_two();
  which_way_sums_came();
  threads();
  at_once();
  stops();
  return check::result();
}
