// Steps of optimizers at every level against one element after the other in long double; arrays end at an unmapped page.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "nn/optimizers.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

using Exact = long double;
constexpr std::int64_t kMost = 70;  // two vectors of the widest level in float32, and each remainder

// A few roundings to T, of numbers around 1.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 3e-6 : 6e-15;

template <class T>
std::vector<T> positive(std::int64_t n, unsigned seed) {
  auto values = normals<T>(n, seed);
  for (T& x : values) x = std::fabs(x);
  return values;
}

template <class T>
void check_vector(const T* actual, const std::vector<Exact>& expected, const std::string& where) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK_CLOSE(actual[i], double(expected[i]), kTolerance<T> * (1 + std::fabs(double(expected[i]))),
                where << " element " << i);
  }
}

template <class T>
std::vector<Exact> exact(const T* x, std::int64_t n) {
  return std::vector<Exact>(x, x + n);
}

// Memory of one run of a kernel: parameters, gradients and three states, each against its own unmapped page.
template <class T>
struct Memory {
  Guarded<T> p_memory{kMost}, g_memory{kMost}, a_memory{kMost}, b_memory{kMost}, c_memory{kMost};
  T *p = nullptr, *g = nullptr, *a = nullptr, *b = nullptr, *c = nullptr;

  void fill(std::int64_t n) {
    p = p_memory.at_end(normals<T>(n, 1));
    g = g_memory.at_end(normals<T>(n, 2));
    a = a_memory.at_end(normals<T>(n, 3));
    b = b_memory.at_end(positive<T>(n, 4));
    c = c_memory.at_end(positive<T>(n, 5));
  }
};

template <class T>
std::string at(SimdLevel level, std::int64_t n, const char* what) {
  return std::string(what) + " " + name(level) + (sizeof(T) == 4 ? " f32" : " f64") + " n " + std::to_string(n);
}

template <class T>
void sgd(SimdLevel level, std::int64_t n, Memory<T>& memory) {
  for (const bool has_velocity : {false, true}) {
    for (const bool nesterov : {false, true}) {
      memory.fill(n);
      const auto where = at<T>(level, n, has_velocity ? (nesterov ? "nesterov" : "momentum") : "sgd");
      const nn::SgdStep step{-0.5, 0.25, 0.125, 0.75, 0.75, 0.5, nesterov};
      auto p = exact(memory.p, n), g = exact(memory.g, n), v = exact(memory.a, n);
      for (std::int64_t i = 0; i < n; ++i) {
        Exact slope = -0.5L * g[i] + 0.25L * p[i];
        if (has_velocity) {
          v[i] = 0.75L * v[i] + 0.5L * slope;
          slope = nesterov ? slope + 0.75L * v[i] : v[i];
        }
        p[i] -= 0.125L * slope;
      }
      nn::optimizer_kernels<T>(level).sgd(n, step, memory.p, memory.g, has_velocity ? memory.a : nullptr);
      check_vector(memory.p, p, where + " parameters");
      check_vector(memory.a, v, where + " velocity");
      check_vector(memory.g, g, where + " gradients");
    }
  }
}

template <class T>
void adagrad(SimdLevel level, std::int64_t n, Memory<T>& memory) {
  memory.fill(n);
  const nn::AdagradStep step{1, 0.25, 0.125, 0.5};
  auto p = exact(memory.p, n), g = exact(memory.g, n), sum = exact(memory.b, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const Exact slope = g[i] + 0.25L * p[i];
    sum[i] += slope * slope;
    p[i] -= 0.125L * slope / (std::sqrt(sum[i]) + 0.5L);
  }
  nn::optimizer_kernels<T>(level).adagrad(n, step, memory.p, memory.g, memory.b);
  check_vector(memory.p, p, at<T>(level, n, "adagrad parameters"));
  check_vector(memory.b, sum, at<T>(level, n, "adagrad sum"));
}

template <class T>
void rmsprop(SimdLevel level, std::int64_t n, Memory<T>& memory) {
  for (const bool centered : {false, true}) {
    for (const bool has_velocity : {false, true}) {
      memory.fill(n);
      // A mean whose square stays well below the mean of squares: no cancellation that would ask for a wider tolerance.
      for (std::int64_t i = 0; i < n; ++i) memory.a[i] *= T(0.125), memory.b[i] += T(4);
      const nn::RmspropStep step{1, 0.25, 0.125, 0.75, 0.5, 0.5};
      auto p = exact(memory.p, n), g = exact(memory.g, n), mean = exact(memory.a, n), square = exact(memory.b, n),
           velocity = exact(memory.c, n);
      for (std::int64_t i = 0; i < n; ++i) {
        const Exact slope = g[i] + 0.25L * p[i];
        square[i] = 0.75L * square[i] + 0.25L * slope * slope;
        Exact spread = square[i];
        if (centered) {
          mean[i] += 0.25L * (slope - mean[i]);
          spread -= mean[i] * mean[i];
        }
        Exact change = slope / (std::sqrt(spread) + 0.5L);
        if (has_velocity) change = velocity[i] = 0.5L * velocity[i] + change;
        p[i] -= 0.125L * change;
      }
      nn::optimizer_kernels<T>(level).rmsprop(n, step, memory.p, memory.g, memory.b, centered ? memory.a : nullptr,
                                              has_velocity ? memory.c : nullptr);
      const auto where = at<T>(level, n, "rmsprop") + (centered ? " centered" : "") + (has_velocity ? " momentum" : "");
      check_vector(memory.p, p, where + " parameters");
      check_vector(memory.a, mean, where + " mean");
      check_vector(memory.b, square, where + " square");
      check_vector(memory.c, velocity, where + " velocity");
    }
  }
}

template <class T>
void adam(SimdLevel level, std::int64_t n, Memory<T>& memory) {
  for (const bool has_largest : {false, true}) {
    memory.fill(n);
    const nn::AdamStep step{-1, 0.25, 0.875, 0.125, 0.5, 0.75, 2, 0.25};
    auto p = exact(memory.p, n), g = exact(memory.g, n), mean = exact(memory.a, n), square = exact(memory.b, n),
         largest = exact(memory.c, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const Exact slope = -g[i] + 0.25L * p[i];
      mean[i] = 0.5L * mean[i] + 0.5L * slope;
      square[i] = 0.75L * square[i] + 0.25L * slope * slope;
      if (has_largest) largest[i] = std::fmax(largest[i], square[i]);
      p[i] = 0.875L * p[i] - 0.125L * mean[i] / (2 * std::sqrt(has_largest ? largest[i] : square[i]) + 0.25L);
    }
    nn::optimizer_kernels<T>(level).adam(n, step, memory.p, memory.g, memory.a, memory.b,
                                         has_largest ? memory.c : nullptr);
    const auto where = at<T>(level, n, has_largest ? "amsgrad" : "adam");
    check_vector(memory.p, p, where + " parameters");
    check_vector(memory.a, mean, where + " mean");
    check_vector(memory.b, square, where + " square");
    check_vector(memory.c, largest, where + " largest");
  }
}

template <class T>
void gradients(SimdLevel level, std::int64_t n, Memory<T>& memory) {
  const auto& kernels = nn::optimizer_kernels<T>(level);
  memory.fill(n);
  auto g = exact(memory.g, n);
  Exact sum = 0;
  for (const Exact x : g) sum += x * x;
  CHECK_CLOSE(kernels.squared_norm(n, memory.g), double(sum), 1e-14 * double(1 + sum), at<T>(level, n, "norm"));
  for (Exact& x : g) x *= 0.5L;
  kernels.scale(n, 0.5, memory.g);
  check_vector(memory.g, g, at<T>(level, n, "scale"));
  for (Exact& x : g) x = std::fmin(std::fmax(x, -0.25L), 0.25L);
  kernels.clip(n, 0.25, memory.g);
  check_vector(memory.g, g, at<T>(level, n, "clip"));
}

// What is not a number stays so: it is what tells that training went wrong.
template <class T>
void not_a_number(SimdLevel level) {
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  std::vector<T> x{nan, infinity, -infinity, 1};
  nn::optimizer_kernels<T>(level).clip(4, 2, x.data());
  CHECK(std::isnan(x[0]), name(level));
  CHECK_EQUAL(x[1], T(2), name(level));
  CHECK_EQUAL(x[2], T(-2), name(level));
  CHECK_EQUAL(x[3], T(1), name(level));
  std::vector<T> p(2, 1), mean(2), square(2), largest(2, 1), g{nan, 0};
  nn::optimizer_kernels<T>(level).adam(2, {1, 0, 1, 0.5, 0.5, 0.5, 1, 0.5}, p.data(), g.data(), mean.data(),
                                       square.data(), largest.data());
  CHECK(std::isnan(p[0]) && std::isnan(largest[0]), name(level));
  CHECK_EQUAL(p[1], T(1), name(level));
}

// A network's worth of pieces: on one thread and on more, cut into pieces and whole, all give the same bits.
template <class T>
void pieces_and_threads(SimdLevel level) {
  const std::vector<std::int64_t> sizes{1, 9000, 0, 4096, 33, 20000};
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) total += size;
  const auto g = normals<T>(total, 1), start = normals<T>(total, 2);
  const nn::AdamStep step{1, 0.1, 1, 0.01, 0.9, 0.99, 1.5, 1e-8};

  std::vector<T> expected = start, mean(total), square(total);
  nn::optimizer_kernels<T>(level).adam(total, step, expected.data(), g.data(), mean.data(), square.data(), nullptr);
  for (const int threads : {1, 2, 3, 16}) {
    std::vector<nn::Piece<T>> pieces;
    std::vector<std::vector<T>> apart;
    std::int64_t offset = 0;
    for (const std::int64_t size : sizes) {
      apart.emplace_back(g.begin() + offset, g.begin() + offset + size);
      pieces.push_back({apart.back().data(), offset, size});
      offset += size;
    }
    const nn::Pieces<T> view{pieces.data(), std::int64_t(pieces.size())};
    std::vector<T> p = start, m(total), s(total);
    nn::adam_step<T>(step, view, p.data(), m.data(), s.data(), nullptr, threads);
    const auto where = at<T>(level, total, "pieces") + " threads " + std::to_string(threads);
    CHECK(p == expected && m == mean && s == square, where);
    const double norm = nn::squared_norm(view, threads);
    CHECK_EQUAL(norm, nn::squared_norm(view, 1), where);
    CHECK_CLOSE(norm, nn::optimizer_kernels<T>(level).squared_norm(total, g.data()), 1e-9, where);
    nn::scale(view, 0.5, threads);
    nn::clip(view, 0.25, threads);
    std::int64_t i = 0, wrong = 0;
    for (const auto& piece : apart) {
      for (const T x : piece) wrong += x != std::fmin(std::fmax(T(0.5) * g[i++], T(-0.25)), T(0.25));
    }
    CHECK_EQUAL(wrong, 0, where);
  }
  // Nothing to do.
  CHECK_EQUAL(nn::squared_norm(nn::Pieces<T>{nullptr, 0}, 2), 0.0, name(level));
}

template <class T>
void all(SimdLevel level) {
  Memory<T> memory;
  for (std::int64_t n = 0; n <= kMost; ++n) {
    sgd<T>(level, n, memory);
    adagrad<T>(level, n, memory);
    rmsprop<T>(level, n, memory);
    adam<T>(level, n, memory);
    gradients<T>(level, n, memory);
  }
  not_a_number<T>(level);
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    all<float>(level);
    all<double>(level);
    pieces_and_threads<float>(level);
    pieces_and_threads<double>(level);
  });
  return check::result();
}
