# FASTML_SANITIZE=address,undefined or =thread instruments everything that is built.
if(FASTML_SANITIZE)
  add_compile_options(-fsanitize=${FASTML_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${FASTML_SANITIZE})
endif()

# ThreadSanitizer cannot see libgomp's barriers, which are futexes in a library it does not instrument, and calls every
# parallel region a race. fastml_tsan_openmp tells it of them; a test executable that links it reports real races only.
if(FASTML_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_library(fastml_tsan_openmp STATIC cmake/tsan_openmp.cpp)
  target_link_options(
    fastml_tsan_openmp
    INTERFACE
    -Wl,--wrap=GOMP_parallel,--wrap=GOMP_barrier,--wrap=GOMP_loop_end
    -Wl,--wrap=GOMP_task,--wrap=GOMP_taskwait
    -Wl,--wrap=GOMP_critical_start,--wrap=GOMP_critical_end,--wrap=GOMP_atomic_start,--wrap=GOMP_atomic_end
    -Wl,--wrap=GOMP_critical_name_start,--wrap=GOMP_critical_name_end
    -Wl,--wrap=GOMP_parallel_loop_nonmonotonic_dynamic,--wrap=GOMP_parallel_loop_dynamic)
endif()
