// Which SIMD level the kernels run at. Chosen once per process, outside every loop.
//
// A level is a set of compiler flags under which each kernel source (*.level.cpp) is compiled once more, in a
// namespace of the level's own. `scalar` is one lane wide: the portable fallback, and the oracle of the tests.
#pragma once

#if defined(FASTML_LEVELS_X86)
#define FASTML_FOR_EACH_LEVEL(apply) apply(scalar) apply(v2) apply(v3) apply(v4)
#elif defined(FASTML_LEVELS_ARM)
#define FASTML_FOR_EACH_LEVEL(apply) apply(scalar) apply(neon)
#else
#define FASTML_FOR_EACH_LEVEL(apply) apply(scalar)
#endif

namespace fastml {

enum class SimdLevel { scalar, v2, v3, v4, neon };

const char* name(SimdLevel level);

// Levels compiled into this library that this CPU (and its operating system) can run, lowest first.
struct AvailableLevels {
  SimdLevel level[5];
  int count;
  const SimdLevel* begin() const { return level; }
  const SimdLevel* end() const { return level + count; }
};
AvailableLevels available_levels();

// The level in use: the highest available one, or the one that the environment variable FASTML_SIMD names.
// Throws std::runtime_error where FASTML_SIMD names a level that is unknown or that this machine cannot run.
SimdLevel active_level();

}  // namespace fastml

// A family of kernels is a struct of function pointers. Each level source defines one constant of that type under the
// same name in its namespace; these two macros declare them all and pick one.
#define FASTML_DECLARE_ONE_TABLE_(level)            \
  namespace level {                                 \
  extern const FASTML_TABLE_TYPE FASTML_TABLE_NAME; \
  }
#define FASTML_PICK_ONE_TABLE_(level_name) \
  case SimdLevel::level_name:              \
    return level_name::FASTML_TABLE_NAME;
