// Labels, inertia and distances for given centres, through the drivers, at every level and over threads.
#include <cmath>
#include <thread>
#include <vector>

#include "cluster/predict.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"
#include "tests/sparse.hpp"

using namespace fastml;

namespace {

bool never() { return false; }
bool at_once() { return true; }

// Rows enough for two threads: 4000 x 9 x 20 multiply-adds.
constexpr std::int64_t kRows = 4000, kCols = 9, kClusters = 20;

template <class T>
struct Problem {
  Points<T> points{kRows, kCols, integers<T>(kRows * kCols, -2, 2, 1), integers<T>(kRows, 0, 3, 2)};
  SparsePoints<T> stored = sparse(points);
  std::vector<T> centers = integers<T>(kClusters * kCols, -2, 2, 3);
  std::vector<T> shift = integers<T>(kCols, -9, 9, 4);
  std::vector<T> shifted;  // points + shift, rows padded
  static constexpr std::int64_t stride = kCols + 2;

  Problem() : shifted(kRows * stride, T(1000)) {
    for (std::int64_t i = 0; i < kRows; ++i) {
      for (std::int64_t f = 0; f < kCols; ++f) shifted[i * stride + f] = points.row(i)[f] + shift[f];
    }
  }

  KMeansData<T> dense() const {
    return {{points.values.data(), kRows, kCols, kCols}, {}, false, nullptr, points.weights.data()};
  }
  KMeansData<T> dense_with_shift() const {
    return {{shifted.data(), kRows, kCols, stride}, {}, false, shift.data(), nullptr};
  }
  KMeansData<T> sparse_rows() const { return {{}, stored.csr(), true, nullptr, points.weights.data()}; }
};

template <class T>
void labels(const Problem<T>& p, SimdLevel level) {
  const auto expected = closest_centers(p.points, p.centers);
  for (const auto& data : {p.dense(), p.dense_with_shift(), p.sparse_rows()}) {
    for (const int threads : {1, 2, 3}) {
      std::vector<std::int32_t> found(kRows, 77);
      CHECK(predict_labels(data, p.centers.data(), kClusters, threads, found.data(), nullptr), name(level));
      CHECK(found == expected, name(level) << " threads " << threads << " sparse " << data.is_sparse);
      CHECK(predict_labels(data, p.centers.data(), kClusters, threads, found.data(), never), name(level));
      CHECK(!predict_labels(data, p.centers.data(), kClusters, threads, found.data(), at_once), name(level));
    }
  }
}

template <class T>
void inertias(const Problem<T>& p, SimdLevel level) {
  const auto label = closest_centers(p.points, p.centers);
  Points<T> unweighted = p.points;
  unweighted.weights.clear();
  const double weighted_sum = inertia_of(p.points, p.centers, label), sum = inertia_of(unweighted, p.centers, label);
  for (const auto& data : {p.dense(), p.dense_with_shift(), p.sparse_rows()}) {
    for (const int threads : {1, 2}) {
      const auto where = std::string(name(level)) + " threads " + std::to_string(threads);
      std::vector<T> each(kRows);
      CHECK_EQUAL(inertia(data, p.centers.data(), kClusters, label.data(), threads, each.data()),
                  data.weights ? weighted_sum : sum, where);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < kRows; ++i) {
        wrong += double(each[i]) != squared_distance(p.points.row(i), p.centers.data() + label[i] * kCols, kCols);
      }
      CHECK_EQUAL(wrong, 0, where);
      CHECK_EQUAL(inertia<T>(data, p.centers.data(), kClusters, label.data(), threads, nullptr),
                  data.weights ? weighted_sum : sum, where);
    }
  }
}

template <class T>
void distances(const Problem<T>& p, SimdLevel level) {
  for (const auto& data : {p.dense(), p.sparse_rows()}) {
    for (const int threads : {1, 2}) {
      std::vector<T> out(kRows * kClusters, T(-1));
      CHECK(transform(data, p.centers.data(), kClusters, threads, out.data(), never), name(level));
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < kRows; ++i) {
        for (std::int64_t j = 0; j < kClusters; ++j) {
          const double squared = squared_distance(p.points.row(i), p.centers.data() + j * kCols, kCols);
          wrong += out[i * kClusters + j] != T(std::sqrt(squared));
        }
      }
      CHECK_EQUAL(wrong, 0, name(level) << " threads " << threads << " sparse " << data.is_sparse);
      CHECK(!transform(data, p.centers.data(), kClusters, threads, out.data(), at_once), name(level));
    }
  }
}

template <class T>
void one_row() {
  const std::vector<T> x{3, 4}, centers{0, 0, 3, 4, 3, 4};
  const KMeansData<T> data{{x.data(), 1, 2, 2}, {}, false, nullptr, nullptr};
  std::int32_t label = -1;
  CHECK(predict_labels(data, centers.data(), 3, 2, &label, nullptr), "one row");
  CHECK_EQUAL(label, 1, "the first of equals");
  std::vector<T> out(3);
  CHECK(transform(data, centers.data(), 3, 2, out.data(), nullptr), "one row");
  CHECK(out == (std::vector<T>{5, 0, 0}), out[0] << ", " << out[1] << ", " << out[2]);
}

// Stop is asked by the thread that called, which may have an interpreter to ask.
std::thread::id caller;
int asked;
bool foreign_thread_asked;
bool note_thread() {
  ++asked;
  foreign_thread_asked = foreign_thread_asked || std::this_thread::get_id() != caller;
  return false;
}
void stop_is_asked_by_the_caller() {
  const Problem<float> p;
  std::vector<std::int32_t> found(kRows);
  caller = std::this_thread::get_id();
  CHECK(predict_labels(p.dense(), p.centers.data(), kClusters, 2, found.data(), note_thread), "two threads");
  CHECK(asked > 0, asked);
  CHECK(!foreign_thread_asked, asked);
}

template <class T>
void all_of(SimdLevel level) {
  const Problem<T> p;
  labels(p, level);
  inertias(p, level);
  distances(p, level);
  one_row<T>();
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    all_of<float>(level);
    all_of<double>(level);
    stop_is_asked_by_the_caller();
  });
  return check::result();
}
