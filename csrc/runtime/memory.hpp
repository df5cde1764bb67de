// Aligned memory for kernels. Defined in a baseline source, so that no allocation code is compiled at a SIMD level.
#pragma once

#include <cstddef>

namespace fastml {

// Bytes between the starts of two buffers that different threads write: a cache line, and the widest vector.
inline constexpr std::size_t kAlignment = 64;

// Uninitialised memory aligned to kAlignment at least. Throws std::bad_alloc. Zero bytes are allowed.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory, std::size_t bytes) noexcept;

// The same in whole large pages, where the system has them and gives them on request (Linux): a table of many megabytes then
// takes a fraction of the page faults, and of the misses when its rows are read here and there.
inline constexpr std::size_t kLargePage = std::size_t{2} << 20;
void* allocate_large_pages(std::size_t bytes);
void free_large_pages(void* memory, std::size_t bytes) noexcept;

}  // namespace fastml
