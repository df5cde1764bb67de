// Which level is chosen, by the machine and by FASTML_SIMD.
#include <stdexcept>

#include "cluster/kmeans.hpp"
#include "gemm/gemm.hpp"
#include "stats/column_kernels.hpp"
#include "tests/levels.hpp"

using namespace fastml;

namespace {

// The level is chosen once per process, so that each choice takes a process of its own.
template <class Test>
void with_variable(const char* value, const Test& test) {
  const pid_t child = fork();
  if (child == 0) {
    value == nullptr ? unsetenv("FASTML_SIMD") : setenv("FASTML_SIMD", value, 1);
    test();
    std::exit(check::result());
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EQUAL(status, 0, "FASTML_SIMD=" << (value == nullptr ? "(unset)" : value));
}

void levels_ascend_from_scalar() {
  const AvailableLevels levels = available_levels();
  CHECK(levels.count >= 1, levels.count);
  CHECK(levels.level[0] == SimdLevel::scalar, name(levels.level[0]));
  for (int i = 1; i < levels.count; ++i) {
    CHECK(levels.level[i - 1] < levels.level[i], name(levels.level[i - 1]) << ", " << name(levels.level[i]));
  }
}

// A level that picked another level's table would pass every test of results.
void tables_differ() {
  const AvailableLevels levels = available_levels();
  for (int i = 0; i < levels.count; ++i) {
    for (int j = 0; j < i; ++j) {
      const SimdLevel a = levels.level[i], b = levels.level[j];
      const auto where = std::string(name(a)) + ", " + name(b);
      CHECK(gemm_kernels(a).f32 != gemm_kernels(b).f32, where);
      CHECK(gemm_kernels(a).f64 != gemm_kernels(b).f64, where);
      CHECK(kmeans_kernels<float>(a).assign_dense != kmeans_kernels<float>(b).assign_dense, where);
      CHECK(kmeans_kernels<double>(a).assign_dense != kmeans_kernels<double>(b).assign_dense, where);
      CHECK(column_kernels<float>(a).sums != column_kernels<float>(b).sums, where);
      CHECK(column_kernels<double>(a).sums != column_kernels<double>(b).sums, where);
    }
  }
}

void highest_is_chosen() {
  const AvailableLevels levels = available_levels();
  CHECK_EQUAL(std::string(name(active_level())), name(levels.level[levels.count - 1]), "no level asked for");
  CHECK_EQUAL(&gemm_kernels(), &gemm_kernels(active_level()), "default table");
  CHECK_EQUAL(&kmeans_kernels<float>(), &kmeans_kernels<float>(active_level()), "default table");
}

}  // namespace

int main() {
  levels_ascend_from_scalar();
  tables_differ();
  with_variable(nullptr, highest_is_chosen);
  with_variable("", highest_is_chosen);
  at_each_level_in_a_child([](SimdLevel level) {
    CHECK_EQUAL(std::string(name(active_level())), name(level), "FASTML_SIMD");
    CHECK_EQUAL(&gemm_kernels(), &gemm_kernels(level), "FASTML_SIMD=" << name(level));
  });
  for (const char* wrong : {"avx9", "V3", "v3 ", "scalarr"}) {
    with_variable(wrong, [&] {
      CHECK_THROWS(std::runtime_error, active_level(), std::string("FASTML_SIMD=") + wrong, wrong);
      CHECK_THROWS(std::runtime_error, active_level(), "scalar", "names what can be asked for, on every call");
      setenv("FASTML_SIMD", "scalar", 1);
      CHECK(active_level() == SimdLevel::scalar, "a corrected variable is read");
    });
  }
  return check::result();
}
