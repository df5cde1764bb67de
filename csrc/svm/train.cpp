#include "svm/train.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <numeric>
#include <thread>

#include "runtime/block_pool.hpp"
#include "svm/folds.hpp"
#include "svm/platt.hpp"
#include "svm/problems.hpp"
#include "svm/tuning.hpp"

namespace fastml::svm {
namespace {

// Only the calling thread may be asked whether to stop. The others of its team look at whether it was told to.
thread_local const std::atomic<bool>* team_failed = nullptr;

bool stopped_with_team() { return team_failed->load(std::memory_order_relaxed); }

// Calls run(task, stop) for all tasks on a team of threads, `stop` being what the thread may ask; what one of them throws
// stops the others and is thrown again.
template <class Run>
void run_all(std::int64_t tasks, int team, StopCheck stop, const Run& run) {
  std::atomic<std::int64_t> next{0};
  std::atomic<int> others{0};  // at work; fewer than the team has, where OpenMP gives fewer threads
  std::atomic<bool> failed{false};
  std::exception_ptr error;
#pragma omp parallel for num_threads(team) schedule(static, 1) if (team > 1)
  for (int thread = 0; thread < team; ++thread) {
    if (thread != 0) {
      ++others;
      team_failed = &failed;
    }
    try {
      for (std::int64_t task = next++; task < tasks && !failed; task = next++)
        run(task, thread == 0 ? stop : &stopped_with_team);
      // Goes on asking while others are at work: the last task may take long.
      for (int looks = 0; thread == 0 && team > 1 && stop != nullptr; ++looks) {
        if (stop()) throw Stopped{};
        if (others == 0) break;
        if (looks < kLooksWithoutSleep)
          std::this_thread::yield();
        else
          std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    } catch (...) {
#pragma omp critical(fastml_svm_error)
      if (!failed.exchange(true)) error = std::current_exception();
    }
    if (thread != 0) --others;
  }
  if (error) std::rethrow_exception(error);
}

void add_problem(const Solved& solved, TrainedMachine& machine) {
  machine.intercepts.push_back(-solved.rho);
  machine.n_iter.push_back(std::int32_t(solved.n_iter));
  machine.objectives.push_back(solved.objective);
  machine.problem_support.push_back(
      std::count_if(solved.coefficients.begin(), solved.coefficients.end(), [](double c) { return std::fabs(c) > 0; }));
  machine.problem_bounded.push_back(solved.at_bound);
  machine.timed_out = machine.timed_out || solved.timed_out;
}

// Training on the samples of positive weight.
class Training {
 public:
  Training(const TrainingSet& set, const TrainOptions& options, StopCheck stop)
      : set_(set), options_(options), stop_(stop), norms_(set.samples) {
    for (std::int64_t i = 0; i < set.samples.count(); ++i) {
      if (set.weights[i] > 0) kept_.push_back(std::int32_t(i));
    }
  }

  TrainedMachine classify();
  TrainedMachine single();

 private:
  struct Pair {
    std::int64_t first, second;            // classes among those that have samples
    std::vector<std::int32_t> fold_order;  // with probabilities
  };

  void group();
  std::vector<Pair> pairs() const;
  double bound(std::int32_t sample) const;
  std::vector<double> bounds(const std::vector<std::int32_t>& samples) const;
  Sigmoid sigmoid(const Pair& pair, const TrainOptions& options, StopCheck stop, bool& timed_out) const;
  bool solve_fold(const std::vector<std::int32_t>& fitted, std::int64_t negatives,
                  const std::vector<std::int32_t>& held_out, const TrainOptions& options, StopCheck stop,
                  double* decisions) const;
  void collect(const std::vector<Pair>& pairs, const std::vector<Solved>& solved, TrainedMachine& machine) const;

  const TrainingSet& set_;
  const TrainOptions& options_;
  StopCheck stop_;
  SampleNorms norms_;
  std::vector<std::int32_t> kept_;
  std::vector<std::vector<std::int32_t>> members_;  // of each class that has samples
};

void Training::group() {
  std::vector<std::vector<std::int32_t>> all(set_.classes);
  for (const std::int32_t sample : kept_) all[std::int64_t(set_.targets[sample])].push_back(sample);
  for (std::vector<std::int32_t>& members : all) {
    if (!members.empty()) members_.push_back(std::move(members));
  }
}

double Training::bound(std::int32_t sample) const {
  const double weight = set_.weights[sample];
  if (options_.machine == Machine::nu_svc) return weight;
  return weight * (options_.c * set_.class_weights[std::int64_t(set_.targets[sample])]);
}

std::vector<double> Training::bounds(const std::vector<std::int32_t>& samples) const {
  std::vector<double> bounds;
  for (const std::int32_t sample : samples) bounds.push_back(bound(sample));
  return bounds;
}

// Fold f of `count` shuffled samples is [begin, end).
std::pair<std::int64_t, std::int64_t> fold_of(std::int64_t count, int f) {
  return {f * count / kFolds, (f + 1) * count / kFolds};
}

// All pairs, and the order in which the folds of each are drawn. LIBSVM seeds its generator again whenever it trains, so
// that a pair goes on from another's numbers only where none of that one's folds had two classes to be trained on.
std::vector<Training::Pair> Training::pairs() const {
  std::vector<Pair> pairs;
  std::mt19937 generator(options_.seed);
  const std::int64_t classes = std::int64_t(members_.size());
  for (std::int64_t i = 0; i < classes; ++i) {
    for (std::int64_t j = i + 1; j < classes; ++j) {
      pairs.push_back({i, j, {}});
      if (!options_.probability) continue;
      const std::int64_t first = std::int64_t(members_[i].size()), count = first + std::int64_t(members_[j].size());
      std::vector<std::int32_t>& order = pairs.back().fold_order;
      order = random_order(generator, std::int32_t(count));
      bool trains = false;
      for (int f = 0; f < kFolds; ++f) {
        const auto [begin, end] = fold_of(count, f);
        const std::int64_t held = std::count_if(order.begin() + begin, order.begin() + end,
                                                [first = first](std::int32_t k) { return k < first; });
        trains = trains || (held < first && end - begin - held < count - first);
      }
      if (trains) generator.seed(options_.seed);
    }
  }
  return pairs;
}

TrainedMachine Training::classify() {
  group();
  const std::vector<Pair> all = pairs();
  const std::int64_t count = std::int64_t(all.size());
  const int team = int(std::clamp<std::int64_t>(count, 1, options_.threads));
  TrainOptions each = options_;
  each.threads = std::max(1, options_.threads / team);

  // What rows have in the columns of their own class is shared by all pairs, where there are several.
  const std::int64_t classes = std::int64_t(members_.size());
  const bool share = classes > 2 && !set_.samples.is_given();
  const std::int64_t own_bytes = share ? std::int64_t(kShareOfOwnRows * double(options_.smo.cache_bytes)) : 0;
  each.smo.cache_bytes = (options_.smo.cache_bytes - own_bytes) / team;
  std::vector<std::unique_ptr<SampleBlock>> blocks(classes);
  std::vector<std::unique_ptr<OwnRows>> own(classes);
  run_all(classes, team, stop_, [&](std::int64_t c, StopCheck) {
    blocks[c] = std::make_unique<SampleBlock>(set_.samples, norms_, members_[c]);
    if (share) own[c] = std::make_unique<OwnRows>(blocks[c]->count(), own_bytes / classes);
  });
  // The largest first, so that threads end together.
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), std::int64_t(0));
  const auto size = [&](std::int64_t p) { return members_[all[p].first].size() + members_[all[p].second].size(); };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t p, std::int64_t q) { return size(p) > size(q); });

  std::vector<Solved> solved(count);
  std::vector<Sigmoid> sigmoids(options_.probability ? count : 0);
  run_all(count, team, stop_, [&](std::int64_t task, StopCheck stop) {
    const std::int64_t p = order[task];
    bool fold_timed_out = false;
    const Pair& pair = all[p];
    if (options_.probability) sigmoids[p] = sigmoid(pair, each, stop, fold_timed_out);
    const SampleBlock &first = *blocks[pair.first], &second = *blocks[pair.second];
    KernelRows rows(set_.samples, norms_, {{&first, own[pair.first].get()}, {&second, own[pair.second].get()}},
                    each.threads);
    std::vector<std::int32_t> both = first.rows();
    both.insert(both.end(), second.rows().begin(), second.rows().end());
    solved[p] = solve_two_classes(rows, first.count(), bounds(both), each, stop);
    solved[p].timed_out = solved[p].timed_out || fold_timed_out;
  });

  TrainedMachine machine{};
  machine.present_classes = std::int64_t(members_.size());
  for (const Solved& one : solved) add_problem(one, machine);
  for (const Sigmoid& one : sigmoids) {
    machine.sigmoid_a.push_back(one.a);
    machine.sigmoid_b.push_back(one.b);
  }
  collect(all, solved, machine);
  return machine;
}

// The sigmoid of a pair, from decisions on folds that were left out of training.
Sigmoid Training::sigmoid(const Pair& pair, const TrainOptions& options, StopCheck stop, bool& timed_out) const {
  const std::vector<std::int32_t>&positives = members_[pair.first], &negatives = members_[pair.second];
  const std::int64_t first = std::int64_t(positives.size()), count = first + std::int64_t(negatives.size());
  std::vector<double> decisions(count), labels(count, -1.0);
  std::fill_n(labels.begin(), first, 1.0);
  for (int f = 0; f < kFolds; ++f) {
    const auto [begin, end] = fold_of(count, f);
    std::vector<std::int32_t> fitted[2], held_out;  // the second class comes first, as its label is the lower
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int32_t place = pair.fold_order[k];
      const std::int32_t sample = place < first ? positives[place] : negatives[place - first];
      if (k >= begin && k < end) {
        held_out.push_back(sample);
      } else {
        fitted[place < first].push_back(sample);
      }
    }
    std::vector<double> values(held_out.size(), fitted[0].empty() ? 1.0 : -1.0);
    if (!fitted[0].empty() && !fitted[1].empty()) {
      const std::int64_t n_negative = std::int64_t(fitted[0].size());
      fitted[0].insert(fitted[0].end(), fitted[1].begin(), fitted[1].end());
      timed_out = solve_fold(fitted[0], n_negative, held_out, options, stop, values.data()) || timed_out;
    } else if (fitted[0].empty() && fitted[1].empty()) {
      std::fill(values.begin(), values.end(), 0.0);
    }
    for (std::size_t k = 0; k < values.size(); ++k) decisions[pair.fold_order[begin + std::int64_t(k)]] = values[k];
  }
  return fit_sigmoid(decisions.data(), labels.data(), count);
}

// Returns whether max_iter was reached.
bool Training::solve_fold(const std::vector<std::int32_t>& fitted, std::int64_t negatives,
                          const std::vector<std::int32_t>& held_out, const TrainOptions& options, StopCheck stop,
                          double* decisions) const {
  const SampleBlock block(set_.samples, norms_, fitted);
  KernelRows rows(set_.samples, norms_, {{&block}}, options.threads);
  const Solved solved = solve_two_classes(rows, negatives, bounds(fitted), options, stop);
  const std::int64_t columns = rows.columns();
  Buffer<double> values(rows.batch() * columns);
  std::vector<double*> to;
  for (int i = 0; i < rows.batch(); ++i) to.push_back(values.data() + i * columns);
  for (std::size_t done = 0; done < held_out.size(); done += std::size_t(rows.batch())) {
    if (stop != nullptr && stop()) throw Stopped{};
    const int count = int(std::min<std::size_t>(std::size_t(rows.batch()), held_out.size() - done));
    rows.compute_for(held_out.data() + done, count, to.data());
    for (int i = 0; i < count; ++i) {
      double sum = 0;
      for (std::int64_t c = 0; c < columns; ++c) {
        if (solved.coefficients[c] != 0) sum += solved.coefficients[c] * to[i][c];
      }
      decisions[done + std::size_t(i)] = -(sum - solved.rho);
    }
  }
  return solved.timed_out;
}

// Support vectors are samples that have a coefficient in any pair. That of pair (i, j) lies in row j - 1 for those of class
// i and in row i for those of class j.
void Training::collect(const std::vector<Pair>& pairs, const std::vector<Solved>& solved,
                       TrainedMachine& machine) const {
  const std::int64_t classes = std::int64_t(members_.size());
  std::vector<std::vector<bool>> is_support;
  for (const auto& members : members_) is_support.emplace_back(members.size());
  const auto each = [&](std::int64_t p, const auto& visit) {  // visit(class, member, row, coefficient)
    const Pair& pair = pairs[p];
    const std::int64_t first = std::int64_t(members_[pair.first].size());
    for (std::int64_t c = 0; c < std::int64_t(solved[p].coefficients.size()); ++c) {
      const double coefficient = solved[p].coefficients[c];
      if (c < first) {
        visit(pair.first, c, pair.second - 1, coefficient);
      } else {
        visit(pair.second, c - first, pair.first, coefficient);
      }
    }
  };
  for (std::int64_t p = 0; p < std::int64_t(pairs.size()); ++p) {
    each(p, [&](std::int64_t c, std::int64_t member, std::int64_t, double coefficient) {
      if (std::fabs(coefficient) > 0) is_support[c][member] = true;
    });
  }
  std::vector<std::vector<std::int64_t>> place;  // of each member among the support vectors
  for (std::int64_t c = 0; c < classes; ++c) {
    const std::size_t before = machine.support.size();
    place.emplace_back();
    for (std::size_t m = 0; m < members_[c].size(); ++m) {
      place[c].push_back(std::int64_t(machine.support.size()));
      if (is_support[c][m]) machine.support.push_back(members_[c][m]);
    }
    machine.n_support.push_back(std::int32_t(machine.support.size() - before));
  }
  const std::int64_t count = std::int64_t(machine.support.size());
  machine.coefficients.assign(std::max<std::int64_t>(0, classes - 1) * count, 0.0);
  for (std::int64_t p = 0; p < std::int64_t(pairs.size()); ++p) {
    each(p, [&](std::int64_t c, std::int64_t member, std::int64_t row, double coefficient) {
      if (is_support[c][member]) machine.coefficients[row * count + place[c][member]] = coefficient;
    });
  }
}

TrainedMachine Training::single() {
  const SampleBlock block(set_.samples, norms_, kept_);
  KernelRows rows(set_.samples, norms_, {{&block}}, options_.threads);
  std::vector<double> weights, targets;
  for (const std::int32_t sample : kept_) {
    weights.push_back(set_.weights[sample]);
    if (options_.machine != Machine::one_class) targets.push_back(set_.targets[sample]);
  }
  const Solved solved = options_.machine == Machine::one_class
                            ? solve_one_class(rows, std::move(weights), options_, stop_)
                            : solve_regression(rows, targets, weights, options_, stop_);
  TrainedMachine machine{};
  machine.present_classes = 2;
  add_problem(solved, machine);
  for (std::size_t k = 0; k < kept_.size(); ++k) {
    if (!(std::fabs(solved.coefficients[k]) > 0)) continue;
    machine.support.push_back(kept_[k]);
    machine.coefficients.push_back(solved.coefficients[k]);
  }
  return machine;
}

}  // namespace

TrainedMachine train(const TrainingSet& set, const TrainOptions& options, StopCheck stop) {
  // The next fit of a search finds the pages of small ones; those of large ones would be missed elsewhere.
  struct Release {
    ~Release() {
      if (kept_bytes() > kKeptAfterFit) release_blocks();
    }
  };
  const Release release;
  Training training(set, options, stop);
  const bool is_classification = options.machine == Machine::c_svc || options.machine == Machine::nu_svc;
  return is_classification ? training.classify() : training.single();
}

}  // namespace fastml::svm
