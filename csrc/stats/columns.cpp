#include "stats/columns.hpp"

#include <algorithm>
#include <cmath>

namespace fastml {

#define FASTML_TABLE_TYPE ColumnKernels<float>
#define FASTML_TABLE_NAME column_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const ColumnKernels<float>& column_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::column_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE ColumnKernels<double>
#define FASTML_TABLE_NAME column_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const ColumnKernels<double>& column_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::column_table_f64;
  }
}

namespace {

// Elements a thread reads in about 20 us; below that another thread costs more than it brings.
constexpr std::int64_t kElementsPerThread = 200'000;

int threads_worth(std::int64_t elements, int threads) {
  return int(std::clamp<std::int64_t>(elements / kElementsPerThread, 1, std::max(threads, 1)));
}

}  // namespace

template <class T>
bool all_finite(const T* values, std::int64_t count, int threads) {
  const auto& kernels = column_kernels<T>();
  const int team = threads_worth(count, threads);
  if (team == 1) return kernels.all_finite(values, count);
  const std::int64_t part = (count + team - 1) / team;
  bool finite = true;
#pragma omp parallel for num_threads(team) schedule(static, 1) reduction(&& : finite)
  for (int t = 0; t < team; ++t) {
    const std::int64_t begin = std::min(t * part, count);
    finite = finite && kernels.all_finite(values + begin, std::min(part, count - begin));
  }
  return finite;
}

template <class T>
ColumnSpread column_spread(const Rows<const T>& x, const T* center, int threads) {
  const int team = threads_worth(x.rows * x.cols, threads);
  const std::int64_t part = (x.rows + team - 1) / team;
  std::vector<double> squares(team * x.cols);
  std::vector<T> largest(team * x.cols);
#pragma omp parallel for num_threads(team) schedule(static, 1) if (team > 1)
  for (int t = 0; t < team; ++t) {
    const std::int64_t begin = std::min(t * part, x.rows);
    column_kernels<T>().spread(x, center, begin, std::min(begin + part, x.rows), squares.data() + t * x.cols,
                               largest.data() + t * x.cols);
  }
  ColumnSpread spread{std::vector<double>(x.cols), 0.0};
  for (std::int64_t f = 0; f < x.cols; ++f) {
    double most = 0;
    for (int t = 0; t < team; ++t) {
      spread.variances[f] += squares[t * x.cols + f];
      most = std::max(most, double(largest[t * x.cols + f]));
    }
    spread.variances[f] /= double(x.rows);
    if (spread.variances[f] > 0)
      spread.largest_ratio = std::max(spread.largest_ratio, most / std::sqrt(spread.variances[f]));
  }
  return spread;
}

template bool all_finite(const float*, std::int64_t, int);
template bool all_finite(const double*, std::int64_t, int);
template ColumnSpread column_spread(const Rows<const float>&, const float*, int);
template ColumnSpread column_spread(const Rows<const double>&, const double*, int);

}  // namespace fastml
