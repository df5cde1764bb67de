#include "tree/narrow.hpp"

#include <algorithm>

namespace fastml::tree {
namespace {

// Short enough that the test of a vector's lanes stays in registers, and a failure ends the pass soon.
constexpr std::int64_t kRun = 4096;

bool narrow_run(const double* wide, std::int64_t count, float* narrow) {
  // x - x is zero for finite x only.
  std::int32_t odd = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = static_cast<float>(wide[i]);
    narrow[i] = x;
    odd |= std::int32_t(x - x != 0);
  }
  return odd == 0;
}

}  // namespace

bool narrow(const double* wide, std::int64_t count, int threads, float* narrow) {
  bool finite = true;
  const std::int64_t runs = (count + kRun - 1) / kRun;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1) reduction(&& : finite)
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int64_t begin = run * kRun;
    if (finite) finite = narrow_run(wide + begin, std::min(kRun, count - begin), narrow + begin);
  }
  return finite;
}

}  // namespace fastml::tree
