// Large blocks of memory that are used again: a training step needs arrays of the sizes that the step before has freed.
//
// Memory that malloc gives back to the system comes again as zeroed pages, and touching them for the first time costs
// more than a kernel that passes over them: a third of a step of a small network. Blocks are kept up to a bound, and no
// more than were in use at once, so that the peak of memory is what it would be without: where another size is wanted, a
// larger block serves, or the least recently used ones leave. release_blocks() gives all back. Safe to call from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastml {

// Blocks below this size are malloc's, which keeps them itself.
inline constexpr std::size_t kLeastPooledBytes = std::size_t(1) << 17;

struct Block {
  void* memory;
  std::size_t bytes;
};

// At least `bytes` of uninitialised memory, aligned to kAlignment. Throws std::bad_alloc.
Block take_block(std::size_t bytes);
// Takes a block back.
void give_block(Block block) noexcept;

// Gives the blocks that nobody uses back to the system.
void release_blocks() noexcept;
// Their bytes, and the most that are kept.
std::size_t kept_bytes() noexcept;
std::size_t most_kept_bytes() noexcept;

}  // namespace fastml
