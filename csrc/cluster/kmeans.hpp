// The loops of k-means, one chunk of rows at a time: serial, allocation-free, for a driver (lloyd.cpp) to run over threads.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml {

// Bounds that let a row keep its label unseen (after Hamerly 2010, with one number a row instead of two).
//
// When row i was last compared with every centre, its gap was the distance to the second closest centre less the distance
// to the closest. Since then the closest centre has moved by at most `drift[label]` towards losing, so the label stands
// while gap > drift now - drift then. `expiry[i]` holds gap + drift then, rounded down; a row is skipped while
// expiry[i] > drift[label].
template <class T>
struct Bounds {
  T* expiry;          // rows; nullptr: compare every row and keep no bounds
  const T* drift;     // clusters: accumulated since the run began, rounded up
  bool skip;          // whether expiry holds bounds to skip by (else it is only written)
  double error_unit;  // rounding error of a squared distance is below error_unit * (|x|^2 + max |c|^2)
  T max_center_norm;  // max |c|^2
};

// Per-thread sums that a chunk adds to: for each cluster, the weighted sum of its rows, the sum of weights and the number of
// rows of non-zero weight. A row that changes its label is taken from its old cluster and added to the new one.
struct ClusterSums {
  double* sums;  // clusters x features; nullptr: no sums wanted
  double* weights;
  std::int64_t* counts;
};

struct AssignResult {
  std::int64_t changed;   // rows whose label is another than before
  std::int64_t compared;  // rows compared with every centre
};

// Labels of rows [begin, end): the centre of least |c|^2 - 2 c.x, lowest index first among equals.
template <class T>
struct AssignDense {
  Rows<const T> x;
  const T* shift;         // subtracted from each row before use (padded with zeros to a whole vector)
  const T* weights;       // rows, or nullptr for ones
  const T* centers;       // as pack_centers wrote them
  const T* center_norms;  // |c|^2 per cluster
  std::int64_t clusters;
  std::int32_t* labels;  // in: the previous label, or -1; out: the new one
  Bounds<T> bounds;
  ClusterSums sums;
  bool fresh_sums;         // add every row to its cluster rather than only moves between clusters
  T* panel;                // scratch of panel_size(features) elements
  std::int64_t* selected;  // scratch of end - begin elements
};

template <class T>
struct AssignCsr {
  Csr<T> x;
  const T* weights;
  const T* centers;  // transposed: features x stride, zero-padded
  std::int64_t stride;
  const T* center_norms;
  std::int64_t clusters;
  std::int32_t* labels;
  ClusterSums sums;
  bool fresh_sums;
  T* scores;  // scratch of `stride` elements
};

// Squared distances from the rows [begin, end) to a few candidates, computed in double and rounded to T, each at most
// closest[i] (nullptr: no limit): out[t * out_stride + i]. One pass over the rows serves all candidates.
template <class T>
struct CandidateDistances {
  Rows<const T> x;
  const T* shift;
  const double* candidates;  // as pack_centers_f64 wrote them, scaled by -2
  const double* candidate_norms;
  std::int64_t count;
  const T* closest;
  T* out;
  std::int64_t out_stride;
  double* panel;  // scratch of panel_size_f64(features) elements
};

// Euclidean distances from rows [begin, end) to every centre, computed in double: out[i * clusters + j].
template <class T>
struct CenterDistances {
  Rows<const T> x;
  const double* centers;  // as pack_centers_f64 wrote them, scaled by -2
  const double* center_norms;
  std::int64_t clusters;
  T* out;
  double* panel;
};

template <class T>
struct KMeansKernels {
  std::int64_t (*panel_size)(std::int64_t features);
  std::int64_t (*panel_size_f64)(std::int64_t features);
  // packed[...] = -2 * centers in the order the row tiles read them; `packed` takes clusters * features elements.
  void (*pack_centers)(const T* centers, std::int64_t clusters, std::int64_t features, T* packed);
  // The same in double, with |c|^2 of each centre. Norms are summed in the order of the product that they are added to, so that
  // the distance from a row to a centre equal to it is exactly zero.
  void (*pack_centers_f64)(const T* centers, std::int64_t clusters, std::int64_t features, double* packed,
                           double* norms);
  AssignResult (*assign_dense)(const AssignDense<T>&, std::int64_t begin, std::int64_t end);
  AssignResult (*assign_csr)(const AssignCsr<T>&, std::int64_t begin, std::int64_t end);
  // out[j] = max(0, row_norm + norms[j] + sum of x_f * table[f * stride + j]) for j < stride, a multiple of 16: squared
  // distances when `table` holds -2 * centres', zero-padded.
  void (*csr_distances)(const Csr<T>& x, std::int64_t row, double row_norm, const double* table, const double* norms,
                        std::int64_t stride, double* out);
  void (*candidate_distances)(const CandidateDistances<T>&, std::int64_t begin, std::int64_t end);
  void (*center_distances)(const CenterDistances<T>&, std::int64_t begin, std::int64_t end);
  // Sum of weight * |x - shift - center[label]|^2 over the rows; `each` (or nullptr) receives the unweighted terms.
  double (*inertia_dense)(Rows<const T> x, const T* shift, const T* weights, const T* centers,
                          const std::int32_t* labels, std::int64_t begin, std::int64_t end, T* each);
};

template <class T>
const KMeansKernels<T>& kmeans_kernels(SimdLevel level = active_level());

}  // namespace fastml
