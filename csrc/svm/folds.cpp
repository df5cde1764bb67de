#include "svm/folds.hpp"

#include <numeric>
#include <utility>

namespace fastml::svm {
namespace {

// An unbiased number below `range`, by multiplication (Lemire 2019): draws are repeated where the low half would favour some.
std::uint32_t below(std::mt19937& generator, std::uint32_t range) {
  std::uint64_t product = std::uint64_t(std::uint32_t(generator())) * range;
  if (std::uint32_t(product) < range) {
    const std::uint32_t unfair = (0u - range) % range;
    while (std::uint32_t(product) < unfair) product = std::uint64_t(std::uint32_t(generator())) * range;
  }
  return std::uint32_t(product >> 32);
}

}  // namespace

std::vector<std::int32_t> random_order(std::mt19937& generator, std::int32_t count) {
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::int32_t i = 0; i < count; ++i) std::swap(order[i], order[i + below(generator, count - i)]);
  return order;
}

}  // namespace fastml::svm
