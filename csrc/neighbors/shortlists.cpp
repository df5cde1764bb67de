#include "neighbors/shortlists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "neighbors/tuning.hpp"

namespace fastml::neighbors {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::int64_t capacity_of(std::int64_t k) { return 2 * k + 48; }

std::int64_t whole_lanes(std::int64_t cols) { return (cols + kExactLanes - 1) / kExactLanes * kExactLanes; }

}  // namespace

template <class T>
std::int64_t Shortlists<T>::bytes_per_query(std::int64_t k, std::int64_t cols) {
  return capacity_of(k) * std::int64_t(sizeof(Candidate)) + cols * std::int64_t(sizeof(float));
}

template <class T>
Shortlists<T>::Shortlists(const SearchOf<T>& search, const Rows<const T>& queries, std::int64_t k,
                          std::int64_t most_queries, bool within)
    : search_(search),
      kernels_(brute_kernels()),
      k_(k),
      cols_(search.data.cols),
      features_(search.screened->features()),
      capacity_(std::int32_t(capacity_of(k))),
      within_(within),
      all_queries_(queries),
      centered_(most_queries * features_),
      packed_(most_queries * features_),
      limits_(most_queries),
      lists_(most_queries),
      first_taus_(most_queries),
      screened_(most_queries),
      inverse_norms_(most_queries, 1.0),
      candidates_(most_queries * capacity_),
      sorted_(within               ? 0
              : k <= kSortedBounds ? k
              : k >= kSampledFrom  ? kSortedBounds
                                   : 0),
      best_(most_queries * sorted_),
      query_(whole_lanes(cols_)),
      scratch_(whole_lanes(std::max(cols_, features_))),
      rows_(capacity_),
      sums_(capacity_),
      compared_(capacity_) {}

template <class T>
void Shortlists<T>::set_radius(double radius, std::vector<RankedRow>* found) {
  radius_ = radius;
  found_ = found;
}

// `tau` may be rounded up, and then belongs to the limit that is made of it.
template <class T>
void Shortlists<T>::set_tau(Shortlist& list, std::int64_t i, double tau) {
  list.tau = rounded_up(tau);
  limits_.data()[i] = limit_of(double(list.tau), search_.screened->gamma(), list.offset);
}

template <class T>
void Shortlists<T>::start(std::int64_t first, std::int64_t count, std::int64_t begin, std::int64_t end) {
  const ScreenedRows<T>& screened = *search_.screened;
  const Rows<const T> queries =
      queries_ = {all_queries_.data + first * all_queries_.stride, count, cols_, all_queries_.stride};
  segment_begin_ = begin;
  segment_end_ = end;
  loaded_ = -1;
  begin_panel_ = begin / kernels_.panel_rows;
  end_panel_ = (end + kernels_.panel_rows - 1) / kernels_.panel_rows;
  const bool cosine = search_.options->metric == Metric::cosine;
  for (std::int64_t i = 0; i < queries.rows; ++i) {
    const T* query = queries.data + i * queries.stride;
    if (cosine) inverse_norms_[i] = inverse_norm_of(query, cols_);
    Shortlist& list = lists_[i];
    list = {0, kInfinity, 0, 0, candidates_.data() + i * capacity_, nullptr};
    screened_[i] = 0;
    limits_.data()[i] = 0;
    if (!screened.usable()) continue;
    const QuerySize size =
        screened.set_query(query, inverse_norms_[i], scratch_.data(), centered_.data() + i * features_);
    // The others are packed as zeros, with a limit that no row passes.
    limits_.data()[i] = -kInfinity;
    if (!size.screened) continue;
    screened_[i] = 1;
    list.offset = size.offset;
    list.margin = rounded_up(2 * screened.gamma() * size.size + size.rest + 2 * kScreenFloor);
    // Before k rows were seen: a number that makes the sum start from one of usual size.
    first_taus_[i] =
        rounded_up(within_ ? screened.score(sum_of_distance(*search_.options, radius_)) * (1 + 1e-12) : size.size);
    set_tau(list, i, double(first_taus_[i]));
    if (std::isfinite(limits_.data()[i])) continue;
    limits_.data()[i] = -kInfinity;  // a radius beyond f32
    screened_[i] = 0;
  }
  if (screened.usable()) kernels_.pack_queries(centered_.data(), queries.rows, features_, packed_.data());
  any_screened_ = std::any_of(screened_.begin(), screened_.begin() + queries.rows, [](char is) { return is != 0; });
  start_pass(is_worth_a_sample());
}

// Whether a limit from a sample may spare more than the sample costs.
template <class T>
bool Shortlists<T>::is_worth_a_sample() const {
  return any_screened_ && k_ >= kSampledFrom && !within_ && segment_end_ - segment_begin_ >= kRowsPerSampled * k_ &&
         kSamplesPerRedone * (redone_ - kFreeRedone) <= samples_;
}

// From the first panel on, with nothing known of the distances.
template <class T>
void Shortlists<T>::start_pass(bool with_sample) {
  sampling_ = provisional_ = with_sample;
  bounded_ = within_;
  next_panel_ = begin_panel_;
  // So many of the sample are expected among the k nearest that fewer than sorted_ nearly always are.
  const std::int64_t sampled = kExpectedOfSample * (segment_end_ - segment_begin_) / k_ / kernels_.panel_rows;
  panel_step_ =
      with_sample ? std::max<std::int64_t>(1, (end_panel_ - begin_panel_) / std::max<std::int64_t>(1, sampled)) : 1;
  for (std::int64_t i = 0; i < queries_.rows; ++i) {
    if (!screened_[i]) continue;
    Shortlist& list = lists_[i];
    list.count = 0;
    list.best = nullptr;
    if (with_sample || sorted_ == k_) {
      list.best = best_.data() + i * sorted_;
      std::fill(list.best, list.best + sorted_, kInfinity);
    }
    set_tau(list, i, double(first_taus_[i]));
  }
}

// The limits of a sample stand: every row is looked at with them.
template <class T>
void Shortlists<T>::end_sample() {
  sampling_ = false;
  ++samples_;
  next_panel_ = begin_panel_;
  panel_step_ = 1;
  for (std::int64_t i = 0; i < queries_.rows; ++i) {
    lists_[i].count = 0;
    lists_[i].best = nullptr;
  }
}

// Whether k rows of every query have scores of at most its tau.
template <class T>
bool Shortlists<T>::is_proven() const {
  for (std::int64_t i = 0; i < queries_.rows; ++i) {
    const Shortlist& list = lists_[i];
    if (!screened_[i]) continue;
    const float tau = list.tau;
    std::int64_t below = 0;
    for (std::int32_t c = 0; c < list.count; ++c) below += list.candidates[c].up <= tau;
    if (below < k_) return false;
  }
  return true;
}

template <class T>
bool Shortlists<T>::advance(std::int64_t work) {
  const ScreenedRows<T>& screened = *search_.screened;
  if (!any_screened_) next_panel_ = end_panel_;
  if (next_panel_ >= end_panel_ && sampling_) end_sample();
  if (next_panel_ >= end_panel_) {
    if (provisional_ && !is_proven()) {
      ++redone_;
      start_pass(false);
      return true;
    }
    for (std::int64_t i = 0; i < queries_.rows; ++i) {
      if (!screened_[i]) scan(i);
    }
    return false;
  }
  ScreenBlock block{screened.panels(),
                    screened.heads(),
                    screened.slacks(),
                    features_,
                    segment_end_,
                    segment_begin_,
                    packed_.data(),
                    queries_.rows,
                    limits_.data(),
                    lists_.data(),
                    sorted_,
                    capacity_,
                    screened.gamma(),
                    float(search_.options->p),
                    this,
                    [](void* self, std::int64_t i) { static_cast<Shortlists*>(self)->make_room(i); }};
  const std::int64_t panel_work = std::max<std::int64_t>(1, queries_.rows * kernels_.panel_rows * features_);
  std::int64_t panels = std::max<std::int64_t>(1, work / panel_work);
  // The first rows are all candidates: so many of them, in whole panels, bound the nearest.
  const bool everything = !bounded_;
  if (everything) panels = ((sampling_ ? sorted_ : k_) + kernels_.panel_rows - 1) / kernels_.panel_rows;
  if (sampling_) {
    for (; panels > 0 && next_panel_ < end_panel_; --panels, next_panel_ += panel_step_) {
      kernels_.screen(screened.screen(), everything, block, next_panel_, next_panel_ + 1);
    }
  } else {
    const std::int64_t end = std::min(end_panel_, next_panel_ + panels);
    kernels_.screen(screened.screen(), everything, block, next_panel_, end);
    next_panel_ = end;
  }
  if (everything) bound_all();
  return true;
}

// tau for the first time: the k-th least upper bound, if there are k rows.
template <class T>
void Shortlists<T>::bound_all() {
  bounded_ = true;
  for (std::int64_t i = 0; i < queries_.rows; ++i) {
    Shortlist& list = lists_[i];
    if (!screened_[i] || list.count < (sampling_ ? sorted_ : k_)) continue;
    if (list.best != nullptr) {
      set_tau(list, i, double(list.best[sorted_ - 1]));
    } else {
      list.tau = kInfinity;
      make_room(i);
    }
  }
}

template <class T>
void Shortlists<T>::make_room(std::int64_t i) {
  if (within_) return pass_on(i);
  Shortlist& list = lists_[i];
  if (sampling_) {
    list.count = 0;  // its bounds are noted
    return;
  }
  Candidate* begin = list.candidates;
  if (screened_[i] && bounded_ && list.count >= k_) {
    if (list.best == nullptr) {
      std::nth_element(begin, begin + k_ - 1, begin + list.count,
                       [](const Candidate& a, const Candidate& b) { return a.up < b.up; });
      // Bounds of later rows are not nested in those of earlier ones: tau may not rise.
      if (begin[k_ - 1].up < list.tau) set_tau(list, i, double(begin[k_ - 1].up));
    }
    const float tau = list.tau;
    list.count = std::int32_t(
        std::remove_if(begin, begin + list.count, [tau](const Candidate& c) { return c.low > tau; }) - begin);
  }
  if (list.count > k_ + (capacity_ - k_) / 2) keep_best(i);
}

// The query in double, as the exact kernels read it.
template <class T>
void Shortlists<T>::load_query(std::int64_t i) {
  if (loaded_ == i) return;
  loaded_ = i;
  const T* query = queries_.data + i * queries_.stride;
  for (std::int64_t f = 0; f < cols_; ++f) query_.data()[f] = double(query[f]) * inverse_norms_[i];
}

// compared_[0 .. count) of the candidates of query i.
template <class T>
void Shortlists<T>::compare_exactly(std::int64_t i) {
  load_query(i);
  const Shortlist& list = lists_[i];
  for (std::int32_t c = 0; c < list.count; ++c) rows_[c] = list.candidates[c].row;
  if (inverse_norms_[i] == 0) {  // of a query of zeros the cosine is 0
    std::fill(sums_.begin(), sums_.begin() + list.count, 2.0);
  } else {
    const ExactQuery<T> query{search_.data,       query_.data(),   search_.weights, search_.screened->inverse_norms(),
                              search_.options->p, search_.columns, scratch_.data()};
    exact_kernels<T>().sums(terms_of(*search_.options), query, segment_begin_, rows_.data(), list.count, sums_.data());
  }
  for (std::int32_t c = 0; c < list.count; ++c) {
    compared_[c] = {{finish_distance(*search_.options, sums_[c]), rows_[c]}, sums_[c]};
  }
}

// Compares all candidates of query i exactly and keeps the k nearest.
template <class T>
void Shortlists<T>::keep_best(std::int64_t i) {
  Shortlist& list = lists_[i];
  compare_exactly(i);
  if (list.count > k_) {
    std::nth_element(compared_.begin(), compared_.begin() + k_ - 1, compared_.begin() + list.count);
    list.count = std::int32_t(k_);
  }
  double worst = 0;
  for (std::int32_t c = 0; c < list.count; ++c) {
    const double score = search_.screened->score(compared_[c].sum);
    worst = std::max(worst, score);
    list.candidates[c] = {rounded_down(score), rounded_up(score), std::int32_t(compared_[c].neighbor.row)};
  }
  if (!screened_[i] || list.count < k_) return;
  if (list.best != nullptr) {
    for (std::int32_t c = 0; c < list.count; ++c) list.best[c] = list.candidates[c].up;
    std::sort(list.best, list.best + k_);
  }
  if (bounded_ && rounded_up(worst) < list.tau) set_tau(list, i, worst);
}

// Compares all candidates of query i exactly, appends those within the radius to what was found, and empties the list.
template <class T>
void Shortlists<T>::pass_on(std::int64_t i) {
  compare_exactly(i);
  for (std::int32_t c = 0; c < lists_[i].count; ++c) {
    const RankedRow& neighbor = compared_[c].neighbor;
    if (!is_within(*search_.options, sums_[c], neighbor.distance, radius_)) continue;
    found_[i].push_back({neighbor.distance, segment_begin_ + neighbor.row});
  }
  lists_[i].count = 0;
}

// A query that is not screened: every row is a candidate.
template <class T>
void Shortlists<T>::scan(std::int64_t i) {
  Shortlist& list = lists_[i];
  list.count = 0;
  for (std::int64_t row = segment_begin_; row < segment_end_; ++row) {
    if (list.count == capacity_) make_room(i);
    list.candidates[list.count++] = {-kInfinity, kInfinity, std::int32_t(row - segment_begin_)};
  }
}

template <class T>
void Shortlists<T>::nearest(std::int64_t i, RankedRow* part, double* distances, std::int64_t* indices) {
  Shortlist& list = lists_[i];
  if (screened_[i] && bounded_ && list.count > k_) make_room(i);
  compare_exactly(i);
  write_nearest(compared_, list.count, k_, segment_begin_, part, distances, indices);
}

template <class T>
void Shortlists<T>::finish_within() {
  for (std::int64_t i = 0; i < queries_.rows; ++i) pass_on(i);
}

template class Shortlists<float>;
template class Shortlists<double>;

}  // namespace fastml::neighbors
