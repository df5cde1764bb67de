#include "linear/wide_kernels.hpp"

#include "linear/double_vectors.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

template <class T>
double dot(long long n, const T* x, const double* y) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    return read<lanes>(x + j) * read<lanes>(y + j);
  });
}

template <class T>
void axpy(long long n, double factor, const T* x, double* y) {
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    store_run<lanes>(y + j, read<lanes>(y + j) + factor * read<lanes>(x + j));
  });
}

template <class T>
double squared_norm(long long n, const T* x) {
  return sum_over(n, [&](auto width, std::int64_t j) {
    const auto v = read<decltype(width)::value>(x + j);
    return v * v;
  });
}

// The costs of samples that lose something, without their sign; 0 for the others.
template <int N>
FASTML_INLINE doubles<N> costs_of_losers(doubles<N> costs, doubles<N> r) {
  const doubles<N> zero{};
  return costs * r > zero ? magnitude<N>(costs) : zero;
}

template <class T>
void hinge_derivatives(long long n, const T* x, const double* r, const double* costs, double* sums) {
  doubles<kDoubles> slopes{}, bends{};
  double more_slope = 0, more_bend = 0;
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t i) __attribute__((always_inline)) {
    constexpr int lanes = decltype(width)::value;
    const auto value = read<lanes>(x + i), residual = read<lanes>(r + i);
    const auto weighted = costs_of_losers<lanes>(read<lanes>(costs + i), residual) * value;
    if constexpr (lanes == kDoubles) {
      slopes += weighted * residual;
      bends += weighted * value;
    } else {
      more_slope += sum_run<lanes, double>(weighted * residual);
      more_bend += sum_run<lanes, double>(weighted * value);
    }
  });
  sums[0] = reduce_add<double>(slopes) + more_slope;
  sums[1] = reduce_add<double>(bends) + more_bend;
}

template <class T>
void hinge_step(long long n, double factor, const T* x, double* r, const double* costs, double* losses) {
  doubles<kDoubles> before{}, after{};
  double more_before = 0, more_after = 0;
  for_each_run<kDoubles>(n, [&](auto width, std::int64_t i) __attribute__((always_inline)) {
    constexpr int lanes = decltype(width)::value;
    const auto cost = read<lanes>(costs + i), old = read<lanes>(r + i);
    const auto residual = old + factor * read<lanes>(x + i);
    store_run<lanes>(r + i, residual);
    const auto lost = costs_of_losers<lanes>(cost, old) * old * old;
    const auto losing = costs_of_losers<lanes>(cost, residual) * residual * residual;
    if constexpr (lanes == kDoubles) {
      before += lost;
      after += losing;
    } else {
      more_before += sum_run<lanes, double>(lost);
      more_after += sum_run<lanes, double>(losing);
    }
  });
  losses[0] = reduce_add<double>(before) + more_before;
  losses[1] = reduce_add<double>(after) + more_after;
}

template <class T>
constexpr linear::WideKernels<T> kTable{dot<T>, axpy<T>, squared_norm<T>, hinge_derivatives<T>, hinge_step<T>};

}  // namespace

extern const linear::WideKernels<float> wide_table_f32;
extern const linear::WideKernels<double> wide_table_f64;
const linear::WideKernels<float> wide_table_f32 = kTable<float>;
const linear::WideKernels<double> wide_table_f64 = kTable<double>;

}  // namespace FASTML_LEVEL
}  // namespace fastml
