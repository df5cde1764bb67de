#include "nn/norm.hpp"

#include "simd/vec.hpp"

// Loops over one value after the other, whose results do not depend on one another, are left to the compiler, which
// makes vectors of each level of them. Sums along a row are not: their order of additions is written out.
namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::Channels;

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

// LayerNorm.

template <class T>
FASTML_INLINE void normalize_row(std::int64_t cols, const T* __restrict x, const T* __restrict weight,
                                 const T* __restrict bias, T mean, T inverse, T* __restrict y) {
  for (std::int64_t j = 0; j < cols; ++j) y[j] = (x[j] - mean) * inverse * weight[j] + bias[j];
}

template <class T>
void layer_forward(std::int64_t rows, std::int64_t cols, const T* x, const T* weight, const T* bias, T eps, T* y,
                   T* mean, T* inverse) {
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

template <class T>
FASTML_INLINE void add_row(std::int64_t cols, const T* __restrict x, T mean, T inverse, const T* __restrict dy,
                           double* __restrict dweight, double* __restrict dbias) {
  for (std::int64_t j = 0; j < cols; ++j) {
    dweight[j] += double(dy[j] * ((x[j] - mean) * inverse));
    dbias[j] += double(dy[j]);
  }
}

template <class T>
void layer_backward(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, const T* inverse, const T* weight,
                    const T* dy, T* dx, double* dweight, double* dbias) {
  for (std::int64_t i = 0; i < rows; ++i, x += cols, dy += cols) {
    add_row(cols, x, mean[i], inverse[i], dy, dweight, dbias);
    if (dx == nullptr) continue;
    // Mean and variance depend on every value of the row: what the others gain, each loses.
    const double center = double(mean[i]), scale = double(inverse[i]);
    const double level =
        sum_of(cols, [=](auto at) __attribute__((always_inline)) { return at(dy) * at(weight); }) / double(cols);
    const double slope =
        sum_of(cols, [=](auto at)
                         __attribute__((always_inline)) { return at(dy) * at(weight) * ((at(x) - center) * scale); }) /
        double(cols);
    backward_row(cols, x, mean[i], inverse[i], weight, dy, T(level), T(slope), dx);
    dx += cols;
  }
}

// BatchNorm. Channels of a matrix lie side by side, and are summed row by row; with positions each is a run of them.

template <class T>
FASTML_INLINE void add_values(std::int64_t n, const T* __restrict x, double* __restrict sums) {
  for (std::int64_t c = 0; c < n; ++c) sums[c] += double(x[c]);
}

template <class T>
FASTML_INLINE void add_squares(std::int64_t n, const T* __restrict x, const double* __restrict mean,
                               double* __restrict sums) {
  for (std::int64_t c = 0; c < n; ++c) {
    const double distance = double(x[c]) - mean[c];
    sums[c] += distance * distance;
  }
}

FASTML_INLINE void divide(double* sums, std::int64_t first, std::int64_t last, double by) {
  for (std::int64_t c = first; c < last; ++c) sums[c] /= by;
}

template <class T>
void moments(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, double* mean, double* variance) {
  const std::int64_t row = shape.channels * shape.positions, count = shape.samples * shape.positions;
  for (std::int64_t c = first; c < last; ++c) mean[c] = variance[c] = 0;
  for (std::int64_t n = 0; n < shape.samples; ++n) {
    if (shape.positions == 1) {
      add_values(last - first, x + n * row + first, mean + first);
    } else {
      for (std::int64_t c = first; c < last; ++c) {
        mean[c] += sum_of_values(shape.positions, x + n * row + c * shape.positions);
      }
    }
  }
  divide(mean, first, last, double(count));
  for (std::int64_t n = 0; n < shape.samples; ++n) {
    if (shape.positions == 1) {
      add_squares(last - first, x + n * row + first, mean + first, variance + first);
    } else {
      for (std::int64_t c = first; c < last; ++c) {
        variance[c] += sum_of_squares(shape.positions, x + n * row + c * shape.positions, mean[c]);
      }
    }
  }
  divide(variance, first, last, double(count));
}

template <class T>
FASTML_INLINE void scale_columns(std::int64_t n, const T* __restrict x, const T* __restrict shift,
                                 const T* __restrict by, const T* __restrict bias, T* __restrict y) {
  for (std::int64_t c = 0; c < n; ++c) y[c] = (x[c] - shift[c]) * by[c] + bias[c];
}

template <class T>
FASTML_INLINE void scale_run(std::int64_t n, const T* __restrict x, T shift, T by, T bias, T* __restrict y) {
  for (std::int64_t p = 0; p < n; ++p) y[p] = (x[p] - shift) * by + bias;
}

template <class T>
void scale(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* shift, const T* by,
           const T* bias, T* y) {
  for (std::int64_t n = 0; n < shape.samples; ++n) {
    const std::int64_t start = n * shape.channels * shape.positions;
    if (shape.positions == 1) {
      scale_columns(last - first, x + start + first, shift + first, by + first, bias + first, y + start + first);
    } else {
      for (std::int64_t c = first; c < last; ++c) {
        const std::int64_t at = start + c * shape.positions;
        scale_run(shape.positions, x + at, shift[c], by[c], bias[c], y + at);
      }
    }
  }
}

template <class T>
FASTML_INLINE void add_products(std::int64_t n, const T* __restrict x, const T* __restrict dy, const T* __restrict mean,
                                const T* __restrict inverse, double* __restrict dweight, double* __restrict dbias) {
  for (std::int64_t c = 0; c < n; ++c) {
    dweight[c] += double(dy[c] * ((x[c] - mean[c]) * inverse[c]));
    dbias[c] += double(dy[c]);
  }
}

template <class T>
void products(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* dy, const T* mean,
              const T* inverse, double* dweight, double* dbias) {
  for (std::int64_t c = first; c < last; ++c) dweight[c] = dbias[c] = 0;
  for (std::int64_t n = 0; n < shape.samples; ++n) {
    const std::int64_t start = n * shape.channels * shape.positions;
    if (shape.positions == 1) {
      add_products(last - first, x + start + first, dy + start + first, mean + first, inverse + first, dweight + first,
                   dbias + first);
      continue;
    }
    for (std::int64_t c = first; c < last; ++c) {
      const std::int64_t at_channel = start + c * shape.positions;
      const T *from = x + at_channel, *d = dy + at_channel;
      const double center = double(mean[c]);
      const double sum =
          sum_of(shape.positions, [=](auto at) __attribute__((always_inline)) { return at(d) * (at(from) - center); });
      dweight[c] += sum * double(inverse[c]);
      dbias[c] += sum_of_values(shape.positions, d);
    }
  }
}

template <class T>
FASTML_INLINE void backward_columns(std::int64_t n, const T* __restrict x, const T* __restrict dy,
                                    const T* __restrict mean, const T* __restrict by, const T* __restrict slope,
                                    const T* __restrict constant, T* __restrict dx) {
  for (std::int64_t c = 0; c < n; ++c) dx[c] = dy[c] * by[c] - (x[c] - mean[c]) * slope[c] - constant[c];
}

template <class T>
FASTML_INLINE void backward_run(std::int64_t n, const T* __restrict x, const T* __restrict dy, T mean, T by, T slope,
                                T constant, T* __restrict dx) {
  for (std::int64_t p = 0; p < n; ++p) dx[p] = dy[p] * by - (x[p] - mean) * slope - constant;
}

template <class T>
void through_moments(const Channels& shape, std::int64_t first, std::int64_t last, const T* x, const T* dy,
                     const T* mean, const T* by, const T* slope, const T* constant, T* dx) {
  for (std::int64_t n = 0; n < shape.samples; ++n) {
    const std::int64_t start = n * shape.channels * shape.positions;
    if (shape.positions == 1) {
      const std::int64_t at = start + first;
      backward_columns(last - first, x + at, dy + at, mean + first, by + first, slope + first, constant + first,
                       dx + at);
    } else {
      for (std::int64_t c = first; c < last; ++c) {
        const std::int64_t at = start + c * shape.positions;
        backward_run(shape.positions, x + at, dy + at, mean[c], by[c], slope[c], constant[c], dx + at);
      }
    }
  }
}

template <class T>
constexpr nn::NormKernels<T> kTable{layer_forward<T>, layer_backward<T>, moments<T>,
                                    scale<T>,         products<T>,       through_moments<T>};

}  // namespace

extern const nn::NormTables norm_tables_of_level;
const nn::NormTables norm_tables_of_level{kTable<float>, kTable<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
