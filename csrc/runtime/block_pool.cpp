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

struct Block {
  void* memory;
  std::size_t bytes;
};

struct Pool {
  std::mutex mutex;
  std::list<Block> kept;  // the most recently used first
  std::size_t kept_bytes = 0, used_bytes = 0, most_used_bytes = 0;

  void drop_oldest() noexcept {
    free_aligned(kept.back().memory, kept.back().bytes);
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

void* take_block(std::size_t bytes) {
  bytes = rounded(bytes);
  Pool& blocks = pool();
  {
    const std::lock_guard<std::mutex> lock(blocks.mutex);
    blocks.used_bytes += bytes;
    const auto found =
        std::find_if(blocks.kept.begin(), blocks.kept.end(), [=](const Block& block) { return block.bytes == bytes; });
    if (found != blocks.kept.end()) {
      void* const memory = found->memory;
      blocks.kept_bytes -= bytes;
      blocks.kept.erase(found);
      return memory;
    }
    // Blocks of other sizes make room: all together must not be more than were in use at once.
    blocks.most_used_bytes = std::max(blocks.most_used_bytes, blocks.used_bytes);
    while (!blocks.kept.empty() && blocks.used_bytes + blocks.kept_bytes > blocks.most_used_bytes) {
      blocks.drop_oldest();
    }
  }
  try {
    return allocate_aligned(bytes);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(blocks.mutex);
    blocks.used_bytes -= bytes;
    throw;
  }
}

void give_block(void* memory, std::size_t bytes) noexcept {
  bytes = rounded(bytes);
  Pool& blocks = pool();
  const std::lock_guard<std::mutex> lock(blocks.mutex);
  blocks.used_bytes -= bytes;
  try {
    blocks.kept.push_front({memory, bytes});
  } catch (...) {  // no memory for the list's own node
    free_aligned(memory, bytes);
    return;
  }
  blocks.kept_bytes += bytes;
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
