#include "cluster/lloyd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/predict.hpp"
#include "cluster/tuning.hpp"

namespace fastml {

template <class T>
Lloyd<T>::Lloyd(const KMeansData<T>& data, std::int64_t clusters, int threads, bool incremental)
    : data_(data),
      clusters_(clusters),
      cols_(data.cols()),
      chunks_(data.rows(), clusters * data.cols(), threads),
      incremental_(incremental),
      shift_(padded_shift(data)),
      packed_(clusters, cols_, data.is_sparse),
      labels_(data.rows()),
      sums_(clusters * cols_),
      weights_(clusters),
      counts_(clusters),
      sums_share_(whole_lines<double>(clusters * cols_)),
      weights_share_(whole_lines<double>(clusters)),
      thread_sums_(chunks_.threads * sums_share_),
      thread_weights_(chunks_.threads * weights_share_),
      thread_counts_(chunks_.threads * weights_share_),
      drift_rounded_(clusters),
      drift_(clusters),
      panel_size_(whole_lines<T>(data.is_sparse ? packed_.stride() : kmeans_kernels<T>().panel_size(cols_))),
      panels_(chunks_.threads * panel_size_),
      selected_(data.is_sparse ? 0 : chunks_.threads * chunks_.chunk_rows) {
  data_.shift = shift_.empty() ? nullptr : shift_.data();
}

template <class T>
void Lloyd<T>::start(const T* centers) {
  centers_.assign(centers, centers + clusters_ * cols_);
  previous_ = centers_;
  std::fill(labels_.begin(), labels_.end(), -1);
  std::fill(drift_.begin(), drift_.end(), 0.0);
  iterations_ = changed_ = rows_compared_ = 0;
  center_shift_ = 0;
  bounds_kept_ = bounds_valid_ = update_pending_ = relocated_ = false;
  rest_ = 0;
  next_rest_ = 1;
  packed_.set(centers_.data());
}

// Whether the pass to come keeps bounds. The first pass never does: the centres move most right after it.
template <class T>
void Lloyd<T>::choose_bounds() {
  bounds_kept_ = incremental_ && !data_.is_sparse && clusters_ > 1 && iterations_ > 0 && rest_ == 0;
  if (rest_ > 0) --rest_;
  if (!bounds_kept_) {
    bounds_valid_ = false;
    return;
  }
  if (expiry_.empty()) expiry_.resize(data_.rows());
  for (std::int64_t j = 0; j < clusters_; ++j) {
    drift_rounded_[j] = T(drift_[j] * (1 + 4 * double(std::numeric_limits<T>::epsilon())));
  }
}

template <class T>
bool Lloyd<T>::assign(StopCheck stop, bool with_sums) {
  choose_bounds();
  const bool fresh = with_sums && (iterations_ == 0 || !incremental_);
  if (with_sums) {
    std::fill(thread_sums_.begin(), thread_sums_.end(), 0.0);
    std::fill(thread_weights_.begin(), thread_weights_.end(), 0.0);
    std::fill(thread_counts_.begin(), thread_counts_.end(), 0);
  }
  const auto& kernels = kmeans_kernels<T>();
  // Unit roundoff times twice the operations behind a squared distance: |c|^2 - 2 c.x + |x|^2, each of `cols` terms.
  const double error_unit = double(std::numeric_limits<T>::epsilon()) * double(cols_ + 4);
  const Bounds<T> bounds{bounds_kept_ ? expiry_.data() : nullptr, drift_rounded_.data(), bounds_valid_, error_unit,
                         packed_.max_norm()};
  std::int64_t changed = 0, compared = 0;
  const bool finished = for_each_chunk(chunks_, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    ClusterSums sums{nullptr, nullptr, nullptr};
    if (with_sums) {
      sums = {thread_sums_.data() + thread * sums_share_, thread_weights_.data() + thread * weights_share_,
              thread_counts_.data() + thread * weights_share_};
    }
    T* scratch = panels_.data() + thread * panel_size_;
    AssignResult result;
    if (data_.is_sparse) {
      result = kernels.assign_csr({data_.sparse, data_.weights, packed_.packed(), packed_.stride(), packed_.norms(),
                                   clusters_, labels_.data(), sums, fresh, scratch},
                                  begin, end);
    } else {
      result = kernels.assign_dense(
          {data_.dense, data_.shift, data_.weights, packed_.packed(), packed_.norms(), clusters_, labels_.data(),
           bounds, sums, fresh, scratch, selected_.data() + thread * chunks_.chunk_rows},
          begin, end);
    }
#pragma omp atomic
    changed += result.changed;
#pragma omp atomic
    compared += result.compared;
  });
  changed_ = changed;
  rows_compared_ += compared;
  if (bounds_valid_ && double(compared) > (1 - kKMeansWorthwhileSkips) * double(data_.rows())) {
    rest_ = next_rest_;
    next_rest_ = std::min(2 * next_rest_, kKMeansLongestRest);
  }
  bounds_valid_ = bounds_kept_;
  if (!finished || !with_sums) return finished;

  if (fresh) {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(weights_.begin(), weights_.end(), 0.0);
    std::fill(counts_.begin(), counts_.end(), 0);
  }
  for (int t = 0; t < chunks_.threads; ++t) {
    const double* sums = thread_sums_.data() + t * sums_share_;
    for (std::int64_t i = 0; i < clusters_ * cols_; ++i) sums_[i] += sums[i];
    for (std::int64_t j = 0; j < clusters_; ++j) {
      weights_[j] += thread_weights_.data()[t * weights_share_ + j];
      counts_[j] += thread_counts_.data()[t * weights_share_ + j];
    }
  }
  for (std::int64_t j = 0; j < clusters_; ++j) {
    if (counts_[j] != 0) continue;  // rows of weight zero do not count: scikit-learn sees an empty cluster there too
    weights_[j] = 0;
    std::fill(sums_.begin() + j * cols_, sums_.begin() + (j + 1) * cols_, 0.0);
  }
  return true;
}

template <class T>
std::vector<std::int64_t> Lloyd<T>::empty_clusters() const {
  std::vector<std::int64_t> empty;
  for (std::int64_t j = 0; j < clusters_; ++j) {
    if (weights_[j] == 0) empty.push_back(j);
  }
  return empty;
}

template <class T>
void Lloyd<T>::relocate(const std::int64_t* rows, std::int64_t count) {
  const std::vector<std::int64_t> empty = empty_clusters();
  moved_sums_ = sums_;
  moved_weights_ = weights_;
  relocated_ = true;
  const std::int64_t relocations = std::min<std::int64_t>(count, std::int64_t(empty.size()));
  for (std::int64_t i = 0; i < relocations; ++i) {
    const std::int64_t row = rows[i];
    const double weight = data_.weights ? double(data_.weights[row]) : 1.0;
    double* from = moved_sums_.data() + labels_[row] * cols_;
    double* to = moved_sums_.data() + empty[i] * cols_;
    const auto move = [&](std::int64_t f, double x) {
      from[f] -= x * weight;
      to[f] = x * weight;
    };
    if (data_.is_sparse) {
      for (std::int32_t p = data_.sparse.offsets[row]; p < data_.sparse.offsets[row + 1]; ++p) {
        move(data_.sparse.indices[p], double(data_.sparse.values[p]));
      }
    } else {
      const T* x = data_.dense.data + row * data_.dense.stride;
      for (std::int64_t f = 0; f < cols_; ++f) move(f, double(T(x[f] - (data_.shift ? data_.shift[f] : T(0)))));
    }
    moved_weights_[empty[i]] = weight;
    moved_weights_[labels_[row]] -= weight;
  }
}

// Centres become the means of their rows; an empty cluster goes to where the heaviest one is, as in scikit-learn.
template <class T>
void Lloyd<T>::update() {
  const std::vector<double>& sums = relocated_ ? moved_sums_ : sums_;
  const std::vector<double>& weights = relocated_ ? moved_weights_ : weights_;
  previous_.swap(centers_);
  const std::int64_t heaviest = std::max_element(weights.begin(), weights.end()) - weights.begin();
  for (std::int64_t j = 0; j < clusters_; ++j) {
    // scikit-learn copies the heaviest cluster's row as it stands when its turn comes: not yet divided where j is lower.
    const std::int64_t from = weights[j] > 0 ? j : heaviest;
    const bool divided = weights[j] > 0 || from < j;
    const double scale = divided && weights[from] > 0 ? 1 / weights[from] : 1.0;
    for (std::int64_t f = 0; f < cols_; ++f) centers_[j * cols_ + f] = T(sums[from * cols_ + f] * scale);
  }
  relocated_ = false;

  std::vector<double> shift(clusters_);
  double total = 0, largest = 0, second = 0;
  for (std::int64_t j = 0; j < clusters_; ++j) {
    double squared = 0;
    for (std::int64_t f = 0; f < cols_; ++f) {
      const double move = double(centers_[j * cols_ + f]) - double(previous_[j * cols_ + f]);
      squared += move * move;
    }
    total += squared;
    shift[j] = std::sqrt(squared);
    if (shift[j] > largest) {
      second = largest;
      largest = shift[j];
    } else if (shift[j] > second) {
      second = shift[j];
    }
  }
  center_shift_ = total;
  // A row's closest centre may have moved away by its own shift and another one nearer by the largest of the others.
  for (std::int64_t j = 0; j < clusters_; ++j) drift_[j] += shift[j] + (shift[j] == largest ? second : largest);
  // Two centres may share the largest shift: `second` equals it then, and the line above still holds.
  packed_.set(centers_.data());
  ++iterations_;
}

template <class T>
LloydOutcome Lloyd<T>::iterate(std::int64_t steps, double tolerance, StopCheck stop) {
  for (std::int64_t step = 0; step < steps; ++step) {
    if (!update_pending_) {
      if (!assign(stop, true)) return LloydOutcome::stopped;
      update_pending_ = true;
      for (double weight : weights_) {
        if (weight == 0) return LloydOutcome::empty_clusters;
      }
    }
    update();
    update_pending_ = false;
    if (changed_ == 0) return LloydOutcome::strict;
    if (center_shift_ <= tolerance) return LloydOutcome::tolerance;
  }
  return LloydOutcome::running;
}

template <class T>
bool Lloyd<T>::relabel(StopCheck stop) {
  return assign(stop, false);
}

template <class T>
double Lloyd<T>::inertia_of(const std::vector<T>& centers, T* each) {
  return fastml::inertia(data_, centers.data(), clusters_, labels_.data(), chunks_.threads, each);
}

template <class T>
double Lloyd<T>::inertia(bool previous_centers) {
  return inertia_of(previous_centers ? previous_ : centers_, nullptr);
}

template <class T>
std::vector<T> Lloyd<T>::distances() {
  std::vector<T> each(data_.rows());
  inertia_of(centers_, each.data());
  return each;
}

template class Lloyd<float>;
template class Lloyd<double>;

}  // namespace fastml
