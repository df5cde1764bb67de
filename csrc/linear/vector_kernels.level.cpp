#include "linear/vector_kernels.hpp"

#include "linear/double_vectors.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

// All arithmetic but the products of dot is on vectors of doubles.

template <class T>
double dot(long long n, const T* x, const T* y) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    return widen<lanes, T>(load_run<lanes>(x + j) * load_run<lanes>(y + j));
  });
}

template <class T>
double squared_norm(long long n, const T* x) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    const auto v = read<decltype(width)::value>(x + j);
    return v * v;
  });
}

template <class T>
double absolute_sum(long long n, const T* x) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    return magnitude<lanes>(read<lanes>(x + j));
  });
}

template <class T>
void scale(long long n, double factor, T* x) {
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    store_run<lanes>(x + j, narrow<lanes, T>(read<lanes>(x + j) * factor));
  });
}

// One run of axpy; returns the new elements as they are stored.
template <int N, class T>
FASTML_INLINE typename VectorOf<T, N>::type add_run(double factor, const T* x, T* y) {
  const auto sum = narrow<N, T>(read<N>(y) + factor * read<N>(x));
  store_run<N>(y, sum);
  return sum;
}

template <class T>
void axpy(long long n, double factor, const T* x, T* y) {
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t j) { add_run<decltype(width)::value>(factor, x + j, y + j); });
}

template <class T>
double axpy_squares(long long n, double factor, const T* x, T* y) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    const auto sum = add_run<lanes>(factor, x + j, y + j);
    return widen<lanes, T>(sum * sum);
  });
}

template <class T>
void axpy_norms(long long n, double factor, const T* x, T* y, double* norms) {
  doubles<kDoubles> absolutes{};
  double rest = 0;
  norms[0] = sum_over(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    const auto sum = add_run<lanes>(factor, x + j, y + j);
    const auto size = magnitude<lanes>(widen<lanes, T>(sum));
    if constexpr (lanes == kDoubles) {
      absolutes += size;
    } else {
      rest += sum_run<lanes, double>(size);
    }
    return widen<lanes, T>(sum * sum);
  });
  norms[1] = reduce_add<double>(absolutes) + rest;
}

template <class T>
void shrink(long long n, double owed, double scale, T* q, T* w) {
  const double part = 1 / scale;
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    const auto before = read<lanes>(w + j), received = read<lanes>(q + j);
    const doubles<lanes> zero{};
    // w moves by (owed + q) / scale if positive, (owed - q) / scale if negative, and not beyond zero.
    const auto less = before - (owed + received) * part;
    const auto more = before + (owed - received) * part;
    const auto lowered = less > zero ? less : zero;
    const auto raised = more < zero ? more : zero;
    const auto after = narrow<lanes, T>(before > zero ? lowered : before < zero ? raised : before);
    store_run<lanes>(w + j, after);
    store_run<lanes>(q + j, narrow<lanes, T>(received + scale * (widen<lanes, T>(after) - before)));
  });
}

template <class T>
double sparse_dot(long long n, const T* x, const int* places, const T* y) {
  // Gathers are no faster than loads one by one where a vector has four lanes.
  double sums[4] = {};
  long long j = 0;
  for (; j + 4 <= n; j += 4) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[v] += double(y[places[j + v]] * x[j + v]);
  }
  for (; j < n; ++j) sums[0] += double(y[places[j]] * x[j]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
FASTML_INLINE T add_one(double factor, T x, T& y) {
  return y = T(double(y) + factor * double(x));
}

template <class T>
void sparse_axpy(long long n, double factor, const T* x, const int* places, T* y) {
  for (long long j = 0; j < n; ++j) add_one(factor, x[j], y[places[j]]);
}

template <class T>
void sparse_axpy_norms(long long n, double factor, const T* x, const int* places, T* y, double* norms) {
  double squares[4] = {}, absolutes[4] = {};
  const auto step = [&](long long j, int v) {
    const T sum = add_one(factor, x[j], y[places[j]]);
    squares[v] += double(sum * sum);
    absolutes[v] += __builtin_fabs(double(sum));
  };
  long long j = 0;
  for (; j + 4 <= n; j += 4) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) step(j + v, v);
  }
  for (; j < n; ++j) step(j, 0);
  norms[0] = (squares[0] + squares[1]) + (squares[2] + squares[3]);
  norms[1] = (absolutes[0] + absolutes[1]) + (absolutes[2] + absolutes[3]);
}

template <class T>
void sparse_shrink(long long n, const int* places, double owed, double scale, T* q, T* w) {
  for (long long j = 0; j < n; ++j) shrink<T>(1, owed, scale, q + places[j], w + places[j]);
}

template <class T>
constexpr linear::VectorKernels<T> kTable{dot<T>,        squared_norm<T>, absolute_sum<T>,      scale<T>,
                                          axpy<T>,       axpy_squares<T>, axpy_norms<T>,        shrink<T>,
                                          sparse_dot<T>, sparse_axpy<T>,  sparse_axpy_norms<T>, sparse_shrink<T>};

}  // namespace

extern const linear::VectorKernels<float> vector_table_f32;
extern const linear::VectorKernels<double> vector_table_f64;
const linear::VectorKernels<float> vector_table_f32 = kTable<float>;
const linear::VectorKernels<double> vector_table_f64 = kTable<double>;

}  // namespace FASTML_LEVEL
}  // namespace fastml
