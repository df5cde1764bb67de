// Whole runs of Lloyd's algorithm at every level, against the same algorithm in plain loops. Data are integers: sums are
// exact, so labels, centres and iteration counts must be equal and not depend on threads or on what was skipped.
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/lloyd.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"
#include "tests/sparse.hpp"

using namespace fastml;

namespace {

// Integer points around some centres.
template <class T>
Points<T> blobs(std::int64_t rows, std::int64_t cols, std::int64_t blob_count, unsigned seed) {
  const auto middle = integers<T>(blob_count * cols, -2000, 2000, seed);
  Points<T> points{rows, cols, integers<T>(rows * cols, -900, 900, seed + 1), {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t f = 0; f < cols; ++f) points.values[i * cols + f] += middle[i % blob_count * cols + f];
  }
  return points;
}

template <class T>
KMeansData<T> as_data(const Points<T>& points) {
  return {{points.values.data(), points.rows, points.cols, points.cols},
          {},
          false,
          nullptr,
          points.weights.empty() ? nullptr : points.weights.data()};
}

template <class T>
std::vector<T> first_rows(const Points<T>& points, std::int64_t clusters) {
  return {points.values.begin(), points.values.begin() + clusters * points.cols};
}

const char* name(LloydOutcome outcome) {
  const char* names[] = {"running", "strict", "tolerance", "empty_clusters", "stopped"};
  return names[int(outcome)];
}

// Whether a run keeps all its clusters and never compares distances so close that rounding in f32 could confuse them: the
// kernels and the plain loops must then agree in every label.
template <class T>
bool unmistakable(const Points<T>& points, std::int64_t clusters) {
  PlainLloyd<T> plain(points, first_rows(points, clusters));
  for (int iteration = 0; plain.assign() > 0; ++iteration) {
    if (!plain.empty_clusters().empty() || iteration == 100) return false;
    plain.update();
  }
  return plain.least_margin > double(std::numeric_limits<float>::epsilon()) * double(points.cols + 4);
}

// The first such points; where `weighted`, every tenth row weighs nothing.
template <class T>
Points<T> unmistakable_blobs(std::int64_t rows, std::int64_t cols, std::int64_t clusters, bool weighted) {
  for (unsigned seed = 1;; ++seed) {
    Points<T> points = blobs<T>(rows, cols, 12, 2 * seed);
    if (weighted) {
      points.weights = integers<T>(rows, 1, 4, seed);
      for (std::int64_t i = 20; i < rows; i += 10) points.weights[i] = T(0);
    }
    if (unmistakable(points, clusters)) return points;
  }
}

// Iteration by iteration until no label changes.
template <class T>
void check_run(const KMeansData<T>& data, const Points<T>& points, std::int64_t clusters, bool incremental, int threads,
               const std::string& where) {
  PlainLloyd<T> plain(points, first_rows(points, clusters));
  Lloyd<T> lloyd(data, clusters, threads, incremental);
  lloyd.start(plain.centers.data());
  for (int iteration = 1;; ++iteration) {
    const std::int64_t changed = plain.assign();
    const double moved = plain.update();
    const LloydOutcome outcome = lloyd.iterate(1, 0.0, nullptr);
    const auto at = where + " iteration " + std::to_string(iteration);
    CHECK(lloyd.labels() == plain.labels, at);
    CHECK(lloyd.centers() == plain.centers, at);
    CHECK_CLOSE(lloyd.center_shift(), moved, 1e-12 * moved, at);
    CHECK_EQUAL(lloyd.iterations(), iteration, at);
    const LloydOutcome expected = changed == 0 ? LloydOutcome::strict
                                  : moved == 0 ? LloydOutcome::tolerance
                                               : LloydOutcome::running;
    CHECK_EQUAL(std::string(name(outcome)), name(expected), at);
    if (outcome != expected || expected != LloydOutcome::running || iteration == 60) break;
  }
  CHECK_CLOSE(lloyd.inertia(false), inertia_of(points, plain.centers, plain.labels),
              1e-5 * inertia_of(points, plain.centers, plain.labels), where);
  const auto relabelled = closest_centers(points, plain.centers);
  CHECK(lloyd.relabel(nullptr), where);
  CHECK(lloyd.labels() == relabelled, where);
}

template <class T>
void runs(SimdLevel level) {
  for (const std::int64_t cols : {1, 2, 7, 16}) {
    for (const std::int64_t clusters : {1, 3, 17}) {
      for (const bool weighted : {false, true}) {
        const Points<T> points = unmistakable_blobs<T>(900, cols, clusters, weighted);
        const SparsePoints<T> stored = sparse(points);
        const auto where = std::string(fastml::name(level)) + " f" + std::to_string(8 * sizeof(T)) + " cols " +
                           std::to_string(cols) + " clusters " + std::to_string(clusters) +
                           (weighted ? " weighted" : "");
        KMeansData<T> data = as_data(points);
        check_run(data, points, clusters, true, 1, where);
        check_run(data, points, clusters, false, 1, where + " fresh");
        data.is_sparse = true;
        data.sparse = stored.csr();
        check_run(data, points, clusters, true, 1, where + " sparse");
      }
    }
  }
}

// The shift leaves no trace in labels; centres are those of the shifted rows. Rows are padded.
template <class T>
void shifted(SimdLevel level) {
  const std::int64_t cols = 5, stride = 8;
  const Points<T> points = unmistakable_blobs<T>(700, cols, 6, false);
  const auto shift = integers<T>(cols, -100, 100, 6);
  std::vector<T> values(points.rows * stride, T(999));
  for (std::int64_t i = 0; i < points.rows; ++i) {
    for (std::int64_t f = 0; f < cols; ++f) values[i * stride + f] = points.row(i)[f] + shift[f];
  }
  const KMeansData<T> data{{values.data(), points.rows, cols, stride}, {}, false, shift.data(), nullptr};
  check_run(data, points, 6, true, 1, std::string(fastml::name(level)) + " shifted");
}

// Skipped rows, threads and steps at a time change nothing.
template <class T>
void ways_to_run(SimdLevel level) {
  const std::int64_t clusters = 20;
  Points<T> points = blobs<T>(6000, 8, 15, 3);
  points.weights = integers<T>(points.rows, 0, 3, 4);
  const auto first = first_rows(points, clusters);
  Lloyd<T> fresh(as_data(points), clusters, 1, false);
  fresh.start(first.data());
  const LloydOutcome outcome = fresh.iterate(100, 0.0, nullptr);
  CHECK_EQUAL(std::string(name(outcome)), "strict", fastml::name(level));
  CHECK_EQUAL(fresh.rows_compared(), fresh.iterations() * points.rows, fastml::name(level));
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t steps : {1, 3, 100}) {
      Lloyd<T> lloyd(as_data(points), clusters, threads, true);
      for (int run = 0; run < 2; ++run) {  // the second in buffers that the first has used
        lloyd.start(first.data());
        LloydOutcome last = LloydOutcome::running;
        while (last == LloydOutcome::running) last = lloyd.iterate(steps, 0.0, nullptr);
        const auto where = std::string(fastml::name(level)) + " f" + std::to_string(8 * sizeof(T)) + " threads " +
                           std::to_string(threads) + " steps " + std::to_string(steps) + " run " + std::to_string(run);
        CHECK(last == outcome, where << " " << name(last));
        CHECK_EQUAL(lloyd.iterations(), fresh.iterations(), where);
        CHECK(lloyd.labels() == fresh.labels(), where);
        CHECK(lloyd.centers() == fresh.centers(), where);
        CHECK_EQUAL(lloyd.center_shift(), fresh.center_shift(), where);
        CHECK_EQUAL(lloyd.inertia(false), fresh.inertia(false), where);
        CHECK_EQUAL(lloyd.inertia(true), fresh.inertia(true), where);
        CHECK(lloyd.rows_compared() < fresh.rows_compared(), where << ": no row was skipped, the test shows nothing");
      }
    }
  }
  // The tolerance ends a run when the centres move by no more.
  Lloyd<T> tolerant(as_data(points), clusters, 1, true);
  tolerant.start(first.data());
  CHECK_EQUAL(std::string(name(tolerant.iterate(100, 1e9, nullptr))), "tolerance", fastml::name(level));
  CHECK_EQUAL(tolerant.iterations(), 1, fastml::name(level));
}

// Centres far away from all rows, before and after the heaviest cluster. Given rows, the run goes on with them; given none,
// with the empty clusters where scikit-learn puts them.
template <class T>
void empty_clusters(SimdLevel level) {
  for (const bool is_sparse : {false, true}) {
    for (const bool with_rows : {true, false}) {
      const std::int64_t cols = 3, clusters = 6;
      Points<T> points = blobs<T>(500, cols, 4, 8);
      points.weights = integers<T>(points.rows, 1, 3, 2);
      const SparsePoints<T> stored = sparse(points);
      KMeansData<T> data = as_data(points);
      data.is_sparse = is_sparse;
      data.sparse = stored.csr();
      auto first = first_rows(points, clusters);
      for (const std::int64_t away : {0, 3}) {
        for (std::int64_t f = 0; f < cols; ++f) first[away * cols + f] = T(5000 + 100 * away);
      }
      const auto where = std::string(fastml::name(level)) + (is_sparse ? " sparse" : " dense") +
                         (with_rows ? " relocated" : " left empty");
      PlainLloyd<T> plain(points, first);
      Lloyd<T> lloyd(data, clusters, 1, true);
      lloyd.start(first.data());
      for (int iteration = 1; iteration <= 6; ++iteration) {
        const auto at = where + " iteration " + std::to_string(iteration);
        plain.assign();
        LloydOutcome outcome = lloyd.iterate(1, 0.0, nullptr);
        CHECK(lloyd.labels() == plain.labels, at);
        const auto empty = plain.empty_clusters();
        if (iteration == 1) CHECK(empty == (std::vector<std::int64_t>{0, 3}), at);
        CHECK_EQUAL(outcome == LloydOutcome::empty_clusters, !empty.empty(), at << " " << name(outcome));
        if (!empty.empty()) {
          CHECK(lloyd.empty_clusters() == empty, at);
          CHECK_EQUAL(lloyd.iterations(), iteration - 1, at);
          const std::vector<T> far = lloyd.distances();
          for (std::int64_t i = 0; i < points.rows; i += 7) {
            const double expected =
                squared_distance(points.row(i), plain.centers.data() + plain.labels[i] * cols, cols);
            CHECK_CLOSE(far[i], expected, 1e-4 * (expected + 1e4), at << " row " << i);
          }
          const std::vector<std::int64_t> rows =
              with_rows ? std::vector<std::int64_t>{17, 123} : std::vector<std::int64_t>{};
          plain.relocate(rows);
          lloyd.relocate(rows.data(), std::int64_t(rows.size()));
          outcome = lloyd.iterate(1, 0.0, nullptr);
        }
        plain.update();
        CHECK(lloyd.centers() == plain.centers, at);
        CHECK_EQUAL(lloyd.iterations(), iteration, at);
        if (outcome != LloydOutcome::running) break;
      }
    }
  }
}

// Stop says so at its n-th question.
int questions_left;
bool stop_at_last_question() { return --questions_left <= 0; }

template <class T>
void stops(SimdLevel level) {
  const std::int64_t clusters = 20;
  const Points<T> points = blobs<T>(6000, 8, 15, 3);
  const auto first = first_rows(points, clusters);
  for (const int threads : {1, 2}) {
    Lloyd<T> whole(as_data(points), clusters, threads, true), stopped(as_data(points), clusters, threads, true);
    whole.start(first.data());
    whole.iterate(100, 0.0, nullptr);
    for (const int question : {1, 2, 5, 14}) {
      stopped.start(first.data());
      questions_left = question;
      CHECK_EQUAL(std::string(name(stopped.iterate(100, 0.0, stop_at_last_question))), "stopped", fastml::name(level));
      CHECK_EQUAL(questions_left, 0, "nobody asks again after a yes");
      questions_left = 1;
      CHECK(!stopped.relabel(stop_at_last_question), fastml::name(level));
    }
    // A stopped run leaves nothing behind that another one would see.
    stopped.start(first.data());
    questions_left = 1 << 30;
    CHECK_EQUAL(std::string(name(stopped.iterate(100, 0.0, stop_at_last_question))), "strict", fastml::name(level));
    CHECK(stopped.labels() == whole.labels() && stopped.centers() == whole.centers(), fastml::name(level));
  }
}

template <class T>
void all_of(SimdLevel level) {
  runs<T>(level);
  shifted<T>(level);
  ways_to_run<T>(level);
  empty_clusters<T>(level);
  stops<T>(level);
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    all_of<float>(level);
    all_of<double>(level);
  });
  return check::result();
}
