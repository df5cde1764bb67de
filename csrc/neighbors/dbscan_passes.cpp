// The passes of DBSCAN over pairs of blocks.
#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <vector>

#include "neighbors/block_pairs.hpp"
#include "neighbors/compensated_sum.hpp"
#include "neighbors/dbscan.hpp"
#include "neighbors/union_find.hpp"

namespace fastml::neighbors {
namespace {

// One thread's share in a pass.
class Turn {
 public:
  Turn(int thread, StopCheck stop, std::atomic<bool>& stopped) : thread_(thread), stop_(stop), stopped_(stopped) {}

  int thread() const { return thread_; }
  // Asked between pairs of blocks. The first thread of a team is the caller, which may call back into its interpreter.
  bool must_leave() {
    if (thread_ == 0 && stop_ != nullptr && ++asked_ % kPairsAskedOnce == 0 && stop_()) stopped_ = true;
    return stopped_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr int kPairsAskedOnce = 4;

  int thread_;
  StopCheck stop_;
  std::atomic<bool>& stopped_;
  unsigned asked_ = 0;
};

template <class F>
void for_each_bit(const std::uint32_t* words, int count, const F& f) {
  for (int w = 0; w < count; ++w) {
    for (std::uint32_t bits = words[w]; bits != 0; bits &= bits - 1) f(32 * w + __builtin_ctz(bits));
  }
}

class Passes {
 public:
  Passes(BlockPairs& pairs, const DbscanTask& task)
      : pairs_(pairs),
        task_(task),
        words_(pairs.words()),
        block_points_(pairs.block_points()),
        core_(pairs.blocks() * words_),
        border_(pairs.blocks() * words_),
        sets_(pairs.points()),
        united_blocks_(pairs.blocks()),
        united_nodes_(pairs.node_count()) {
    if (task.weights == nullptr) return;
    weights_.resize(pairs.points());
    for (std::int64_t place = 0; place < pairs.points(); ++place) {
      weights_[place] = task.weights[pairs.row(place)];
      only_adds_ = only_adds_ && weights_[place] >= 0;
    }
  }

  bool run(std::int64_t* labels, std::uint8_t* core) {
    if (!for_each_block([&](Turn& turn, std::int64_t a) { count(turn, a); })) return false;
    find_sides();
    // Blocks first become one cluster each, where they are: that spares most of the pairs.
    if (!for_each_block([&](Turn& turn, std::int64_t a) { join_within(turn, a); })) return false;
    if (!for_each_block([&](Turn& turn, std::int64_t a) { join(turn, a); })) return false;
    write_labels(labels, core);
    const bool all = for_each_block([&](Turn& turn, std::int64_t a) {
      if (from_cores_) {
        give(turn, a, labels);
      } else {
        absorb(turn, a, labels);
      }
    });
    std::replace(labels, labels + pairs_.points(), kNone, std::int64_t(-1));
    return all;
  }

 private:
  using Blocks = std::vector<std::int64_t>;
  using Side = BlockPairs::Side;
  // The label of a point that no cluster has reached yet.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  template <class F>
  bool for_each_block(const F& f) {
    const std::int64_t blocks = pairs_.blocks();
    const int team = int(std::clamp<std::int64_t>(blocks, 1, std::max(task_.threads, 1)));
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> stopped{false};
    std::exception_ptr error;
#pragma omp parallel for num_threads(team) if (team > 1) schedule(static, 1)
    for (int thread = 0; thread < team; ++thread) {
      try {
        Turn turn(thread, task_.stop, stopped);
        for (std::int64_t a; !turn.must_leave() && (a = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
          f(turn, a);
        }
      } catch (...) {
#pragma omp critical(fastml_dbscan_error)
        error = std::current_exception();
        stopped = true;
      }
    }
    if (error) std::rethrow_exception(error);
    return !stopped;
  }

  // The points of a block, as a mask.
  void all_points(std::int64_t block, std::uint32_t* words) const {
    for (int w = 0; w < words_; ++w) {
      const std::int64_t left = pairs_.points() - block * block_points_ - 32 * w;
      words[w] = left >= 32 ? ~std::uint32_t(0) : left <= 0 ? 0 : (std::uint32_t(1) << left) - 1;
    }
  }
  const std::uint32_t* cores(std::int64_t block) const { return core_.data() + block * words_; }
  const std::uint32_t* border(std::int64_t block) const { return border_.data() + block * words_; }
  bool any(const std::uint32_t* words) const {
    return std::any_of(words, words + words_, [](std::uint32_t word) { return word != 0; });
  }

  // ---- count

  void count(Turn& turn, std::int64_t a) {
    std::uint32_t open[kMostBlockWords], masks[kMostBlockPoints * kMostBlockWords];
    CompensatedSum sums[kMostBlockPoints];
    std::int64_t counts[kMostBlockPoints] = {};
    std::uint32_t* core = core_.data() + a * words_;
    all_points(a, open);
    const auto is_core = [&](int i) {
      return weights_.empty() ? double(counts[i]) >= task_.min_samples : sums[i].value() >= task_.min_samples;
    };
    const auto add = [&](std::int64_t b) {
      pairs_.compare(turn.thread(), a, b, open, masks);
      for_each_bit(open, words_, [&](int i) {
        const std::uint32_t* mask = masks + i * words_;
        for (int w = 0; w < words_; ++w) counts[i] += __builtin_popcount(mask[w]);
        if (!weights_.empty()) {
          const double* weights = weights_.data() + b * block_points_;
          for_each_bit(mask, words_, [&](int j) { sums[i].add(weights[j]); });
        }
        if (!only_adds_ || !is_core(i)) return;
        core[i / 32] |= std::uint32_t(1) << i % 32;
        open[i / 32] &= ~(std::uint32_t(1) << i % 32);
      });
    };
    add(a);
    if (any(open)) {
      Blocks blocks;
      pairs_.near(a, Side::all, Side::all, [](std::int32_t, std::int64_t, std::int64_t) { return true; }, blocks);
      for (const std::int64_t b : blocks) {
        if (b == a) continue;
        if (turn.must_leave()) return;
        add(b);
        if (!any(open)) return;
      }
    }
    std::uint32_t* border = border_.data() + a * words_;
    for_each_bit(open, words_, [&](int i) {
      const std::uint32_t bit = std::uint32_t(1) << i % 32;
      if (is_core(i)) {
        core[i / 32] |= bit;
      } else if (counts[i] > 1) {
        border[i / 32] |= bit;
      }
    });
  }

  // next[b]: the first block from b on that has any of these points.
  std::vector<std::int64_t> next_blocks(const std::vector<std::uint32_t>& points) const {
    std::vector<std::int64_t> next(pairs_.blocks() + 1, pairs_.blocks());
    for (std::int64_t b = pairs_.blocks(); b-- > 0;) next[b] = any(points.data() + b * words_) ? b : next[b + 1];
    return next;
  }

  void find_sides() {
    next_core_block_ = next_blocks(core_);
    next_border_block_ = next_blocks(border_);
    pairs_.set_cores(core_.data());
    const auto count = [](const std::vector<std::uint32_t>& words) {
      std::int64_t bits = 0;
      for (const std::uint32_t word : words) bits += __builtin_popcount(word);
      return bits;
    };
    from_cores_ = count(core_) < count(border_);
  }

  bool has_core(std::int64_t block) const { return next_core_block_[block] == block; }

  std::int64_t first_core(std::int64_t block) const {
    int w = 0;
    while (cores(block)[w] == 0) ++w;
    return block * block_points_ + 32 * w + __builtin_ctz(cores(block)[w]);
  }

  // ---- join

  bool is_united(std::int64_t block) const { return united_blocks_[block].load(std::memory_order_relaxed) != 0; }

  // Looks whether a block's core points are of one cluster by now. Once they are, they stay so.
  void look_if_united(std::int64_t block) {
    if (is_united(block)) return;
    const std::int64_t root = sets_.find(first_core(block));
    bool united = true;
    for_each_bit(cores(block), words_,
                 [&](int i) { united = united && sets_.find(block * block_points_ + i) == root; });
    if (united) united_blocks_[block].store(1, std::memory_order_relaxed);
  }

  // Whether all core points under a child are known to be of one cluster. A node learns it from its children, one level
  // a visit: the next one need not go there.
  bool is_united_child(std::int32_t child, std::int64_t first) {
    if (child < 0) return is_united(first);
    if (united_nodes_[child].load(std::memory_order_relaxed) != 0) return true;
    const KdNode& node = pairs_.nodes()[child];
    std::int64_t root = -1;
    for (int c = 0; c < node.children; ++c) {
      const std::int64_t block = next_core_block_[node.first_leaf[c]];
      if (block >= node.first_leaf[c + 1]) continue;
      const std::int32_t below = node.child[c];
      if (below < 0 ? !is_united(block) : united_nodes_[below].load(std::memory_order_relaxed) == 0) return false;
      const std::int64_t own = sets_.find(first_core(block));
      if (root >= 0 && own != root) return false;
      root = own;
    }
    united_nodes_[child].store(1, std::memory_order_relaxed);
    return true;
  }

  bool of_one_cluster(std::int64_t a, std::int64_t b) {
    return is_united(a) && is_united(b) && sets_.find(first_core(a)) == sets_.find(first_core(b));
  }

  void unite_pairs(std::int64_t a, std::int64_t b, const std::uint32_t* masks) {
    const bool one_is_enough = is_united(b);
    for_each_bit(cores(a), words_, [&](int i) {
      const std::int64_t point = a * block_points_ + i;
      std::uint32_t mask[kMostBlockWords];
      for (int w = 0; w < words_; ++w) mask[w] = masks[i * words_ + w] & cores(b)[w];
      if (one_is_enough) {
        int w = 0;
        while (w < words_ && mask[w] == 0) ++w;
        if (w < words_) sets_.unite(point, b * block_points_ + 32 * w + __builtin_ctz(mask[w]));
        return;
      }
      for_each_bit(mask, words_, [&](int j) { sets_.unite(point, b * block_points_ + j); });
    });
  }

  void join_within(Turn& turn, std::int64_t a) {
    if (!has_core(a)) return;
    std::uint32_t masks[kMostBlockPoints * kMostBlockWords];
    pairs_.compare(turn.thread(), a, a, cores(a), masks);
    unite_pairs(a, a, masks);
    look_if_united(a);
  }

  void join(Turn& turn, std::int64_t a) {
    if (!has_core(a)) return;
    std::uint32_t masks[kMostBlockPoints * kMostBlockWords];
    Blocks blocks;
    pairs_.near(
        a, Side::cores, Side::cores,
        [&](std::int32_t child, std::int64_t first, std::int64_t end) {
          if (end <= a + 1) return false;  // a pair is looked at from its first block
          const std::int64_t block = next_core_block_[first];
          if (block >= end) return false;
          return !is_united(a) || !is_united_child(child, block) ||
                 sets_.find(first_core(a)) != sets_.find(first_core(block));
        },
        blocks);
    for (const std::int64_t b : blocks) {
      if (b <= a || of_one_cluster(a, b)) continue;
      if (turn.must_leave()) return;
      pairs_.compare(turn.thread(), a, b, cores(a), masks);
      unite_pairs(a, b, masks);
      look_if_united(a);
      look_if_united(b);
    }
  }

  // ---- numbers and labels

  // numbers_[root]: of the cluster, by its lowest core row.
  void number_clusters() {
    numbers_.assign(pairs_.points(), -1);
    std::vector<std::int64_t> roots;
    for (std::int64_t b = 0; b < pairs_.blocks(); ++b) {
      for_each_bit(cores(b), words_, [&](int i) {
        const std::int64_t place = b * block_points_ + i, root = sets_.find(place), row = pairs_.row(place);
        if (numbers_[root] < 0) roots.push_back(root);
        if (numbers_[root] < 0 || row < numbers_[root]) numbers_[root] = row;
      });
    }
    std::sort(roots.begin(), roots.end(), [&](std::int64_t x, std::int64_t y) { return numbers_[x] < numbers_[y]; });
    for (std::size_t i = 0; i < roots.size(); ++i) numbers_[roots[i]] = std::int64_t(i);
  }

  std::int64_t number_of(std::int64_t place) { return numbers_[sets_.find(place)]; }

  void write_labels(std::int64_t* labels, std::uint8_t* core) {
    number_clusters();
    for (std::int64_t place = 0; place < pairs_.points(); ++place) {
      const bool is = (core_[place / 32] >> place % 32 & 1) != 0;
      const std::int64_t row = pairs_.row(place);
      core[row] = is;
      labels[row] = is ? number_of(place) : kNone;
    }
  }

  // ---- absorb, from the side that has fewer points

  // Points of a that are not core look for core points.
  void absorb(Turn& turn, std::int64_t a, std::int64_t* labels) {
    if (!any(border(a))) return;
    Blocks blocks;
    pairs_.near(
        a, Side::all, Side::cores,
        [&](std::int32_t, std::int64_t first, std::int64_t end) { return next_core_block_[first] < end; }, blocks);
    std::uint32_t masks[kMostBlockPoints * kMostBlockWords];
    const auto label_of = [&](int i) -> std::int64_t& { return labels[pairs_.row(a * block_points_ + i)]; };
    for (const std::int64_t b : blocks) {
      if (turn.must_leave()) return;
      // A block of one cluster has nothing for those that have its label, or a lower one.
      const std::int64_t all_of_b = is_united(b) ? number_of(first_core(b)) : -1;
      std::uint32_t asked[kMostBlockWords] = {};
      for_each_bit(border(a), words_, [&](int i) {
        if (label_of(i) > all_of_b) asked[i / 32] |= std::uint32_t(1) << i % 32;
      });
      if (!any(asked)) continue;
      pairs_.compare(turn.thread(), a, b, asked, masks);
      for_each_bit(asked, words_, [&](int i) {
        std::uint32_t mask[kMostBlockWords];
        for (int w = 0; w < words_; ++w) mask[w] = masks[i * words_ + w] & cores(b)[w];
        std::int64_t& label = label_of(i);
        for_each_bit(mask, words_, [&](int j) { label = std::min(label, number_of(b * block_points_ + j)); });
      });
    }
  }

  // Core points of a look for points that are not.
  void give(Turn& turn, std::int64_t a, std::int64_t* labels) {
    if (!has_core(a)) return;
    Blocks blocks;
    pairs_.near(
        a, Side::cores, Side::all,
        [&](std::int32_t, std::int64_t first, std::int64_t end) { return next_border_block_[first] < end; }, blocks);
    std::uint32_t masks[kMostBlockPoints * kMostBlockWords];
    for (const std::int64_t b : blocks) {
      if (turn.must_leave()) return;
      pairs_.compare(turn.thread(), a, b, cores(a), masks);
      for_each_bit(cores(a), words_, [&](int i) {
        const std::int64_t number = number_of(a * block_points_ + i);
        std::uint32_t mask[kMostBlockWords];
        for (int w = 0; w < words_; ++w) mask[w] = masks[i * words_ + w] & border(b)[w];
        for_each_bit(mask, words_, [&](int j) { lower(labels[pairs_.row(b * block_points_ + j)], number); });
      });
    }
  }

  // label = min(label, number), while other threads do the same.
  static void lower(std::int64_t& label, std::int64_t number) {
    std::int64_t seen = __atomic_load_n(&label, __ATOMIC_RELAXED);
    while (number < seen &&
           !__atomic_compare_exchange_n(&label, &seen, number, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }

  BlockPairs& pairs_;
  const DbscanTask& task_;
  int words_;
  std::int64_t block_points_;
  std::vector<double> weights_;  // by place
  bool only_adds_ = true;        // no weight is negative
  // Masks of the blocks: core points; points that are not, but have neighbours.
  std::vector<std::uint32_t> core_, border_;
  std::vector<std::int64_t> next_core_block_, next_border_block_;
  bool from_cores_ = false;
  UnionFind sets_;  // of places
  std::vector<std::atomic<std::uint8_t>> united_blocks_, united_nodes_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

bool dbscan_passes(BlockPairs& pairs, const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
  return Passes(pairs, task).run(labels, core);
}

}  // namespace fastml::neighbors
