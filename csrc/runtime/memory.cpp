#include "runtime/memory.hpp"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace fastml {

void* allocate_aligned(std::size_t bytes) { return ::operator new(bytes, std::align_val_t{kAlignment}); }

void free_aligned(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, bytes, std::align_val_t{kAlignment});
}

void* allocate_large_pages(std::size_t bytes) {
  void* memory = ::operator new(bytes, std::align_val_t{kLargePage});
#if defined(__linux__)
  // Of what does not fill a page the next page's neighbours would be moved, too: only whole pages are asked for. A refusal
  // changes nothing.
  if (bytes >= kLargePage) madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void free_large_pages(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, bytes, std::align_val_t{kLargePage});
}

}  // namespace fastml
