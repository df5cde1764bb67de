// DBSCAN in memory proportional to the points: no list of neighbours is kept.
//
// Three passes over pairs of blocks (Ester et al., 1996, taken apart as in union-find formulations: Patwary et al.,
// 2012):
//
//   count   which points are core: what is within eps of a point is added up until it is enough
//   join    core points within eps of one another belong to one cluster
//   absorb  a point that is not core gets the lowest number among the clusters of its core neighbours
//
// The passes are over blocks of points that lie side by side (block_pairs.hpp), and look at each pair of blocks once.
// What makes them short where points are dense: a point leaves the count as soon as it is core, which is in its own
// block as a rule; and blocks whose core points are all of one cluster are never compared again with others of that
// cluster, nor are whole nodes of such blocks. So a grid's cells, all of whose points are neighbours, need no grid.
//
// The labels are scikit-learn's: clusters are numbered by their lowest core row, -1 is noise. They do not depend on the
// number of threads or the SIMD level.
#pragma once

#include <cstdint>

#include "neighbors/metric_options.hpp"
#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

class BlockPairs;

struct DbscanTask {
  double eps;
  double min_samples;
  const double* weights;  // of the rows, of any sign; nullptr for ones
  int threads;
  StopCheck stop;
};

// Which blocks points are cut into; `automatic` takes the one that is expected to be quicker. The labels are the same.
enum class DbscanRoute { automatic, leaves, tiles };

// labels[i], core[i] (0 or 1) of each row. The values are finite. sqeuclidean, euclidean, manhattan, chebyshev,
// minkowski (with any p > 0, and weights) and cosine; eps > 0. Distances are compared as sums with the sum that belongs
// to eps: squares with eps^2. Weights are added up by Neumaier's algorithm. Returns false when stopped; the output is
// then not to be used. Throws std::invalid_argument where the route does not serve the metric.
template <class T>
bool dbscan(const Rows<const T>& data, const MetricOptions& options, const DbscanTask& task, std::int64_t* labels,
            std::uint8_t* core, DbscanRoute route = DbscanRoute::automatic);

// The same over blocks that were made elsewhere, for `task.threads` threads at most.
bool dbscan_passes(BlockPairs& pairs, const DbscanTask& task, std::int64_t* labels, std::uint8_t* core);

}  // namespace fastml::neighbors
