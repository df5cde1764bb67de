// Networks of dense layers at every level, against plain loops in long double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "nn/dense_network.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Real = long double;

struct Problem {
  std::vector<std::int64_t> widths;
  DenseActivation hidden, output;
  DenseLoss loss;
  std::int64_t rows;
  std::vector<double> x, y, weights, parameters;
  double alpha = 0.3;

  std::int64_t size() const {
    std::int64_t sum = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) sum += (widths[l] + 1) * widths[l + 1];
    return sum;
  }
  bool is_flags() const { return loss == DenseLoss::log_loss || loss == DenseLoss::binary_log_loss; }
};

Real activated(DenseActivation activation, Real z) {
  switch (activation) {
    case DenseActivation::logistic:
      return 1 / (1 + std::exp(-z));
    case DenseActivation::tanh:
      return std::tanh(z);
    case DenseActivation::relu:
      return std::max<Real>(z, 0);
    case DenseActivation::exp:
      return std::exp(z);
    default:
      return z;
  }
}

std::vector<Real> plain_outputs(const Problem& p, const std::vector<Real>& parameters, std::int64_t row) {
  std::vector<Real> values(p.x.begin() + row * p.widths[0], p.x.begin() + (row + 1) * p.widths[0]);
  const Real* coef = parameters.data();
  const Real* intercept = coef;
  for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) intercept += p.widths[l] * p.widths[l + 1];
  for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) {
    const DenseActivation activation = l + 2 == p.widths.size() ? p.output : p.hidden;
    std::vector<Real> next(p.widths[l + 1]);
    for (std::int64_t j = 0; j < p.widths[l + 1]; ++j) {
      next[j] = intercept[j];
      for (std::int64_t i = 0; i < p.widths[l]; ++i) next[j] += values[i] * coef[i * p.widths[l + 1] + j];
    }
    if (activation == DenseActivation::softmax) {
      Real sum = 0;
      for (Real& z : next) sum += z = std::exp(z);
      for (Real& z : next) z /= sum;
    } else {
      for (Real& z : next) z = activated(activation, z);
    }
    coef += p.widths[l] * p.widths[l + 1];
    intercept += p.widths[l + 1];
    values = next;
  }
  return values;
}

// Of the rows numbered in `batch`.
Real plain_loss(const Problem& p, const std::vector<Real>& parameters, const std::vector<std::int64_t>& batch) {
  Real sum = 0, total = 0, squares = 0;
  const std::int64_t outputs = p.widths.back();
  for (const std::int64_t row : batch) {
    const std::vector<Real> a = plain_outputs(p, parameters, row);
    const Real weight = p.weights.empty() ? 1 : p.weights[row];
    total += weight;
    for (std::int64_t j = 0; j < outputs; ++j) {
      const Real y = p.y[row * outputs + j];
      switch (p.loss) {
        case DenseLoss::squared_error:
          sum += weight * (y - a[j]) * (y - a[j]) / (2 * outputs);
          break;
        case DenseLoss::poisson:
          sum += weight * ((y == 0 ? 0 : y * std::log(y / a[j])) - y + a[j]);
          break;
        case DenseLoss::log_loss:
          sum -= y == 0 ? 0 : weight * std::log(a[j]);
          break;
        default:
          sum -= weight * std::log(y == 0 ? 1 - a[j] : a[j]);
      }
    }
  }
  std::int64_t weights = 0;
  for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) weights += p.widths[l] * p.widths[l + 1];
  for (std::int64_t i = 0; i < weights; ++i) squares += parameters[i] * parameters[i];
  return (sum + Real(p.alpha) / 2 * squares) / total;
}

// Central differences; that of squared errors is scikit-learn's derivative, which leaves 1 / outputs out.
std::vector<Real> plain_gradient(const Problem& p, const std::vector<Real>& parameters,
                                 const std::vector<std::int64_t>& batch) {
  Problem scaled = p;
  if (p.loss == DenseLoss::squared_error) scaled.alpha /= double(p.widths.back());
  const Real factor = p.loss == DenseLoss::squared_error ? Real(p.widths.back()) : 1;
  const Real step = 1e-6L;
  const Real* gradient = results_of_all_levels().find<Real>(parameters.size(), [&](Real* to) {
    std::vector<Real> at = parameters;
    for (std::size_t i = 0; i < at.size(); ++i) {
      at[i] = parameters[i] + step;
      const Real above = plain_loss(scaled, at, batch);
      at[i] = parameters[i] - step;
      to[i] = factor * (above - plain_loss(scaled, at, batch)) / (2 * step);
      at[i] = parameters[i];
    }
  });
  return {gradient, gradient + parameters.size()};
}

struct PlainState {
  std::vector<Real> parameters, first, second;
  std::int64_t steps = 0;
};

void plain_step(PlainState& s, const Optimizer& o, const std::vector<Real>& gradient) {
  ++s.steps;
  const Real rate = o.rule == Rule::adam ? o.rate * std::sqrt(1 - std::pow(Real(o.beta_2), s.steps)) /
                                               (1 - std::pow(Real(o.momentum), s.steps))
                                         : Real(o.rate);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const Real g = gradient[i];
    if (o.rule == Rule::adam) {
      s.first[i] = o.momentum * s.first[i] + (1 - Real(o.momentum)) * g;
      s.second[i] = o.beta_2 * s.second[i] + (1 - Real(o.beta_2)) * g * g;
      if (o.scales_epsilon) {
        const Real mean = s.first[i] / (1 - std::pow(Real(o.momentum), s.steps));
        const Real square = s.second[i] / (1 - std::pow(Real(o.beta_2), s.steps));
        s.parameters[i] -= o.rate * mean / (std::sqrt(square) + o.epsilon);
      } else {
        s.parameters[i] -= rate * s.first[i] / (std::sqrt(s.second[i]) + o.epsilon);
      }
    } else {
      s.first[i] = o.momentum * s.first[i] - rate * g;
      s.parameters[i] += o.rule == Rule::nesterov ? o.momentum * s.first[i] - rate * g : s.first[i];
    }
  }
}

Problem make(std::vector<std::int64_t> widths, DenseActivation hidden, DenseLoss loss, std::int64_t rows,
             bool weighted) {
  Problem p{std::move(widths), hidden, DenseActivation::identity, loss, rows, {}, {}, {}, {}};
  p.output = loss == DenseLoss::squared_error ? DenseActivation::identity
             : loss == DenseLoss::poisson     ? DenseActivation::exp
             : loss == DenseLoss::log_loss    ? DenseActivation::softmax
                                              : DenseActivation::logistic;
  const std::int64_t outputs = p.widths.back();
  p.x = normals<double>(rows * p.widths[0], 1);
  for (std::size_t i = 0; i < p.x.size(); ++i) p.x[i] = i % 7 < 5 ? 0 : double(float(p.x[i]));
  p.y = normals<double>(rows * outputs, 2);
  for (std::int64_t i = 0; i < rows * outputs; ++i) {
    double& y = p.y[i];
    if (loss == DenseLoss::poisson) y = double(i % 4);
    if (loss == DenseLoss::binary_log_loss) y = y > 0 ? 1 : 0;
    if (loss == DenseLoss::log_loss) y = i % outputs == (i / outputs * 5) % outputs ? 1 : 0;
    y = double(float(y));
  }
  if (weighted) {
    for (std::int64_t i = 0; i < rows; ++i) p.weights.push_back(0.25 * double(i % 5) + (i % 5 == 0 ? 0.5 : 0));
  }
  p.parameters = normals<double>(p.size(), 3);
  for (double& w : p.parameters) w = double(float(0.4 * w));
  return p;
}

// The arrays as the network takes them, each at the end of its memory.
template <class T, class S>
struct Placed {
  Placed(const Problem& p, bool sparse) : values_(1 << 17), indices_(1 << 17), y_(1 << 16), flags_(1 << 16) {
    std::vector<S> stored;
    if (sparse) {
      std::vector<std::int32_t> indices;
      offsets_.push_back(0);
      for (std::int64_t i = 0; i < p.rows; ++i) {
        for (std::int64_t j = p.widths[0] - 1; j >= 0; --j) {  // descending: no order is asked for
          if (p.x[i * p.widths[0] + j] == 0) continue;
          stored.push_back(S(p.x[i * p.widths[0] + j]));
          indices.push_back(std::int32_t(j));
        }
        offsets_.push_back(std::int64_t(stored.size()));
      }
      input.indices = indices_.at_end(indices);
      input.offsets = offsets_.data();
    } else {
      stored.assign(p.x.begin(), p.x.end());
    }
    input.values = values_.at_end(stored);
    input.is_double = sizeof(S) == 8;
    input.rows = p.rows;
    input.cols = p.widths[0];
    if (p.is_flags()) {
      targets.flags = flags_.at_end(std::vector<std::uint8_t>(p.y.begin(), p.y.end()));
    } else {
      targets.values = y_.at_end(std::vector<T>(p.y.begin(), p.y.end()));
    }
    targets.weights = p.weights.empty() ? nullptr : p.weights.data();
  }
  Guarded<S> values_;
  Guarded<std::int32_t> indices_;
  Guarded<T> y_;
  Guarded<std::uint8_t> flags_;
  std::vector<std::int64_t> offsets_;
  DenseInput input{};
  DenseTargets<T> targets{};
};

// Sums of up to a thousand terms of order 1, through a few layers; differences are good to 1e-9.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 2e-4 : 1e-8;

std::string text(const Problem& p, const char* kind) {
  std::string where = kind;
  for (const std::int64_t width : p.widths) where += " " + std::to_string(width);
  return where + ", rows " + std::to_string(p.rows) + ", hidden " + std::to_string(int(p.hidden)) + ", loss " +
         std::to_string(int(p.loss)) + (p.weights.empty() ? "" : ", weighted");
}

struct Expected {
  explicit Expected(const Problem& p) : parameters(p.parameters.begin(), p.parameters.end()) {
    std::vector<std::int64_t> all(p.rows);
    for (std::int64_t i = 0; i < p.rows; ++i) all[i] = i;
    loss = plain_loss(p, parameters, all);
    gradient = plain_gradient(p, parameters, all);
  }
  std::vector<Real> parameters, gradient;
  Real loss;
};

template <class T, class S>
void gradient_and_outputs(const Problem& p, const Expected& expected, bool sparse, const std::string& where) {
  const Placed<T, S> placed(p, sparse);
  const std::vector<Real>& parameters = expected.parameters;
  DenseNetwork<T> network(p.widths, p.hidden, p.output, p.loss);
  const std::vector<T> flat(p.parameters.begin(), p.parameters.end());
  network.load(Parameters::weights, flat.data());
  for (const int threads : {1, 2, 3}) {
    double loss = -1;
    std::vector<T> gradient(p.size()), back(p.size());
    CHECK(network.loss_gradient(placed.input, placed.targets, p.alpha, threads, loss, gradient.data(), nullptr) ==
              Outcome::finished,
          where);
    CHECK_CLOSE(loss, expected.loss, kTolerance<T> * std::max<Real>(1, expected.loss), where);
    for (std::int64_t i = 0; i < p.size(); ++i) {
      CHECK_CLOSE(gradient[i], expected.gradient[i], kTolerance<T> * (1 + std::abs(double(expected.gradient[i]))),
                  where << " gradient " << i);
    }
    network.store(Parameters::weights, back.data());
    CHECK(back == flat, where << ": weights have changed");

    const std::int64_t outputs = p.widths.back();
    Guarded<T> memory(p.rows * outputs);
    T* actual = memory.at_end(p.rows * outputs);
    CHECK(network.predict(placed.input, threads, actual, nullptr), where);
    for (std::int64_t i = 0; i < p.rows; ++i) {
      const std::vector<Real> a = plain_outputs(p, parameters, i);
      for (std::int64_t j = 0; j < outputs; ++j) {
        CHECK_CLOSE(actual[i * outputs + j], a[j], kTolerance<T> * (1 + std::abs(double(a[j]))), where << " output");
      }
    }
  }
}

template <class T>
void single_rows(const Problem& p, const std::string& where) {
  std::vector<const T*> coefs, intercepts;
  const std::vector<T> flat(p.parameters.begin(), p.parameters.end());
  const T* next = flat.data();
  Guarded<T> last_layer(1 << 12);
  for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) {
    const std::int64_t count = p.widths[l] * p.widths[l + 1];
    coefs.push_back(l + 2 == p.widths.size() ? last_layer.at_end(std::vector<T>(next, next + count)) : next);
    next += count;
  }
  for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) {
    intercepts.push_back(next);
    next += p.widths[l + 1];
  }
  const std::vector<T> x(p.x.begin(), p.x.end());
  std::vector<T> outputs(p.widths.back());
  dense_forward_row(p.widths, p.hidden, p.output, x.data(), coefs.data(), intercepts.data(), outputs.data());
  const std::vector<Real> expected = plain_outputs(p, {p.parameters.begin(), p.parameters.end()}, 0);
  for (std::size_t j = 0; j < outputs.size(); ++j) {
    CHECK_CLOSE(outputs[j], expected[j], kTolerance<T> * (1 + std::abs(double(expected[j]))), where << " one row");
  }
}

template <class T>
void epochs(const Problem& p, Rule rule, std::int64_t batch, bool sparse, const std::string& where,
            bool scales_epsilon = false) {
  const Placed<T, T> placed(p, sparse);
  std::vector<std::int64_t> order(p.rows);
  for (std::int64_t i = 0; i < p.rows; ++i) order[i] = (i * 7 + 3) % p.rows;  // rows are no multiple of 7
  Optimizer optimizer{rule, 0.01, 0.9, 0.99, 1e-3, 0, scales_epsilon};
  PlainState state{
      {p.parameters.begin(), p.parameters.end()}, std::vector<Real>(p.size()), std::vector<Real>(p.size()), 0};
  const std::vector<T> flat(p.parameters.begin(), p.parameters.end());
  std::vector<T> results[3];
  for (const int threads : {1, 2, 2}) {
    DenseNetwork<T> network(p.widths, p.hidden, p.output, p.loss);
    network.load(Parameters::weights, flat.data());
    optimizer.steps = 0;
    std::vector<T>& actual = !results[0].empty() ? !results[1].empty() ? results[2] : results[1] : results[0];
    for (int epoch = 0; epoch < 2; ++epoch) {
      double loss = 0;
      CHECK(network.train_epoch(placed.input, placed.targets, order.data(), batch, p.alpha, optimizer, threads, loss,
                                nullptr) == Outcome::finished,
            where);
      if (threads > 1) continue;
      Real expected = 0;
      for (std::int64_t begin = 0; begin < p.rows; begin += batch) {
        const std::vector<std::int64_t> rows(order.begin() + begin, order.begin() + std::min(begin + batch, p.rows));
        expected += plain_loss(p, state.parameters, rows) * Real(rows.size());
        plain_step(state, optimizer, plain_gradient(p, state.parameters, rows));
      }
      CHECK_CLOSE(loss, expected, kTolerance<T> * double(expected), where << " loss of epoch " << epoch);
    }
    CHECK_EQUAL(optimizer.steps, 2 * ((p.rows + batch - 1) / batch), where);
    actual.resize(p.size());
    network.store(Parameters::first, actual.data());
    for (std::int64_t i = 0; i < p.size(); ++i) {
      CHECK_CLOSE(actual[i], state.first[i], kTolerance<T>, where << " moment " << i);
    }
    network.store(Parameters::weights, actual.data());
    for (std::int64_t i = 0; i < p.size(); ++i) {
      CHECK_CLOSE(actual[i], state.parameters[i], kTolerance<T>, where << " weight " << i);
    }
  }
  CHECK(results[1] == results[2], where << ": two runs differ");
}

void shapes() {
  const std::vector<std::int64_t> nets[] = {{3, 1}, {5, 4, 3}, {17, 33, 2}, {9, 16, 5, 4}};
  for (const auto& widths : nets) {
    for (const DenseActivation hidden :
         {DenseActivation::identity, DenseActivation::logistic, DenseActivation::tanh, DenseActivation::relu}) {
      for (const DenseLoss loss :
           {DenseLoss::squared_error, DenseLoss::poisson, DenseLoss::log_loss, DenseLoss::binary_log_loss}) {
        if (loss == DenseLoss::log_loss && widths.back() == 1) continue;
        for (const std::int64_t rows : {1, 15, 40}) {
          if (rows > 1 && widths.size() * widths[0] > 15 && hidden != DenseActivation::relu) continue;  // takes long
          const Problem p = make(widths, hidden, loss, rows, rows == 15);
          const Expected expected(p);
          gradient_and_outputs<double, double>(p, expected, false, text(p, "f64"));
          gradient_and_outputs<float, float>(p, expected, false, text(p, "f32"));
          gradient_and_outputs<double, float>(p, expected, rows == 15, text(p, "f32 in f64"));
          single_rows<float>(p, text(p, "f32"));
          single_rows<double>(p, text(p, "f64"));
        }
      }
    }
  }
}

void training() {
  for (const Rule rule : {Rule::sgd, Rule::nesterov, Rule::adam}) {
    for (const std::int64_t batch : {1, 8, 30}) {
      const Problem p = make({11, 6, 3}, DenseActivation::tanh, DenseLoss::log_loss, 30, batch == 8);
      epochs<double>(p, rule, batch, false, text(p, "f64"));
      epochs<float>(p, rule, batch, false, text(p, "f32"));
    }
  }
}

// Few values stored, so that the first layer reads rows as they are; more rows than a chunk has; threads.
void large() {
  Problem p = make({40, 4, 1}, DenseActivation::relu, DenseLoss::squared_error, 601, true);
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    if (i % 20 != 0) p.x[i] = 0;
    if (p.x[i] == 0 && i % 20 == 0) p.x[i] = 1;
  }
  const Expected expected(p);
  gradient_and_outputs<double, double>(p, expected, true, text(p, "sparse f64"));
  gradient_and_outputs<float, float>(p, expected, true, text(p, "sparse f32"));
  gradient_and_outputs<double, double>(p, expected, false, text(p, "chunks f64"));
  epochs<double>(p, Rule::adam, 550, true, text(p, "sparse epochs"));
  epochs<double>(p, Rule::nesterov, 550, false, text(p, "chunked epochs"));
  epochs<double>(p, Rule::adam, 100, false, text(p, "epochs of the other epsilon"), true);

  // Wide enough for two threads; as many answers.
  const Problem wide = make({200, 90, 40, 10}, DenseActivation::relu, DenseLoss::log_loss, 400, false);
  const Placed<float, float> placed(wide, false);
  const std::vector<float> flat(wide.parameters.begin(), wide.parameters.end());
  std::vector<float> results[2];
  for (const int threads : {1, 2}) {
    DenseNetwork<float> network(wide.widths, wide.hidden, wide.output, wide.loss);
    network.load(Parameters::weights, flat.data());
    Optimizer optimizer{Rule::adam, 0.001, 0.9, 0.999, 1e-8, 0};
    double loss = 0;
    network.train_epoch(placed.input, placed.targets, nullptr, 200, 1e-4, optimizer, threads, loss, nullptr);
    results[threads - 1].resize(wide.size());
    network.store(Parameters::weights, results[threads - 1].data());
  }
  for (std::int64_t i = 0; i < wide.size(); ++i) {
    CHECK_CLOSE(results[1][i], results[0][i], 1e-5, "weight " << i << " with one and two threads");
  }
}

void ends_early() {
  Problem p = make({4, 3, 2}, DenseActivation::relu, DenseLoss::log_loss, 20, true);
  const Placed<double, double> placed(p, false);
  DenseNetwork<double> network(p.widths, p.hidden, p.output, p.loss);
  network.load(Parameters::weights, p.parameters.data());
  Optimizer optimizer{Rule::sgd, 0.01, 0.9, 0, 0, 0};
  double loss = 0;
  CHECK(network.train_epoch(placed.input, placed.targets, nullptr, 5, 0.1, optimizer, 1, loss, [] { return true; }) ==
            Outcome::stopped,
        "stopped");
  CHECK_EQUAL(optimizer.steps, 1, "the batch before the stop counts");
  std::vector<double> after(p.size());
  network.store(Parameters::weights, after.data());
  CHECK(after != p.parameters, "and has been learnt");
  std::fill(p.weights.begin() + 10, p.weights.begin() + 15, 0.0);
  CHECK(network.train_epoch(placed.input, placed.targets, nullptr, 5, 0.1, optimizer, 1, loss, nullptr) ==
            Outcome::weightless,
        "weightless");
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel) {
    shapes();
    training();
    large();
    ends_early();
  });
  return check::result();
}
