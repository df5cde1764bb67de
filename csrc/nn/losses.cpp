#include "nn/losses.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#define FASTML_TABLE_TYPE nn::LossTables
#define FASTML_TABLE_NAME loss_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::LossTables& nn::loss_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::loss_tables_of_level;
  }
}

namespace nn {
namespace {

// Elements that are summed by themselves, by whichever thread: sums do not depend on how many there are.
constexpr std::int64_t kRun = 4096;

template <class T>
const LossKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return loss_tables().f32;
  } else {
    return loss_tables().f64;
  }
}

template <class T>
LossArrays<T> from_element(const LossArrays<T>& arrays, std::int64_t i) {
  const auto at = [i](auto* p) { return p == nullptr ? nullptr : p + i; };
  return {arrays.x + i,      arrays.y + i, at(arrays.weights), at(arrays.positive_weights),
          at(arrays.losses), at(arrays.dx)};
}

}  // namespace

template <class T>
double elementwise_loss(ElementLoss kind, T parameter, std::int64_t n, const LossArrays<T>& arrays, T factor,
                        int threads) {
  const auto evaluate = kernels<T>().evaluate;
  if (n <= kRun) return evaluate(kind, parameter, n, arrays, factor);
  const std::int64_t runs = (n + kRun - 1) / kRun;
  threads = int(std::min<std::int64_t>(threads, runs));
  std::vector<double> sums(runs);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t run = runs * t / threads; run < runs * (t + 1) / threads; ++run) {
      const std::int64_t begin = run * kRun;
      sums[run] = evaluate(kind, parameter, std::min(kRun, n - begin), from_element(arrays, begin), factor);
    }
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

template double elementwise_loss(ElementLoss, float, std::int64_t, const LossArrays<float>&, float, int);
template double elementwise_loss(ElementLoss, double, std::int64_t, const LossArrays<double>&, double, int);

}  // namespace nn
}  // namespace fastml
