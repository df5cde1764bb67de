#include "runtime/simd_level.hpp"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace fastml {
namespace {

bool runs_here(SimdLevel level) {
  switch (level) {
    case SimdLevel::scalar:
      return true;
#if defined(FASTML_LEVELS_X86)
    case SimdLevel::v2:
      return true;  // the baseline the whole library is compiled for
    // All that -march may make the compiler emit, not only the vector instructions: a CPU without LZCNT runs it as BSR.
    case SimdLevel::v3:
      return __builtin_cpu_supports("x86-64-v3");
    case SimdLevel::v4:
      return __builtin_cpu_supports("x86-64-v4");
#elif defined(FASTML_LEVELS_ARM)
    case SimdLevel::neon:
      return true;  // every AArch64 CPU has Advanced SIMD
#endif
    default:
      return false;
  }
}

std::string names(const AvailableLevels& levels) {
  std::string text;
  for (int i = 0; i < levels.count; ++i) {
    text += (i ? ", " : "") + std::string(name(levels.level[i]));
  }
  return text;
}

SimdLevel choose_level() {
  const AvailableLevels levels = available_levels();
  const char* wanted = std::getenv("FASTML_SIMD");
  if (wanted == nullptr || *wanted == '\0') return levels.level[levels.count - 1];
  for (int i = 0; i < levels.count; ++i) {
    if (std::strcmp(wanted, name(levels.level[i])) == 0) return levels.level[i];
  }
  throw std::runtime_error("FASTML_SIMD=" + std::string(wanted) +
                           " is not a level this machine can run; set it to one of: " + names(levels) +
                           ", or leave it unset.");
}

}  // namespace

const char* name(SimdLevel level) {
  switch (level) {
    case SimdLevel::v2:
      return "v2";
    case SimdLevel::v3:
      return "v3";
    case SimdLevel::v4:
      return "v4";
    case SimdLevel::neon:
      return "neon";
    default:
      return "scalar";
  }
}

AvailableLevels available_levels() {
  AvailableLevels levels{};
#define FASTML_ADD_IF_RUNS_(level_name) \
  if (runs_here(SimdLevel::level_name)) levels.level[levels.count++] = SimdLevel::level_name;
  FASTML_FOR_EACH_LEVEL(FASTML_ADD_IF_RUNS_)
#undef FASTML_ADD_IF_RUNS_
  return levels;
}

SimdLevel active_level() {
  static const SimdLevel level = choose_level();
  return level;
}

}  // namespace fastml
