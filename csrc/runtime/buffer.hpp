// Aligned memory that drivers own. For baseline sources; level sources have simd/scratch.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/memory.hpp"

namespace fastml {

// `size` zeros, aligned to kAlignment. Kernels read panels by whole vectors: from a std::vector, which is aligned to 16
// bytes, every AVX-512 load would cross a cache line.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t size)
      : bytes_(static_cast<std::size_t>(size) * sizeof(T)), data_(static_cast<T*>(allocate_aligned(bytes_))) {
    std::fill(data_, data_ + size, T(0));
  }
  ~Buffer() {
    if (data_ != nullptr) free_aligned(data_, bytes_);
  }
  Buffer(Buffer&& other) noexcept
      : bytes_(std::exchange(other.bytes_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + bytes_ / sizeof(T); }

 private:
  std::size_t bytes_;
  T* data_;
};

// Elements of a thread's share of a buffer, so that the next share begins on a cache line of its own.
template <class T>
std::int64_t whole_lines(std::int64_t size) {
  constexpr std::int64_t line = std::int64_t(kAlignment / sizeof(T));
  return (size + line - 1) / line * line;
}

}  // namespace fastml
