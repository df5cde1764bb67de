#include "neighbors/kd_tree_build.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <vector>

namespace fastml::neighbors {
namespace {

// Below this many points a part of the tree is built by one thread.
constexpr std::int64_t kTaskPoints = 4096;

// Bytes of points that are copied side by side before their part of the tree is built: from here on all passes over them are
// within L2.
constexpr std::int64_t kLocalBytes = 1 << 18;

// Levels of median splits that a node makes its children by: three give eight; fewer where two levels of nodes are left, so
// that the lower ones are not left with a leaf or two each.
int split_levels(std::int64_t leaves) {
  int levels = 3;
  if (leaves > kFanOut && leaves <= kFanOut * kFanOut) {
    levels = 1;
    while ((leaves + (1 << levels) - 1) >> levels > kFanOut) ++levels;
  }
  return levels;
}

std::int64_t left_half(std::int64_t leaves) { return (leaves + 1) / 2; }

// Leaves of each child, in order. No memory is allocated: parts of a tree are built by threads.
struct ChildSizes {
  std::int64_t size[kFanOut];
  int count = 0;

  explicit ChildSizes(std::int64_t leaves) { add(leaves, split_levels(leaves)); }
  const std::int64_t* begin() const { return size; }
  const std::int64_t* end() const { return size + count; }

 private:
  void add(std::int64_t leaves, int levels) {
    if (leaves == 1 || levels == 0) {
      size[count++] = leaves;
      return;
    }
    add(left_half(leaves), levels - 1);
    add(leaves - left_half(leaves), levels - 1);
  }
};

// Nodes of trees over as many leaves as a tree's parts have. Parts on one level differ by a leaf at most: there are few.
using NodeCounts = std::map<std::int64_t, std::int64_t>;
std::int64_t count_nodes(std::int64_t leaves, NodeCounts& known) {
  if (leaves == 1) return known[1] = 0;
  const auto found = known.find(leaves);
  if (found != known.end()) return found->second;
  std::int64_t count = 1;
  for (const std::int64_t size : ChildSizes(leaves)) count += count_nodes(size, known);
  return known[leaves] = count;
}

// The children of a node to be, worked out before any data are looked at.
struct Plan {
  std::int64_t first_leaf[kFanOut + 1];
  std::int32_t child[kFanOut];
};

template <class T, class Index>
class Builder {
 public:
  Builder(const Rows<const T>& data, std::int64_t leaves, int threads, StopCheck stop, KdNode* nodes, T* boxes,
          T* columns, Index* order)
      : data_(data),
        leaves_(leaves),
        cols_(data.cols),
        stop_(stop),
        nodes_(nodes),
        boxes_(boxes),
        columns_(columns),
        order_(order),
        keyed_(data.rows),
        local_points_(std::clamp<std::int64_t>(kLocalBytes / (data.cols * std::int64_t(sizeof(T))), 4 * kLeafPoints,
                                               std::int64_t(1) << 15)),
        team_(int(std::clamp<std::int64_t>(data.rows / kTaskPoints, 1, std::max(threads, 1)))),
        local_rows_(team_ * local_points_ * data.cols),
        local_names_(team_ * local_points_) {
    count_nodes(leaves, node_counts_);
  }

  // Returns false when stopped.
  bool build() {
    for (std::int64_t i = 0; i < data_.rows; ++i) keyed_[i].row = Index(i);
    // The calling thread begins, and not whichever comes first: it is the one that asks whether to stop.
#pragma omp parallel num_threads(team_) if (team_ > 1)
    if (is_caller()) grow(Source{data_.data, data_.stride, nullptr}, 0, leaves_, 0);
    return !stopped_;
  }

 private:
  // A point under a split, and its value there.
  struct Keyed {
    T key;
    Index row;
  };

  // Where rows are read: X itself, or copies, whose numbers in X are `names`.
  struct Source {
    const T* data;
    std::int64_t stride;
    const Index* names;
    const T* row(Index i) const { return data + std::int64_t(i) * stride; }
  };

  bool is_caller() const { return team_ == 1 || omp_get_thread_num() == 0; }

  // Whether to leave the rest undone.
  bool must_leave() {
    if (stop_ == nullptr) return false;
    if (is_caller() && !stopped_.load(std::memory_order_relaxed) && stop_()) stopped_ = true;
    return stopped_.load(std::memory_order_relaxed);
  }

  std::int64_t point_of(std::int64_t leaf) const { return std::min(leaf * kLeafPoints, data_.rows); }

  // The part of the tree over these leaves; `number` is its uppermost node, the others follow.
  void grow(Source from, std::int64_t first, std::int64_t last, std::int64_t number) {
    if (from.names == nullptr && point_of(last) - point_of(first) <= local_points_) {
      from = copy_rows(from, point_of(first), point_of(last));
    }
    if (last - first == 1) return write_leaf(from, first);
    Plan plan;
    int slot = 0;
    std::int64_t next = number + 1;
    plan.first_leaf[0] = first;
    for (const std::int64_t size : ChildSizes(last - first)) {
      plan.first_leaf[slot + 1] = plan.first_leaf[slot] + size;
      plan.child[slot] = size == 1 ? ~std::int32_t(plan.first_leaf[slot]) : std::int32_t(next);
      next += node_counts_.at(size);
      ++slot;
    }
    KdNode& node = nodes_[number];
    node.children = slot;
    for (int c = 0; c <= kFanOut; ++c) node.first_leaf[c] = std::int32_t(plan.first_leaf[std::min(c, slot)]);
    for (int c = 0; c < kFanOut; ++c) node.child[c] = c < slot ? plan.child[c] : 0;
    // What is no child is infinitely far away.
    T* boxes = boxes_ + number * cols_ * 2 * kFanOut;
    for (std::int64_t i = 0; i < 2 * cols_; ++i) {
      std::fill(boxes + i * kFanOut + slot, boxes + (i + 1) * kFanOut, std::numeric_limits<T>::infinity());
    }
    split(from, first, last, split_levels(last - first), 0, plan, number);
  }

  // Splits a node's leaves at the median until each part is a child, from `slot` on.
  void split(const Source& from, std::int64_t first, std::int64_t last, int levels, int slot, const Plan& plan,
             std::int64_t number) {
    // Parts that have been copied are a matter of milliseconds.
    if (from.names == nullptr && must_leave()) return;
    const std::int64_t begin = point_of(first), end = point_of(last);
    const bool is_child = last - first == 1 || levels == 0;
    const std::int64_t widest =
        find_box(from, begin, end, is_child ? boxes_ + number * cols_ * 2 * kFanOut + slot : nullptr);
    if (is_child) return grow(from, first, last, plan.child[slot] >= 0 ? plan.child[slot] : 0);
    const std::int64_t middle = first + left_half(last - first);
    for (std::int64_t i = begin; i < end; ++i) keyed_[i].key = from.row(keyed_[i].row)[widest];
    std::nth_element(keyed_.begin() + begin, keyed_.begin() + point_of(middle), keyed_.begin() + end,
                     [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    int right = slot;
    while (plan.first_leaf[right] != middle) ++right;
    // Copies lie in a buffer of this thread, which no other task may come upon: parts with copies are built in one go.
    const bool parallel = from.names == nullptr && end - begin > kTaskPoints && team_ > 1;
    if (!parallel) {
      split(from, first, middle, levels - 1, slot, plan, number);
      split(from, middle, last, levels - 1, right, plan, number);
      return;
    }
#pragma omp task default(none) firstprivate(from, first, middle, levels, slot, number) shared(plan)
    split(from, first, middle, levels - 1, slot, plan, number);
    split(from, middle, last, levels - 1, right, plan, number);
#pragma omp taskwait
  }

  // Looks for the tight box of these points, and writes it among the boxes of a node's children, unless `box` is null.
  // Returns the feature along which it is widest.
  std::int64_t find_box(const Source& from, std::int64_t begin, std::int64_t end, T* box) const {
    constexpr std::int64_t group = 16;  // features whose sides are on the stack
    std::int64_t widest = 0;
    T most = 0;
    for (std::int64_t start = 0; start < cols_; start += group) {
      const std::int64_t features = std::min(group, cols_ - start);
      T low[group], high[group];
      std::copy_n(from.row(keyed_[begin].row) + start, features, low);
      std::copy_n(low, features, high);
      for (std::int64_t i = begin + 1; i < end; ++i) {
        const T* x = from.row(keyed_[i].row) + start;
        for (std::int64_t j = 0; j < features; ++j) {
          low[j] = std::min(low[j], x[j]);
          high[j] = std::max(high[j], x[j]);
        }
      }
      for (std::int64_t j = 0; j < features; ++j) {
        const T side = high[j] / 2 - low[j] / 2;  // halves: a difference may overflow
        if (side > most) {
          most = side;
          widest = start + j;
        }
        if (box == nullptr) continue;
        T* to = box + (start + j) * 2 * kFanOut;
        to[0] = low[j];
        to[kFanOut] = high[j];
      }
    }
    return widest;
  }

  Source copy_rows(const Source& from, std::int64_t begin, std::int64_t end) {
    const int thread = team_ > 1 ? omp_get_thread_num() : 0;
    T* rows = local_rows_.data() + thread * local_points_ * cols_;
    Index* names = local_names_.data() + thread * local_points_;
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(from.row(keyed_[i].row), cols_, rows + (i - begin) * cols_);
      names[i - begin] = keyed_[i].row;
      keyed_[i].row = Index(i - begin);
    }
    return {rows, cols_, names};
  }

  void write_leaf(const Source& from, std::int64_t leaf) {
    const std::int64_t begin = point_of(leaf), end = point_of(leaf + 1);
    T* columns = columns_ + leaf * cols_ * kLeafPoints;
    for (std::int64_t i = begin; i < end; ++i) {
      const Index row = keyed_[i].row;
      const T* x = from.row(row);
      order_[i] = from.names[row];
      for (std::int64_t j = 0; j < cols_; ++j) columns[j * kLeafPoints + (i - begin)] = x[j];
    }
  }

  Rows<const T> data_;
  std::int64_t leaves_, cols_;
  StopCheck stop_;
  std::atomic<bool> stopped_{false};
  KdNode* nodes_;
  T* boxes_;
  T* columns_;
  Index* order_;
  std::vector<Keyed> keyed_;
  std::int64_t local_points_;
  int team_;
  std::vector<T> local_rows_;
  std::vector<Index> local_names_;
  NodeCounts node_counts_;
};

}  // namespace

std::int64_t kd_node_count(std::int64_t leaves) {
  NodeCounts known;
  return count_nodes(leaves, known);
}

template <class T, class Index>
bool build_kd_tree(const Rows<const T>& data, std::int64_t leaves, int threads, StopCheck stop, KdNode* nodes, T* boxes,
                   T* columns, Index* order) {
  return Builder<T, Index>(data, leaves, threads, stop, nodes, boxes, columns, order).build();
}

#define FASTML_INSTANTIATE(T, Index) \
  template bool build_kd_tree(const Rows<const T>&, std::int64_t, int, StopCheck, KdNode*, T*, T*, Index*);
FASTML_INSTANTIATE(float, std::int32_t)
FASTML_INSTANTIATE(float, std::int64_t)
FASTML_INSTANTIATE(double, std::int32_t)
FASTML_INSTANTIATE(double, std::int64_t)
#undef FASTML_INSTANTIATE

}  // namespace fastml::neighbors
