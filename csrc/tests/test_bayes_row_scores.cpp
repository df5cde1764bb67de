// Scores of dense and sparse rows and of categories against plain loops, to the bit, and what becomes of them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "bayes/row_scores.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"

using namespace fastml;
using namespace fastml::bayes;

namespace {

std::mt19937 generator(21);

std::int64_t drawn(std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(generator);
}

std::vector<double> normals(std::int64_t count) {
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(generator);
  return values;
}

// All outcomes of rows whose scores are known. `score` is asked to write them; returns what it does.
template <class Score>
void check_outcomes(const std::vector<double>& expected, std::int64_t classes, const Score& score) {
  const std::int64_t rows = std::int64_t(expected.size()) / classes;
  std::vector<double> joint(expected.size()), log_probabilities(expected.size()), probabilities(expected.size());
  std::vector<std::int64_t> labels(rows);
  score(Outcomes{Outcome::joint, joint.data(), nullptr, nullptr});
  score(Outcomes{Outcome::log_probability, log_probabilities.data(), nullptr, nullptr});
  score(Outcomes{Outcome::probability, probabilities.data(), nullptr, nullptr});
  score(Outcomes{Outcome::label, nullptr, nullptr, labels.data()});
  CHECK(joint == expected, rows << " rows, " << classes << " classes");
  for (std::int64_t i = 0; i < rows; ++i) {
    const double* row = expected.data() + i * classes;
    const std::int64_t best = std::max_element(row, row + classes) - row;
    CHECK_EQUAL(labels[i], best, "row " << i << " of " << rows << ", " << classes << " classes");
    double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(row[k] - row[best]);
    for (std::int64_t k = 0; k < classes; ++k) {
      const double logarithm = row[k] - row[best] - std::log(sum);
      // Both are rounded a few times.
      CHECK_CLOSE(log_probabilities[i * classes + k], logarithm, 1e-14 * (1 - logarithm), "row " << i);
      CHECK_CLOSE(probabilities[i * classes + k], std::exp(logarithm), 1e-14 * (1 - logarithm), "row " << i);
    }
  }
}

template <class T, class Index>
void sparse_rows(std::int64_t rows, std::int64_t features, std::int64_t classes, std::int64_t most_stored) {
  std::vector<T> values;
  std::vector<Index> indices{0, 0}, offsets{2};  // values start behind those of other rows
  values = {T(9), T(9)};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t stored = drawn(0, most_stored); stored > 0; --stored) {
      values.push_back(T(double(drawn(-40, 60)) / 7));
      indices.push_back(Index(drawn(0, features - 1)));
    }
    offsets.push_back(Index(values.size()));
  }
  const std::vector<double> weights = normals(classes * features), constants = normals(classes);
  const SparseRows<T, Index> x{values.data(), indices.data(), offsets.data(), rows, features};
  for (const bool binary : {false, true}) {
    const LinearModel model{features, classes, weights.data(), constants.data(), binary, 1.25};
    std::vector<double> expected(rows * classes);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < classes; ++k) {
        volatile double score = 0;  // each step is rounded
        for (Index p = offsets[i]; p < offsets[i + 1]; ++p) {
          const auto value = double(values[p]);
          volatile const double term =
              (binary ? (value > 1.25 ? 1.0 : 0.0) : value) * weights[k * features + indices[p]];
          score = score + term;
        }
        expected[i * classes + k] = score + constants[k];
      }
    }
    for (const int threads : {1, 3}) {
      check_outcomes(expected, classes, [&](const Outcomes& out) {
        CHECK(score_rows(model, x, out, threads, nullptr) == ScoreResult::finite, rows << " rows");
      });
    }
  }
  values.back() = std::numeric_limits<T>::infinity();
  std::vector<std::int64_t> labels(rows);
  const LinearModel model{features, classes, weights.data(), constants.data(), false, 0};
  const Outcomes out{Outcome::label, nullptr, nullptr, labels.data()};
  CHECK(score_rows(model, x, out, 2, nullptr) == (most_stored > 0 ? ScoreResult::not_finite : ScoreResult::finite),
        "a value that is not finite");
}

void categories(std::int64_t rows, std::int64_t features, std::int64_t classes) {
  std::vector<std::int64_t> offsets{0}, x(rows * features);
  for (std::int64_t j = 0; j < features; ++j) offsets.push_back(offsets.back() + drawn(1, 9));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t j = i % features;
    x[i] = drawn(0, offsets[j + 1] - offsets[j] - 1);
  }
  const std::int64_t columns = offsets.back();
  const std::vector<double> weights = normals(classes * columns), constants = normals(classes);
  const CategoryModel model{features, classes, offsets.data(), weights.data(), constants.data()};
  std::vector<double> expected(rows * classes);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < classes; ++k) {
      double score = 0;
      for (std::int64_t j = 0; j < features; ++j) score += weights[k * columns + offsets[j] + x[i * features + j]];
      expected[i * classes + k] = score + constants[k];
    }
  }
  for (const int threads : {1, 3}) {
    check_outcomes(expected, classes, [&](const Outcomes& out) {
      CHECK(score_rows(model, {x.data(), rows, features, features}, out, threads, nullptr) == CategoryResult::known,
            rows << " rows");
    });
  }
  std::vector<std::int64_t> labels(rows);
  const Outcomes out{Outcome::label, nullptr, nullptr, labels.data()};
  for (const std::int64_t unknown :
       {std::int64_t(-1), offsets[features] - offsets[features - 1], std::numeric_limits<std::int64_t>::min()}) {
    std::vector<std::int64_t> other = x;
    other.back() = unknown;
    CHECK(score_rows(model, {other.data(), rows, features, features}, out, 2, nullptr) == CategoryResult::unknown,
          "category " << unknown);
  }
}

// Values and weights of which sums are exact, in panels of features and in blocks of rows that are not whole. Memory
// ends with the last row.
template <class T>
void dense_rows(std::int64_t rows, std::int64_t features, std::int64_t classes) {
  Guarded<T> memory(rows * features);
  T* x = memory.at_end(rows * features);
  for (std::int64_t i = 0; i < rows * features; ++i) x[i] = T(drawn(-9, 9));
  std::vector<double> weights(classes * features), constants(classes);
  for (double& weight : weights) weight = double(drawn(-64, 64)) / 8;
  for (double& constant : constants) constant = double(drawn(-64, 64)) / 8;
  for (const bool binary : {false, true}) {
    const LinearModel model{features, classes, weights.data(), constants.data(), binary, 2.5};
    std::vector<double> expected(rows * classes);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < classes; ++k) {
        double score = constants[k];
        for (std::int64_t j = 0; j < features; ++j) {
          const auto value = double(x[i * features + j]);
          score += (binary ? (value > 2.5 ? 1.0 : 0.0) : value) * weights[k * features + j];
        }
        expected[i * classes + k] = score;
      }
    }
    for (const int threads : {1, 3}) {
      check_outcomes(expected, classes, [&](const Outcomes& out) {
        CHECK(
            score_rows(model, Rows<const T>{x, rows, features, features}, out, threads, nullptr) == ScoreResult::finite,
            rows << " rows");
      });
    }
  }
}

bool always() { return true; }

void stops() {
  const std::vector<double> numbers(4, 1.0);
  const std::vector<std::int32_t> indices{0, 1}, offsets{0, 1, 2};
  const std::vector<std::int64_t> bounds{0, 1, 2}, x{0, 0};
  std::vector<std::int64_t> labels(2);
  const Outcomes out{Outcome::label, nullptr, nullptr, labels.data()};
  CHECK(score_rows(LinearModel{2, 2, numbers.data(), numbers.data(), false, 0},
                   SparseRows<double, std::int32_t>{numbers.data(), indices.data(), offsets.data(), 2, 2}, out, 1,
                   always) == ScoreResult::stopped,
        "stopped");
  CHECK(score_rows(CategoryModel{2, 2, bounds.data(), numbers.data(), numbers.data()}, {x.data(), 1, 2, 2}, out, 1,
                   always) == CategoryResult::stopped,
        "stopped");
}

void all(SimdLevel) {
  for (const std::int64_t classes : {1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 70}) {
    sparse_rows<double, std::int32_t>(35, 20, classes, 30);
    sparse_rows<float, std::int64_t>(70, 400, classes, 5);  // fewer values than features
    categories(67, 7, classes);
    dense_rows<double>(37, 19, classes);
    dense_rows<float>(9, 300, classes);
    dense_rows<std::int32_t>(41, 7, classes);
    dense_rows<std::int64_t>(12, 258, classes);
  }
  dense_rows<double>(4000, 40, 6);
  sparse_rows<float, std::int32_t>(1, 30, 3, 0);
  sparse_rows<double, std::int64_t>(4000, 60, 12, 40);
  categories(1, 1, 2);
  categories(9000, 6, 12);
  stops();
}

}  // namespace

int main() {
  at_each_level_in_a_child(all);
  return check::result();
}
