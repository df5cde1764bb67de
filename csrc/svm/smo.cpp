#include "svm/smo.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "runtime/buffer.hpp"
#include "svm/row_cache.hpp"
#include "svm/smo_kernels.hpp"
#include "svm/tuning.hpp"

namespace fastml::svm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Variables that shrinking has left over stand in front, in the places [0, active_); every array "by place" follows. Where
// LIBSVM keeps the gradient G, this keeps y G: one sign serves both labels. Variables fall into one group or, for nu, into
// one for each label, and a step stays within a group.
class Smo {
 public:
  Smo(SmoProblem& problem, KernelRows& rows, const SmoOptions& options, StopCheck stop);
  SmoSolution solve();

 private:
  struct Candidate {
    double violation;
    std::int32_t column;
  };
  struct Step {
    std::int64_t first, second;  // places
  };

  std::int64_t groups() const { return problem_.nu ? 2 : 1; }
  int group(std::int64_t variable) const { return problem_.nu && problem_.y[variable] < 0 ? 1 : 0; }
  bool at_upper(std::int64_t variable) const { return problem_.alpha[variable] >= problem_.upper[variable]; }
  bool at_lower(std::int64_t variable) const { return problem_.alpha[variable] <= 0; }
  bool is_free(std::int64_t variable) const { return !at_upper(variable) && !at_lower(variable); }

  void ask() const {
    if (stop_ != nullptr && stop_()) throw Stopped{};
  }
  void start();
  void set_bounds(std::int64_t place);
  const float* row(std::int64_t place) { return cache_->row(cache_->column(place), guess_); }
  template <class Use>
  void for_each_row(const std::vector<std::int64_t>& places, const Use& use);
  void narrow();
  void widen();
  int guess(std::int32_t missing, std::int32_t* columns, int most);
  template <class Next>
  int following(std::int32_t missing, std::int32_t* columns, int most, const Next& next) const;
  bool find_step(Step& step);
  void take(const Step& step);
  void move_pair(std::int64_t i, std::int64_t j, double row_value);
  void count_bounds();
  void rebuild_gradient();
  void shrink();
  bool to_shrink(std::int64_t place, const double* up_most, const double* low_most) const;
  void exchange(std::int64_t a, std::int64_t b);
  SmoSolution thresholds() const;

  SmoProblem& problem_;
  const SmoOptions& options_;
  StopCheck stop_;
  const SmoKernels& kernels_;
  std::int64_t variables_, active_;

  // Rows of all columns. Where they do not all fit in memory, and few variables are left over, those of the columns that are
  // left take their place: `narrow_` are the places that they have.
  KernelRows& all_rows_;
  std::unique_ptr<SampleBlock> left_block_;
  std::unique_ptr<KernelRows> left_rows_;
  std::unique_ptr<RowCache> cache_;
  std::int64_t narrow_;
  Guess guess_;
  std::vector<Candidate> guesses_;  // of each side the most violating first

  // By place.
  std::vector<std::int32_t> order_;  // the variable
  Buffer<double> gradients_, diagonal_;
  std::vector<Buffer<float>> up_, low_;  // of each group: 0 where the variable may move up or down along its label
  // The sum of y C K over variables at their upper bound, as of the last rebuilding of gradients; by variable, which of them
  // it counts.
  Buffer<double> bound_sums_;
  std::vector<char> counted_;

  Place next_first_{0, -1};  // of the next step, where the last one has found it already
  bool next_is_known_ = false;
  bool unshrunk_ = false;
};

Smo::Smo(SmoProblem& problem, KernelRows& rows, const SmoOptions& options, StopCheck stop)
    : problem_(problem),
      options_(options),
      stop_(stop),
      kernels_(smo_kernels()),
      variables_(problem.variables),
      active_(problem.variables),
      all_rows_(rows),
      narrow_(variables_),
      guess_([this](std::int32_t missing, std::int32_t* columns, int most) { return guess(missing, columns, most); }),
      order_(variables_),
      gradients_(variables_),
      diagonal_(variables_),
      bound_sums_(options.shrinking ? variables_ : 0),
      counted_(variables_) {
  for (std::int64_t g = 0; g < groups(); ++g) {
    up_.emplace_back(variables_);
    low_.emplace_back(variables_);
  }
  std::iota(order_.begin(), order_.end(), 0);
  rows.diagonal(diagonal_.data());
  std::copy_n(diagonal_.data(), variables_ - rows.columns(), diagonal_.data() + rows.columns());
  widen();
}

void Smo::set_bounds(std::int64_t place) {
  constexpr float kNo = -std::numeric_limits<float>::infinity();
  const std::int64_t v = order_[place];
  const bool may_grow = !at_upper(v), may_fall = !at_lower(v);
  for (std::int64_t g = 0; g < groups(); ++g) {
    const bool here = group(v) == g, positive = problem_.y[v] > 0;
    up_[g].data()[place] = here && (positive ? may_grow : may_fall) ? 0.0f : kNo;
    low_[g].data()[place] = here && (positive ? may_fall : may_grow) ? 0.0f : kNo;
  }
}

void Smo::start() {
  std::vector<std::int64_t> above;
  for (std::int64_t v = 0; v < variables_; ++v) {
    set_bounds(v);
    gradients_.data()[v] = problem_.y[v] * problem_.linear[v];
    if (!at_lower(v)) above.push_back(v);
  }
  for_each_row(above, [&](std::int64_t v, const float* row) {
    kernels_.add_row(gradients_.data(), row, problem_.y[v] * problem_.alpha[v], variables_);
  });
}

// Calls use(place, row) for each place in turn; rows that are missing are computed with those that come next.
template <class Use>
void Smo::for_each_row(const std::vector<std::int64_t>& places, const Use& use) {
  for (std::size_t p = 0; p < places.size(); ++p) {
    const auto coming = [&](std::int32_t missing, std::int32_t* columns, int most) {
      std::size_t next = p;
      return following(missing, columns, most,
                       [&] { return ++next < places.size() ? cache_->column(places[next]) : std::int32_t(-1); });
    };
    use(places[p], cache_->row(cache_->column(places[p]), coming));
    ask();
  }
}

// Writes columns that next() names, until it says -1: those that are not kept, each once.
template <class Next>
int Smo::following(std::int32_t missing, std::int32_t* columns, int most, const Next& next) const {
  int count = 0;
  for (std::int32_t c = next(); c >= 0 && count < most; c = next()) {
    if (c != missing && !cache_->is_kept(c) && std::find(columns, columns + count, c) == columns + count)
      columns[count++] = c;
  }
  return count;
}

// The variables that violate the conditions of the optimum most, from both sides, are those that steps are about to choose.
// Only those of one part of the columns are taken: rows are then alike in what of them is known already.
int Smo::guess(std::int32_t missing, std::int32_t* columns, int most) {
  const auto [first, last] = cache_->part_of(missing);
  guesses_.clear();
  for (int side = 0; side < 2; ++side) {
    const std::size_t begin = guesses_.size(), end = begin + (side == 0 ? most / 2 : most - most / 2);
    for (std::int64_t g = 0; begin < end && g < groups(); ++g) {
      const float* allowed = side == 0 ? up_[g].data() : low_[g].data();
      for (std::int64_t k = 0; k < active_; ++k) {
        const double violation = allowed[k] + (side == 0 ? -gradients_.data()[k] : gradients_.data()[k]);
        const bool full = guesses_.size() == end;
        if (!(violation > (full ? guesses_.back().violation : -kInfinity))) continue;
        const std::int32_t column = cache_->column(k);
        if (column < first || column >= last || cache_->is_kept(column)) continue;
        if (full) guesses_.pop_back();
        const auto place = std::upper_bound(guesses_.begin() + std::ptrdiff_t(begin), guesses_.end(), violation,
                                            [](double a, const Candidate& b) { return a > b.violation; });
        guesses_.insert(place, {violation, column});
      }
    }
  }
  std::size_t next = 0;
  return following(missing, columns, most,
                   [&] { return next < guesses_.size() ? guesses_[next++].column : std::int32_t(-1); });
}

// The next pair of variables; false where the conditions of the optimum hold to the tolerance.
bool Smo::find_step(Step& step) {
  Place first[2];
  SecondFound best{{kInfinity, -1}, -kInfinity};
  double violation = -kInfinity;
  for (std::int64_t g = 0; g < groups(); ++g) {
    first[g] = next_is_known_ ? next_first_ : kernels_.most_violating(gradients_.data(), up_[g].data(), active_);
    const std::int64_t i = first[g].index;
    if (i < 0) continue;
    const SecondFound found = kernels_.second(
        {gradients_.data(), low_[g].data(), diagonal_.data(), row(i), first[g].value, diagonal_.data()[i], active_});
    violation = std::max(violation, first[g].value + found.most);
    const bool better = found.best.value < best.best.value ||
                        (found.best.value == best.best.value && found.best.index > best.best.index);
    if (found.best.index >= 0 && better) {
      best = found;
      step = {i, found.best.index};
    }
  }
  next_is_known_ = false;
  return !(violation < options_.tolerance) && best.best.index >= 0;
}

// The optimum over two variables, clipped to their box: the sums that must stay are kept exactly where LIBSVM keeps them.
void Smo::move_pair(std::int64_t i, std::int64_t j, double row_value) {
  const std::int64_t v = order_[i], w = order_[j];
  const int yv = problem_.y[v], yw = problem_.y[w];
  double& a = problem_.alpha[v];
  double& b = problem_.alpha[w];
  const double a_most = problem_.upper[v], b_most = problem_.upper[w];
  double curvature = diagonal_.data()[i] + diagonal_.data()[j] - 2 * row_value;
  if (curvature <= 0) curvature = kLeastCurvature;
  const double gradient_a = yv * gradients_.data()[i], gradient_b = yw * gradients_.data()[j];
  if (yv != yw) {
    const double change = (-gradient_a - gradient_b) / curvature;
    const double difference = a - b;
    a += change;
    b += change;
    if (difference > 0 && b < 0) {
      b = 0;
      a = difference;
    } else if (!(difference > 0) && a < 0) {
      a = 0;
      b = -difference;
    }
    if (difference > a_most - b_most && a > a_most) {
      a = a_most;
      b = a_most - difference;
    } else if (!(difference > a_most - b_most) && b > b_most) {
      b = b_most;
      a = b_most + difference;
    }
  } else {
    const double change = (gradient_a - gradient_b) / curvature;
    const double sum = a + b;
    a -= change;
    b += change;
    if (sum > a_most && a > a_most) {
      a = a_most;
      b = sum - a_most;
    } else if (!(sum > a_most) && b < 0) {
      b = 0;
      a = sum;
    }
    if (sum > b_most && b > b_most) {
      b = b_most;
      a = sum - b_most;
    } else if (!(sum > b_most) && a < 0) {
      a = 0;
      b = sum;
    }
  }
}

void Smo::take(const Step& step) {
  const std::int64_t i = step.first, j = step.second;
  const std::int64_t v = order_[i], w = order_[j];
  const double old_a = problem_.alpha[v], old_b = problem_.alpha[w];

  const float* first = row(i);
  const float* second = row(j);
  move_pair(i, j, first[j]);
  set_bounds(i);
  set_bounds(j);
  next_first_ = kernels_.update(gradients_.data(), first, problem_.y[v] * (problem_.alpha[v] - old_a), second,
                                problem_.y[w] * (problem_.alpha[w] - old_b), up_[0].data(), active_);
  next_is_known_ = !problem_.nu;
}

// Adds the variables that have come to their upper bound since the last time to the sums, and takes out those that have left.
void Smo::count_bounds() {
  std::vector<std::int64_t> changed;
  for (std::int64_t k = 0; k < variables_; ++k) {
    if (bool(counted_[order_[k]]) != at_upper(order_[k])) changed.push_back(k);
  }
  for_each_row(changed, [&](std::int64_t k, const float* row) {
    const std::int64_t v = order_[k];
    const double share = problem_.y[v] * problem_.upper[v];
    counted_[v] = at_upper(v);
    kernels_.add_row(bound_sums_.data(), row, at_upper(v) ? share : -share, variables_);
  });
}

// Gradients of the variables that were shrunk, from those at the upper bound, whose sums are kept, and the free ones.
void Smo::rebuild_gradient() {
  next_is_known_ = false;
  if (active_ == variables_) return;
  if (narrow_ < variables_) widen();
  count_bounds();
  std::vector<std::int64_t> free;
  for (std::int64_t k = 0; k < active_; ++k) {
    if (is_free(order_[k])) free.push_back(k);
  }
  for (std::int64_t k = active_; k < variables_; ++k) {
    const std::int64_t v = order_[k];
    gradients_.data()[k] = bound_sums_.data()[k] + problem_.y[v] * problem_.linear[v];
  }
  for_each_row(free, [&](std::int64_t k, const float* row) {
    const std::int64_t v = order_[k];
    kernels_.add_row(gradients_.data() + active_, row + active_, problem_.y[v] * problem_.alpha[v],
                     variables_ - active_);
  });
  active_ = variables_;
}

// Rows of all columns, by place.
void Smo::widen() {
  std::vector<std::int32_t> columns(variables_);
  for (std::int64_t k = 0; k < variables_; ++k) columns[k] = std::int32_t(order_[k] % all_rows_.columns());
  cache_.reset();  // gives its memory back first
  cache_ = std::make_unique<RowCache>(all_rows_, std::move(columns), options_.cache_bytes);
  left_rows_.reset();
  left_block_.reset();
  narrow_ = variables_;
}

// Rows of the columns that are left alone: shorter, so that more of them are kept, and sooner computed.
void Smo::narrow() {
  std::vector<std::int32_t> renamed(all_rows_.columns(), -1), columns(active_), samples;
  for (std::int64_t k = 0; k < active_; ++k) {
    const std::int64_t column = order_[k] % all_rows_.columns();
    if (renamed[column] < 0) {
      renamed[column] = std::int32_t(samples.size());
      samples.push_back(all_rows_.sample(column));
    }
    columns[k] = renamed[column];
  }
  cache_.reset();
  left_rows_.reset();
  left_block_ = std::make_unique<SampleBlock>(all_rows_.samples(), all_rows_.norms(), std::move(samples));
  left_rows_ = std::make_unique<KernelRows>(all_rows_.samples(), all_rows_.norms(),
                                            std::vector<KernelRows::Part>{{left_block_.get()}}, all_rows_.threads());
  cache_ = std::make_unique<RowCache>(*left_rows_, std::move(columns), options_.cache_bytes);
  narrow_ = active_;
}

// Whether a variable at its bound would stay there as long as the most violating ones are those of now.
bool Smo::to_shrink(std::int64_t place, const double* up_most, const double* low_most) const {
  const std::int64_t v = order_[place];
  const int g = group(v);
  const bool upper = at_upper(v), lower = !upper && at_lower(v);
  if (!upper && !lower) return false;
  const double gradient = gradients_.data()[place];
  return (problem_.y[v] > 0) == upper ? -gradient > up_most[g] : gradient > low_most[g];
}

void Smo::exchange(std::int64_t a, std::int64_t b) {
  std::swap(order_[a], order_[b]);
  cache_->exchange(a, b);
  std::swap(gradients_.data()[a], gradients_.data()[b]);
  std::swap(diagonal_.data()[a], diagonal_.data()[b]);
  for (std::int64_t g = 0; g < groups(); ++g) {
    std::swap(up_[g].data()[a], up_[g].data()[b]);
    std::swap(low_[g].data()[a], low_[g].data()[b]);
  }
  std::swap(bound_sums_.data()[a], bound_sums_.data()[b]);
}

void Smo::shrink() {
  next_is_known_ = false;
  double up_most[2] = {-kInfinity, -kInfinity}, low_most[2] = {-kInfinity, -kInfinity};
  double violation = -kInfinity;
  for (std::int64_t g = 0; g < groups(); ++g) {
    up_most[g] = kernels_.most_violating(gradients_.data(), up_[g].data(), active_).value;
    for (std::int64_t k = 0; k < active_; ++k) {
      low_most[g] = std::max(low_most[g], low_[g].data()[k] + gradients_.data()[k]);
    }
    violation = std::max(violation, up_most[g] + low_most[g]);
  }
  if (!unshrunk_ && violation <= options_.tolerance * 10) {
    unshrunk_ = true;
    rebuild_gradient();
  }
  for (std::int64_t k = 0; k < active_; ++k) {
    if (!to_shrink(k, up_most, low_most)) continue;
    --active_;
    for (; active_ > k; --active_) {
      if (!to_shrink(active_, up_most, low_most)) {
        exchange(k, active_);
        break;
      }
    }
  }
  if (!cache_->holds_all() && active_ < kWorthNarrowing * double(narrow_)) narrow();
}

SmoSolution Smo::thresholds() const {
  double threshold[2];
  for (std::int64_t g = 0; g < groups(); ++g) {
    double least = kInfinity, most = -kInfinity, sum = 0;
    std::int64_t free = 0;
    for (std::int64_t k = 0; k < active_; ++k) {
      const std::int64_t v = order_[k];
      if (group(v) != g) continue;
      const double gradient = gradients_.data()[k];
      if (at_upper(v)) {
        (problem_.y[v] < 0 ? least : most) = problem_.y[v] < 0 ? std::min(least, gradient) : std::max(most, gradient);
      } else if (at_lower(v)) {
        (problem_.y[v] > 0 ? least : most) = problem_.y[v] > 0 ? std::min(least, gradient) : std::max(most, gradient);
      } else {
        ++free;
        sum += gradient;
      }
    }
    threshold[g] = free > 0 ? sum / double(free) : (least + most) / 2;
  }
  SmoSolution solution{};
  // With y G in place of G the second group's threshold has the other sign.
  solution.rho = problem_.nu ? (threshold[0] + threshold[1]) / 2 : threshold[0];
  solution.r = problem_.nu ? (threshold[0] - threshold[1]) / 2 : 0.0;
  for (std::int64_t k = 0; k < variables_; ++k) {
    const std::int64_t v = order_[k];
    solution.objective += problem_.alpha[v] * (problem_.y[v] * gradients_.data()[k] + problem_.linear[v]) / 2;
  }
  return solution;
}

SmoSolution Smo::solve() {
  start();
  const std::int64_t period = std::min<std::int64_t>(variables_, 1000);
  std::int64_t countdown = period + 1, n_iter = 0, computed = 0;
  bool timed_out = false;
  for (;;) {
    if (options_.max_iter != -1 && n_iter >= options_.max_iter) {
      timed_out = true;
      break;
    }
    if (--countdown == 0) {
      countdown = period;
      if (options_.shrinking) shrink();
    }
    // A batch of rows may be a hundred million multiply-adds, a step without one a few thousand.
    if (n_iter % kStepsBetweenChecks == 0 || cache_->computed() != computed) {
      ask();
      computed = cache_->computed();
    }
    Step step;
    if (!find_step(step)) {
      rebuild_gradient();
      if (!find_step(step)) break;
      countdown = 1;
    }
    ++n_iter;
    take(step);
  }
  SmoSolution solution = thresholds();
  solution.n_iter = n_iter;
  solution.timed_out = timed_out;
  return solution;
}

}  // namespace

SmoSolution minimize(SmoProblem& problem, KernelRows& rows, const SmoOptions& options, StopCheck stop) {
  return Smo(problem, rows, options, stop).solve();
}

}  // namespace fastml::svm
