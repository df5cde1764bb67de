// Aligned memory for kernels.
#include <cstdint>
#include <cstring>
#include <new>

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
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  too_much_throws();
#endif
  return check::result();
}
