// The solver of support vector machines: its passes at every level against plain loops, and the conditions of the optimum.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "svm/folds.hpp"
#include "svm/platt.hpp"
#include "svm/smo_kernels.hpp"
#include "svm/train.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::svm;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNo = -std::numeric_limits<float>::infinity();

// Few different values, so that the largest is met several times; the last is to be chosen.
void passes(SimdLevel level) {
  const SmoKernels& kernels = smo_kernels(level);
  Guarded<double> gradients_memory(4096), diagonal_memory(4096);
  Guarded<float> allowed_memory(4096), row_memory(4096), other_memory(4096), out_memory(4096);
  for (std::int64_t count = 0; count <= 83; ++count) {
    for (unsigned seed = 0; seed < 6; ++seed) {
      const auto start = integers<double>(count, -3, 3, seed);
      auto allowed = integers<float>(count, 0, 3, seed + 10);
      for (float& a : allowed) a = a == 0 || seed == 5 ? kNo : 0.0f;
      const auto row = integers<float>(count, -4, 4, seed + 20), other = integers<float>(count, -4, 4, seed + 30);
      const auto diagonal = integers<double>(count, 0, 4, seed + 40);
      double* g = gradients_memory.at_end(start);
      const float* mask = allowed_memory.at_end(allowed);
      const float* first = row_memory.at_end(row);
      const float* second = other_memory.at_end(other);
      const auto where = [&] {
        return std::string(name(level)) + " " + std::to_string(count) + " " + std::to_string(seed);
      };
      const auto largest = [&] {
        Place best{-kInfinity, -1};
        for (std::int64_t k = 0; k < count; ++k) {
          if (mask[k] == 0 && -g[k] >= best.value) best = {-g[k], k};
        }
        return best;
      };
      CHECK_EQUAL(kernels.most_violating(g, mask, count).index, largest().index, where());
      const Place after = kernels.update(g, first, 0.3, second, -0.7, mask, count);
      for (std::int64_t k = 0; k < count; ++k) {
        const volatile double a = double(row[k]) * 0.3, b = double(other[k]) * -0.7;
        const volatile double sum = a + b;
        CHECK_EQUAL(g[k], start[k] + sum, where() << " " << k);
      }
      CHECK_EQUAL(after.index, largest().index, where());
      CHECK_EQUAL(after.value, largest().value, where());

      const double* d = diagonal_memory.at_end(diagonal);
      const double gradient = 1.0 + double(seed % 3);
      const SecondFound found = kernels.second({g, mask, d, first, gradient, 2.0, count});
      Place best{kInfinity, -1};
      double most = -kInfinity;
      for (std::int64_t k = 0; k < count; ++k) {
        if (mask[k] != 0) continue;
        most = std::max(most, g[k]);
        const double difference = gradient + g[k];
        if (!(difference > 0)) continue;
        const double curvature = 2.0 + d[k] - 2.0 * double(row[k]);
        const double change = -(difference * difference) / (curvature > 0 ? curvature : 1e-12);
        if (change <= best.value) best = {change, k};
      }
      CHECK_EQUAL(found.best.index, best.index, where());
      CHECK_EQUAL(found.best.value, best.value, where());
      CHECK_EQUAL(found.most, most, where());

      std::vector<std::int32_t> columns(count);
      for (std::int64_t k = 0; k < count; ++k) columns[k] = std::int32_t((k * 7) % count);
      float* gathered = out_memory.at_end(count);
      kernels.gather(first, columns.data(), count, gathered);
      for (std::int64_t k = 0; k < count; ++k) CHECK_EQUAL(gathered[k], row[columns[k]], where());
    }
  }
}

struct Problem {
  std::vector<double> x, y, weights, class_weights;
  std::int64_t count, features;

  Problem(std::int64_t count_, std::int64_t classes, unsigned seed) : weights(count_, 1.0), count(count_), features(4) {
    x = integers<double>(count * features, -1000, 1000, seed);
    for (double& v : x) v *= 2e-3;
    const auto noise = integers<double>(count, -500, 500, seed + 1);
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = x[i * features] + x[i * features + 1] + noise[i] * 2e-3;
      y.push_back(classes == 0 ? value : std::min(double(classes - 1), std::max(0.0, std::floor(value + 1))));
    }
    class_weights.assign(classes, 1.0);
  }

  TrainingSet set(const Kernel& kernel) const {
    TrainingSet result{};
    result.samples.dense = {x.data(), count, features, features};
    result.samples.kernel = kernel;
    result.targets = y.data();
    result.weights = weights.data();
    result.class_weights = class_weights.data();
    result.classes = std::int64_t(class_weights.size());
    return result;
  }
};

TrainOptions options_of(Machine machine) {
  TrainOptions options{machine, 2.0, 0.3, 0.1, {}, false, 1, 2};
  options.smo = {1e-6, true, -1, std::int64_t(1) << 24};
  return options;
}

double rbf(const Problem& p, std::int64_t i, std::int64_t j, double gamma) {
  double distance = 0;
  for (std::int64_t f = 0; f < p.features; ++f) {
    const double d = p.x[i * p.features + f] - p.x[j * p.features + f];
    distance += d * d;
  }
  return std::exp(-gamma * distance);
}

constexpr double kGamma = 0.4;
const Kernel kRbf{KernelKind::rbf, 0, kGamma, 0};

// Of the optimum: margins are 1 for free support vectors, at least 1 for those without weight, at most 1 at the bound.
void margins_of_two_classes(SimdLevel level) {
  const Problem problem(300, 2, 3);
  const TrainedMachine machine = train(problem.set(kRbf), options_of(Machine::c_svc), nullptr);
  std::vector<double> coefficient(problem.count);
  for (std::size_t s = 0; s < machine.support.size(); ++s) coefficient[machine.support[s]] = machine.coefficients[s];
  double balance = 0;
  std::int64_t free = 0;
  for (std::int64_t i = 0; i < problem.count; ++i) {
    balance += coefficient[i];
    const double y = problem.y[i] == 0 ? 1 : -1;
    double decision = machine.intercepts[0];
    for (std::int64_t j = 0; j < problem.count; ++j) decision += coefficient[j] * rbf(problem, i, j, kGamma);
    const double alpha = y * coefficient[i];
    CHECK(alpha >= 0 && alpha <= 2, name(level) << " " << alpha);
    // The tolerance, and what floats of the kernel leave.
    if (alpha < 2) CHECK(y * decision > 1 - 1e-5, name(level) << " " << y * decision);
    if (alpha > 0) CHECK(y * decision < 1 + 1e-5, name(level) << " " << y * decision);
    free += alpha > 0 && alpha < 2;
  }
  CHECK_CLOSE(balance, 0.0, 1e-10, name(level));
  CHECK(free > 5, name(level));
}

// Residuals are within epsilon for those without weight, beyond it at the bound.
void residuals_of_regression(SimdLevel level) {
  const Problem problem(200, 0, 4);
  const TrainedMachine machine = train(problem.set(kRbf), options_of(Machine::epsilon_svr), nullptr);
  std::vector<double> coefficient(problem.count);
  for (std::size_t s = 0; s < machine.support.size(); ++s) coefficient[machine.support[s]] = machine.coefficients[s];
  for (std::int64_t i = 0; i < problem.count; ++i) {
    double value = machine.intercepts[0];
    for (std::int64_t j = 0; j < problem.count; ++j) value += coefficient[j] * rbf(problem, i, j, kGamma);
    const double residual = problem.y[i] - value;
    CHECK(std::fabs(coefficient[i]) <= 2, name(level));
    if (coefficient[i] < 2) CHECK(residual < 0.1 + 1e-5, name(level) << " " << residual);
    if (coefficient[i] > -2) CHECK(residual > -0.1 - 1e-5, name(level) << " " << residual);
    if (coefficient[i] > 0) CHECK(residual > 0.1 - 1e-5, name(level) << " " << residual);
    if (coefficient[i] < 0) CHECK(residual < -0.1 + 1e-5, name(level) << " " << residual);
  }
}

// Neither memory nor threads change a bit; shrinking changes the way, not the goal.
void the_same_however_solved(SimdLevel level) {
  for (const Machine machine :
       {Machine::c_svc, Machine::nu_svc, Machine::one_class, Machine::epsilon_svr, Machine::nu_svr}) {
    const bool classes = machine == Machine::c_svc || machine == Machine::nu_svc;
    Problem problem(240, classes ? 4 : 0, 5);
    TrainOptions options = options_of(machine);
    options.nu = 0.1;  // feasible for unequal classes
    const auto solve = [&] { return train(problem.set(kRbf), options, nullptr); };
    const TrainedMachine expected = solve();
    CHECK(!expected.support.empty(), name(level));
    options.threads = 1;
    options.smo.cache_bytes = 1;
    const TrainedMachine small = solve();
    CHECK(small.support == expected.support && small.coefficients == expected.coefficients &&
              small.intercepts == expected.intercepts && small.n_iter == expected.n_iter,
          name(level) << " machine " << int(machine));
    options.smo.shrinking = false;
    const TrainedMachine whole = solve();
    for (std::size_t p = 0; p < whole.intercepts.size(); ++p)
      CHECK_CLOSE(whole.intercepts[p], expected.intercepts[p], 1e-4, name(level) << " machine " << int(machine));
    options.smo.max_iter = 3;
    const TrainedMachine cut = solve();
    CHECK(cut.timed_out && !expected.timed_out, name(level));
    for (const std::int32_t n : cut.n_iter) CHECK_EQUAL(n, 3, name(level));

    // Samples of weight 0 are not there; the others keep their numbers.
    options = options_of(machine);
    options.nu = 0.1;
    for (std::int64_t i = 0; i < problem.count; i += 3) problem.weights[i] = 0;
    const TrainedMachine rest = solve();
    for (const std::int32_t sample : rest.support) CHECK(sample % 3 != 0, name(level) << " sample " << sample);
  }
}

bool always() { return true; }

void stops() {
  const Problem problem(100, 3, 6);
  bool stopped = false;
  try {
    train(problem.set(kRbf), options_of(Machine::c_svc), always);
  } catch (const Stopped&) {
    stopped = true;
  }
  CHECK(stopped, "stop");
}

// At the optimum both sums of (target - probability), with and without the decision, are 0.
void sigmoid_is_the_most_likely() {
  const auto noise = integers<double>(200, -100, 100, 9);
  std::vector<double> decisions, labels;
  for (int i = 0; i < 200; ++i) {
    decisions.push_back(noise[i] / 40);
    labels.push_back(noise[i] + noise[(i * 7 + 3) % 200] > 0 ? 1 : -1);
  }
  const Sigmoid sigmoid = fit_sigmoid(decisions.data(), labels.data(), 200);
  const double positives = double(std::count(labels.begin(), labels.end(), 1.0)), negatives = 200 - positives;
  double sum = 0, weighted = 0;
  for (int i = 0; i < 200; ++i) {
    const double target = labels[i] > 0 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2);
    const double p = 1 / (1 + std::exp(sigmoid.a * decisions[i] + sigmoid.b));
    sum += target - p;
    weighted += (target - p) * decisions[i];
  }
  CHECK(sigmoid.a < 0, "larger decisions are likelier");
  CHECK_CLOSE(sum, 0.0, 1e-4, "sum");
  CHECK_CLOSE(weighted, 0.0, 1e-4, "weighted");
}

void folds_are_permutations() {
  std::mt19937 generator(5);
  std::vector<std::int64_t> first(50);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::int32_t> order = random_order(generator, 50);
    ++first[order[0]];
    std::sort(order.begin(), order.end());
    for (std::int32_t i = 0; i < 50; ++i) CHECK_EQUAL(order[i], i, "permutation");
  }
  for (const std::int64_t times : first) CHECK(times < 25, "8 are expected: " << times);
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    margins_of_two_classes(level);
    residuals_of_regression(level);
    the_same_however_solved(level);
  });
  for (const SimdLevel level : available_levels()) passes(level);
  stops();
  sigmoid_is_the_most_likely();
  folds_are_permutations();
  return check::result();
}
