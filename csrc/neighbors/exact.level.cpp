// Sums of terms in double, the same to the bit at every level. Compiled with -ffp-contract=off.
#include "neighbors/exact.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using neighbors::ExactQuery;
using neighbors::kExactLanes;
using neighbors::Terms;

constexpr int kParts = kExactLanes / kLanes<double>;  // vectors that hold the 16 partial sums

FASTML_INLINE vec<double> absolute(vec<double> x) { return maximum<double>(x, -x); }

template <Terms terms>
FASTML_INLINE vec<double> add_terms(vec<double> sum, vec<double> difference) {
  if constexpr (terms == Terms::squares || terms == Terms::directions) {
    return sum + difference * difference;
  } else if constexpr (terms == Terms::absolutes) {
    return sum + absolute(difference);
  } else {
    return maximum<double>(sum, absolute(difference));
  }
}

template <Terms terms, bool Weighted>
FASTML_INLINE vec<double> add_weighted(vec<double> sum, vec<double> difference, const double* weights) {
  if constexpr (!Weighted) {
    return add_terms<terms>(sum, difference);
  } else if constexpr (terms == Terms::squares) {
    return sum + load(weights) * (difference * difference);
  } else if constexpr (terms == Terms::scaled) {
    return sum + (difference * difference) / load(weights);
  } else {
    return sum + load(weights) * absolute(difference);
  }
}

// The sum, or the largest, of 16 partial results: lanes l and l + 8, then l and l + 4, ...
template <Terms terms>
FASTML_INLINE double combine(const vec<double> (&parts)[kParts]) {
  alignas(64) double lanes[kExactLanes];
  for (int v = 0; v < kParts; ++v) store(lanes + v * kLanes<double>, parts[v]);
#pragma GCC unroll 4
  for (int half = kExactLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) {
      if constexpr (terms == Terms::most) {
        lanes[l] = lanes[l] > lanes[l + half] ? lanes[l] : lanes[l + half];
      } else {
        lanes[l] += lanes[l + half];
      }
    }
  }
  return lanes[0];
}

template <class T, Terms terms, bool Weighted>
FASTML_INLINE double sum_of(const T* row, std::int64_t cols, double inverse_norm, const double* query,
                            const double* weights) {
  if (cols <= kExactLanes) {
    double sum = 0;
    for (std::int64_t f = 0; f < cols; ++f) {
      double x = double(row[f]);
      if constexpr (terms == Terms::directions) x = x * inverse_norm;
      double term = x - query[f];
      if constexpr (terms == Terms::squares || terms == Terms::directions || terms == Terms::scaled) {
        term = term * term;
      } else {
        term = term < 0 ? -term : term;
      }
      if constexpr (Weighted) term = terms == Terms::scaled ? term / weights[f] : weights[f] * term;
      sum = terms != Terms::most ? sum + term : sum > term ? sum : term;
    }
    return sum;
  }
  constexpr int lanes = kLanes<double>;
  vec<double> parts[kParts] = {};
  std::int64_t f = 0;
  for (; f + kExactLanes <= cols; f += kExactLanes) {
#pragma GCC unroll 16
    for (int v = 0; v < kParts; ++v) {
      const std::int64_t at = f + v * lanes;
      vec<double> x = load_as<double>(row + at);
      if constexpr (terms == Terms::directions) x = x * inverse_norm;
      parts[v] = add_weighted<terms, Weighted>(parts[v], x - load(query + at), weights + at);
    }
  }
  if (f < cols) {
    // The query is padded with zeros and so is the row here: what is added for lanes past the end is +0.
    alignas(64) double rest[kExactLanes] = {};
    for (std::int64_t g = f; g < cols; ++g) rest[g - f] = double(row[g]);
#pragma GCC unroll 16
    for (int v = 0; v < kParts; ++v) {
      vec<double> x = load(rest + v * lanes);
      if constexpr (terms == Terms::directions) x = x * inverse_norm;
      parts[v] = add_weighted<terms, Weighted>(parts[v], x - load(query + f + v * lanes), weights + f + v * lanes);
    }
  }
  return combine<terms>(parts);
}

template <class T, Terms terms, bool Weighted>
void sums_of(const ExactQuery<T>& q, std::int64_t base, const std::int32_t* rows, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    // Listed rows lie anywhere: what comes two rows later is asked for now.
    if (i + 2 < count) {
      const char* next = reinterpret_cast<const char*>(q.data.data + (base + rows[i + 2]) * q.data.stride);
      const std::int64_t bytes = q.data.cols * std::int64_t(sizeof(T));
      for (std::int64_t b = 0; b < bytes && b < 512; b += 64) __builtin_prefetch(next + b);
    }
    const std::int64_t row = base + rows[i];
    const double inverse = terms == Terms::directions ? q.inverse_norms[row] : 1.0;
    double sum =
        sum_of<T, terms, Weighted>(q.data.data + row * q.data.stride, q.data.cols, inverse, q.query, q.weights);
    // Zeros have no direction: scikit-learn calls them orthogonal to everything.
    if constexpr (terms == Terms::directions) sum = inverse == 0 ? 2.0 : sum;
    out[i] = sum;
  }
}

template <class T>
void powers(const ExactQuery<T>& q, std::int64_t base, const std::int32_t* rows, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T* row = q.data.data + (base + rows[i]) * q.data.stride;
    double lanes[kExactLanes] = {};
    for (std::int64_t f = 0; f < q.data.cols; ++f) {
      const double difference = double(row[f]) - q.query[f];
      double power = __builtin_pow(difference < 0 ? -difference : difference, q.p);
      if (q.weights != nullptr) power = q.weights[f] * power;
      lanes[q.data.cols <= kExactLanes ? 0 : f % kExactLanes] += power;
    }
    for (int half = kExactLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lanes[l] += lanes[l + half];
    }
    out[i] = lanes[0];
  }
}

// Steps and their order are those of scikit-learn.
template <class T>
void spheres(const ExactQuery<T>& q, std::int64_t base, const std::int32_t* rows, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T* row = q.data.data + (base + rows[i]) * q.data.stride;
    const double across = __builtin_sin(0.5 * (q.query[0] - double(row[0])));
    const double along = __builtin_sin(0.5 * (q.query[1] - double(row[1])));
    out[i] = across * across + __builtin_cos(q.query[0]) * __builtin_cos(double(row[0])) * along * along;
  }
}

// Sums over j, and then over i, in their order, as scikit-learn adds them up; 16 i's at a time.
template <class T>
void quadratics(const ExactQuery<T>& q, std::int64_t base, const std::int32_t* rows, std::int64_t count, double* out) {
  const std::int64_t cols = q.data.cols, padded = (cols + kExactLanes - 1) / kExactLanes * kExactLanes;
  for (std::int64_t r = 0; r < count; ++r) {
    const T* row = q.data.data + (base + rows[r]) * q.data.stride;
    for (std::int64_t j = 0; j < cols; ++j) q.difference[j] = q.query[j] - double(row[j]);
    double sum = 0;
    for (std::int64_t i = 0; i < cols; i += kExactLanes) {
      vec<double> parts[kParts] = {};
      for (std::int64_t j = 0; j < cols; ++j) {
        const double* column = q.columns + j * padded + i;
#pragma GCC unroll 16
        for (int v = 0; v < kParts; ++v) parts[v] += load(column + v * kLanes<double>) * q.difference[j];
      }
      alignas(64) double lanes[kExactLanes];
      for (int v = 0; v < kParts; ++v) store(lanes + v * kLanes<double>, parts[v]);
      const std::int64_t rest = cols - i < kExactLanes ? cols - i : kExactLanes;
      for (std::int64_t l = 0; l < rest; ++l) sum += lanes[l] * q.difference[i + l];
    }
    out[r] = sum;
  }
}

template <class T>
void sums(Terms terms, const ExactQuery<T>& q, std::int64_t base, const std::int32_t* rows, std::int64_t count,
          double* out) {
  switch (terms) {
    case Terms::squares:
      return q.weights != nullptr ? sums_of<T, Terms::squares, true>(q, base, rows, count, out)
                                  : sums_of<T, Terms::squares, false>(q, base, rows, count, out);
    case Terms::absolutes:
      return q.weights != nullptr ? sums_of<T, Terms::absolutes, true>(q, base, rows, count, out)
                                  : sums_of<T, Terms::absolutes, false>(q, base, rows, count, out);
    case Terms::most:
      return sums_of<T, Terms::most, false>(q, base, rows, count, out);
    case Terms::directions:
      return sums_of<T, Terms::directions, false>(q, base, rows, count, out);
    case Terms::powers:
      return powers(q, base, rows, count, out);
    case Terms::scaled:
      return sums_of<T, Terms::scaled, true>(q, base, rows, count, out);
    case Terms::sphere:
      return spheres(q, base, rows, count, out);
    case Terms::quadratic:
      return quadratics(q, base, rows, count, out);
  }
}

}  // namespace

extern const neighbors::ExactKernels<float> exact_table_f32;
extern const neighbors::ExactKernels<double> exact_table_f64;
const neighbors::ExactKernels<float> exact_table_f32 = {sums<float>};
const neighbors::ExactKernels<double> exact_table_f64 = {sums<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
