#include "runtime/memory.hpp"

#include <new>

namespace fastml {

void* allocate_aligned(std::size_t bytes) { return ::operator new(bytes, std::align_val_t{kAlignment}); }

void free_aligned(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, bytes, std::align_val_t{kAlignment});
}

}  // namespace fastml
