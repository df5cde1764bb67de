# OpenMP, linked dynamically, so that threadpoolctl sees one runtime shared with scikit-learn's.
# Apple's compiler has no runtime of its own: Homebrew's libomp is keg-only, so its place has to be asked for.
if(APPLE AND NOT DEFINED OpenMP_ROOT AND NOT DEFINED ENV{OpenMP_ROOT})
  execute_process(
    COMMAND brew --prefix libomp
    OUTPUT_VARIABLE libomp_prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
  if(libomp_prefix)
    set(OpenMP_ROOT "${libomp_prefix}")
  endif()
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
