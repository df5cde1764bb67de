#include <omp.h>

#include <chrono>
#include <vector>

#include "bindings.hpp"
#include "build_info.hpp"
#include "runtime/block_pool.hpp"
#include "runtime/simd_level.hpp"

namespace fastml {

bool interrupted() {
  // Asking takes the GIL, for which another Python thread may make us wait: at most every 20 ms.
  using Clock = std::chrono::steady_clock;
  static thread_local Clock::time_point asked{};
  const Clock::time_point now = Clock::now();
  if (now - asked < std::chrono::milliseconds(20)) return false;
  asked = now;
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

void bind_runtime(py::module_& module) {
  active_level();  // an unusable FASTML_SIMD is reported at import, not in the middle of a fit
  module.def("omp_max_threads", &omp_get_max_threads, "Threads an OpenMP parallel region would get.");
  module.def("release_memory", &release_blocks, "Give memory that is kept for the next results back to the system.");
  module.def("kept_memory", &kept_bytes, "Bytes that are kept for the next results.");
  module.def("simd_level", [] { return name(active_level()); }, "SIMD level the kernels run at.");
  module.def(
      "simd_levels",
      [] {
        std::vector<std::string> names;
        for (const SimdLevel level : available_levels()) names.emplace_back(name(level));
        return names;
      },
      "SIMD levels this build has and this machine runs, lowest first.");
  module.def(
      "build_info",
      [] {
        py::dict levels;
        for (const auto& level : build_info::kLevels) levels[level.name] = level.flags;
        py::dict info;
        info["version"] = build_info::kVersion;
        info["compiler"] = build_info::kCompiler;
        info["system"] = build_info::kSystem;
        info["build_type"] = build_info::kBuildType;
        info["kernel_flags"] = build_info::kKernelFlags;
        info["baseline_flags"] = build_info::kBaselineFlags;
        info["openmp"] = build_info::kOpenMP;
        info["sanitizers"] = build_info::kSanitizers;
        info["levels"] = levels;
        return info;
      },
      "Compiler, flags and levels of this build.");
}

}  // namespace fastml
