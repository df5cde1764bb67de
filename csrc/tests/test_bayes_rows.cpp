// Moments of classes and scores of rows, against plain loops at every level.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bayes/likelihood.hpp"
#include "bayes/moments.hpp"
#include "bayes/row_scores.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"

using namespace fastml;
using namespace fastml::bayes;

namespace {

struct Shape {
  std::int64_t rows, features, classes;
};
constexpr Shape kShapes[] = {{1, 1, 1},    {7, 3, 2},   {31, 5, 3},   {32, 8, 4},    {33, 17, 5},
                             {100, 64, 2}, {97, 65, 7}, {65, 130, 3}, {257, 30, 10}, {40, 2, 33}};
// The sums of all classes do not fit: panels of features.
constexpr Shape kManyClasses = {300, 90, 400};

std::string text(const Shape& shape, int threads) {
  return std::to_string(shape.rows) + " x " + std::to_string(shape.features) + ", " + std::to_string(shape.classes) +
         " classes, " + std::to_string(threads) + " threads";
}

template <class T>
struct Samples {
  Samples(const Shape& shape, double mean) : x(shape.rows * shape.features), labels(shape.rows), weights(shape.rows) {
    std::mt19937 random(std::uint32_t(shape.rows + 1000 * shape.features));
    std::normal_distribution<double> normal;
    for (T& value : x) value = T(mean + normal(random));
    for (std::int64_t& label : labels) label = std::int64_t(random() % std::uint64_t(shape.classes));
    for (T& weight : weights) weight = T(random() % 4);
  }
  std::vector<T> x;
  std::vector<std::int64_t> labels;
  std::vector<T> weights;
};

struct Known {
  explicit Known(const Shape& shape)
      : weights(shape.classes), means(shape.classes * shape.features), variances(shape.classes * shape.features) {}
  GaussianMoments view() { return {weights.data(), means.data(), variances.data()}; }
  std::vector<double> weights, means, variances;
};

// Two passes in long double.
template <class T>
Known plain_moments(const Shape& shape, const Samples<T>& samples, bool weighted) {
  Known known(shape);
  const std::int64_t d = shape.features;
  const auto weight = [&](std::int64_t i) { return weighted ? (long double)(samples.weights[i]) : 1.0L; };
  for (std::int64_t k = 0; k < shape.classes; ++k) {
    long double total = 0;
    for (std::int64_t i = 0; i < shape.rows; ++i) total += samples.labels[i] == k ? weight(i) : 0;
    known.weights[k] = double(total);
    for (std::int64_t j = 0; j < d && total > 0; ++j) {
      long double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        if (samples.labels[i] == k) sum += weight(i) * samples.x[i * d + j];
      }
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        const long double apart = samples.x[i * d + j] - sum / total;
        if (samples.labels[i] == k) squares += weight(i) * apart * apart;
      }
      known.means[k * d + j] = double(sum / total);
      known.variances[k * d + j] = double(squares / total);
    }
  }
  return known;
}

template <class T>
double plain_largest(const Shape& shape, const Samples<T>& samples) {
  const Shape together{shape.rows, shape.features, 1};
  Samples<T> all = samples;
  for (std::int64_t& label : all.labels) label = 0;
  const Known known = plain_moments(together, all, false);
  return *std::max_element(known.variances.begin(), known.variances.end());
}

template <class T>
MomentsTask<T> task_of(const Shape& shape, const T* x, const Samples<T>& samples, bool weighted, int threads) {
  return {{x, shape.rows, shape.features, shape.features},
          samples.labels.data(),
          weighted ? samples.weights.data() : nullptr,
          shape.classes,
          threads,
          nullptr};
}

template <class T>
void check_moments(const Shape& shape, double mean, bool weighted, int threads) {
  const Samples<T> samples(shape, mean);
  Guarded<T> memory(shape.rows * shape.features);
  const T* x = memory.at_end(samples.x);
  const Known expected = plain_moments(shape, samples, weighted);
  Known known(shape);
  double largest = 0;
  CHECK(add_moments(task_of(shape, x, samples, weighted, threads), 0, known.view(), &largest), "not stopped");
  const double largest_expected = plain_largest(shape, samples);
  // The spread between classes comes from their means, which are rounded.
  CHECK_CLOSE(largest, largest_expected, (1e-11 + 1e-15 * mean) * largest_expected, text(shape, threads));
  for (std::size_t i = 0; i < known.means.size(); ++i) {
    CHECK_CLOSE(known.means[i], expected.means[i], 1e-13 * (1 + std::fabs(mean)), text(shape, threads));
    CHECK_CLOSE(known.variances[i], expected.variances[i], 1e-11, text(shape, threads) << ", mean " << mean);
  }
  for (std::size_t k = 0; k < known.weights.size(); ++k) CHECK_EQUAL(known.weights[k], expected.weights[k], "weights");
}

// Parts of the rows one after the other are the same as all at once.
void check_parts() {
  const Shape shape{500, 9, 4};
  const Samples<double> samples(shape, 1e8);
  const Known expected = plain_moments(shape, samples, false);
  Known known(shape);
  double largest = 0;
  for (std::int64_t begin = 0; begin < shape.rows; begin += 100) {
    MomentsTask<double> task = task_of(shape, samples.x.data() + begin * shape.features, samples, false, 1);
    task.x.rows = 100;
    task.labels += begin;
    CHECK(add_moments(task, 0, known.view(), &largest), "not stopped");
  }
  for (std::size_t i = 0; i < known.means.size(); ++i) {
    CHECK_CLOSE(known.means[i], expected.means[i], 1e-7, "parts");
    CHECK_CLOSE(known.variances[i], expected.variances[i], 1e-7, "parts");  // means are rounded in between
  }
}

// A class without new rows keeps its variances but for the smoothing, which goes by the rows of all classes.
void check_smoothing() {
  const Shape shape{50, 3, 2};
  Samples<double> samples(shape, 0);
  for (std::int64_t& label : samples.labels) label = 1;
  Known known(shape);
  known.weights[0] = 7;
  for (double& variance : known.variances) variance = 10;
  double largest = 0;
  CHECK(add_moments(task_of(shape, samples.x.data(), samples, false, 1), 0.5, known.view(), &largest), "not stopped");
  CHECK_EQUAL(known.weights[0], 7, "no new rows");
  for (std::int64_t j = 0; j < shape.features; ++j) CHECK_EQUAL(known.variances[j], 10 - 0.5 * largest, "smoothing");
}

bool stop_at_once() { return true; }

void check_refusals() {
  const Shape shape{100, 6, 2};
  Samples<float> samples(shape, 0);
  Known known(shape);
  double largest = 0;
  MomentsTask<float> task = task_of(shape, samples.x.data(), samples, false, 2);
  task.stop = stop_at_once;
  CHECK(!add_moments(task, 0, known.view(), &largest), "stopped");
  for (const double weight : known.weights) CHECK_EQUAL(weight, 0, "left as it was");
  samples.x[50] = std::numeric_limits<float>::infinity();
  for (const bool weighted : {false, true}) {
    CHECK(add_moments(task_of(shape, samples.x.data(), samples, weighted, 2), 0, known.view(), &largest), "");
    CHECK(!std::isfinite(largest), "values that are not finite are told of");
  }
}

enum class Kind { gaussian, linear, binary };

template <class T>
std::vector<double> plain_scores(const Shape& shape, const Samples<T>& samples, Kind kind, const std::vector<double>& a,
                                 const std::vector<double>& b, const std::vector<double>& constants) {
  const long double log_two_pi = std::log(2 * std::acos(-1.0L));
  std::vector<double> scores;
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    for (std::int64_t k = 0; k < shape.classes; ++k) {
      long double score = constants[k];
      for (std::int64_t j = 0; j < shape.features; ++j) {
        const long double x = samples.x[i * shape.features + j], p = a[k * shape.features + j];
        const long double q = b[k * shape.features + j];
        if (kind == Kind::gaussian) score -= (log_two_pi + std::log(q)) / 2 + (x - p) * (x - p) / (2 * q);
        if (kind == Kind::linear) score += x * p;
        if (kind == Kind::binary) score += x > 0.5L ? p : 0;
      }
      scores.push_back(double(score));
    }
  }
  return scores;
}

template <class T>
ScoreResult score(const Shape& shape, Kind kind, const T* x, const std::vector<double>& a, const std::vector<double>& b,
                  const std::vector<double>& constants, const Outcomes& out, int threads) {
  const Rows<const T> rows{x, shape.rows, shape.features, shape.features};
  if (kind == Kind::gaussian) {
    const GaussianModel model{shape.features, shape.classes, a.data(), b.data(), constants.data()};
    return score_rows(model, rows, out, threads, nullptr);
  }
  const LinearModel model{shape.features, shape.classes, a.data(), constants.data(), kind == Kind::binary, 0.5};
  return score_rows(model, rows, out, threads, nullptr);
}

template <class T>
void check_scores(const Shape& shape, Kind kind, int threads) {
  const Samples<T> samples(shape, 0);
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> a(shape.classes * shape.features), b(a.size()), constants(shape.classes);
  for (double& value : a) value = normal(random);
  for (double& value : b) value = 0.5 + std::fabs(normal(random));
  for (double& value : constants) value = normal(random);
  Guarded<T> memory(shape.rows * shape.features);
  const T* x = memory.at_end(samples.x);
  const std::string where = text(shape, threads) + ", kind " + std::to_string(int(kind));
  const std::vector<double> expected = plain_scores(shape, samples, kind, a, b, constants);
  std::vector<double> joint(expected.size()), logs(expected.size()), shares(expected.size());
  std::vector<float> narrow(expected.size());
  std::vector<std::int64_t> labels(shape.rows);
  const auto ask = [&](Outcome outcome, double* wide, float* small, std::int64_t* numbers) {
    const Outcomes out{outcome, wide, small, numbers};
    CHECK(score(shape, kind, x, a, b, constants, out, threads) == ScoreResult::finite, where);
  };
  ask(Outcome::joint, joint.data(), nullptr, nullptr);
  ask(Outcome::joint, nullptr, narrow.data(), nullptr);
  ask(Outcome::log_probability, logs.data(), nullptr, nullptr);
  ask(Outcome::probability, shares.data(), nullptr, nullptr);
  ask(Outcome::label, nullptr, nullptr, labels.data());
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    const double* row = joint.data() + i * shape.classes;
    long double sum = 0;
    std::int64_t best = 0;
    for (std::int64_t k = 0; k < shape.classes; ++k) {
      CHECK_CLOSE(row[k], expected[i * shape.classes + k], 1e-13 * double(shape.features) * 100, where);
      CHECK_EQUAL(narrow[i * shape.classes + k], float(row[k]), where);
      if (row[k] > row[best]) best = k;
    }
    for (std::int64_t k = 0; k < shape.classes; ++k) sum += std::exp((long double)(row[k] - row[best]));
    CHECK_EQUAL(labels[i], best, where);
    for (std::int64_t k = 0; k < shape.classes; ++k) {
      const double log_share = double((row[k] - row[best]) - std::log(sum));
      CHECK_CLOSE(logs[i * shape.classes + k], log_share, 1e-13 * (1 + std::fabs(log_share)), where);
      CHECK_CLOSE(shares[i * shape.classes + k], std::exp(log_share), 1e-13, where);
    }
  }
}

// Variances without an inverse, without logarithm, and rows that are not finite.
void check_extremes() {
  const double inf = std::numeric_limits<double>::infinity();
  const auto one = [&](double x, double mean, double variance) {
    double value;
    const double prior = 0;
    const GaussianModel model{1, 1, &mean, &variance, &prior};
    const Rows<const double> row{&x, 1, 1, 1};
    const ScoreResult result = score_rows(model, row, {Outcome::joint, &value, nullptr, nullptr}, 1, nullptr);
    CHECK((result == ScoreResult::finite) == std::isfinite(x), "told of " << x);
    return value;
  };
  CHECK_CLOSE(one(1e-160, 0, 1e-310), -0.5 * std::log(2 * std::acos(-1.0) * 1e-310) - 1e-320 / (2 * 1e-310), 1e-9, "");
  CHECK(std::isnan(one(1, 1, 0)), "0 / 0");
  CHECK(!std::isfinite(one(2, 1, 0)), "1 / 0");
  CHECK(std::isnan(one(2, 1, -1)), "the logarithm of a negative number");
  CHECK_EQUAL(one(inf, 1, 1), -inf, "infinite");
  CHECK(std::isnan(one(std::nan(""), 1, 1)), "NaN");
  const double weights[3] = {-inf, -inf, -inf}, zero[3] = {0, 0, 0};
  const double x = 1;
  double shares[3];
  const LinearModel model{1, 3, weights, zero, false, 0};
  score_rows(model, Rows<const double>{&x, 1, 1, 1}, {Outcome::log_probability, shares, nullptr, nullptr}, 1, nullptr);
  CHECK(std::isnan(shares[0]), "no class is possible");
  const double some[3] = {1, std::nan(""), 5};
  const LinearModel with_nan{1, 3, some, zero, false, 0};
  std::int64_t label = -1;
  score_rows(with_nan, Rows<const double>{&x, 1, 1, 1}, {Outcome::label, nullptr, nullptr, &label}, 1, nullptr);
  CHECK_EQUAL(label, 1, "NaN comes first, as in numpy.argmax");
}

// A row has the same score wherever it stands, to the bit.
void check_places() {
  const Shape shape{70, 37, 3};
  Samples<double> samples(shape, 0);
  for (std::int64_t i = 1; i < shape.rows; ++i) {
    for (std::int64_t j = 0; j < shape.features; ++j) samples.x[i * shape.features + j] = samples.x[j];
  }
  const std::vector<double> a(shape.classes * shape.features, 0.3), b(a.size(), 0.7), constants(shape.classes, -1.1);
  for (const Kind kind : {Kind::gaussian, Kind::linear}) {
    std::vector<double> joint(shape.rows * shape.classes);
    const Outcomes out{Outcome::joint, joint.data(), nullptr, nullptr};
    score(shape, kind, samples.x.data(), a, b, constants, out, 2);
    for (const double value : joint) CHECK_EQUAL(value, joint[0], "places of equal rows");
  }
}

template <class T>
void check_type() {
  check_moments<T>(kManyClasses, 0, false, 2);
  for (const Shape& shape : kShapes) {
    for (const int threads : {1, 2}) {
      for (const bool weighted : {false, true}) check_moments<T>(shape, 0, weighted, threads);
      if (sizeof(T) == 8) check_moments<T>(shape, 1e6, false, threads);
      for (const Kind kind : {Kind::gaussian, Kind::linear, Kind::binary}) check_scores<T>(shape, kind, threads);
    }
  }
}

void check_level(SimdLevel) {
  check_type<float>();
  check_type<double>();
  check_parts();
  check_smoothing();
  check_refusals();
  check_extremes();
  check_places();
}

}  // namespace

int main() {
  at_each_level_in_a_child(check_level);
  return check::result();
}
