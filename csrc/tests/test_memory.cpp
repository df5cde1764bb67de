// Aligned memory for kernels.
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/buffer.hpp"
#include "runtime/memory.hpp"
#include "tests/check.hpp"

using namespace fastml;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

void blocks_are_aligned_and_writable() {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                  std::size_t{4096}, 2 * kMiB, 4 * kMiB - 1, 4 * kMiB, 4 * kMiB + 1, 9 * kMiB + 17}) {
    void* first = allocate_aligned(bytes);
    void* second = allocate_aligned(bytes);
    CHECK(first != nullptr && second != nullptr && first != second, bytes);
    CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(first) % kAlignment, 0U, bytes);
    CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(second) % kAlignment, 0U, bytes);
    std::memset(first, 1, bytes);
    std::memset(second, 2, bytes);
    if (bytes > 0) {
      CHECK_EQUAL(int(static_cast<char*>(first)[bytes - 1]), 1, bytes);
      CHECK_EQUAL(int(static_cast<char*>(second)[0]), 2, bytes);
    }
    free_aligned(second, bytes);
    free_aligned(first, bytes);
  }
}

template <class T>
void buffers_hold_zeros() {
  for (const std::int64_t size : {0, 1, 7, 16, 1000, 1 << 20}) {
    Buffer<T> buffer(size);
    CHECK_EQUAL(buffer.end() - buffer.begin(), size, size);
    CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment, 0U, size);
    std::int64_t zeros = 0;
    for (T& x : buffer) {
      zeros += x == T(0);
      x = T(1);
    }
    CHECK_EQUAL(zeros, size, size);
    T* const memory = buffer.data();
    const Buffer<T> heir(std::move(buffer));
    CHECK_EQUAL(heir.data(), memory, size << " moved");
  }
  constexpr std::int64_t line = kAlignment / sizeof(T);
  CHECK_EQUAL(whole_lines<T>(0), 0, "shares");
  CHECK_EQUAL(whole_lines<T>(1), line, "shares");
  CHECK_EQUAL(whole_lines<T>(line), line, "shares");
  CHECK_EQUAL(whole_lines<T>(line + 1), 2 * line, "shares");
}

// The sanitizers' allocators end the process instead of throwing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void too_much_throws() {
  bool thrown = false;
  try {
    allocate_aligned(~std::size_t{0} / 4);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown, "a quarter of the address space");
}
#endif

}  // namespace

int main() {
  blocks_are_aligned_and_writable();
  buffers_hold_zeros<float>();
  buffers_hold_zeros<double>();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  too_much_throws();
#endif
  return check::result();
}
