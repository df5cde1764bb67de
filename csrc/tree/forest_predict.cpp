#include "tree/forest_predict.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "runtime/buffer.hpp"
#include "tree/pack_tree.hpp"
#include "tree/predict_tuning.hpp"
#include "tree/row_blocks.hpp"
#include "tree/walk_nodes.hpp"

namespace fastml::tree {
namespace {

std::int64_t ceil_div(std::int64_t x, std::int64_t y) { return (x + y - 1) / y; }

// What is done with the leaves of rows [begin, begin + rows): a class for each kind of prediction.
class AddValues {
 public:
  AddValues(const ForestArrays& forest, const LeafSums& sums) : forest_(forest), sums_(sums) {}

  void packed(std::int64_t t, const PackedTree& tree, const std::uint32_t* positions, std::int64_t begin,
              std::int64_t rows) const {
    kernels_.add(tree, positions, rows, forest_.trees[t].values, forest_.width, sums_.scale, to(t, begin),
                 sums_.stride);
  }
  void walked(std::int64_t t, const std::int64_t* leaves, std::int64_t begin, std::int64_t rows) const {
    double* out = to(t, begin);
    for (std::int64_t i = 0; i < rows; ++i, out += sums_.stride) {
      const double* values = forest_.trees[t].values + leaves[i] * forest_.width;
      for (std::int64_t j = 0; j < forest_.width; ++j) out[j] += sums_.scale * values[j];
    }
  }

 private:
  double* to(std::int64_t t, std::int64_t row) const {
    return sums_.out + row * sums_.stride + (sums_.columns == nullptr ? 0 : sums_.columns[t]);
  }

  const ForestArrays& forest_;
  const LeafSums& sums_;
  const ForestKernels& kernels_ = forest_kernels();
};

class StoreLeaves {
 public:
  StoreLeaves(std::int64_t* leaves, std::int64_t rows) : leaves_(leaves), rows_(rows) {}

  void packed(std::int64_t t, const PackedTree& tree, const std::uint32_t* positions, std::int64_t begin,
              std::int64_t rows) const {
    std::int64_t* to = leaves_ + t * rows_ + begin;
    for (std::int64_t i = 0; i < rows; ++i)
      to[i] = tree.nodes[positions[i] / sizeof(PackedNode)].origin & ~PackedNode::kMissingLeft;
  }
  void walked(std::int64_t t, const std::int64_t* leaves, std::int64_t begin, std::int64_t rows) const {
    std::copy(leaves, leaves + rows, leaves_ + t * rows_ + begin);
  }

 private:
  std::int64_t* leaves_;
  std::int64_t rows_;
};

// Chunks of rows over threads, and how they ended.
class Chunks {
 public:
  Chunks(std::int64_t rows, std::int64_t chunk_rows, int threads, StopCheck stop)
      : rows_(rows),
        chunk_rows_(chunk_rows),
        count_(ceil_div(rows, chunk_rows)),
        threads_(int(std::min<std::int64_t>(threads, count_))),
        stop_(stop) {}

  std::int64_t chunk_rows() const { return chunk_rows_; }
  int threads() const { return threads_; }
  bool broken() const { return broken_; }
  bool stopped() const { return stopped_; }
  void set_broken() { broken_ = true; }

  // Runs body(thread, begin, end) for every chunk. The calling thread asks whether to stop.
  template <class Body>
  void run(const Body& body) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_) if (threads_ > 1)
    for (std::int64_t c = 0; c < count_; ++c) {
      if (stopped_ || broken_) continue;
      const int thread = threads_ > 1 ? omp_get_thread_num() : 0;
      body(thread, c * chunk_rows_, std::min((c + 1) * chunk_rows_, rows_));
      if (thread == 0 && stop_ != nullptr && stop_()) stopped_ = true;
    }
  }

 private:
  std::int64_t rows_, chunk_rows_, count_;
  int threads_;
  StopCheck stop_;
  std::atomic<bool> stopped_{false}, broken_{false};
};

// Trees [begin, end).
struct Span {
  std::int64_t begin, end;
};

// Room for packed trees, one batch after the other.
class PackedTrees {
 public:
  PackedTrees(const ForestArrays& forest, const PackOptions& options)
      : forest_(forest), options_(options), trees_(forest.trees.size()) {
    batches_ = spans({0, std::int64_t(trees_.size())}, kPackedBytes);
    std::int64_t most = 0;
    for (const Span& batch : batches_) {
      std::int64_t nodes = 0;
      for (std::int64_t t = batch.begin; t < batch.end; ++t) nodes += room(t);
      most = std::max(most, nodes);
    }
    bytes_ = std::size_t(most) * sizeof(PackedNode);
    nodes_ = static_cast<PackedNode*>(allocate_aligned(bytes_));
  }
  ~PackedTrees() { free_aligned(nodes_, bytes_); }
  PackedTrees(const PackedTrees&) = delete;
  PackedTrees& operator=(const PackedTrees&) = delete;

  const std::vector<Span>& batches() const { return batches_; }
  // Trees of a batch that L2 holds together.
  std::vector<Span> groups(const Span& batch) const { return spans(batch, kGroupBytes); }
  const PackedTree& operator[](std::int64_t t) const { return trees_[t]; }

  // Packs a batch in the place of the one before. Returns false where a tree is none.
  bool pack(const Span& batch, int threads) {
    std::vector<PackedNode*> to(batch.end - batch.begin, nodes_);
    for (std::int64_t t = batch.begin; t + 1 < batch.end; ++t) to[t + 1 - batch.begin] = to[t - batch.begin] + room(t);
    bool sound = true;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1) reduction(&& : sound)
    for (std::int64_t t = batch.begin; t < batch.end; ++t) {
      const TreeArrays& tree = forest_.trees[t];
      sound = pack_tree(tree.nodes, tree.count, options_, to[t - batch.begin], &trees_[t]) && sound;
    }
    return sound;
  }

 private:
  std::int64_t room(std::int64_t t) const { return forest_.trees[t].count + kMostCopies; }

  // Consecutive trees of at most `bytes` together, or a single larger one.
  std::vector<Span> spans(const Span& all, std::int64_t bytes) const {
    const std::int64_t most = bytes / std::int64_t(sizeof(PackedNode));
    std::vector<Span> found;
    std::int64_t nodes = 0;
    for (std::int64_t t = all.begin; t < all.end; ++t) {
      if (found.empty() || nodes + room(t) > most) {
        found.push_back({t, t});
        nodes = 0;
      }
      nodes += room(t);
      found.back().end = t + 1;
    }
    return found;
  }

  const ForestArrays& forest_;
  const PackOptions options_;
  std::vector<PackedTree> trees_;
  std::vector<Span> batches_;
  std::size_t bytes_;
  PackedNode* nodes_;
};

template <class Sink>
void predict_packed(const ForestArrays& forest, const Samples& x, const Sink& sink, bool transposes, Chunks& chunks) {
  const ForestKernels& kernels = forest_kernels();
  PackedTrees packed(forest, {x.cols, transposes ? kTransposed : kRowMajor, x.is_sparse});
  const std::int64_t scratch_size = whole_lines<float>(PackedBlocks::scratch_size(x, transposes, chunks.chunk_rows()));
  Buffer<float> scratch(chunks.threads() * scratch_size);
  std::vector<PackedBlocks> blocks_of;
  for (int thread = 0; thread < chunks.threads(); ++thread)
    blocks_of.emplace_back(x, transposes, scratch.data() + thread * scratch_size);

  for (const Span& batch : packed.batches()) {
    if (!packed.pack(batch, chunks.threads())) return chunks.set_broken();
    const std::vector<Span> groups = packed.groups(batch);
    chunks.run([&](int thread, std::int64_t begin, std::int64_t end) {
      PackedBlocks& blocks = blocks_of[thread];
      blocks.load(begin, end);
      for (const Span& group : groups) {
        for (std::int64_t b = 0; b < blocks.count(); ++b) {
          const RowBlock block = blocks[b];
          std::uint32_t positions[kBlockRows];
          for (std::int64_t t = group.begin; t < group.end; ++t) {
            kernels.walk(packed[t], block, positions);
            sink.packed(t, packed[t], positions, begin + b * kBlockRows, block.rows);
          }
        }
      }
    });
    if (chunks.stopped()) return;
  }
}

template <class Sink>
void predict_plain(const ForestArrays& forest, const Samples& x, const Sink& sink, Chunks& chunks) {
  const std::int64_t scratch_size = whole_lines<float>(PlainRows::scratch_size(x));
  Buffer<float> scratch(chunks.threads() * scratch_size);
  const std::int64_t trees = std::int64_t(forest.trees.size());
  const std::int64_t block_rows = PlainRows::most_rows(x);
  chunks.run([&](int thread, std::int64_t chunk_begin, std::int64_t chunk_end) {
    std::int64_t leaves[kMostWalks];
    PlainRows rows(x, scratch.data() + thread * scratch_size);
    for (std::int64_t begin = chunk_begin; begin < chunk_end; begin += block_rows) {
      const Rows<const float> block = rows.load(begin, std::min(begin + block_rows, chunk_end));
      const std::int64_t at_once = kMostWalks / block.rows;
      for (std::int64_t t = 0; t < trees; t += at_once) {
        const std::int64_t count = std::min(at_once, trees - t);
        if (!walk_nodes(&forest.trees[t], count, block, x.is_sparse, leaves)) return chunks.set_broken();
        for (std::int64_t k = 0; k < count; ++k) sink.walked(t + k, leaves + k * block.rows, begin, block.rows);
      }
    }
    rows.clear();
  });
}

template <class Sink>
bool predict(const ForestArrays& forest, const Samples& x, const Sink& sink, int threads, StopCheck stop) {
  if (x.rows == 0) return true;
  double nodes = 0;
  std::int64_t most_nodes = 0;
  for (const TreeArrays& tree : forest.trees) {
    nodes += double(tree.count);
    most_nodes = std::max(most_nodes, tree.count);
  }
  const double row_steps = expected_steps(forest), steps = double(x.rows) * row_steps;
  const bool packs = steps > kStepsWorthPacking * nodes && most_nodes <= kMostPackedNodes &&
                     (x.is_sparse ? x.cols <= kMostPackedSparseFeatures : x.cols <= kMostPackedFeatures);
  const bool transposes = packs && PackedBlocks::transposes(x, std::int64_t(forest.trees.size()));

  threads = int(std::clamp(steps / double(kStepsPerThread), 1.0, double(std::max(threads, 1))));
  // Four chunks a thread, for balance, but no more rows than are soon done and fit the scratch.
  double most_rows = std::min(double(kPredictChunkRows), double(kPredictChunkSteps) / row_steps);
  if (transposes) most_rows = std::min(most_rows, double(kChunkFloats) / double(x.cols));
  const bool copied = packs && x.is_sparse && !transposes;
  const std::int64_t block_rows = copied ? PackedBlocks::rows_at_once(x) : packs ? kBlockRows : kMostWalks;
  const std::int64_t rows = copied ? block_rows : std::min(std::int64_t(most_rows), ceil_div(x.rows, 4 * threads));
  Chunks chunks(x.rows, std::max<std::int64_t>(rows / block_rows, 1) * block_rows, threads, stop);

  if (packs) {
    predict_packed(forest, x, sink, transposes, chunks);
  } else {
    predict_plain(forest, x, sink, chunks);
  }
  if (chunks.broken()) {
    throw std::invalid_argument(
        "The nodes do not form a tree: a child or a feature is out of range, or children lead back to a parent.");
  }
  return !chunks.stopped();
}

}  // namespace

double expected_steps(const ForestArrays& forest) {
  // A little more than in a balanced tree of that many nodes.
  double steps = 0;
  for (const TreeArrays& tree : forest.trees) {
    steps += 2;
    for (std::int64_t count = tree.count; count > 1; count /= 2) ++steps;
  }
  return steps;
}

bool add_leaf_values(const ForestArrays& forest, const Samples& x, const LeafSums& sums, int threads, StopCheck stop) {
  return predict(forest, x, AddValues(forest, sums), threads, stop);
}

bool find_leaves(const ForestArrays& forest, const Samples& x, std::int64_t* leaves, int threads, StopCheck stop) {
  return predict(forest, x, StoreLeaves(leaves, x.rows), threads, stop);
}

}  // namespace fastml::tree

namespace fastml {

#define FASTML_TABLE_TYPE tree::ForestKernels
#define FASTML_TABLE_NAME forest_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const tree::ForestKernels& tree::forest_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::forest_table;
  }
}

}  // namespace fastml
