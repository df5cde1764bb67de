// Growing a tree: scikit-learn's depth-first and best-first builders.
#pragma once

#include <optional>

#include "runtime/stop.hpp"
#include "tree/compact_tree.hpp"
#include "tree/features.hpp"
#include "tree/targets.hpp"
#include "tree/tree.hpp"

namespace fastml::tree {

// `weights`: of each sample, nullptr for all 1; samples of weight 0 are not in the tree. `seed`: of the splitter's random
// numbers. `threads` look at the features of a node together; the tree does not depend on them. Features must be encoded as
// values for random splits, else as ranks or sorted. Borrows everything. Returns false when stopped.
// Throws std::bad_alloc. Safe to call from several threads at once, with the same features and targets.
bool grow(const Features& features, const Targets& targets, const double* weights, const Options& options,
          std::uint32_t seed, int threads, StopCheck stop, GrownTree& tree);

// The same in compact form. That is made while the memory for growing is still held: made afterwards it would lie in the midst
// of what was freed, and the next tree of a forest would not find room there.
std::optional<CompactTree> grow_compact(const Features& features, const Targets& targets, const double* weights,
                                        const Options& options, std::uint32_t seed, int threads, StopCheck stop,
                                        std::int64_t& max_depth);

}  // namespace fastml::tree
