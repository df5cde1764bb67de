#include "bayes/count_kernels.hpp"
#include "bayes/load_doubles.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using bayes::CountedRows;
using bayes::CountKernels;
using bayes::ValueRange;

// A sum waits for nothing but itself, which the row before may have written: one store and one load of L1. The range is
// kept in two vectors, as additions to one would take longer than memory.
template <class T, bool binary>
FASTML_INLINE void add_rows(const CountedRows<T>& rows, std::int64_t begin, std::int64_t end, std::int64_t first,
                            std::int64_t last, double* sums, std::int64_t stride, ValueRange& range) {
  constexpr int lanes = kLanes<double>;
  const double threshold = binary ? *rows.threshold : 0;
  const vec<double> limit = broadcast(threshold);
  vec<double> least[2] = {broadcast(range.least), broadcast(range.least)};
  vec<double> differences[2] = {};  // x - x: NaN where x is not finite
  double least_of_rest = range.least, differences_of_rest = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const T* row = rows.x.data + i * rows.x.stride;
    double* sum = sums + rows.labels[i] * stride;
    const double weight = rows.weights == nullptr ? 1.0 : rows.weights[i];
    const vec<double> weights = broadcast(weight);
    const auto add = [&](std::int64_t j, int which) __attribute__((always_inline)) {
      const vec<double> x = load_doubles(row + j);
      least[which] = minimum<double>(x, least[which]);
      differences[which] += x - x;
      const vec<double> term = binary ? select<double>(x > limit, weights, vec<double>{}) : weights * x;
      store<double>(sum + j, load(sum + j) + term);
    };
    std::int64_t j = first;
    for (; j + 2 * lanes <= last; j += 2 * lanes) {
      add(j, 0);
      add(j + lanes, 1);
    }
    if (j + lanes <= last) {
      add(j, 0);
      j += lanes;
    }
    for (; j < last; ++j) {
      const auto x = double(row[j]);
      least_of_rest = x < least_of_rest ? x : least_of_rest;
      differences_of_rest += x - x;
      sum[j] += binary ? (x > threshold ? weight : 0.0) : weight * x;
    }
  }
  const double least_of_vectors = reduce_min<double>(minimum<double>(least[0], least[1]));
  range.least = least_of_vectors < least_of_rest ? least_of_vectors : least_of_rest;
  range.finite = range.finite && reduce_add<double>(differences[0] + differences[1]) + differences_of_rest == 0;
}

template <class T>
void add(const CountedRows<T>& rows, std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last,
         double* sums, std::int64_t stride, ValueRange& range) {
  if (rows.threshold != nullptr) {
    add_rows<T, true>(rows, begin, end, first, last, sums, stride, range);
  } else {
    add_rows<T, false>(rows, begin, end, first, last, sums, stride, range);
  }
}

}  // namespace

extern const CountKernels<float> count_table_f32;
extern const CountKernels<double> count_table_f64;
extern const CountKernels<std::int32_t> count_table_i32;
extern const CountKernels<std::int64_t> count_table_i64;
const CountKernels<float> count_table_f32{add<float>};
const CountKernels<double> count_table_f64{add<double>};
const CountKernels<std::int32_t> count_table_i32{add<std::int32_t>};
const CountKernels<std::int64_t> count_table_i64{add<std::int64_t>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
