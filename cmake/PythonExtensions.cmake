# fastml._core from src/fastml/_core/*.cpp, and one extension module per src/fastml/<family>/_*.pyx.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module NumPy)
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 CONFIG REQUIRED)

# A new bind_<family>.cpp or .pyx is picked up by the next build, with nothing to register here.
file(GLOB binding_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/fastml/_core/*.cpp")
file(GLOB cython_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/fastml/*/_*.pyx")

pybind11_add_module(_core MODULE NO_EXTRAS ${binding_sources})
target_compile_options(_core PRIVATE ${FASTML_BASELINE_FLAGS})
target_compile_definitions(_core PRIVATE ${FASTML_LEVELS_DEFINITION})
target_include_directories(_core PRIVATE "${PROJECT_SOURCE_DIR}/csrc" "${PROJECT_BINARY_DIR}/generated")
target_link_libraries(_core PRIVATE fastml_kernels fastml_warnings OpenMP::OpenMP_CXX)
# Reading pybind11 takes longer than compiling most bindings. They hold no loops: -O1 does for them, in three quarters of
# the time.
target_compile_options(_core PRIVATE -O1)
target_precompile_headers(_core PRIVATE "${PROJECT_SOURCE_DIR}/src/fastml/_core/bindings.hpp")
# Each unit compiles what pybind11 brings once more, 4 s whatever the unit holds: four files of bindings share one.
set_target_properties(_core PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
install(TARGETS _core DESTINATION fastml)
set(FASTML_EXTENSIONS _core)

if(cython_sources)
  find_package(Cython MODULE REQUIRED)
  include(UseCython)
endif()
foreach(source IN LISTS cython_sources)
  cmake_path(GET source STEM name)
  cmake_path(GET source PARENT_PATH directory)
  cmake_path(GET directory FILENAME family)
  cython_transpile(
    "${source}"
    LANGUAGE C
    MODULE_NAME fastml.${family}.${name}
    OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/cython/${family}/${name}.c"
    OUTPUT_VARIABLE c_source
    CYTHON_ARGS -3 --fast-fail)
  python_add_library(${family}${name} MODULE WITH_SOABI "${c_source}")
  set_target_properties(${family}${name} PROPERTIES OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY
                                                                       "${CMAKE_CURRENT_BINARY_DIR}/${family}")
  target_compile_options(${family}${name} PRIVATE ${FASTML_BASELINE_FLAGS})
  # Tables of kernels, whose pointers Cython gets from _core; nothing of them is linked.
  target_include_directories(${family}${name} PRIVATE "${PROJECT_SOURCE_DIR}/csrc")
  target_compile_definitions(${family}${name} PRIVATE NPY_NO_DEPRECATED_API=NPY_2_0_API_VERSION)
  target_link_libraries(${family}${name} PRIVATE Python::NumPy)
  install(TARGETS ${family}${name} DESTINATION fastml/${family})
  list(APPEND FASTML_EXTENSIONS ${family}${name})
endforeach()
