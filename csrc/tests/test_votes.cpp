// Votes and means of neighbours against sums written out.
#include <cmath>
#include <limits>
#include <vector>

#include "neighbors/votes.hpp"
#include "tests/check.hpp"

using namespace fastml;
using namespace fastml::neighbors;

namespace {

// Three queries: neighbours 0, 1, 2; none; 3, 3, 1, 0.
const std::vector<std::int64_t> kOffsets{0, 3, 3, 7}, kIndices{0, 1, 2, 3, 3, 1, 0}, kLabels{2, 0, 2, 1};
const std::vector<double> kWeights{0.5, 1, 0.25, 2, 1, 3, 0.125};

NeighborLists lists(const double* weights) { return {kOffsets.data(), kIndices.data(), weights, 3}; }

void test_votes() {
  std::vector<double> votes(9, -1);
  sum_votes(lists(nullptr), kLabels.data(), 3, votes.data());
  CHECK(votes == std::vector<double>({1, 0, 2, 0, 0, 0, 1, 2, 1}), "counts");
  sum_votes(lists(kWeights.data()), kLabels.data(), 3, votes.data());
  CHECK(votes == std::vector<double>({1, 0, 0.75, 0, 0, 0, 3, 3, 0.125}), "weights");

  std::vector<std::int64_t> winners(3, -1);
  most_votes(lists(nullptr), kLabels.data(), 3, winners.data());
  CHECK(winners == std::vector<std::int64_t>({2, 0, 1}), "most");
  most_votes(lists(kWeights.data()), kLabels.data(), 3, winners.data());
  CHECK(winners == std::vector<std::int64_t>({0, 0, 0}), "the lowest of equals");
  const std::vector<double> negative(7, -1.0);
  most_votes(lists(negative.data()), kLabels.data(), 3, winners.data());
  CHECK(winners == std::vector<std::int64_t>({0, 0, 0}), "none above 0");
}

void test_means() {
  const std::vector<double> targets{1, 10, 2, 20, 3, 30, 4, 40};
  std::vector<double> means(6);
  mean_targets(lists(nullptr), targets.data(), 2, means.data());
  CHECK(means[0] == 2 && means[1] == 20 && means[4] == 2.75 && means[5] == 27.5, "means");
  CHECK(std::isnan(means[2]) && std::isnan(means[3]), "no neighbours");
  mean_targets(lists(kWeights.data()), targets.data(), 2, means.data());
  CHECK(means[0] == 3.25 / 1.75 && means[1] == 32.5 / 1.75, "weighted");
}

void test_inverse_distances() {
  const double tiny = std::numeric_limits<double>::denorm_min();
  std::vector<double> distances{1, 2, 4, 0, 3, tiny, 0.5};
  const std::vector<std::int64_t> offsets{0, 3, 3, 7};
  std::vector<double> weights(7);
  inverse_distances(offsets.data(), 3, distances.data(), weights.data());
  CHECK(weights == std::vector<double>({1, 0.5, 0.25, 1, 0, 1, 0}), "inverse");
  inverse_distances(offsets.data(), 3, distances.data(), distances.data());
  CHECK(distances == weights, "in place");
}

}  // namespace

int main() {
  test_votes();
  test_means();
  test_inverse_distances();
  return check::result();
}
