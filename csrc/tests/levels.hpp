// Running a test at every SIMD level this machine has.
#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <type_traits>

#include "runtime/simd_level.hpp"
#include "tests/check.hpp"

namespace fastml {

// What plain loops give: the same at each level, and often slower than the kernels. The child of the first level leaves
// it in memory that all children share, those of the others find it there.
class ResultsOfAllLevels {
 public:
  ResultsOfAllLevels() {
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) written_ = static_cast<std::size_t*>(memory);
  }

  // `fill(data)` writes `count` values. Every level must ask for the same in the same order; `count` tells some that do
  // not.
  template <class V, class Fill>
  const V* find(std::size_t count, const Fill& fill) {
    static_assert(std::is_trivially_copyable_v<V>);
    const std::size_t begin = next_ + kHeader, end = begin + (count * sizeof(V) + kHeader - 1) / kHeader * kHeader;
    if (written_ == nullptr || end > kBytes) {
      std::cerr << "no memory to share between levels\n";
      std::abort();
    }
    char* const memory = reinterpret_cast<char*>(written_);
    auto* const held = reinterpret_cast<std::size_t*>(memory + next_);
    V* const data = reinterpret_cast<V*>(memory + begin);
    if (next_ >= *written_) {
      *held = count;
      fill(data);
      *written_ = end;
    }
    CHECK_EQUAL(*held, count, "results that levels share");
    next_ = end;
    return data;
  }

 private:
  // Of addresses; memory is taken as it is written.
  static constexpr std::size_t kBytes = std::size_t(1) << 30;
  static constexpr std::size_t kHeader = alignof(std::max_align_t);

  std::size_t* written_ = nullptr;  // at the start of the memory: how much of it holds results
  std::size_t next_ = kHeader;
};

inline ResultsOfAllLevels& results_of_all_levels() {
  static ResultsOfAllLevels results;
  return results;
}

// Calls test(level) in a child process each, in which FASTML_SIMD names the level: for what picks its level by itself, once
// per process. Call before the process has started threads.
template <class Test>
void at_each_level_in_a_child(const Test& test) {
  results_of_all_levels();
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
