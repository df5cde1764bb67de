// Lloyd's algorithm, with scikit-learn's order of steps and stopping rules.
//
// An iteration assigns every row to its closest centre (rows whose bounds prove that nothing can have changed are skipped),
// gives empty clusters the rows farthest from their centres, and moves each centre to the mean of its rows.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/model.hpp"

namespace fastml {

enum class LloydOutcome {
  running,         // the steps asked for were made without converging
  strict,          // no label changed
  tolerance,       // the centres moved by no more than the tolerance
  empty_clusters,  // call relocate() with rows for them, then go on
  stopped,         // the stop check said so; the run cannot go on
};

// One run from one set of initial centres at a time; the buffers serve any number of runs. Borrows the data.
// Memory: O(rows + threads * clusters * cols).
//
// `incremental`: after the first pass only rows that changed their label touch the sums, and bounds let rows be skipped. Leave
// it out for data with extreme outliers, whose leaving a cluster would leave a rounding error in its sum.
template <class T>
class Lloyd {
 public:
  Lloyd(const KMeansData<T>& data, std::int64_t clusters, int threads, bool incremental);

  void start(const T* centers);

  // Makes up to `steps` iterations. `tolerance` is compared with the sum of squared centre movements.
  LloydOutcome iterate(std::int64_t steps, double tolerance, StopCheck stop);

  // Labels for the centres as they are now. Returns false when stopped.
  bool relabel(StopCheck stop);

  // Sum of weighted squared distances from rows to centres: the current ones, or those before the last update.
  double inertia(bool previous_centers);

  // For relocate(): squared distance of each row to the centre it was last assigned to.
  std::vector<T> distances();
  std::vector<std::int64_t> empty_clusters() const;
  // rows[i] becomes the centre of the i-th empty cluster in the update that follows; no rows: leave them empty.
  void relocate(const std::int64_t* rows, std::int64_t count);

  const std::vector<T>& centers() const { return centers_; }
  const std::vector<std::int32_t>& labels() const { return labels_; }
  std::int64_t iterations() const { return iterations_; }
  double center_shift() const { return center_shift_; }
  // Rows compared with every centre, summed over all iterations (the rest was skipped).
  std::int64_t rows_compared() const { return rows_compared_; }

 private:
  bool assign(StopCheck stop, bool with_sums);
  void update();
  void choose_bounds();
  double inertia_of(const std::vector<T>& centers, T* each);

  KMeansData<T> data_;
  std::int64_t clusters_, cols_;
  Chunks chunks_;
  bool incremental_;
  std::vector<T> shift_;
  PackedCenters<T> packed_;
  std::vector<T> centers_, previous_;
  std::vector<std::int32_t> labels_;

  // Sums by label: totals, then what each thread adds in one pass, in a share of its own.
  std::vector<double> sums_, weights_;
  std::vector<std::int64_t> counts_;
  std::int64_t sums_share_, weights_share_;
  Buffer<double> thread_sums_, thread_weights_;
  Buffer<std::int64_t> thread_counts_;
  // Sums and weights with relocated rows, for one update.
  std::vector<double> moved_sums_, moved_weights_;
  bool relocated_ = false;

  std::vector<T> expiry_, drift_rounded_;
  std::vector<double> drift_;
  bool bounds_kept_ = false, bounds_valid_ = false;
  int rest_ = 0, next_rest_ = 1;

  std::int64_t panel_size_;
  Buffer<T> panels_;
  std::vector<std::int64_t> selected_;

  std::int64_t iterations_ = 0, changed_ = 0, rows_compared_ = 0;
  double center_shift_ = 0;
  bool update_pending_ = false;
};

}  // namespace fastml
