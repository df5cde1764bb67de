// Squared losses at every level against plain loops over dense and sparse rows, and the objective made of them.
#include <cmath>
#include <string>
#include <vector>

#include "linear/squared_loss.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Rows of small integers, so that all sums are exact; about half of the elements are 0.
template <class T>
struct Sample {
  std::int64_t rows, features;
  std::vector<T> dense, values;
  std::vector<std::int32_t> indices, offsets{0};
  std::vector<double> targets, weights, w;

  Sample(std::int64_t rows_, std::int64_t features_, bool margin)
      : rows(rows_),
        features(features_),
        dense(integers<T>(rows * features, -3, 3, 1)),
        targets(integers<double>(rows, margin ? 0 : -20, margin ? 1 : 20, 2)),
        weights(integers<double>(rows, 0, 3, 3)),
        w(integers<double>(features + 1, -2, 2, 4)) {
    if (margin) {
      for (double& target : targets) target = 2 * target - 1;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < features; ++j) {
        T& value = dense[i * features + j];
        if ((i + j) % 2 == 0) value = 0;
        if (value == 0) continue;
        values.push_back(value);
        indices.push_back(std::int32_t(j));
      }
      offsets.push_back(std::int32_t(values.size()));
    }
  }

  double score(std::int64_t i, double bias, const std::vector<double>& at) const {
    double sum = bias * at[features];
    for (std::int64_t j = 0; j < features; ++j) sum += double(dense[i * features + j]) * at[j];
    return sum;
  }

  void add(std::int64_t i, double factor, double bias, std::vector<double>& to) const {
    for (std::int64_t j = 0; j < features; ++j) to[j] += factor * double(dense[i * features + j]);
    to[features] += factor * bias;
  }
};

double error_of(const SquaredLossTargets& losses, double score, double target) {
  if (losses.margin) return target * score < 1 ? score - target : 0;
  const double difference = score - target;
  if (std::abs(difference) <= losses.epsilon) return 0;
  return difference > 0 ? difference - losses.epsilon : difference + losses.epsilon;
}

template <class T>
void passes(SimdLevel level, std::int64_t rows, std::int64_t features, bool margin, double bias, bool sparse) {
  const auto where = std::string(name(level)) + (sizeof(T) == 4 ? " f32 " : " f64 ") + std::to_string(rows) + " x " +
                     std::to_string(features) + (margin ? " margin" : "") + (sparse ? " sparse" : "") + " bias " +
                     std::to_string(bias);
  const Sample<T> sample(rows, features, margin);
  Guarded<T> memory(rows * features + 1);
  SquaredLossRows<T> x{{}, {}, bias};
  if (sparse) {
    x.sparse = {sample.values.data(), sample.indices.data(), sample.offsets.data(), rows, features};
  } else {
    x.dense = {memory.at_end(sample.dense), rows, features, features};
  }
  const SquaredLossTargets losses{sample.targets.data(), sample.weights.data(), margin, 2};
  const std::int64_t begin = rows > 3 ? 1 : 0;

  double loss = 0;
  std::vector<double> gradient(features + 1, 0.0);
  std::vector<std::int32_t> active;
  for (std::int64_t i = begin; i < rows; ++i) {
    const double error = error_of(losses, sample.score(i, bias, sample.w), sample.targets[i]);
    if (error == 0 || sample.weights[i] == 0) continue;
    loss += sample.weights[i] * error * error;
    sample.add(i, sample.weights[i] * error, bias, gradient);
    active.push_back(std::int32_t(i));
  }
  const auto direction = integers<double>(features + 1, -2, 2, 9);
  std::vector<double> product(features + 1, 0.0);
  for (const std::int32_t i : active)
    sample.add(i, sample.weights[i] * sample.score(i, bias, direction), bias, product);

  const auto& kernels = squared_loss_kernels<T>(level);
  const std::int64_t size = x.size();
  Guarded<double> w_memory(features + 1), sums_memory(features + 1);
  Guarded<std::int32_t> active_memory(rows + 1);
  const double* w = w_memory.at_end(std::vector<double>(sample.w.begin(), sample.w.begin() + size));
  double* sums = sums_memory.at_end(std::vector<double>(size, 0.0));
  std::int32_t* listed = active_memory.at_end(rows - begin);
  std::int64_t count = -1;
  CHECK_EQUAL(kernels.loss_gradient(x, losses, w, begin, rows, sums, listed, count), loss, where);
  CHECK_EQUAL(count, std::int64_t(active.size()), where);
  for (std::int64_t r = 0; r < count; ++r) CHECK_EQUAL(listed[r], active[r], where << " row " << r);
  for (std::int64_t j = 0; j < size; ++j) CHECK_EQUAL(sums[j], gradient[j], where << " feature " << j);

  w = w_memory.at_end(std::vector<double>(direction.begin(), direction.begin() + size));
  sums = sums_memory.at_end(std::vector<double>(size, 0.0));
  kernels.hessian_product(x, sample.weights.data(), w, active.data(), count, sums);
  for (std::int64_t j = 0; j < size; ++j) CHECK_EQUAL(sums[j], product[j], where << " product " << j);
}

// The objective, its gradient and the products with its Hessian do not depend on the number of threads: sums are exact.
template <class T>
void objective(bool sparse) {
  const std::int64_t rows = 90, features = 13;
  const Sample<T> sample(rows, features, true);
  SquaredLossRows<T> x{{}, {}, 2};
  if (sparse) {
    x.sparse = {sample.values.data(), sample.indices.data(), sample.offsets.data(), rows, features};
  } else {
    x.dense = {sample.dense.data(), rows, features, features};
  }
  const SquaredLossTargets losses{sample.targets.data(), sample.weights.data(), true, 0};
  const auto other = integers<double>(features + 1, -1, 1, 8);
  const auto run = [&](int threads, std::vector<double>& numbers) {
    const auto loss = make_squared_loss(x, losses, threads, nullptr);
    numbers.assign(3 * (features + 1) + 2, 0.0);
    double* to = numbers.data();
    CHECK_EQUAL(loss->size(), features + 1, "size");
    CHECK(loss->value_gradient(sample.w.data(), to[0], to + 2), "not stopped");
    loss->settle();
    CHECK(loss->hessian_product(other.data(), to + 2 + (features + 1)), "not stopped");
    // A trial that is not settled for leaves the Hessian as it was.
    std::vector<double> ignored(features + 1);
    CHECK(loss->value_gradient(other.data(), to[1], ignored.data()), "not stopped");
    CHECK(loss->hessian_product(other.data(), to + 2 + 2 * (features + 1)), "not stopped");
  };
  std::vector<double> one, several;
  run(1, one);
  double norm = 0;
  for (const double value : sample.w) norm += value * value;
  CHECK(one[0] > norm / 2, "the loss is there");
  for (std::int64_t j = 0; j <= features; ++j) {
    CHECK_EQUAL(one[2 + (features + 1) + j], one[2 + 2 * (features + 1) + j], "Hessian after a trial, " << j);
  }
  for (const int threads : {2, 3, 7}) {
    run(threads, several);
    for (std::size_t k = 0; k < one.size(); ++k) CHECK_EQUAL(several[k], one[k], threads << " threads, number " << k);
  }
  CHECK(!make_squared_loss(x, losses, 1, [] { return true; })->value_gradient(sample.w.data(), several[0], one.data()),
        "stopped");
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    for (const std::int64_t features : {1, 2, 3, 5, 8, 15, 16, 31, 40}) {
      for (const std::int64_t rows : {0, 1, 3, 4, 15, 16, 17, 50}) {
        for (const bool margin : {false, true}) {
          for (const double bias : {0.0, 2.0}) {
            for (const bool sparse : {false, true}) {
              passes<float>(level, rows, features, margin, bias, sparse);
              passes<double>(level, rows, features, margin, bias, sparse);
            }
          }
        }
      }
    }
  }
  for (const bool sparse : {false, true}) {
    objective<float>(sparse);
    objective<double>(sparse);
  }
  return check::result();
}
