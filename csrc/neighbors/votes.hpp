// What the neighbours of a query say together: votes for classes, means of targets.
#pragma once

#include <cstdint>

namespace fastml::neighbors {

// Neighbours of query i: fitted rows indices[offsets[i]] to indices[offsets[i + 1] - 1], each with its weight;
// weights == nullptr: all weigh 1.
struct NeighborLists {
  const std::int64_t* offsets;
  const std::int64_t* indices;
  const double* weights;
  std::int64_t queries;
};

// votes: queries x classes, row-major. votes[i, c] = weight of the neighbours whose label is c, added in their order.
// Labels are those of the fitted rows, from 0 to classes - 1.
void sum_votes(const NeighborLists& lists, const std::int64_t* labels, std::int64_t classes, double* votes);

// winners[i] = the class with most votes, the lowest of several; 0 where no class has more than 0.
void most_votes(const NeighborLists& lists, const std::int64_t* labels, std::int64_t classes, std::int64_t* winners);

// means: queries x outputs, row-major: of the neighbours' targets (fitted rows x outputs), weighted; NaN without any.
void mean_targets(const NeighborLists& lists, const double* targets, std::int64_t outputs, double* means);

// weights[j] = 1 / distances[j]. Where one of a query's neighbours is at no distance, such neighbours weigh 1 and the others 0.
// May work in place.
void inverse_distances(const std::int64_t* offsets, std::int64_t queries, const double* distances, double* weights);

}  // namespace fastml::neighbors
