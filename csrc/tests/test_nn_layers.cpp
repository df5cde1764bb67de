// Activations, layers, softmax and cross entropy at every level, against plain loops in long double. Arrays lie against
// an unmapped page.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "nn/activation.hpp"
#include "nn/softmax.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Real = long double;

constexpr Activation kKinds[] = {
    Activation::identity,  Activation::relu, Activation::leaky_relu, Activation::elu,  Activation::gelu,
    Activation::gelu_tanh, Activation::silu, Activation::sigmoid,    Activation::tanh, Activation::softplus};

bool reads_result(Activation kind) {
  return kind == Activation::relu || kind == Activation::leaky_relu || kind == Activation::elu ||
         kind == Activation::sigmoid || kind == Activation::tanh;
}

Real plain(Activation kind, Real x, Real p) {
  switch (kind) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::leaky_relu:
      return x > 0 ? x : p * x;
    case Activation::elu:
      return x > 0 ? x : p * std::expm1(x);
    case Activation::gelu:
      return x * std::erfc(-x / std::sqrt(Real(2))) / 2;
    case Activation::gelu_tanh:
      return x / (1 + std::exp(-2 * std::sqrt(2 / std::acos(Real(-1))) * (x + Real(0.044715) * x * x * x)));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::softplus:
      return (p * x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(p * x))) / p;
    default:
      return x;
  }
}

// By central differences, whose error is about the step's square.
Real plain_slope(Activation kind, Real x, Real p) {
  const Real step = 1e-6L;
  return (plain(kind, x + step, p) - plain(kind, x - step, p)) / (2 * step);
}

template <class T>
constexpr Real kUnit = std::numeric_limits<T>::epsilon();

// Over arguments of both signs and many sizes. Where the result is e^a times something, rounding a is worth |a| units of it,
// and a is up to x^2 (in gelu_tanh, where x is large, less than 8 of these).
template <class T>
void values(const char* level) {
  std::vector<T> x{T(0), T(-0.0), T(1e-30), T(-1e-30)};
  for (double size = 1e-4; size < 12; size *= 1.003) {
    x.push_back(T(size));
    x.push_back(T(-size));
  }
  const std::int64_t n = std::int64_t(x.size());
  std::vector<T> y(n), dy(n, T(1)), dx(n);
  for (const Activation kind : kKinds) {
    const T p = T(1.25);
    activate<T>(kind, p, n, 1, nullptr, x.data(), y.data(), 2);
    activate_backward<T>(kind, p, n, 1, x.data(), y.data(), dy.data(), dx.data(), nullptr, 2);
    for (std::int64_t i = 0; i < n; ++i) {
      const Real expected = plain(kind, x[i], p), size = std::abs(Real(x[i]));
      CHECK_CLOSE(y[i], expected, std::abs(expected) * kUnit<T> * (8 + 8 * size * size) + std::numeric_limits<T>::min(),
                  level << " kind " << int(kind) << " of " << x[i]);
      if (size < 1e-5L) continue;  // kinks
      CHECK_CLOSE(dx[i], plain_slope(kind, x[i], p), 8 * kUnit<T> + 1e-11,
                  level << " slope of kind " << int(kind) << " at " << x[i]);
    }
  }
}

template <class T>
void special_values(const char* level) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  for (const Activation kind : kKinds) {
    T x[3] = {inf, -inf, nan}, y[3];
    activate<T>(kind, T(1), 3, 1, nullptr, x, y, 1);
    const bool bounded = kind == Activation::sigmoid || kind == Activation::tanh;
    CHECK_EQUAL(y[0], bounded ? T(1) : inf, level << " of infinity, kind " << int(kind));
    const bool linear = kind == Activation::identity || kind == Activation::leaky_relu;
    const T low = kind == Activation::elu || kind == Activation::tanh ? T(-1) : T(0);
    CHECK_EQUAL(y[1], linear ? -inf : low, level << " of -infinity, kind " << int(kind));
    CHECK(std::isnan(y[2]), level << " of NaN, kind " << int(kind));
  }
}

// A layer with its bias and the sums of its gradient, for all lengths of remainders.
template <class T>
void layers(const char* level) {
  Guarded<T> at_x(1 << 15), at_weight(1 << 15), at_bias(1 << 12), at_z(1 << 15), at_y(1 << 15), at_dy(1 << 15),
      at_dx(1 << 15), at_sums(1 << 12);
  for (const std::int64_t rows : {0, 1, 3, 70, 131}) {
    for (const std::int64_t outputs : {1, 2, 5, 8, 17, 35}) {
      const std::int64_t inputs = outputs % 2 == 0 ? 7 : 75, size = rows * outputs;
      const std::vector<double> x = normals<double>(rows * inputs, 1), w = normals<double>(outputs * inputs, 2),
                                b = normals<double>(outputs, 3), g = normals<double>(size, 4);
      T* px = at_x.at_end(std::vector<T>(x.begin(), x.end()));
      T* pw = at_weight.at_end(std::vector<T>(w.begin(), w.end()));
      T* pb = at_bias.at_end(std::vector<T>(b.begin(), b.end()));
      T* pg = at_dy.at_end(std::vector<T>(g.begin(), g.end()));
      T *y = at_y.at_end(size), *dx = at_dx.at_end(size), *sums = at_sums.at_end(outputs);
      for (const Activation kind : kKinds) {
        for (const int threads : {1, 3}) {
          T* z = reads_result(kind) ? y : at_z.at_end(size);
          linear_forward<T>(kind, T(0.5), rows, inputs, outputs, px, pw, pb, z, y, threads);
          activate_backward<T>(kind, T(0.5), rows, outputs, z, y, pg, dx, sums, threads);
          std::vector<Real> total(outputs);
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < outputs; ++j) {
              Real score = pb[j];
              for (std::int64_t k = 0; k < inputs; ++k) score += Real(px[i * inputs + k]) * pw[j * inputs + k];
              const std::int64_t at = i * outputs + j;
              CHECK_CLOSE(y[at], plain(kind, score, 0.5L), 200 * kUnit<T>, level << " layer, kind " << int(kind));
              const Real slope = plain_slope(kind, score, 0.5L);
              if (std::abs(score) > 1e-3L) {
                CHECK_CLOSE(dx[at], slope * pg[at], 600 * kUnit<T> + 1e-10, level << " gradient, kind " << int(kind));
              }
              total[j] += dx[at];
            }
          }
          for (std::int64_t j = 0; j < outputs; ++j) {
            CHECK_CLOSE(sums[j], total[j], 1000 * kUnit<T>, level << " sums, kind " << int(kind) << " rows " << rows);
          }
        }
      }
    }
  }
}

template <class T>
void softmaxes(const char* level) {
  Guarded<T> at_x(1 << 13), at_y(1 << 13), at_dy(1 << 13), at_dx(1 << 13);
  for (const std::int64_t cols : {1, 2, 7, 8, 16, 19, 40}) {
    const std::int64_t rows = 5, size = rows * cols;
    std::vector<T> scores = normals<T>(size, unsigned(cols));
    for (T& s : scores) s *= T(20);
    const std::vector<T> gradients = normals<T>(size, 9);
    const T *x = at_x.at_end(scores), *dy = at_dy.at_end(gradients);
    T *y = at_y.at_end(size), *dx = at_dx.at_end(size);
    for (const bool logarithm : {false, true}) {
      softmax(rows, cols, x, logarithm, y, 2);
      softmax_backward(rows, cols, y, dy, logarithm, dx, 2);
      for (std::int64_t i = 0; i < rows; ++i) {
        Real sum = 0, inner = 0, most = -INFINITY;
        for (std::int64_t c = 0; c < cols; ++c) most = std::max<Real>(most, x[i * cols + c]);
        for (std::int64_t c = 0; c < cols; ++c) sum += std::exp(Real(x[i * cols + c]) - most);
        const auto log_p = [&](std::int64_t c) { return Real(x[i * cols + c]) - most - std::log(sum); };
        for (std::int64_t c = 0; c < cols; ++c) inner += (logarithm ? 1 : std::exp(log_p(c))) * dy[i * cols + c];
        for (std::int64_t c = 0; c < cols; ++c) {
          const Real p = std::exp(log_p(c)), g = dy[i * cols + c];
          CHECK_CLOSE(y[i * cols + c], logarithm ? log_p(c) : p, (logarithm ? 400 : 32) * kUnit<T>,
                      level << " softmax");
          // p is off by as many units as its exponent is large.
          CHECK_CLOSE(dx[i * cols + c], logarithm ? g - p * inner : p * (g - inner), 2000 * kUnit<T>, level);
        }
      }
    }
  }
}

template <class T>
void cross_entropies(const char* level) {
  Guarded<T> at_x(1 << 13), at_p(1 << 13), at_w(1 << 10), at_losses(1 << 10), at_dx(1 << 13);
  for (const std::int64_t cols : {1, 2, 7, 8, 16, 19}) {
    const std::int64_t rows = 6, size = rows * cols;
    const std::vector<T> scores = normals<T>(size, unsigned(cols));
    std::vector<T> given = normals<T>(size, 5), weight = normals<T>(cols, 6);
    for (T& p : given) p = p * p;
    for (T& w : weight) w = w * w;
    std::vector<std::int64_t> classes(rows);
    for (std::int64_t i = 0; i < rows; ++i) classes[i] = (5 * i + 2) % cols;
    const T *x = at_x.at_end(scores), *p = at_p.at_end(given), *w = at_w.at_end(weight);
    T *losses = at_losses.at_end(rows), *dx = at_dx.at_end(size);
    for (const bool by_class : {true, false}) {
      for (const bool weighted : {true, false}) {
        for (const T smoothing : {T(0), T(0.25)}) {
          for (const bool derivatives : {true, false}) {
            // The class of row 3 counts as any other where targets are probabilities.
            const std::int64_t ignored = smoothing == 0 ? -1 : classes[3];
            const bool mean = weighted;
            const ClassTargets<T> targets{by_class ? classes.data() : nullptr, by_class ? nullptr : p,
                                          weighted ? w : nullptr, smoothing, ignored};
            const LossSum found = cross_entropy(rows, cols, x, targets, mean, losses, derivatives ? dx : nullptr, 2);
            CHECK_EQUAL(found.wrong, -1, level);
            Real all = 0, weights = 0;
            for (std::int64_t i = 0; i < rows; ++i) {
              all += losses[i];
              if (!by_class || classes[i] != ignored) weights += by_class && weighted ? w[classes[i]] : T(1);
            }
            CHECK_CLOSE(found.sum, all, 1e-13 * std::abs(all), level << " sum of losses");
            CHECK_CLOSE(found.weight, weights, 1e-13 * weights, level << " weight of rows");
            const Real factor = mean && weights > 0 ? 1 / weights : 1;
            for (std::int64_t i = 0; i < rows; ++i) {
              if (by_class && classes[i] == ignored) {
                CHECK_EQUAL(losses[i], T(0), level << " loss of an ignored class");
                for (std::int64_t c = 0; derivatives && c < cols; ++c) CHECK_EQUAL(dx[i * cols + c], T(0), level);
                continue;
              }
              Real sum = 0, loss = 0, total = 0;
              for (std::int64_t c = 0; c < cols; ++c) sum += std::exp(Real(x[i * cols + c]));
              const auto target = [&](std::int64_t c) {
                const Real own = by_class ? Real(classes[i] == c) : Real(p[i * cols + c]);
                return (weighted ? Real(w[c]) : 1) * ((1 - smoothing) * own + Real(smoothing) / cols);
              };
              for (std::int64_t c = 0; c < cols; ++c) {
                loss += target(c) * (std::log(sum) - x[i * cols + c]);
                total += target(c);
              }
              CHECK_CLOSE(losses[i], loss, (64 + 64 * total) * kUnit<T>, level << " loss, classes " << cols);
              if (!derivatives) continue;
              for (std::int64_t c = 0; c < cols; ++c) {
                CHECK_CLOSE(dx[i * cols + c], factor * (std::exp(Real(x[i * cols + c])) / sum * total - target(c)),
                            (16 + 16 * total) * (1 + factor) * kUnit<T>, level << " derivative, classes " << cols);
              }
            }
          }
        }
      }
    }
    classes[rows - 1] = cols;
    const ClassTargets<T> wrong{classes.data(), nullptr, nullptr, T(0)};
    CHECK_EQUAL(cross_entropy<T>(rows, cols, x, wrong, false, losses, nullptr, 1).wrong, rows - 1,
                level << " class out of range");
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    values<float>(name(level));
    values<double>(name(level));
    special_values<float>(name(level));
    special_values<double>(name(level));
    layers<float>(name(level));
    layers<double>(name(level));
    softmaxes<float>(name(level));
    softmaxes<double>(name(level));
    cross_entropies<float>(name(level));
    cross_entropies<double>(name(level));
  });
  return check::result();
}
