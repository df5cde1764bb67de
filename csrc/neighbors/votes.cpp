#include "neighbors/votes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fastml::neighbors {
namespace {

void add_votes(const NeighborLists& lists, std::int64_t query, const std::int64_t* labels, double* votes) {
  for (std::int64_t j = lists.offsets[query]; j < lists.offsets[query + 1]; ++j) {
    votes[labels[lists.indices[j]]] += lists.weights == nullptr ? 1.0 : lists.weights[j];
  }
}

}  // namespace

void sum_votes(const NeighborLists& lists, const std::int64_t* labels, std::int64_t classes, double* votes) {
  std::fill(votes, votes + lists.queries * classes, 0.0);
  for (std::int64_t i = 0; i < lists.queries; ++i) add_votes(lists, i, labels, votes + i * classes);
}

void most_votes(const NeighborLists& lists, const std::int64_t* labels, std::int64_t classes, std::int64_t* winners) {
  std::vector<double> votes(classes, 0.0);
  for (std::int64_t i = 0; i < lists.queries; ++i) {
    add_votes(lists, i, labels, votes.data());
    // Only the classes of the neighbours are looked at and cleared: there may be many more.
    std::int64_t winner = 0;
    double most = 0;
    for (std::int64_t j = lists.offsets[i]; j < lists.offsets[i + 1]; ++j) {
      const std::int64_t label = labels[lists.indices[j]];
      const double sum = votes[label];
      if (sum > most || (sum == most && most > 0 && label < winner)) {
        most = sum;
        winner = label;
      }
    }
    for (std::int64_t j = lists.offsets[i]; j < lists.offsets[i + 1]; ++j) votes[labels[lists.indices[j]]] = 0;
    winners[i] = winner;
  }
}

void mean_targets(const NeighborLists& lists, const double* targets, std::int64_t outputs, double* means) {
  for (std::int64_t i = 0; i < lists.queries; ++i) {
    double* mean = means + i * outputs;
    std::fill(mean, mean + outputs, 0.0);
    double total = 0;
    for (std::int64_t j = lists.offsets[i]; j < lists.offsets[i + 1]; ++j) {
      const double weight = lists.weights == nullptr ? 1.0 : lists.weights[j];
      const double* target = targets + lists.indices[j] * outputs;
      total += weight;
      for (std::int64_t o = 0; o < outputs; ++o) mean[o] += weight * target[o];
    }
    for (std::int64_t o = 0; o < outputs; ++o) mean[o] /= total;
  }
}

void inverse_distances(const std::int64_t* offsets, std::int64_t queries, const double* distances, double* weights) {
  for (std::int64_t i = 0; i < queries; ++i) {
    bool met = false;
    for (std::int64_t j = offsets[i]; j < offsets[i + 1]; ++j) {
      weights[j] = 1.0 / distances[j];
      met |= std::isinf(weights[j]);
    }
    if (!met) continue;
    for (std::int64_t j = offsets[i]; j < offsets[i + 1]; ++j) weights[j] = std::isinf(weights[j]);
  }
}

}  // namespace fastml::neighbors
