// Losses, gradients, Hessians and probabilities of logistic regression at every level, against plain loops over one row
// after the other. Arrays lie against an unmapped page.
#include <cmath>
#include <limits>
#include <vector>

#include "linear/logistic.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Some rows, as arrays that a student would use.
struct Problem {
  std::int64_t rows, features, outputs;
  bool intercept;
  std::vector<double> x;        // rows x features
  std::vector<double> classes;  // 0 .. number of classes - 1
  std::vector<double> weights;  // or empty
  std::vector<double> coefficients;

  std::int64_t order() const { return features + (intercept ? 1 : 0); }
  std::int64_t size() const { return outputs * order(); }
  double weight(std::int64_t i) const { return weights.empty() ? 1 : weights[i]; }
  double total_weight() const {
    double total = 0;
    for (std::int64_t i = 0; i < rows; ++i) total += weight(i);
    return total;
  }
  // Feature j of row i; behind the last one the 1 of the intercept.
  double value(std::int64_t i, std::int64_t j) const { return j < features ? x[i * features + j] : 1; }

  std::vector<double> scores(std::int64_t i, const std::vector<double>& w) const {
    std::vector<double> scores(outputs);
    for (std::int64_t j = 0; j < order(); ++j) {
      for (std::int64_t c = 0; c < outputs; ++c) scores[c] += value(i, j) * w[j * outputs + c];
    }
    return scores;
  }

  // Of all classes.
  std::vector<double> probabilities(std::int64_t i) const {
    std::vector<double> s = scores(i, coefficients);
    if (outputs == 1) s.insert(s.begin(), 0.0);
    double sum = 0;
    for (double& score : s) sum += score = std::exp(score);
    for (double& p : s) p /= sum;
    return s;
  }
};

Problem make(std::int64_t rows, std::int64_t features, std::int64_t outputs, bool intercept, bool weighted) {
  const unsigned seed = unsigned(rows + 31 * features + 7 * outputs);
  Problem p{rows, features, outputs, intercept, normals<double>(rows * features, seed), {}, {}, {}};
  p.classes = integers<double>(rows, 0, outputs == 1 ? 1 : int(outputs) - 1, seed + 1);
  if (weighted) p.weights = integers<double>(rows, 0, 3, seed + 2);
  if (weighted && rows > 0) p.weights[0] = 2;
  p.coefficients = normals<double>(p.size(), seed + 3);
  for (double& w : p.coefficients) w = float(w) / 4;  // the same number in float32
  for (double& x : p.x) x = float(x);
  return p;
}

struct Derivatives {
  double loss;
  std::vector<double> gradient, hessian;
};

Derivatives plain(const Problem& p, double l2) {
  const std::int64_t size = p.size();
  Derivatives d{0, std::vector<double>(size), std::vector<double>(size * size)};
  for (std::int64_t i = 0; i < p.rows; ++i) {
    std::vector<double> probability = p.probabilities(i);
    const auto own = std::int64_t(p.classes[i]);
    const double share = p.weight(i) / p.total_weight();
    d.loss -= share * std::log(probability[own]);
    const std::int64_t first = p.outputs == 1 ? 1 : 0;  // of two classes the second one has the score
    for (std::int64_t a = 0; a < size; ++a) {
      const std::int64_t c = a % p.outputs + first;
      d.gradient[a] += share * (probability[c] - (c == own)) * p.value(i, a / p.outputs);
      for (std::int64_t b = 0; b < size; ++b) {
        const std::int64_t e = b % p.outputs + first;
        const double bend = probability[c] * ((c == e) - probability[e]);
        d.hessian[a * size + b] += share * bend * p.value(i, a / p.outputs) * p.value(i, b / p.outputs);
      }
    }
  }
  for (std::int64_t a = 0; a < p.features * p.outputs; ++a) {
    d.loss += 0.5 * l2 * p.coefficients[a] * p.coefficients[a];
    d.gradient[a] += l2 * p.coefficients[a];
    d.hessian[a * size + a] += l2;
  }
  return d;
}

// The problem's arrays as a kernel takes them, each at the end of its memory.
template <class T>
struct Placed {
  explicit Placed(const Problem& p) : x_(1 << 17), classes_(1 << 12), weights_(1 << 12) {
    const std::vector<T> x(p.x.begin(), p.x.end()), classes(p.classes.begin(), p.classes.end());
    const std::vector<T> weights(p.weights.begin(), p.weights.end());
    samples = {{x_.at_end(x), p.rows, p.features, p.features}};
    targets = {classes_.at_end(classes), weights.empty() ? nullptr : weights_.at_end(weights), p.outputs};
  }
  Guarded<T> x_, classes_, weights_;
  DenseSamples<T> samples;
  LogisticTargets<T> targets;
};

// Three quarters of the values are dropped, from the problem too.
struct PlacedSparse {
  explicit PlacedSparse(Problem& p) : values_(1 << 16), indices_(1 << 16), classes_(1 << 12), weights_(1 << 12) {
    std::vector<double> values;
    std::vector<std::int32_t> indices;
    offsets_.push_back(0);
    for (std::int64_t i = 0; i < p.rows; ++i) {
      for (std::int64_t j = p.features - 1; j >= 0; --j) {  // descending: no order is asked for
        if ((i + j) % 4 == 0) {
          values.push_back(p.x[i * p.features + j]);
          indices.push_back(std::int32_t(j));
        } else {
          p.x[i * p.features + j] = 0;
        }
      }
      offsets_.push_back(std::int64_t(values.size()));
    }
    samples = {values_.at_end(values), indices_.at_end(indices), offsets_.data(), p.rows, p.features};
    targets = {classes_.at_end(p.classes), p.weights.empty() ? nullptr : weights_.at_end(p.weights), p.outputs};
  }
  Guarded<double> values_;
  Guarded<std::int32_t> indices_;
  Guarded<double> classes_, weights_;
  std::vector<std::int64_t> offsets_;
  SparseSamples samples{};
  LogisticTargets<double> targets{};
};

// Sums of a few hundred terms of order 1, rounded.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;

template <class T, class Samples>
void derivatives(const Problem& p, const Samples& samples, const LogisticTargets<T>& targets, double tolerance,
                 const std::string& where) {
  const double l2 = 0.25;
  const Derivatives expected = plain(p, l2);
  const std::int64_t size = p.size();
  const auto direction = normals<double>(size, 5);
  for (const int threads : {1, 3}) {
    const auto loss = make_logistic_loss(samples, targets, {p.intercept, p.total_weight(), threads});
    CHECK_EQUAL(loss->size(), size, where);
    double value = -1;
    std::vector<double> gradient(size), product(size), hessian(size * size);
    const auto check = [&](const char* of) {
      CHECK_CLOSE(value, expected.loss, tolerance * std::max(1.0, expected.loss), where << " loss of " << of);
      for (std::int64_t a = 0; a < size; ++a) {
        CHECK_CLOSE(gradient[a], expected.gradient[a], tolerance, where << " gradient " << a << " of " << of);
      }
    };
    loss->loss_gradient(p.coefficients.data(), l2, value, gradient.data(), nullptr);
    check("loss_gradient");
    loss->loss_gradient_curvature(p.coefficients.data(), l2, value, gradient.data(), nullptr);
    check("loss_gradient_curvature");
    loss->hessian_product(direction.data(), l2, product.data(), nullptr);
    loss->loss_gradient_hessian(p.coefficients.data(), l2, value, gradient.data(), hessian.data(), nullptr);
    check("loss_gradient_hessian");
    for (std::int64_t a = 0; a < size; ++a) {
      double expected_product = 0;
      for (std::int64_t b = 0; b < size; ++b) {
        expected_product += expected.hessian[a * size + b] * direction[b];
        CHECK_CLOSE(hessian[a * size + b], expected.hessian[a * size + b], tolerance, where << " hessian");
      }
      CHECK_CLOSE(product[a], expected_product, 10 * tolerance, where << " product " << a);
    }
    CHECK(!loss->loss_gradient(p.coefficients.data(), l2, value, gradient.data(), [] { return true; }), where);
  }
}

template <class T>
void probabilities(const Problem& p, const Placed<T>& placed, const std::string& where) {
  std::vector<T> coefficients(p.coefficients.begin(), p.coefficients.end());
  if (!p.intercept) coefficients.resize(coefficients.size() + p.outputs);
  const std::int64_t classes = p.outputs == 1 ? 2 : p.outputs;
  Guarded<T> memory(p.rows * classes);
  T* actual = memory.at_end(p.rows * classes);
  CHECK(logistic_probabilities(placed.samples, p.outputs, coefficients.data(), 2, actual, nullptr), where);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const auto expected = p.probabilities(i);
    for (std::int64_t c = 0; c < classes; ++c) {
      CHECK_CLOSE(actual[i * classes + c], expected[c], kTolerance<T> / 4, where << " probability");
    }
  }
}

void shapes() {
  for (const std::int64_t rows : {1, 61, 300}) {
    for (const std::int64_t features : {1, 3, 8, 17}) {
      for (const std::int64_t outputs : {1, 3, 7}) {
        for (const bool intercept : {false, true}) {
          for (const bool weighted : {false, true}) {
            Problem p = make(rows, features, outputs, intercept, weighted);
            const std::string where = std::to_string(rows) + " x " + std::to_string(features) + ", outputs " +
                                      std::to_string(outputs) + (weighted ? ", weighted" : "");
            const Placed<double> doubles(p);
            derivatives<double>(p, doubles.samples, doubles.targets, kTolerance<double>, where + " f64");
            probabilities(p, doubles, where + " f64");
            const Placed<float> floats(p);
            derivatives<float>(p, floats.samples, floats.targets, kTolerance<float>, where + " f32");
            probabilities(p, floats, where + " f32");
            const PlacedSparse sparse(p);
            derivatives<double>(p, sparse.samples, sparse.targets, kTolerance<double>, where + " csr");
          }
        }
      }
    }
  }
}

// Scores so large that e^score overflows: a loss is the score, or what is left of e^-score.
template <class T>
void extreme_scores() {
  for (const double score : {30.0, 80.0, 700.0, 3e4}) {
    for (const double own : {0.0, 1.0}) {
      const T x = T(score), y = T(own);
      const auto loss =
          make_logistic_loss(DenseSamples<T>{{&x, 1, 1, 1}}, LogisticTargets<T>{&y, nullptr, 1}, {false, 1.0, 1});
      const double coefficient = 1;
      double value = -1, gradient = -1;
      loss->loss_gradient(&coefficient, 0, value, &gradient, nullptr);
      const double small = std::exp(-score);
      const double expected = (own == 1 ? 0 : score) + std::log1p(small);
      const double slope = (own == 1 ? -small / (1 + small) : 1 / (1 + small)) * score;
      // Results below the normal numbers keep fewer digits; float32 has none below 1e-45.
      const double least = std::numeric_limits<T>::min();
      const double eps = 8 * std::numeric_limits<T>::epsilon();
      CHECK_CLOSE(value, expected, eps * expected + least, "score " << score << " class " << own);
      CHECK_CLOSE(gradient, slope, eps * std::abs(slope) + score * least, "score " << score << " class " << own);
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    shapes();
    extreme_scores<float>();
    extreme_scores<double>();
  });
  return check::result();
}
