#include "bayes/row_scores.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "bayes/discrete_tuning.hpp"
#include "bayes/row_chunks.hpp"
#include "bayes/row_score_kernels.hpp"
#include "bayes/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::bayes {
namespace {

// The table of a row-major matrix, classes x `count`: its columns, or some of them, become rows.
class Table {
 public:
  template <class ColumnOf>
  Table(const double* weights, std::int64_t classes, std::int64_t columns, std::int64_t count,
        const ColumnOf& column_of)
      : stride_(category_score_kernels().stride(classes)), rows_(count * stride_) {
    for (std::int64_t r = 0; r < count; ++r) {
      const double* from = weights + column_of(r);
      double* to = rows_.data() + r * stride_;
      for (std::int64_t k = 0; k < classes; ++k) to[k] = from[k * columns];
    }
  }

  ScoreTable view(std::int64_t classes, const double* constants) const {
    return {rows_.data(), stride_, classes, constants};
  }

 private:
  std::int64_t stride_;
  Buffer<double> rows_;
};

// Tiles over threads. score(begin, end, scratch) returns whether all was well; false is told by `well`. Returns whether
// it was not stopped.
template <class Score>
bool over_tiles(std::int64_t rows, std::int64_t terms, std::int64_t classes, std::int64_t scratch_size, int threads,
                StopCheck stop, const Score& score, bool& well) {
  const std::int64_t scratch = whole_lines<double>(scratch_size);
  Buffer<double> memory(threads * scratch);
  std::atomic<bool> all_well{true};
  const std::int64_t chunk = kChunkWork / ((terms / rows + 1) * classes) + 1;
  const bool finished =
      for_each_row_chunk(rows, chunk, kTileRows, threads, stop, [&](int t, std::int64_t begin, std::int64_t end) {
        if (!score(begin, end, memory.data() + t * scratch)) all_well = false;
      });
  well = all_well;
  return finished;
}

int threads_worth(std::int64_t terms, int threads) {
  return int(std::clamp<std::int64_t>(terms / kTermsPerThread, 1, std::max(threads, 1)));
}

}  // namespace

template <class T>
ScoreResult score_rows(const LinearModel& model, Rows<const T> x, const Outcomes& out, int threads, StopCheck stop) {
  const std::int64_t k = model.classes, d = model.features;
  const Table table(model.weights, k, d, d, [](std::int64_t r) { return r; });
  const double* threshold = model.binary ? &model.threshold : nullptr;
  const auto& kernels = dense_score_kernels<T>();
  bool finite;
  const bool finished = over_tiles(
      x.rows, x.rows * d, k, kernels.scratch(k), threads_worth(x.rows * d * k, threads), stop,
      [&](std::int64_t begin, std::int64_t end, double* scratch) {
        return kernels.score(table.view(k, model.constants), threshold, x, begin, end, out, scratch);
      },
      finite);
  if (!finished) return ScoreResult::stopped;
  return finite ? ScoreResult::finite : ScoreResult::not_finite;
}

template <class T, class Index>
ScoreResult score_rows(const LinearModel& model, const SparseRows<T, Index>& given, const Outcomes& out, int threads,
                       StopCheck stop) {
  const std::int64_t k = model.classes, d = model.features;
  const Index first = given.offsets[0];
  const std::int64_t stored = given.offsets[given.rows] - first;
  SparseRows<T, Index> x = given;
  // Of few values each gets a row of the table for itself, so that no other weight is looked at.
  const bool few = stored < d;
  std::vector<Index> places(few ? stored : 0);
  std::iota(places.begin(), places.end(), Index(0));
  std::vector<Index> offsets(few ? given.rows + 1 : 0);
  for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = given.offsets[i] - first;
  if (few) x = {given.values + first, places.data(), offsets.data(), given.rows, stored};
  const Table table(model.weights, k, d, few ? stored : d,
                    [&](std::int64_t r) { return few ? std::int64_t(given.indices[first + r]) : r; });

  const double* threshold = model.binary ? &model.threshold : nullptr;
  const auto& kernels = sparse_score_kernels<T, Index>();
  bool finite;
  const bool finished = over_tiles(
      x.rows, stored, k, category_score_kernels().scratch(k), threads_worth(stored * k, threads), stop,
      [&](std::int64_t begin, std::int64_t end, double* scratch) {
        return kernels.score(table.view(k, model.constants), threshold, x, begin, end, out, scratch);
      },
      finite);
  if (!finished) return ScoreResult::stopped;
  return finite ? ScoreResult::finite : ScoreResult::not_finite;
}

CategoryResult score_rows(const CategoryModel& model, Rows<const std::int64_t> x, const Outcomes& out, int threads,
                          StopCheck stop) {
  const std::int64_t k = model.classes, d = model.features, columns = model.offsets[d];
  const Table table(model.weights, k, columns, columns, [](std::int64_t r) { return r; });
  bool known;
  const bool finished = over_tiles(
      x.rows, x.rows * d, k, category_score_kernels().scratch(k), threads_worth(x.rows * d * k, threads), stop,
      [&](std::int64_t begin, std::int64_t end, double* scratch) {
        return category_score_kernels().score(table.view(k, model.constants), model.offsets, x, begin, end, out,
                                              scratch);
      },
      known);
  if (!finished) return CategoryResult::stopped;
  return known ? CategoryResult::known : CategoryResult::unknown;
}

#define FASTML_FOR_TYPE(T) \
  template ScoreResult score_rows(const LinearModel&, Rows<const T>, const Outcomes&, int, StopCheck);
FASTML_FOR_TYPE(float)
FASTML_FOR_TYPE(double)
FASTML_FOR_TYPE(std::int32_t)
FASTML_FOR_TYPE(std::int64_t)
#undef FASTML_FOR_TYPE

#define FASTML_FOR_TYPES(T, Index) \
  template ScoreResult score_rows(const LinearModel&, const SparseRows<T, Index>&, const Outcomes&, int, StopCheck);
FASTML_FOR_TYPES(float, std::int32_t)
FASTML_FOR_TYPES(float, std::int64_t)
FASTML_FOR_TYPES(double, std::int32_t)
FASTML_FOR_TYPES(double, std::int64_t)
#undef FASTML_FOR_TYPES

}  // namespace fastml::bayes
