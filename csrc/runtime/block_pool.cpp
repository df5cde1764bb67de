#include "runtime/block_pool.hpp"

#include <algorithm>
#include <list>
#include <mutex>

#include "runtime/memory.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace fastml {
namespace {

// Sizes are rounded up, so that a last batch that is a little smaller finds a block, too.
constexpr std::size_t kGranule = std::size_t(1) << 16;

void* allocate(std::size_t bytes) {
  return bytes >= kLargePage ? allocate_large_pages(bytes) : allocate_aligned(bytes);
}

void free_memory(const Block& block) noexcept {
  if (block.bytes >= kLargePage) {
    free_large_pages(block.memory, block.bytes);
  } else {
    free_aligned(block.memory, block.bytes);
  }
}

struct Pool {
  std::mutex mutex;
  std::list<Block> kept;  // the most recently used first
  std::size_t kept_bytes = 0, used_bytes = 0, most_used_bytes = 0;

  void use(std::size_t bytes) {
    used_bytes += bytes;
    most_used_bytes = std::max(most_used_bytes, used_bytes);
  }

  // The smallest block that is kept and has so many bytes at least.
  std::list<Block>::iterator smallest(std::size_t bytes) {
    auto best = kept.end();
    for (auto block = kept.begin(); block != kept.end(); ++block) {
      if (block->bytes >= bytes && (best == kept.end() || block->bytes < best->bytes)) best = block;
    }
    return best;
  }

  void drop_oldest() noexcept {
    free_memory(kept.back());
    kept_bytes -= kept.back().bytes;
    kept.pop_back();
  }
};

// Never destroyed: arrays may outlive static objects.
Pool& pool() {
  static Pool* const only = new Pool;
  return *only;
}

std::size_t rounded(std::size_t bytes) { return (bytes + kGranule - 1) / kGranule * kGranule; }

// An eighth of the machine's memory, at most 512 MB.
std::size_t bound() {
  constexpr std::size_t most = std::size_t(1) << 29;
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) return std::min(std::size_t(pages) * std::size_t(page) / 8, most);
#endif
  return most / 2;
}

}  // namespace

std::size_t most_kept_bytes() noexcept {
  static const std::size_t bytes = bound();
  return bytes;
}

Block take_block(std::size_t bytes) {
  bytes = rounded(bytes);
  Pool& blocks = pool();
  {
    const std::lock_guard<std::mutex> lock(blocks.mutex);
    auto found = blocks.smallest(bytes);
    const bool too_much = blocks.used_bytes + blocks.kept_bytes + bytes > blocks.most_used_bytes;
    if (found != blocks.kept.end() && (found->bytes == bytes || too_much)) {
      const Block block = *found;
      blocks.kept_bytes -= block.bytes;
      blocks.kept.erase(found);
      blocks.use(block.bytes);
      return block;
    }
    // Blocks of other sizes make room: all together must not be more than were in use at once.
    blocks.use(bytes);
    while (!blocks.kept.empty() && blocks.used_bytes + blocks.kept_bytes > blocks.most_used_bytes) {
      blocks.drop_oldest();
    }
  }
  try {
    return {allocate(bytes), bytes};
  } catch (...) {
    const std::lock_guard<std::mutex> lock(blocks.mutex);
    blocks.used_bytes -= bytes;
    throw;
  }
}

void give_block(Block block) noexcept {
  Pool& blocks = pool();
  const std::lock_guard<std::mutex> lock(blocks.mutex);
  blocks.used_bytes -= block.bytes;
  try {
    blocks.kept.push_front(block);
  } catch (...) {  // no memory for the list's own node
    free_memory(block);
    return;
  }
  blocks.kept_bytes += block.bytes;
  while (blocks.kept_bytes > most_kept_bytes()) blocks.drop_oldest();
}

void release_blocks() noexcept {
  Pool& blocks = pool();
  const std::lock_guard<std::mutex> lock(blocks.mutex);
  while (!blocks.kept.empty()) blocks.drop_oldest();
  blocks.most_used_bytes = blocks.used_bytes;
}

std::size_t kept_bytes() noexcept {
  Pool& blocks = pool();
  const std::lock_guard<std::mutex> lock(blocks.mutex);
  return blocks.kept_bytes;
}

}  // namespace fastml
