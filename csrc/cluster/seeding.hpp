// k-means++: distances from every row to the candidates of one step (Arthur & Vassilvitskii 2007, the greedy variant).
//
// The random draws stay with the caller. Distances are computed in double and rounded to T, which is what makes the draws
// pick the same rows as scikit-learn's: it, too, computes f32 distances in double.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/model.hpp"

namespace fastml {

// Borrows the data.
template <class T>
class Seeding {
 public:
  Seeding(const KMeansData<T>& data, int threads);

  // out[t * rows + i] = squared distance between row candidates[t] and row i, at most closest[i] (nullptr: no limit).
  // `out` must not overlap `closest`. Returns false when stopped.
  bool distances(const std::int64_t* candidates, std::int64_t count, const T* closest, T* out, StopCheck stop);

  // Row as the distances see it (shift subtracted, dense).
  void row(std::int64_t index, T* out) const;

 private:
  KMeansData<T> data_;
  int threads_;
  std::vector<T> shift_;
  std::vector<double> row_norms_;  // CSR only: |x|^2
};

// For each draw, the first index whose running sum of weights[i] * closest[i] reaches it (rows - 1 where none does). Products
// and sums are rounded to T one by one, as numpy.cumsum rounds them. weights: nullptr for ones. `draws` need not be sorted.
template <class T>
void search_cumulative(const T* closest, const T* weights, std::int64_t rows, const double* draws, std::int64_t count,
                       std::int64_t* out);

}  // namespace fastml
