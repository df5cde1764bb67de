// A block of aligned memory owned by a kernel for the length of a call. For level sources only.
#pragma once

#include "runtime/memory.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

// Uninitialised. Allocate outside of parallel regions: the constructor throws std::bad_alloc.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t size)
      : bytes_(static_cast<std::size_t>(size) * sizeof(T)), data_(static_cast<T*>(allocate_aligned(bytes_))) {}
  ~Scratch() { free_aligned(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() { return data_; }
  T& operator[](std::int64_t i) { return data_[i]; }

 private:
  std::size_t bytes_;
  T* data_;
};

// Elements a buffer of `size` elements must take so that the next thread's buffer starts on a line of its own.
template <class T>
FASTML_INLINE std::int64_t padded(std::int64_t size) {
  constexpr std::int64_t line = std::int64_t(kAlignment / sizeof(T));
  return (size + line - 1) / line * line;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
