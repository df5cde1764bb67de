// The search for class weights that are fractions against the plain search, which adds up and evaluates split by split: of
// three features after one another the same best splits, to the bit. The plain search is asked for by a second output that
// has one class: its impurity is 0, so that all others are halved, and nothing else changes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tree/class_estimates.hpp"
#include "tree/criterion.hpp"

using namespace fastml;
using tree::Best;
using tree::Criterion;
using tree::CriterionKind;
using tree::kEstimateStep;
using tree::Key;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kFeatures = 3;

enum class Weights { uniform, wide, very_wide, thirds, of_class, small, tiny };
constexpr Weights kAllWeights[] = {Weights::uniform,  Weights::wide,  Weights::very_wide, Weights::thirds,
                                   Weights::of_class, Weights::small, Weights::tiny};

struct Problem {
  std::int64_t rows, classes;
  std::vector<float> x;
  std::vector<double> y, two, weights;
  double total = 0;
  std::vector<std::uint32_t> samples;

  Problem(std::int64_t n, std::int64_t k, Weights kind, unsigned seed) : rows(n), classes(k) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform(0.01, 1);
    std::vector<double> of_class;
    for (std::int64_t c = 0; c < classes; ++c) of_class.push_back(uniform(random));
    for (std::int64_t i = 0; i < rows; ++i) {
      const double value = normal(random);
      const bool missing = seed % 3 == 0 && random() % 5 == 0;
      x.push_back(float(value));
      x.push_back(missing ? std::numeric_limits<float>::quiet_NaN() : float(std::round(4 * normal(random))));
      x.push_back(float(random() % 40) * 4e-8f + float(random() % 3));  // neighbours that no threshold parts
      y.push_back(double(random() % 4 == 0 ? random() % unsigned(classes) : unsigned(value > 0) % unsigned(classes)));
      two.insert(two.end(), {y.back(), 0.0});
      const double draw = kind == Weights::wide        ? std::exp(3 * normal(random))
                          : kind == Weights::very_wide ? std::exp(20 * normal(random))
                          : kind == Weights::thirds    ? double(1 + random() % 3) / 3
                          : kind == Weights::of_class  ? of_class[std::size_t(y.back())]
                          : kind == Weights::small     ? 1e-75 * uniform(random)
                          : kind == Weights::tiny      ? 1e-150 * uniform(random)
                                                       : uniform(random);
      weights.push_back(draw);
      if (i % 11 != 7) {
        samples.push_back(std::uint32_t(i));
        total += draw;
      }
    }
  }
  tree::Targets one_output() const { return {y.data(), rows, 1, {classes}}; }
  tree::Targets two_outputs() const { return {two.data(), rows, 2, {classes, 1}}; }
};

bool same_place(const Best& a, const Best& b) {
  return a.feature == b.feature && a.last_left == b.last_left && a.place == b.place && a.lower == b.lower &&
         a.upper == b.upper && a.saw_missing == b.saw_missing && a.missing_left == b.missing_left;
}

bool same_sums(const tree::Sides& a, const tree::Sides& b, std::int64_t classes) {
  return a.weight_left == b.weight_left && a.weight_right == b.weight_right &&
         std::equal(a.left.begin(), a.left.begin() + classes, b.left.begin()) &&
         std::equal(a.right.begin(), a.right.begin() + classes, b.right.begin());
}

int found_splits = 0;

void compare(const Problem& problem, CriterionKind kind, bool by_sample, const tree::Limits& limits,
             const std::string& name) {
  const tree::Targets one = problem.one_output(), two = problem.two_outputs();
  const double* w = problem.weights.data();
  const auto fast = tree::make_criterion(kind, one, w, problem.samples, problem.total, by_sample);
  const auto plain = tree::make_criterion(kind, two, w, problem.samples, problem.total, by_sample);
  const std::int64_t count = std::int64_t(problem.samples.size());
  for (Criterion* criterion : {fast.get(), plain.get()}) criterion->start_node(problem.samples.data(), 0, count);
  CHECK_EQUAL(fast->weight(), plain->weight(), name);
  CHECK_EQUAL(fast->impurity(), 2 * plain->impurity(), name);

  const tree::Features features({problem.x.data(), problem.rows, kFeatures, kFeatures, 1}, tree::Encoding::ranks, 1);
  tree::Sides fast_sides = fast->sides(), plain_sides = plain->sides();
  Best fast_best, plain_best;
  for (std::int64_t index = 0; index < kFeatures; ++index) {
    const tree::RankedFeature& feature = features.ranked(index);
    std::vector<Key> present, missing;
    features.with_codes(index, [&](const auto* codes, std::int64_t stride) {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::uint32_t sample = problem.samples[i], code = codes[sample * stride];
        (code == feature.distinct ? missing : present)
            .push_back(tree::make_key(code, by_sample ? sample : std::uint32_t(i)));
      }
    });
    if (present.empty()) continue;
    std::sort(present.begin(), present.end());
    const tree::SortedFeature sorted{index,
                                     by_sample ? nullptr : problem.samples.data(),
                                     &feature,
                                     present.data(),
                                     std::int64_t(present.size()),
                                     missing.data(),
                                     std::int64_t(missing.size())};
    fast->search(sorted, limits, fast_sides, fast_best);
    plain->search(sorted, limits, plain_sides, plain_best);
    const std::string where = name + ", feature " + std::to_string(index);
    CHECK(same_place(fast_best, plain_best), where << ": proxies " << fast_best.proxy << ", " << 2 * plain_best.proxy);
    CHECK_EQUAL(fast_best.proxy, 2 * plain_best.proxy, where);
    found_splits += fast_best.feature == index;
  }

  std::vector<float> values;
  for (const std::uint32_t sample : problem.samples) values.push_back(problem.x[sample * kFeatures + 1]);
  std::vector<std::uint32_t> fast_places, plain_places;
  for (std::int64_t i = 0; i < count; ++i) fast_places.push_back(std::uint32_t(count - 1 - i));
  plain_places = fast_places;
  if (!by_sample) {
    for (const bool missing_left : {false, true}) {
      const std::int64_t fast_left = fast->divide_at(problem.samples.data(), values.data(), count, 1.5f, missing_left,
                                                     fast_places.data(), fast_sides);
      const std::int64_t plain_left = plain->divide_at(problem.samples.data(), values.data(), count, 1.5f, missing_left,
                                                       plain_places.data(), plain_sides);
      CHECK_EQUAL(fast_left, plain_left, name);
      CHECK(fast_places == plain_places, name);
      CHECK(same_sums(fast_sides, plain_sides, problem.classes), name << ", at a threshold");
    }
  }
  for (const std::int64_t left : {count / 3, count - count / 4}) {
    fast->divide(problem.samples.data(), left, count, fast_sides);
    plain->divide(problem.samples.data(), left, count, plain_sides);
    CHECK(same_sums(fast_sides, plain_sides, problem.classes), name << ", divided at " << left);
  }
}

void searches() {
  const std::int8_t monotonic[] = {1, -1, 1};
  unsigned seed = 0;
  for (const std::int64_t rows : {2, 3, 5, 9, 20, 33, 34, 70, 150, 1000}) {
    for (const std::int64_t classes : {2, 3, 12}) {
      for (const Weights kind : kAllWeights) {
        const int repeats = rows < 100 ? 6 : 2;
        for (int repeat = 0; repeat < repeats; ++repeat) {
          const Problem problem(rows, classes, kind, ++seed);
          if (problem.samples.empty()) continue;
          for (const CriterionKind criterion : {CriterionKind::gini, CriterionKind::entropy}) {
            for (const std::int64_t least : {std::int64_t(1), std::int64_t(2), rows / 4 + 1}) {
              for (const int more : {0, 1, 2}) {
                if (more == 2 && classes != 2) continue;
                const tree::Limits limits{least, more == 1 ? 0.1 * problem.total : 0.0, more == 2 ? monotonic : nullptr,
                                          -kInfinity, kInfinity};
                compare(problem, criterion, (seed + least) % 2 == 0, limits,
                        std::to_string(rows) + " rows, " + std::to_string(classes) + " classes, weights " +
                            std::to_string(int(kind)) + ", criterion " + std::to_string(int(criterion)) +
                            ", at least " + std::to_string(least) + ", limits " + std::to_string(more) + ", seed " +
                            std::to_string(seed));
              }
            }
          }
        }
      }
    }
  }
  CHECK(found_splits > 5000, "only " << found_splits << " splits were found");
}

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0.0; }

// Estimates against their formulas, split by split. Sums of squares and logarithms may be rounded otherwise.
void estimates() {
  constexpr double kInside = 1e-12;
  constexpr std::int64_t kMost = 32;
  Guarded<double> memory_0(kMost), memory_1(kMost), memory_left(kMost), memory_out(kMost);
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (std::int64_t count = kEstimateStep; count <= kMost; count += kEstimateStep) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<double> left_0, left_1, left;
      for (std::int64_t k = 0; k < count; ++k) {
        left_0.push_back(2 * uniform(random));
        left_1.push_back(3 * uniform(random));
        left.push_back(left_0.back() + left_1.back());
      }
      if (repeat % 2 == 1) left[random() % unsigned(count)] = repeat % 4 == 1 ? -1e-20 : 5.5;  // nothing on one side
      if (repeat % 3 == 1) left_0[random() % unsigned(count)] = -1e-17;
      const double *at_0 = memory_0.at_end(left_0), *at_1 = memory_1.at_end(left_1), *at = memory_left.at_end(left);
      for (const SimdLevel level : available_levels()) {
        const tree::ClassEstimateKernels& kernels = tree::class_estimate_kernels(level);
        double* const out = memory_out.at_end(count);
        const auto check = [&](const char* what, double most, const auto& formula) {
          double expected_most = -kInfinity;
          for (std::int64_t k = 0; k < count; ++k) {
            const bool both = left[k] > 0 && 5 - left[k] > 0;
            const double expected = both ? formula(k) : kInfinity;
            CHECK(out[k] == expected || std::abs(out[k] - expected) <= kInside * (1 + std::abs(expected)),
                  what << ", " << name(level) << ", " << k << " of " << count << ": " << out[k] << ", " << expected);
            expected_most = std::max(expected_most, out[k]);
          }
          CHECK_EQUAL(most, expected_most, what << ", " << name(level) << ", " << count);
        };
        const auto square = [](double x) { return x * x; };
        check("two gini", kernels.two_gini(at_0, at_1, at, count, 2, 3, 5, out), [&](std::int64_t k) {
          return (square(at_0[k]) + square(at_1[k])) / at[k] +
                 (square(2 - at_0[k]) + square(3 - at_1[k])) / (5 - at[k]);
        });
        check("two entropy", kernels.two_entropy(at_0, at_1, at, count, 2, 3, 5, out), [&](std::int64_t k) {
          return x_log_x(at_0[k]) + x_log_x(at_1[k]) - x_log_x(at[k]) + x_log_x(2 - at_0[k]) + x_log_x(3 - at_1[k]) -
                 x_log_x(5 - at[k]);
        });
        check("gini", kernels.gini(at_0, at_1, at, count, 5, 0.25, out),
              [&](std::int64_t k) { return at_0[k] / at[k] + at_1[k] / (5 - at[k]) + 0.25 / (at[k] * (5 - at[k])); });
        check("entropy", kernels.entropy(at_0, at, count, 5, out),
              [&](std::int64_t k) { return at_0[k] - x_log_x(at[k]) - x_log_x(5 - at[k]); });
        kernels.x_log_x(at_0, count, out);
        for (std::int64_t k = 0; k < count; ++k) {
          CHECK(std::abs(out[k] - x_log_x(at_0[k])) <= 1e-15, "x log x, " << name(level) << " at " << at_0[k]);
        }
      }
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) { searches(); });
  estimates();
  return check::result();
}
