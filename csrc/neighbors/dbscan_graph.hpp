// DBSCAN on distances that are given, as a matrix or as a sparse graph.
#pragma once

#include <cstdint>

#include "neighbors/dbscan.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

// Distances between rows; row i's neighbours are its entries of at most task.eps. They need not be symmetric: a cluster
// is what can be reached from its lowest core row along the rows of core points, and what an earlier cluster reached
// stays its. Weights are added up as dbscan() does. One thread walks the clusters; rows are added up by task.threads.
// Returns false when stopped.
template <class T>
bool dbscan_matrix(const Rows<const T>& distances, const DbscanTask& task, std::int64_t* labels, std::uint8_t* core);

// The entries stored in a sparse matrix, those of value 0 too; columns are within [0, rows).
template <class T, class Index>
struct DistanceGraph {
  std::int64_t rows;
  const T* values;
  const Index* columns;
  const Index* offsets;  // rows + 1
};

// Whether reading the graph stays within `stored` entries and its rows.
template <class T, class Index>
bool in_bounds(const DistanceGraph<T, Index>& graph, std::int64_t stored) {
  Index last = 0;
  for (std::int64_t i = 0; i <= graph.rows; ++i) {
    if (graph.offsets[i] < last || graph.offsets[i] > stored) return false;
    last = graph.offsets[i];
  }
  return are_indices(graph.columns + graph.offsets[0], last - graph.offsets[0], graph.rows);
}

template <class T, class Index>
bool dbscan_graph(const DistanceGraph<T, Index>& graph, const DbscanTask& task, std::int64_t* labels,
                  std::uint8_t* core);

}  // namespace fastml::neighbors
