// Running a test at every SIMD level this machine has.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/simd_level.hpp"
#include "tests/check.hpp"

namespace fastml {

// Calls test(level) in a child process each, in which FASTML_SIMD names the level: for what picks its level by itself, once
// per process. Call before the process has started threads.
template <class Test>
void at_each_level_in_a_child(const Test& test) {
  for (const SimdLevel level : available_levels()) {
    std::cout.flush();
    const pid_t child = fork();
    if (child == 0) {
      setenv("FASTML_SIMD", name(level), 1);
      test(level);
      std::cout << name(level) << ": ";
      const int code = check::result();
      std::cout.flush();
      // exit, not _exit: the leak checker runs at exit.
      std::exit(code);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EQUAL(status, 0, "wait status of the child at level " << name(level));
  }
}

}  // namespace fastml
