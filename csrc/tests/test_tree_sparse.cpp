// Sparse features: what is kept against the table it came from, the splits of a node against sorting all of its values, and
// trees against those grown on the same values with their zeros.
#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/grow.hpp"
#include "tree/sparse_node.hpp"

using namespace fastml;
using tree::CriterionKind;
using tree::Encoding;
using tree::Features;
using tree::GrownTree;
using tree::Node;
using tree::Options;
using tree::same_value;
using tree::SparseFeature;
using tree::SparseFeatures;
using tree::SparseMatrix;
using tree::SparseNode;
using tree::Targets;

namespace {

// The same samples as a table and as columns, which store some zeros too.
struct Sample {
  std::int64_t rows, cols;
  std::vector<float> table;  // row-major
  std::vector<float> values;
  std::vector<std::int32_t> rows_of, starts{0};

  // One value in `rarity` is not zero; values are `least` to `most`, times `unit`.
  Sample(std::int64_t rows_, std::int64_t cols_, int rarity, int least, int most, float unit, unsigned seed)
      : rows(rows_), cols(cols_), table(rows_ * cols_) {
    const auto numbers = integers<float>(rows * cols, least, most, seed);
    const auto chances = integers<int>(rows * cols, 0, rarity - 1, seed + 1);
    for (std::int64_t f = 0; f < cols; ++f) {
      for (std::int64_t i = 0; i < rows; ++i) {
        // Every seventh column is full.
        if (chances[f * rows + i] != 0 && f % 7 != 3) continue;
        table[i * cols + f] = numbers[f * rows + i] * unit;
        values.push_back(numbers[f * rows + i] * unit);
        rows_of.push_back(std::int32_t(i));
      }
      starts.push_back(std::int32_t(values.size()));
    }
  }

  SparseMatrix sparse() const {
    return {values.data(), rows_of.data(), starts.data(), rows, cols, std::int64_t(values.size())};
  }
  Features dense(bool random_splits) const {
    return Features({table.data(), rows, cols, cols, 1}, random_splits ? Encoding::values : Encoding::ranks, 1);
  }
  float at(std::int64_t i, std::int64_t f) const { return table[i * cols + f]; }
};

void matrices_are_checked() {
  const Sample sample(5, 4, 2, 1, 3, 1, 1);
  CHECK(sample.sparse().valid(), "a matrix in order");
  for (const std::int32_t row : {-1, 5}) {
    Sample spoilt = sample;
    spoilt.rows_of.back() = row;
    CHECK(!spoilt.sparse().valid(), "row " + std::to_string(row) + " of 5");
  }
  Sample twice = sample;  // column 3 is full
  twice.rows_of[twice.starts[3] + 1] = twice.rows_of[twice.starts[3]];
  CHECK(!twice.sparse().valid(), "a row twice");
  for (const std::int32_t start : {-1, 100}) {
    Sample spoilt = sample;
    spoilt.starts[2] = start;
    CHECK(!spoilt.sparse().valid(), "a column from " + std::to_string(start));
  }
  Sample late = sample;
  late.starts[0] = 1;
  CHECK(!late.sparse().valid(), "the first column not from 0");
}

void entries_are_the_values() {
  for (const bool in_order : {true, false}) {
    const Sample sample(60, 15, 3, -2, 2, 0.5f, 2);
    const SparseFeatures features(sample.sparse(), in_order);
    CHECK(features.samples() == 60 && features.count() == 15, "sizes");
    // Several threads may ask at once.
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (std::int64_t f = 0; f < sample.cols; ++f) features.put_in_order(f);
        CHECK(features.rows_pay(std::int64_t(1) << 40), "rows are made");
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::int64_t entries = 0;
    for (std::int64_t f = 0; f < sample.cols; ++f) {
      std::vector<float> column(sample.rows);
      for (std::uint32_t e = features.begin(f); e < features.end(f); ++e, ++entries) {
        CHECK(features.value(e) != 0, "zeros are not kept");
        column[features.sample(e)] = features.value(e);
        if (e == features.begin(f)) continue;
        CHECK(in_order ? features.value(e - 1) <= features.value(e) : features.sample(e - 1) < features.sample(e),
              "entries stand in order");
        if (!in_order) continue;
        const auto *before = features.by_sample() + e - 1, *here = features.by_sample() + e;
        CHECK(before->sample < here->sample && features.sample(here->entry) == here->sample, "by sample");
      }
      for (std::int64_t i = 0; i < sample.rows; ++i) CHECK(column[i] == sample.at(i, f), "the column of the table");
    }
    for (std::uint32_t i = 0; i < sample.rows; ++i) {
      std::vector<float> row(sample.cols);
      for (const auto* entry = features.row_begin(i); entry != features.row_end(i); ++entry, --entries) {
        CHECK(features.sample(entry->entry) == i, "entries of a row");
        row[entry->feature] = features.value(entry->entry);
      }
      CHECK(std::equal(row.begin(), row.end(), sample.table.begin() + i * sample.cols), "the row of the table");
    }
    CHECK(entries == 0, "as many entries in rows as in columns");
  }
}

using Splits = std::vector<std::tuple<std::int64_t, float, float>>;

Splits plain_splits(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  Splits splits;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (!same_value(values[i - 1], values[i])) splits.emplace_back(i, values[i - 1], values[i]);
  }
  return splits;
}

// `columns`: as many as the node says it will look at, which decides on how it finds its entries.
void check_splits(const Sample& sample, bool arrange, std::int64_t columns) {
  const SparseFeatures features(sample.sparse(), true);
  std::vector<std::uint32_t> samples;
  for (std::int64_t i = 0; i < sample.rows; i += 1 + (i % 5 == 0)) samples.push_back(std::uint32_t(i));
  std::vector<std::uint64_t> items(samples.begin(), samples.end());
  SparseNode node(features, samples, items.data(), arrange);
  const std::int64_t middle = std::int64_t(samples.size()) / 3;
  const std::vector<std::pair<std::int64_t, std::int64_t>> ranges{
      {0, std::int64_t(samples.size())}, {0, middle}, {middle, middle + 5}};
  for (const auto& [begin, end] : ranges) {
    node.start(begin, end, columns);
    for (std::int64_t f = 0; f < sample.cols; ++f) {
      std::vector<float> values;
      for (std::int64_t i = begin; i < end; ++i) values.push_back(sample.at(samples[i], f));
      const SparseFeature feature = node.by_value(f);
      CHECK(feature.low() == *std::min_element(values.begin(), values.end()), "the least value");
      CHECK(feature.high() == *std::max_element(values.begin(), values.end()), "the greatest value");
      Splits splits;
      feature.each_split([&](std::int64_t left, float lower, float upper) { splits.emplace_back(left, lower, upper); });
      CHECK(splits == plain_splits(values), "splits of feature " + std::to_string(f));
      if (arrange) {
        for (std::int64_t i = begin + 1; i < end; ++i) {
          CHECK(sample.at(feature.order[i - 1 - begin], f) <= sample.at(feature.order[i - begin], f), "all in order");
        }
      }
      const std::set<std::uint32_t> before(samples.begin() + begin, samples.begin() + end);
      for (const float threshold : {-1.0f, -0.25f, 0.0f, 0.25f, 1.0f}) {
        node.by_sample(f);
        const std::int64_t selected = node.select(threshold);
        const std::int64_t left = node.part(threshold);
        CHECK(left == selected, "as many go left as were counted");
        for (std::int64_t i = begin; i < end; ++i) {
          CHECK((sample.at(samples[i], f) <= threshold) == (i < begin + left), "parted by the threshold");
        }
      }
      const std::set<std::uint32_t> after(samples.begin() + begin, samples.begin() + end);
      CHECK(before == after, "the same samples");
      CHECK(std::equal(samples.begin(), samples.end(), items.begin()), "items move along");
    }
  }
}

std::string name(CriterionKind criterion) {
  const char* names[] = {"gini", "entropy", "squared error", "absolute error", "poisson"};
  return names[int(criterion)];
}

GrownTree grow(const Features& features, const Targets& targets, const double* weights, const Options& options) {
  GrownTree grown;
  CHECK(tree::grow(features, targets, weights, options, 7, 1, nullptr, grown), "not stopped");
  return grown;
}

// Sums are exact, so that the order of samples within nodes, in which the two differ, does not matter.
void check_trees(const Sample& sample, CriterionKind criterion, bool random_splits, std::int64_t max_features,
                 std::int64_t max_leaf_nodes, int weighting, std::int64_t outputs, unsigned seed) {
  const bool classes = criterion == CriterionKind::gini || criterion == CriterionKind::entropy;
  const int labels = 2 + int(seed % 2);
  const auto y = integers<double>(sample.rows * outputs, 0, classes ? labels - 1 : 9, seed);
  const auto weights = integers<double>(sample.rows, 0, 3, seed + 1);
  Targets targets{y.data(), sample.rows, outputs, {}};
  if (classes) targets.classes.assign(outputs, labels);
  Options options;
  options.criterion = criterion;
  options.random_splits = random_splits;
  options.max_depth = 1 << 20;
  options.max_features = max_features;
  options.max_leaf_nodes = max_leaf_nodes;
  options.min_samples_leaf = 1 + seed % 3;
  const double* const given = weighting ? weights.data() : nullptr;
  const Features sparse(sample.sparse(), !random_splits), dense = sample.dense(random_splits);
  const GrownTree tree = grow(sparse, targets, given, options), twin = grow(dense, targets, given, options);
  const std::string what = name(criterion) + (random_splits ? ", random" : "") + ", seed " + std::to_string(seed);
  CHECK(tree.nodes.size() == twin.nodes.size() && tree.max_depth == twin.max_depth, what + ": the shape");
  CHECK(tree.values == twin.values, what + ": values");
  CHECK(tree.nodes.size() > 2, what + ": the tree is worth looking at");
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    CHECK(std::memcmp(&tree.nodes[i], &twin.nodes[i], sizeof(Node)) == 0, what + ": node " + std::to_string(i));
  }
}

}  // namespace

int main() {
  matrices_are_checked();
  entries_are_the_values();
  for (const bool arrange : {true, false}) {
    for (const std::int64_t columns : {std::int64_t(0), std::int64_t(1) << 40}) {
      check_splits(Sample(90, 12, 4, -3, 3, 0.5f, 3), arrange, columns);
      check_splits(Sample(90, 12, 4, -3, 3, 6e-8f, 4), arrange, columns);
      check_splits(Sample(90, 12, 4, 0, 2, 0.5f, 5), arrange, columns);
      check_splits(Sample(90, 12, 4, -2, 0, 0.5f, 6), arrange, columns);
      check_splits(Sample(90, 12, 1, -2, 2, 0.5f, 7), arrange, columns);
    }
  }
  unsigned seed = 0;
  for (const CriterionKind criterion :
       {CriterionKind::gini, CriterionKind::entropy, CriterionKind::squared_error, CriterionKind::absolute_error}) {
    for (const bool random_splits : {false, true}) {
      for (const std::int64_t max_features : {2, 6, 40}) {
        for (const std::int64_t max_leaf_nodes : {-1, 12}) {
          for (const int weighting : {0, 1}) {
            ++seed;
            const Sample sample(150, 40, seed % 2 == 0 ? 3 : 12, seed % 3 == 0 ? 0 : -3, 3, 0.25f, 100 + seed);
            check_trees(sample, criterion, random_splits, max_features, max_leaf_nodes, weighting, 1 + seed % 5 / 4,
                        seed);
          }
        }
      }
    }
  }
  return check::result();
}
