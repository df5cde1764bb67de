// Memory between two unmapped pages: a read or write that leaves it ends the process.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace fastml {

template <class T>
class Guarded {
 public:
  explicit Guarded(std::int64_t capacity) {
    const std::size_t page = std::size_t(sysconf(_SC_PAGESIZE));
    const std::size_t inner = (std::size_t(capacity) * sizeof(T) + page - 1) / page * page;
    bytes_ = inner + 2 * page;
    memory_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + page, inner, PROT_READ | PROT_WRITE) != 0) std::abort();
    first_ = reinterpret_cast<T*>(memory_ + page);
    last_ = reinterpret_cast<T*>(memory_ + page + inner);
  }
  ~Guarded() { munmap(memory_, bytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // Room for `count` elements that ends where the memory ends, or starts where it starts.
  T* at_end(std::int64_t count) { return last_ - count; }
  T* at_start() { return first_; }

  // A copy that ends where the memory ends.
  T* at_end(const std::vector<T>& values) {
    T* to = last_ - values.size();
    for (std::size_t i = 0; i < values.size(); ++i) to[i] = values[i];
    return to;
  }

 private:
  char* memory_;
  std::size_t bytes_;
  T* first_;
  T* last_;
};

}  // namespace fastml
