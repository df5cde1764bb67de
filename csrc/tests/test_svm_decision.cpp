// Decisions of kernel machines at every level, against plain loops. Samples, vectors and coefficients lie against unmapped
// pages.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "svm/decision.hpp"
#include "svm/decision_tuning.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::svm;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Kernel kKernels[] = {{KernelKind::linear, 0, 0, 0},
                           {KernelKind::rbf, 0, 0.05, 0},
                           {KernelKind::poly, 3, 0.1, 0.5},
                           {KernelKind::sigmoid, 0, 0.02, -0.3}};

double value_of(const Kernel& kernel, const double* x, const double* y, std::int64_t features) {
  long double dot = 0, distance = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    dot += static_cast<long double>(x[f]) * y[f];
    distance += (static_cast<long double>(x[f]) - y[f]) * (static_cast<long double>(x[f]) - y[f]);
  }
  switch (kernel.kind) {
    case KernelKind::rbf:
      return double(std::exp(-kernel.gamma * distance));
    case KernelKind::poly:
      return double(std::pow(kernel.gamma * dot + kernel.coef0, kernel.degree));
    case KernelKind::sigmoid:
      return double(std::tanh(kernel.gamma * dot + kernel.coef0));
    default:
      return double(dot);
  }
}

// Rows with zeros among them, as a matrix and as CSR.
struct Points {
  std::int64_t rows, cols;
  std::vector<double> dense, values;
  std::vector<std::int32_t> indices, offsets{0};

  Points(std::int64_t rows_, std::int64_t cols_, double stored, unsigned seed)
      : rows(rows_), cols(cols_), dense(normals<double>(rows_ * cols_, seed)) {
    const auto draws = integers<int>(rows * cols, 0, 999, seed + 1);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t f = 0; f < cols; ++f) {
        if (draws[i * cols + f] >= 1000 * stored) dense[i * cols + f] = 0;
        if (dense[i * cols + f] == 0) continue;
        values.push_back(dense[i * cols + f]);
        indices.push_back(std::int32_t(f));
      }
      offsets.push_back(std::int32_t(values.size()));
    }
  }

  Rows<const double> view() const { return {dense.data(), rows, cols, cols}; }
  Csr<double> csr() const { return {values.data(), indices.data(), offsets.data(), rows, cols}; }
};

// A machine of some classes (1: regression), and the decisions that plain loops give.
struct Machine {
  std::int64_t classes, vectors;
  std::vector<std::int64_t> counts;
  std::vector<double> dual, intercepts;

  Machine(std::int64_t classes_, std::int64_t vectors_, unsigned seed) : classes(classes_), vectors(vectors_) {
    // Uneven classes, among them empty ones.
    counts.assign(classes, 0);
    for (const int draw : integers<int>(vectors, 0, int(classes * classes) - 1, seed)) {
      ++counts[std::int64_t(std::sqrt(double(draw)))];
    }
    dual = normals<double>(answer().outputs() * vectors, seed + 1);
    intercepts = normals<double>(answer().pairs(), seed + 2);
  }

  PairwiseAnswer answer() const {
    PairwiseAnswer answer{};
    answer.answer = Answer::decisions;
    answer.classes = classes;
    answer.intercepts = intercepts.data();
    return answer;
  }

  // decisions[i * pairs + p], and for each the sum of the absolute terms.
  template <class Values>
  void expected(std::int64_t samples, const Values& value, std::vector<double>& decisions,
                std::vector<double>& sizes) const {
    std::vector<std::int64_t> starts(classes + 1, 0);
    for (std::int64_t c = 0; c < classes; ++c) starts[c + 1] = starts[c] + counts[c];
    for (std::int64_t n = 0; n < samples; ++n) {
      std::vector<double> k(vectors);
      for (std::int64_t s = 0; s < vectors; ++s) k[s] = value(n, s);
      const auto add = [&](std::int64_t c, std::int64_t q, long double& sum, double& size) {
        for (std::int64_t s = starts[c]; s < starts[c + 1]; ++s) {
          sum += static_cast<long double>(dual[q * vectors + s]) * k[s];
          size += std::fabs(dual[q * vectors + s] * k[s]);
        }
      };
      std::int64_t pair = 0;
      for (std::int64_t i = 0; i < classes; ++i) {
        for (std::int64_t j = classes == 1 ? 0 : i + 1; j < classes; ++j) {
          long double sum = intercepts[pair];
          double size = std::fabs(intercepts[pair]);
          add(i, classes == 1 ? 0 : j - 1, sum, size);
          if (classes > 1) add(j, i, sum, size);
          decisions.push_back(double(sum));
          sizes.push_back(size);
          ++pair;
        }
      }
    }
  }

  DecisionTask task(double* to, int threads) const {
    PairwiseAnswer asked = answer();
    asked.values = to;
    return {dual.data(), counts.data(), asked, threads, nullptr};
  }
};

void check_all(const std::vector<double>& found, const std::vector<double>& expected, const std::vector<double>& sizes,
               const std::string& where) {
  CHECK_EQUAL(found.size(), expected.size(), where);
  // Roundings of products of a few dozen features, relatively to what the kernel makes of them.
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK_CLOSE(found[i], expected[i], 1e-12 * sizes[i], where << " " << i);
}

// Numbers of samples, vectors and features on both sides of tiles, panels, blocks and depths.
void sizes_and_kernels(SimdLevel level) {
  Guarded<double> sample_memory(1 << 16), vector_memory(1 << 16), dual_memory(1 << 14);
  const std::int64_t shapes[][3] = {{1, 1, 1},    {1, 700, 5},   {2, 131, 3},          {3, 17, 9},
                                    {5, 16, 30},  {13, 40, 7},   {14, 33, 8},          {15, 64, 2},
                                    {29, 129, 4}, {85, 600, 11}, {200, 9, 6},          {100, 150, 1},
                                    {1, 70, 600}, {90, 40, 520}, {20, 33, 2 * kDepth}, {15, 20, 3 * kDepth + 1}};
  for (const auto& [samples, vectors, features] : shapes) {
    const Points x(samples, features, 1, 1), y(vectors, features, 1, 2);
    for (const std::int64_t classes : {1, 2, 3, 5, 11}) {
      Machine machine(classes, vectors, unsigned(vectors + classes));
      for (const Kernel& kernel : kKernels) {
        std::vector<double> expected, sizes;
        machine.expected(
            samples,
            [&](std::int64_t n, std::int64_t s) {
              return value_of(kernel, &x.dense[n * features], &y.dense[s * features], features);
            },
            expected, sizes);
        const Rows<const double> vector_view{vector_memory.at_end(y.dense), vectors, features, features};
        const SupportVectors support(kernel, vector_view);
        for (const int threads : {1, 3}) {
          std::vector<double> found(expected.size());
          DecisionTask task = machine.task(found.data(), threads);
          task.dual = dual_memory.at_end(machine.dual);
          CHECK(support.decide(Rows<const double>{sample_memory.at_end(x.dense), samples, features, features}, task),
                "finished");
          check_all(found, expected, sizes,
                    std::string(name(level)) + " " + std::to_string(samples) + " x " + std::to_string(vectors) + " x " +
                        std::to_string(features) + ", " + std::to_string(classes) + " classes, kernel " +
                        std::to_string(int(kernel.kind)) + ", threads " + std::to_string(threads));
        }
      }
    }
  }
}

// Sparse vectors, indexed (few stored) and packed (many), with empty rows and features.
void sparse_rows(SimdLevel level) {
  for (const double stored : {0.03, 0.1, 0.6}) {
    const std::int64_t samples = 37, vectors = 90, features = 50;
    const Points x(samples, features, stored, 1), y(vectors, features, stored, 2);
    const Machine machine(4, vectors, 3);
    for (const Kernel& kernel : kKernels) {
      std::vector<double> expected, sizes;
      machine.expected(
          samples,
          [&](std::int64_t n, std::int64_t s) {
            return value_of(kernel, &x.dense[n * features], &y.dense[s * features], features);
          },
          expected, sizes);
      // With a large gamma the products' terms would cancel: differences are taken.
      const SupportVectors support(kernel, y.csr());
      for (const int threads : {1, 2}) {
        std::vector<double> found(expected.size());
        CHECK(support.decide(x.csr(), machine.task(found.data(), threads)), "finished");
        check_all(found, expected, sizes,
                  std::string(name(level)) + " sparse " + std::to_string(stored) + " kernel " +
                      std::to_string(int(kernel.kind)));
      }
    }
  }
}

// rbf on data far from the origin, on clusters far apart, and at infinity.
void far_away() {
  const std::int64_t samples = 30, vectors = 70, features = 6;
  for (const bool is_sparse : {false, true}) {
    for (const double distance : {1e3, 1e6, 1e8}) {
      for (const bool clusters : {false, true}) {
        Points x(samples, features, 1, 1), y(vectors, features, 1, 2);
        for (std::int64_t i = 0; i < samples * features; ++i)
          x.dense[i] += clusters && i / features % 2 ? -distance : distance;
        for (std::int64_t i = 0; i < vectors * features; ++i)
          y.dense[i] += clusters && i / features % 3 ? -distance : distance;
        x.values = x.dense;
        y.values = y.dense;
        const Kernel kernel{KernelKind::rbf, 0, 0.2, 0};
        const Machine machine(3, vectors, 3);
        std::vector<double> expected, sizes;
        machine.expected(
            samples,
            [&](std::int64_t n, std::int64_t s) {
              return value_of(kernel, &x.dense[n * features], &y.dense[s * features], features);
            },
            expected, sizes);
        std::vector<double> found(expected.size());
        const DecisionTask task = machine.task(found.data(), 1);
        if (is_sparse) {
          SupportVectors(kernel, y.csr()).decide(x.csr(), task);
        } else {
          SupportVectors(kernel, y.view()).decide(x.view(), task);
        }
        check_all(found, expected, sizes, "at " + std::to_string(distance) + (clusters ? " in clusters" : ""));
      }
    }
  }
  // A sample so far out that squares overflow counts for nothing, and does not disturb the others of its tile.
  Points x(3, features, 1, 1);
  const Points y(vectors, features, 1, 2);
  for (std::int64_t f = 0; f < features; ++f) x.dense[features + f] = f % 2 ? 1e200 : -1e200;
  x.values = x.dense;
  const Machine machine(2, vectors, 3);
  const Kernel kernel{KernelKind::rbf, 0, 0.2, 0};
  std::vector<double> expected, sizes;
  machine.expected(
      3,
      [&](std::int64_t n, std::int64_t s) {
        return value_of(kernel, &x.dense[n * features], &y.dense[s * features], features);
      },
      expected, sizes);
  for (const bool is_sparse : {false, true}) {
    std::vector<double> found(expected.size());
    const DecisionTask task = machine.task(found.data(), 1);
    is_sparse ? SupportVectors(kernel, y.csr()).decide(x.csr(), task)
              : SupportVectors(kernel, y.view()).decide(x.view(), task);
    check_all(found, expected, sizes, "overflow");
    CHECK_EQUAL(found[1], machine.intercepts[0], "nothing but the intercept");
  }
}

// Products that overflow are infinite in the decisions that they belong to, and in no others, also where a linear machine
// would add its support vectors up.
void overflowing_products() {
  const std::int64_t samples = 40, vectors = 30;
  std::vector<double> x(samples, 1.0), y(vectors, 1.0);
  x[7] = 1e300;
  for (std::int64_t s = 20; s < vectors; ++s) y[s] = 1e300;
  const std::vector<std::int64_t> counts{10, 10, 10};
  const std::vector<double> dual(2 * vectors, 1.0), intercepts(3, 0.5);
  PairwiseAnswer answer{};
  answer.answer = Answer::decisions;
  answer.classes = 3;
  answer.intercepts = intercepts.data();
  std::vector<double> found(3 * samples);
  answer.values = found.data();
  const SupportVectors support({KernelKind::linear, 0, 0, 0}, Rows<const double>{y.data(), vectors, 1, 1});
  CHECK(support.decide(Rows<const double>{x.data(), samples, 1, 1}, {dual.data(), counts.data(), answer, 1, nullptr}),
        "finished");
  CHECK_CLOSE(found[7 * 3], 2e301, 1e288, "classes 0 and 1");
  CHECK_EQUAL(found[7 * 3 + 1], kInfinity, "classes 0 and 2");
  CHECK_EQUAL(found[8 * 3], 20.5, "another sample");
}

void given_values() {
  const std::int64_t samples = 50, all = 40;
  const std::vector<std::int32_t> columns{3, 39, 0, 17, 18, 5, 30};
  const auto k = normals<double>(samples * all, 4);
  for (const std::int64_t classes : {1, 2, 3}) {
    const Machine machine(classes, std::int64_t(columns.size()), 5);
    std::vector<double> expected, sizes;
    machine.expected(samples, [&](std::int64_t n, std::int64_t s) { return k[n * all + columns[s]]; }, expected, sizes);
    std::vector<double> found(expected.size());
    CHECK(decide_given({k.data(), samples, all, all}, columns.data(), std::int64_t(columns.size()),
                       machine.task(found.data(), 2)),
          "finished");
    check_all(found, expected, sizes, "given");
  }
}

void no_vectors() {
  const Points x(20, 4, 1, 1), none(0, 4, 1, 2);
  const Machine machine(3, 0, 3);
  for (const Kernel& kernel : kKernels) {
    for (const bool is_sparse : {false, true}) {
      std::vector<double> found(20 * 3);
      const DecisionTask task = machine.task(found.data(), 2);
      is_sparse ? SupportVectors(kernel, none.csr()).decide(x.csr(), task)
                : SupportVectors(kernel, none.view()).decide(x.view(), task);
      for (std::int64_t i = 0; i < 60; ++i) CHECK_EQUAL(found[i], machine.intercepts[i % 3], "intercepts only");
    }
  }
}

// Decisions of samples for three classes, put in as intercepts of a machine without vectors.
template <class Step>
void answers(Answer kind, const std::vector<double>& decisions, const Step& step) {
  const std::vector<double> slopes{-1.5, -2, -1}, offsets{0.1, -0.2, 0};
  PairwiseAnswer answer{};
  answer.answer = kind;
  answer.classes = 3;
  answer.intercepts = decisions.data();
  answer.slopes = slopes.data();
  answer.offsets = offsets.data();
  double values[3];
  std::int64_t won;
  answer.values = kind == Answer::votes ? nullptr : values;
  answer.classes_won = &won;
  std::vector<double> memory(answer.scratch());
  const std::vector<double> sums(3 * 2, 0.0);
  answer.give(0, sums.data(), memory.data());
  step(kind == Answer::votes ? -1 : 0, won, values);
}

void pairwise_answers() {
  const auto vote = [](const std::vector<double>& decisions) {
    std::int64_t winner = -1;
    answers(Answer::votes, decisions, [&](int, std::int64_t won, const double*) { winner = won; });
    return winner;
  };
  // Pairs 0-1, 0-2, 1-2.
  CHECK_EQUAL(vote({1, 1, 1}), 0, "two votes for 0");
  CHECK_EQUAL(vote({-1, 1, 1}), 1, "two votes for 1");
  CHECK_EQUAL(vote({1, -1, -1}), 2, "two votes for 2");
  CHECK_EQUAL(vote({1, -1, 1}), 0, "a vote each: the first");
  CHECK_EQUAL(vote({0, 0, 0}), 2, "zero is a vote for the second of a pair");
  CHECK_EQUAL(vote({NAN, NAN, 1}), 1, "so is NaN");

  answers(Answer::scores, {0.5, -2, 0.25}, [](int, std::int64_t, const double* scores) {
    CHECK_CLOSE(scores[0], 1 - 1.5 / (3 * 2.5), 1e-15, "one vote, confidence -1.5");
    CHECK_CLOSE(scores[1], 1 - 0.25 / (3 * 1.25), 1e-15, "one vote, confidence -0.25");
    CHECK_CLOSE(scores[2], 1 + 1.75 / (3 * 2.75), 1e-15, "one vote, confidence 1.75");
  });

  for (const std::vector<double>& decisions :
       {std::vector<double>{0.3, -0.2, 1.0}, {2, 2, 2}, {-3, 0, 3}, {1000, -1000, 1000}, {NAN, 1, 1}}) {
    answers(Answer::probabilities, decisions, [&](int, std::int64_t, const double* p) {
      CHECK_CLOSE(p[0] + p[1] + p[2], 1, 1e-12, "probabilities sum up to 1");
      CHECK(p[0] >= 0 && p[1] >= 0 && p[2] >= 0, "none is negative: " << p[0] << " " << p[1] << " " << p[2]);
    });
  }
  // r_ij = p_i / (p_i + p_j) is met exactly by p.
  const double p[] = {0.2, 0.5, 0.3};
  double r[9] = {}, memory[12], found[3];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) r[i * 3 + j] = p[i] / (p[i] + p[j]);
  }
  couple_probabilities(3, r, memory, found);
  // The iteration is stopped early.
  for (int i = 0; i < 3; ++i) CHECK_CLOSE(found[i], p[i], 0.01, "class " << i);
}

int looks = 0;
bool stop_at_second_look() { return ++looks == 2; }

void stopping() {
  const Points x(2000, 3, 1, 1), y(500, 3, 1, 2);
  const Machine machine(2, 500, 3);
  std::vector<double> found(2000);
  for (const int threads : {1, 2}) {
    DecisionTask task = machine.task(found.data(), threads);
    task.stop = stop_at_second_look;
    looks = 0;
    const bool finished = SupportVectors(kKernels[1], y.view()).decide(x.view(), task);
    // The caller may find that the other thread has done all blocks.
    CHECK_EQUAL(finished, looks < 2, "stopped, threads " << threads);
    CHECK(looks == 2 || (threads == 2 && looks < 2), "nobody is asked again: " << looks);
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    sizes_and_kernels(level);
    sparse_rows(level);
    far_away();
    overflowing_products();
  });
  given_values();
  no_vectors();
  pairwise_answers();
  stopping();
  return check::result();
}
