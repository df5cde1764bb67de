#include "bayes/moment_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using bayes::MomentKernels;

template <class T>
void add(Rows<const T> x, const std::int64_t* classes, const T* weights, std::int64_t begin, std::int64_t end,
         std::int64_t first, std::int64_t last, const double* shift, double* sums, double* squares) {
  for (std::int64_t i = begin; i < end; ++i) {
    const T* row = x.data + i * x.stride + first;
    const std::int64_t place = classes[i] * x.cols + first;
    const double weight = weights == nullptr ? 1.0 : double(weights[i]);
    for_each_run<kLanes<double>>(last - first, [&](auto width, std::int64_t j) __attribute__((always_inline)) {
      constexpr int n = decltype(width)::value;
      using V = typename VectorOf<double, n>::type;
      const V d = __builtin_convertvector(load_run<n>(row + j), V) - load_run<n>(shift + place + j);
      const V weighted = d * weight;
      store_run<n>(sums + place + j, load_run<n>(sums + place + j) + weighted);
      store_run<n>(squares + place + j, load_run<n>(squares + place + j) + weighted * d);
    });
  }
}

}  // namespace

extern const MomentKernels<float> moment_table_f32;
extern const MomentKernels<double> moment_table_f64;
const MomentKernels<float> moment_table_f32{add<float>};
const MomentKernels<double> moment_table_f64{add<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
