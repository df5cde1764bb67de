# The SIMD levels this build has, and how sources are compiled for them.
#
#   FASTML_LEVELS            list of levels, e.g. scalar;v2;v3;v4
#   FASTML_LEVELS_DEFINITION FASTML_LEVELS_X86=1, FASTML_LEVELS_ARM=1 or nothing, for every source
#   FASTML_BASELINE_FLAGS    flags of everything that is not a level source: what the oldest machine served can run
#   FASTML_LEVEL_FLAGS_<level>
#   FASTML_VECTOR_BYTES_<level>
#                            width of a vector register; 0 stands for one lane
#   fastml_add_level_objects(<prefix> <source>...)
#                            object libraries <prefix>_<level>, one per level
include(CheckCXXCompilerFlag)

if(CMAKE_OSX_ARCHITECTURES)
  set(processor "${CMAKE_OSX_ARCHITECTURES}") # what is built for, which a Mac may cross-compile
else()
  set(processor "${CMAKE_SYSTEM_PROCESSOR}")
endif()

if(processor MATCHES "^(x86_64|AMD64|amd64)$")
  set(FASTML_LEVELS scalar v2 v3 v4)
  set(FASTML_LEVELS_DEFINITION FASTML_LEVELS_X86=1)
  set(FASTML_BASELINE_FLAGS -march=x86-64-v2)
  set(FASTML_LEVEL_FLAGS_scalar ${FASTML_BASELINE_FLAGS})
  set(FASTML_LEVEL_FLAGS_v2 ${FASTML_BASELINE_FLAGS})
  set(FASTML_LEVEL_FLAGS_v3 -march=x86-64-v3)
  set(FASTML_LEVEL_FLAGS_v4 -march=x86-64-v4 -mprefer-vector-width=512)
  set(FASTML_VECTOR_BYTES_v2 16)
  set(FASTML_VECTOR_BYTES_v3 32)
  set(FASTML_VECTOR_BYTES_v4 64)
  check_cxx_compiler_flag(-march=x86-64-v4 FASTML_HAVE_MARCH_LEVELS)
  if(NOT FASTML_HAVE_MARCH_LEVELS)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} does not know -march=x86-64-v4. Use GCC >= 12 or Clang >= 18.")
  endif()
elseif(processor MATCHES "^(aarch64|arm64)$")
  set(FASTML_LEVELS scalar neon)
  set(FASTML_LEVELS_DEFINITION FASTML_LEVELS_ARM=1)
  set(FASTML_VECTOR_BYTES_neon 16)
else()
  set(FASTML_LEVELS scalar)
endif()
set(FASTML_VECTOR_BYTES_scalar 0)

# No -ffast-math: NaN and infinity keep their meaning. Contraction to FMA is allowed within kernels only.
set(FASTML_KERNEL_FLAGS $<$<CONFIG:Release,RelWithDebInfo>:-O3> -fno-math-errno -fno-trapping-math -ffp-contract=fast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND FASTML_KERNEL_FLAGS -fno-semantic-interposition)
endif()

function(fastml_add_level_objects prefix)
  foreach(level IN LISTS FASTML_LEVELS)
    set(target ${prefix}_${level})
    add_library(${target} OBJECT ${ARGN})
    target_compile_definitions(${target} PRIVATE FASTML_LEVEL=${level} ${FASTML_LEVELS_DEFINITION}
                                                 FASTML_VECTOR_BYTES=${FASTML_VECTOR_BYTES_${level}})
    target_compile_options(${target} PRIVATE ${FASTML_KERNEL_FLAGS} ${FASTML_LEVEL_FLAGS_${level}})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/csrc")
    target_link_libraries(${target} PRIVATE fastml_warnings OpenMP::OpenMP_CXX)
  endforeach()
endfunction()
