// Blocks are used again by requests of their size, kept up to a bound, and given back when asked for.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "runtime/block_pool.hpp"
#include "runtime/memory.hpp"
#include "tests/check.hpp"

using namespace fastml;

namespace {

constexpr std::size_t kBytes = 300'000;

void blocks_are_used_again() {
  release_blocks();
  const Block first = take_block(kBytes);
  CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(first.memory) % kAlignment, 0u, "alignment");
  CHECK(first.bytes >= kBytes, "as large as asked for");
  std::memset(first.memory, 1, first.bytes);
  give_block(first);
  CHECK(kept_bytes() >= kBytes, "a block that was given is kept");
  const Block again = take_block(kBytes - 1000);  // rounded to the same size
  CHECK(again.memory == first.memory, "a block of the same size is used again");
  CHECK_EQUAL(kept_bytes(), 0u, "kept, all being in use");
  give_block(again);
  release_blocks();
  CHECK_EQUAL(kept_bytes(), 0u, "kept after release");
}

void other_sizes_make_room() {
  release_blocks();
  const Block large = take_block(4 * kBytes);
  give_block(large);
  const Block small = take_block(kBytes);
  CHECK(small.memory == large.memory, "a larger block serves, where both together were never in use");
  give_block(small);
  const Block larger = take_block(8 * kBytes);
  CHECK_EQUAL(kept_bytes(), 0u, "kept, where a larger block is wanted");
  const Block beside = take_block(kBytes);
  give_block(larger);
  give_block(beside);
  const Block own = take_block(kBytes);
  CHECK(own.memory == beside.memory, "a block of the very size comes first");
  give_block(own);
  release_blocks();
}

void kept_blocks_have_a_bound() {
  std::vector<Block> blocks;
  const std::size_t bytes = most_kept_bytes() / 4;
  for (int i = 0; i < 6; ++i) blocks.push_back(take_block(bytes));
  for (const Block& block : blocks) give_block(block);
  CHECK(kept_bytes() <= most_kept_bytes(), "blocks beyond the bound are not kept");
  CHECK(kept_bytes() >= 3 * bytes, "blocks within the bound are kept");
  release_blocks();
}

void threads_share_it() {
  std::vector<std::thread> team;
  std::atomic<int> shared{0};
  for (int t = 0; t < 4; ++t) {
    team.emplace_back([t, &shared] {
      for (int i = 0; i < 200; ++i) {
        const Block block = take_block(kBytes + std::size_t(i % 3) * 100'000);
        auto* const bytes = static_cast<unsigned char*>(block.memory);
        bytes[0] = bytes[kBytes - 1] = static_cast<unsigned char>(t);
        std::this_thread::yield();
        if (bytes[0] != t || bytes[kBytes - 1] != t) ++shared;
        give_block(block);
      }
    });
  }
  for (std::thread& one : team) one.join();
  CHECK_EQUAL(shared.load(), 0, "blocks that two threads had at once");
  release_blocks();
}

}  // namespace

int main() {
  blocks_are_used_again();
  other_sizes_make_room();
  kept_blocks_have_a_bound();
  threads_share_it();
  return check::result();
}
