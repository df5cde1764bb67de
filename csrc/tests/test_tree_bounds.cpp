// The passes of tree growing that are vectorised, at every SIMD level, against plain loops: Gini's criterion at and
// between edges of buckets, ranges of values, sums of what lies below a threshold. Memory ends where the contract says.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/simd_level.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tree/gini_bounds.hpp"
#include "tree/value_passes.hpp"

using namespace fastml;
using tree::kBoundsPadding;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kMost = 4200;

// Weights of two classes, whole: their squares are exact, so that every order of the same expression gives the same.
struct Pair {
  std::int64_t of_0, of_1;
  std::int64_t sum() const { return of_0 + of_1; }
};

// Sum of squared class weights / weight, over the sides.
double criterion(const Pair& left, const Pair& total) {
  const Pair right{total.of_0 - left.of_0, total.of_1 - left.of_1};
  if (left.sum() == 0 || right.sum() == 0) return -std::numeric_limits<double>::infinity();
  const auto side = [](const Pair& p) {
    return (double(p.of_0) * double(p.of_0) + double(p.of_1) * double(p.of_1)) / double(p.sum());
  };
  return side(left) + side(right);
}

class Bounds {
 public:
  Bounds()
      : left_(kMost + 1 + kBoundsPadding),
        left_1_(kMost + 1 + kBoundsPadding),
        edges_(kMost + 1 + kBoundsPadding),
        bounds_(kMost + 1 + kBoundsPadding) {}

  void compare(const std::vector<Pair>& buckets, bool inside, const std::string& name) {
    const std::int64_t count = std::int64_t(buckets.size()), size = count + 1 + kBoundsPadding;
    std::vector<Pair> before{{0, 0}};
    for (const Pair& bucket : buckets)
      before.push_back({before.back().of_0 + bucket.of_0, before.back().of_1 + bucket.of_1});
    const Pair total = before.back();
    double* const left = left_.at_end(size);
    double* const left_1 = left_1_.at_end(size);
    for (std::int64_t b = 0; b < size; ++b) {
      // What lies beyond the last is read, and must change nothing.
      left[b] = b <= count ? double(before[b].sum()) : double(kNan);
      left_1[b] = b <= count ? double(before[b].of_1) : -1e300;
    }
    for (const SimdLevel level : available_levels()) {
      double* const edges = edges_.at_end(size);
      double* const bounds = bounds_.at_end(size);
      std::fill(edges, edges + size, 1e99);
      std::fill(bounds, bounds + size, 1e99);
      tree::gini_bound_kernels(level).bounds(left, left_1, count, edges, bounds);
      const auto where = [&](std::int64_t b) {
        return name + ", " + fastml::name(level) + ", bucket " + std::to_string(b) + " of " + std::to_string(count);
      };
      for (std::int64_t b = 0; b <= count; ++b) CHECK_EQUAL(edges[b], criterion(before[b], total), where(b));
      for (std::int64_t b = 0; b < count; ++b) {
        const Pair low = before[b], high = before[b + 1];
        double corners = criterion(low, total);
        for (const Pair& corner : {high, Pair{low.of_0, high.of_1}, Pair{high.of_0, low.of_1}})
          corners = std::max(corners, criterion(corner, total));
        CHECK_EQUAL(bounds[b], corners, where(b));
        // The claim behind it: nothing inside of the box is better than its corners, but for rounding. Not so in a node
        // of one class, which is never split: a box from none to all of it has no corner with weight on both sides.
        const bool claimed = inside && total.of_0 > 0 && total.of_1 > 0;
        for (Pair at = low; claimed && at.of_0 <= high.of_0; ++at.of_0) {
          for (at.of_1 = low.of_1; at.of_1 <= high.of_1; ++at.of_1) {
            const double margin = 64 * std::numeric_limits<double>::epsilon() * double(total.sum());
            CHECK(criterion(at, total) <= bounds[b] + margin, where(b) << " at " << at.of_0 << ", " << at.of_1);
          }
        }
      }
    }
  }

 private:
  Guarded<double> left_, left_1_, edges_, bounds_;
};

void gini_bounds() {
  Bounds bounds;
  std::mt19937 random(1);
  const auto draw = [&](int most) { return std::int64_t(random() % unsigned(most + 1)); };
  for (std::int64_t count = 1; count <= 40; ++count) {
    for (const int most : {1, 5, 40}) {
      std::vector<Pair> some, rare, lone;
      for (std::int64_t b = 0; b < count; ++b) {
        some.push_back({draw(most), draw(most)});
        rare.push_back({draw(3) == 0 ? draw(most) : 0, draw(7) == 0});  // many buckets are empty
        lone.push_back({0, 1 + draw(most)});
      }
      lone[draw(int(count) - 1)].of_0 = 1 + draw(most);
      bounds.compare(some, true, "some");
      bounds.compare(rare, true, "rare");
      bounds.compare(lone, true, "one class in almost all");
    }
  }
  for (const std::int64_t count : {63, 64, 65, 500, 4095, 4096, 4097, int(kMost)}) {
    std::vector<Pair> buckets;
    for (std::int64_t b = 0; b < count; ++b) buckets.push_back({draw(5000), draw(5000)});  // up to 2^26 together
    bounds.compare(buckets, false, "many");
  }
}

std::vector<float> some_values(std::int64_t count, int kind, std::mt19937& random) {
  const float special[] = {0.0f, -0.0f, kNan, FLT_MAX, -FLT_MAX, FLT_MIN / 4, -FLT_MIN / 4, 1.0f};
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const float plain = std::normal_distribution<float>()(random);
    if (kind == 0) values.push_back(plain);
    if (kind == 1) values.push_back(random() % 3 == 0 ? kNan : plain);
    if (kind == 2) values.push_back(special[random() % 8]);
    if (kind == 3) values.push_back(kNan);
    if (kind == 4) values.push_back(float(int(random() % 5)) - 2);  // ties with thresholds
  }
  return values;
}

void ranges() {
  Guarded<float> memory(kMost);
  std::mt19937 random(2);
  for (std::int64_t count = 0; count <= 80; ++count) {
    for (const int kind : {0, 1, 2, 3, 4}) {
      const auto values = some_values(count, kind, random);
      const float* const at_end = memory.at_end(values);
      for (const auto& [low_before, high_before] :
           {std::pair{kInfinity, -kInfinity}, std::pair{-0.5f, 0.5f}, std::pair{1.5f, 1.25f}}) {
        float expected_low = low_before, expected_high = high_before;
        for (const float value : values) {
          if (std::isnan(value)) continue;
          expected_low = std::min(expected_low, value);
          expected_high = std::max(expected_high, value);
        }
        for (const SimdLevel level : available_levels()) {
          float low = low_before, high = high_before;
          tree::value_kernels(level).range(at_end, count, low, high);
          CHECK_EQUAL(low, expected_low, name(level) << " count " << count << " kind " << kind);
          CHECK_EQUAL(high, expected_high, name(level) << " count " << count << " kind " << kind);
        }
      }
    }
  }
  // An extreme in every place.
  for (std::int64_t at = 0; at < 70; ++at) {
    std::vector<float> values(70, 3.0f);
    values[at] = -1.0f;
    values[69 - at] = at == 35 ? values[34] : 8.0f;
    const float expected_high = *std::max_element(values.begin(), values.end());
    for (const SimdLevel level : available_levels()) {
      float low = kInfinity, high = -kInfinity;
      tree::value_kernels(level).range(memory.at_end(values), 70, low, high);
      CHECK_EQUAL(low, *std::min_element(values.begin(), values.end()), name(level) << " at " << at);
      CHECK_EQUAL(high, expected_high, name(level) << " at " << at);
    }
  }
}

void sums_below() {
  Guarded<float> value_memory(kMost);
  Guarded<std::uint64_t> item_memory(kMost);
  std::mt19937_64 items(3);
  std::mt19937 random(4);
  for (std::int64_t count = 0; count <= 80; ++count) {
    for (const int kind : {0, 1, 2, 3, 4}) {
      const auto values = some_values(count, kind, random);
      std::vector<std::uint64_t> weights(count);
      for (std::uint64_t& weight : weights) weight = items() >> 8;  // as large as sums of 80 of them can be
      const float* const value_end = value_memory.at_end(values);
      const std::uint64_t* const item_end = item_memory.at_end(weights);
      for (const float threshold : {0.0f, -0.0f, 1.0f, -0.3f, FLT_MAX, -FLT_MAX, kInfinity, -kInfinity}) {
        for (const bool missing_left : {false, true}) {
          std::uint64_t expected = 0;
          std::int64_t expected_taken = 0;
          for (std::int64_t i = 0; i < count; ++i) {
            if (std::isnan(values[i]) ? !missing_left : !(values[i] <= threshold)) continue;
            expected += weights[i];
            ++expected_taken;
          }
          for (const SimdLevel level : available_levels()) {
            std::int64_t taken = 77;
            const std::uint64_t sum =
                tree::value_kernels(level).sum_below(value_end, item_end, count, threshold, missing_left, taken);
            CHECK_EQUAL(sum, expected, name(level) << " count " << count << " kind " << kind << " at " << threshold);
            CHECK_EQUAL(taken, expected_taken,
                        name(level) << " count " << count << " kind " << kind << " at " << threshold);
          }
        }
      }
    }
  }
}

// Bars that lie between the criterion's values, so that rounding does not decide; and such as all or none reach.
void reaching() {
  Guarded<std::uint64_t> sum_memory(kMost + kBoundsPadding);
  Guarded<std::uint8_t> reach_memory(kMost + kBoundsPadding);
  std::mt19937 random(5);
  for (const std::int64_t count : {1, 2, 7, 8, 9, 31, 65, 4096}) {
    for (const std::uint32_t most : {1u, 3u, 60000u}) {
      std::vector<Pair> through;
      Pair sum{0, 0};
      for (std::int64_t i = 0; i < count; ++i) {
        if (random() % 4 != 0) sum.of_0 += random() % (most + 1), sum.of_1 += random() % (most + 1);
        through.push_back(sum);
      }
      const Pair total{sum.of_0 + std::int64_t(random() % 2), sum.of_1};  // sometimes all of the weight is on the left
      std::vector<std::uint64_t> packed(count + kBoundsPadding, ~std::uint64_t(0));
      std::vector<double> values;
      for (std::int64_t i = 0; i < count; ++i) {
        packed[i] = std::uint64_t(through[i].sum()) << 32 | std::uint64_t(through[i].of_1);
        values.push_back(criterion(through[i], total));
      }
      const std::uint64_t* const sums = sum_memory.at_end(packed);
      std::vector<double> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      std::vector<double> bars{-kInfinity, 0.0, 1e18};
      for (std::int64_t i = 1; i < count; i += std::max<std::int64_t>(count / 5, 1)) {
        if (sorted[i - 1] > 0 && sorted[i] > sorted[i - 1] * (1 + 1e-12))
          bars.push_back((sorted[i - 1] + sorted[i]) / 2);
      }
      for (const double bar : bars) {
        for (const SimdLevel level : available_levels()) {
          std::uint8_t* const reach = reach_memory.at_end(count + kBoundsPadding);
          tree::gini_bound_kernels(level).reaching(sums, count, double(total.sum()), double(total.of_1), bar, reach);
          std::int64_t wrong = 0;
          for (std::int64_t i = 0; i < count; ++i) {
            const bool parts = through[i].sum() > 0 && through[i].sum() < total.sum();
            wrong += (reach[i] != 0) != (parts && values[i] >= bar);
          }
          CHECK_EQUAL(wrong, 0, name(level) << " count " << count << " bar " << bar << " weights to " << most);
        }
      }
    }
  }
}

void means_reaching() {
  Guarded<double> sum_memory(kMost), weight_memory(kMost);
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (const std::int64_t count : {0, 1, 2, 5, 8, 13, 32, 33, 70}) {
    for (int run = 0; run < 20; ++run) {
      std::vector<double> sums, weights, values;
      double sum = 0, weight = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        sums.push_back(sum += normal(random) + 1);
        weights.push_back(weight += 0.5 + random() % 3);
      }
      const double total = sum + normal(random), total_weight = weight + 1;
      for (std::int64_t i = 0; i < count; ++i) {
        const double right = total - sums[i];
        values.push_back(sums[i] * sums[i] / weights[i] + right * right / (total_weight - weights[i]));
      }
      std::vector<double> bars{-kInfinity, 1e300};
      // Every value is once the only one to reach the bar, or the first that does not.
      for (const double value : values) bars.insert(bars.end(), {value * (1 - 1e-12), value * (1 + 1e-12)});
      for (const double bar : bars) {
        const bool expected = std::any_of(values.begin(), values.end(), [&](double value) { return value >= bar; });
        for (const SimdLevel level : available_levels()) {
          const bool found = tree::value_kernels(level).any_reaches(
              sum_memory.at_end(sums), weight_memory.at_end(weights), count, total, total_weight, bar);
          CHECK_EQUAL(found, expected, name(level) << " count " << count << " bar " << bar);
        }
      }
    }
  }
}

}  // namespace

int main() {
  gini_bounds();
  reaching();
  means_reaching();
  ranges();
  sums_below();
  return check::result();
}
