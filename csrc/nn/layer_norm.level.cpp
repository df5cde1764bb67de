#include "nn/layer_norm.hpp"

#include "simd/vec.hpp"

// Loops over one value after the other, whose results do not depend on one another, are left to the compiler, which
// makes vectors of each level of them. Sums along a row are not: their order of additions is written out.
namespace fastml {
namespace FASTML_LEVEL {
namespace {

FASTML_INLINE double square_root(double x) { return __builtin_sqrt(x); }

// Elements from i on, as a vector of double and as one.
struct VectorAt {
  std::int64_t i;
  template <class T>
  FASTML_INLINE vec<double> operator()(const T* p) const {
    return load_as<double>(p + i);
  }
};
struct ElementAt {
  std::int64_t i;
  template <class T>
  FASTML_INLINE double operator()(const T* p) const {
    return double(p[i]);
  }
};

// The sum of term(at) over i < n, where at(p) is p[i].
template <class Term>
FASTML_INLINE double sum_of(std::int64_t n, const Term& term) {
  constexpr int lanes = kLanes<double>;
  vec<double> sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[v] += term(VectorAt{i + v * lanes});
  }
  double rest = 0;
  for (; i < n; ++i) rest += term(ElementAt{i});
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

template <class T>
FASTML_INLINE double sum_of_values(std::int64_t n, const T* x) {
  return sum_of(n, [=](auto at) __attribute__((always_inline)) { return at(x); });
}

template <class T>
FASTML_INLINE double sum_of_squares(std::int64_t n, const T* x, double mean) {
  return sum_of(n, [=](auto at) __attribute__((always_inline)) {
    const auto distance = at(x) - mean;
    return distance * distance;
  });
}

template <class T>
FASTML_INLINE void normalize_row(std::int64_t cols, const T* __restrict x, const T* __restrict weight,
                                 const T* __restrict bias, T mean, T inverse, T* __restrict y) {
  for (std::int64_t j = 0; j < cols; ++j) y[j] = (x[j] - mean) * inverse * weight[j] + bias[j];
}

template <class T>
void forward(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
             T* inverse) {
  for (std::int64_t i = 0; i < rows; ++i, x += cols, y += cols) {
    const double center = sum_of_values(cols, x) / double(cols);
    const double variance = sum_of_squares(cols, x, center) / double(cols);
    mean[i] = T(center);
    inverse[i] = T(1 / square_root(variance + double(eps)));
    normalize_row(cols, x, weight, bias, mean[i], inverse[i], y);
  }
}

template <class T>
FASTML_INLINE void backward_row(std::int64_t cols, const T* __restrict x, T mean, T inverse, const T* __restrict weight,
                                const T* __restrict dy, T level, T slope, T* __restrict dx) {
  for (std::int64_t j = 0; j < cols; ++j) {
    dx[j] = inverse * (dy[j] * weight[j] - level - (x[j] - mean) * inverse * slope);
  }
}

// Sums of columns are in double, and what is added to them is the sum of some rows: memory is then not what it waits for.
constexpr int kSomeRows = 4;

// Calls step(Width<n>{}, i) for some rows at a time, from row i on, and for one at a time at the end.
template <class Step>
FASTML_INLINE void for_some_rows(std::int64_t rows, const Step& step) {
  std::int64_t i = 0;
  for (; i + kSomeRows <= rows; i += kSomeRows) step(Width<kSomeRows>{}, i);
  for (; i < rows; ++i) step(Width<1>{}, i);
}

template <int Count, class T>
FASTML_INLINE void add_rows(std::int64_t cols, const T* __restrict x, const T* mean, const T* inverse,
                            const T* __restrict dy, double* __restrict dweight, double* __restrict dbias) {
  T center[Count], scale[Count];
  for (int r = 0; r < Count; ++r) {
    center[r] = mean[r];
    scale[r] = inverse[r];
  }
  for (std::int64_t j = 0; j < cols; ++j) {
    T weight_sum = 0, bias_sum = 0;
#pragma GCC unroll 4
    for (int r = 0; r < Count; ++r) {
      const T d = dy[r * cols + j];
      weight_sum += d * ((x[r * cols + j] - center[r]) * scale[r]);
      bias_sum += d;
    }
    dweight[j] += double(weight_sum);
    dbias[j] += double(bias_sum);
  }
}

// Vectors of a row that are summed in T, before the sum goes into one in double.
constexpr std::int64_t kBlock = 64;

// Of a row: the sums of dy * weight, and of that times the row's normal form.
template <class T>
FASTML_INLINE void sum_products(std::int64_t n, const T* x, T mean, T inverse, const T* weight, const T* dy,
                                double& level, double& slope) {
  constexpr std::int64_t step = 2 * kLanes<T>;
  level = slope = 0;
  std::int64_t j = 0;
  while (j + step <= n) {
    vec<T> levels[2] = {}, slopes[2] = {};
    const std::int64_t end = n - j < kBlock * kLanes<T> ? n : j + kBlock * kLanes<T>;
    for (; j + step <= end; j += step) {
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        const std::int64_t at = j + v * kLanes<T>;
        const vec<T> d = load(dy + at) * load(weight + at);
        levels[v] += d;
        slopes[v] += d * ((load(x + at) - mean) * inverse);
      }
    }
    level += double(reduce_add<T>(levels[0] + levels[1]));
    slope += double(reduce_add<T>(slopes[0] + slopes[1]));
  }
  for (; j < n; ++j) {
    const T d = dy[j] * weight[j];
    level += double(d);
    slope += double(d * ((x[j] - mean) * inverse));
  }
}

template <class T>
void backward(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse, const T* weight,
              const T* dy, T* dx, double* dweight, double* dbias) {
  for_some_rows(rows, [&](auto count, std::int64_t first) __attribute__((always_inline)) {
    constexpr int some = decltype(count)::value;
    add_rows<some>(cols, x + first * cols, mean + first, inverse + first, dy + first * cols, dweight, dbias);
    if (dx == nullptr) return;
    for (std::int64_t i = first; i < first + some; ++i) {
      // Mean and variance depend on every value of the row: what the others gain, each loses.
      const T *row = x + i * cols, *d = dy + i * cols;
      double level, slope;
      sum_products(cols, row, mean[i], inverse[i], weight, d, level, slope);
      backward_row(cols, row, mean[i], inverse[i], weight, d, T(level / double(cols)), T(slope / double(cols)),
                   dx + i * cols);
    }
  });
}

template <class T>
constexpr nn::LayerNormKernels<T> kTable{forward<T>, backward<T>};

}  // namespace

extern const nn::LayerNormTables layer_norm_tables_of_level;
const nn::LayerNormTables layer_norm_tables_of_level{kTable<float>, kTable<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
