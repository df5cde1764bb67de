// What k-means++ asks for, at every level and over threads: distances to candidates, and draws looked up in running sums.
#include <algorithm>
#include <vector>

#include "cluster/seeding.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"
#include "tests/sparse.hpp"

using namespace fastml;

namespace {

bool at_once() { return true; }

template <class T>
void distances(SimdLevel level) {
  const std::int64_t rows = 9000, cols = 11;  // enough for two threads from 7 candidates on
  const Points<T> points{rows, cols, integers<T>(rows * cols, -3, 3, 1), {}};
  const SparsePoints<T> stored = sparse(points);
  const auto shift = integers<T>(cols, -9, 9, 2);
  std::vector<T> shifted = points.values;
  for (std::int64_t i = 0; i < rows * cols; ++i) shifted[i] += shift[i % cols];
  const auto closest = integers<T>(rows, 0, 60, 3);

  const KMeansData<T> forms[] = {{{points.values.data(), rows, cols, cols}, {}, false, nullptr, nullptr},
                                 {{shifted.data(), rows, cols, cols}, {}, false, shift.data(), nullptr},
                                 {{}, stored.csr(), true, nullptr, nullptr}};
  for (const auto& data : forms) {
    for (const int threads : {1, 2}) {
      Seeding<T> seeding(data, threads);
      std::vector<T> row(cols);
      seeding.row(rows - 1, row.data());
      CHECK(std::equal(row.begin(), row.end(), points.row(rows - 1)), name(level) << " row as the distances see it");
      for (const std::int64_t count : {1, 4, 7, 8}) {
        const auto candidates = integers<std::int64_t>(count, 0, int(rows - 1), unsigned(count));
        for (const T* limit : {static_cast<const T*>(nullptr), closest.data()}) {
          std::vector<T> out(count * rows);
          CHECK(seeding.distances(candidates.data(), count, limit, out.data(), nullptr), name(level));
          std::int64_t wrong = 0;
          for (std::int64_t t = 0; t < count; ++t) {
            for (std::int64_t i = 0; i < rows; ++i) {
              T expected = T(squared_distance(points.row(candidates[t]), points.row(i), cols));
              if (limit != nullptr) expected = std::min(expected, limit[i]);
              wrong += out[t * rows + i] != expected;
            }
          }
          CHECK_EQUAL(wrong, 0,
                      name(level) << " candidates " << count << " threads " << threads << " sparse " << data.is_sparse
                                  << " limited " << (limit != nullptr));
          CHECK(!seeding.distances(candidates.data(), count, limit, out.data(), at_once), name(level));
        }
      }
    }
  }
}

// Sums rounded to T step by step, searched from the start for each draw.
template <class T>
std::int64_t plain_search(const std::vector<T>& closest, const std::vector<T>& weights, double draw) {
  T sum = 0;
  for (std::size_t i = 0; i < closest.size(); ++i) {
    const volatile T product = weights.empty() ? closest[i] : weights[i] * closest[i];
    const volatile T next = sum + product;
    sum = next;
    if (double(sum) >= draw) return std::int64_t(i);
  }
  return std::int64_t(closest.size()) - 1;
}

template <class T>
void cumulative() {
  auto closest = normals<T>(3000, 5), weights = normals<T>(3000, 6);
  for (T& x : closest) x = x < 0 ? T(0) : x;  // runs of equal sums among them
  for (T& x : weights) x = x < 0 ? -x : x;
  for (const bool weighted : {false, true}) {
    const std::vector<T> used = weighted ? weights : std::vector<T>{};
    double total = 0;
    for (std::size_t i = 0; i < closest.size(); ++i)
      total += double(closest[i]) * (weighted ? double(weights[i]) : 1.0);
    std::vector<double> draws = {total * 2, 0.0, total / 2, total / 3, total / 2, 1e-300, -1.0, total * 0.999999};
    // Draws that hit a sum exactly.
    T sum = 0;
    for (int i = 0; i < 40; ++i) {
      const volatile T product = weighted ? weights[i] * closest[i] : closest[i];
      const volatile T next = sum + product;
      sum = next;
      draws.push_back(double(sum));
    }
    std::vector<std::int64_t> found(draws.size(), -1);
    search_cumulative(closest.data(), weighted ? weights.data() : nullptr, std::int64_t(closest.size()), draws.data(),
                      std::int64_t(draws.size()), found.data());
    for (std::size_t t = 0; t < draws.size(); ++t) {
      CHECK_EQUAL(found[t], plain_search(closest, used, draws[t]), "f" << 8 * sizeof(T) << " draw " << draws[t]);
    }
  }
}

}  // namespace

int main() {
  cumulative<float>();
  cumulative<double>();
  at_each_level_in_a_child([](SimdLevel level) {
    distances<float>(level);
    distances<double>(level);
  });
  return check::result();
}
