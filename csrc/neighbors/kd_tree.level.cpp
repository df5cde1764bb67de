// Walks through the k-d tree, at each SIMD level. Products must not be fused into sums: exact sums are rounded step by step.
#include "neighbors/kd_tree_vectors.hpp"
#include "neighbors/nearest_list.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using namespace neighbors;
namespace {

// Children that wait to be looked into: at most seven a level of the tree, and 2^31 leaves make eleven levels.
constexpr int kMostWaiting = 8 * 12;

template <class T>
T largest();
template <>
float largest() {
  return __FLT_MAX__;
}
template <>
double largest() {
  return __DBL_MAX__;
}

// The screen of what is exactly d away is at most this.
template <class T>
FASTML_INLINE T limit_of(const KdMetric& metric, double d) {
  const double limit = screen_limit(metric, d);
  return limit > double(largest<T>()) ? T(__builtin_inf()) : T(limit);
}

// What is exactly as far away as something screened at `screened` is screened at this or below. For norms only: under
// minkowski the screen says little about the distance.
template <class T>
FASTML_INLINE T widened(const KdMetric& metric, T screened) {
  if (metric.p != 0) return T(__builtin_inf());
  const double limit = double(screened) * metric.grow + metric.tiny;
  return limit > double(largest<T>()) ? T(__builtin_inf()) : T(limit);
}

// What is screened at this or below has an exact sum below `reduced` for certain. -1 where nothing is certain.
template <class T>
FASTML_INLINE T certain_limit(const KdMetric& metric, double reduced) {
  if (metric.p != 0) return T(-1);  // the screen's norm is not the metric's
  const double limit = reduced * (2 - metric.grow) - metric.tiny;
  return limit < 0 ? T(-1) : limit > double(largest<T>()) ? largest<T>() : T(limit);
}

template <Norm norm, class T>
FASTML_INLINE double exact_reduced(const KdMetric& metric, const T* x, const T* q, std::int64_t cols) {
  if (metric.p != 0) return exact_power_sum(x, q, cols, metric.p);
  return exact_sum<norm>(x, q, cols);
}

FASTML_INLINE double distance_of(const KdMetric& metric, double sum) {
  if (metric.p != 0) return __builtin_pow(sum, 1 / metric.p);
  return metric.root ? __builtin_sqrt(sum) : sum;
}

template <class T>
FASTML_INLINE std::int64_t row_of(const KdTreeView<T>& tree, std::int64_t point) {
  return tree.rows != nullptr ? tree.rows[point] : tree.long_rows[point];
}

// Bits of the points that a leaf holds.
template <class T>
FASTML_INLINE std::uint32_t points_of(const KdTreeView<T>& tree, std::int64_t leaf) {
  const std::int64_t count = tree.points - leaf * kLeafPoints;
  return count >= kLeafPoints ? ~std::uint32_t(0) : (std::uint32_t(1) << count) - 1;
}

FASTML_INLINE std::uint32_t children_of(const KdNode& node) { return (std::uint32_t(1) << node.children) - 1; }

template <class T>
FASTML_INLINE const T* query_of(const KdQueries<T>& queries, std::int64_t i, std::int64_t& number) {
  number = queries.which != nullptr ? queries.which[i] : i;
  return queries.rows.data + number * queries.rows.stride;
}

// The leaf next to q, going down only.
template <class T>
FASTML_INLINE std::int32_t locate_one(const KdTreeView<T>& tree, const T* q) {
  std::int32_t at = tree.root;
  while (at >= 0) {
    alignas(64) T nearest[kFanOut];
    box_distances<Norm::l2, false>(tree.boxes + at * tree.cols * 2 * kFanOut, q, tree.cols, nearest,
                                   static_cast<T*>(nullptr));
    at = tree.nodes[at].child[nearest_child(nearest)];
  }
  return ~at;
}

template <class T>
void locate(const KdTreeView<T>& tree, const KdQueries<T>& queries, std::int32_t* leaf) {
  for (std::int64_t i = queries.begin; i < queries.end; ++i) {
    std::int64_t number;
    const T* q = query_of(queries, i, number);
    leaf[number] = locate_one(tree, q);
  }
}

template <class T>
struct Waiting {
  T nearest;
  std::int32_t child;
};

// Puts a node's children that may hold something within `limit` on the stack, the nearest on top.
template <Norm norm, class T>
FASTML_INLINE int push_children(const KdTreeView<T>& tree, std::int32_t at, const T* q, T limit, Waiting<T>* stack,
                                int size) {
  alignas(64) T nearest[kFanOut];
  const KdNode& node = tree.nodes[at];
  box_distances<norm, false>(tree.boxes + at * tree.cols * 2 * kFanOut, q, tree.cols, nearest,
                             static_cast<T*>(nullptr));
  const int bottom = size;
  for (std::uint32_t left = children_at_most(nearest, limit) & children_of(node); left != 0; left &= left - 1) {
    const int c = __builtin_ctz(left);
    int i = size++;
    for (; i > bottom && stack[i - 1].nearest < nearest[c]; --i) stack[i] = stack[i - 1];
    stack[i] = {nearest[c], node.child[c]};
  }
  return size;
}

// Puts what a leaf holds within `limit` on the list, and brings the limit down.
template <Norm norm, class List, class T>
FASTML_INLINE void look_into(const KdTreeView<T>& tree, const KdMetric& metric, const T* q, std::int64_t leaf,
                             List& list, T& limit) {
  const T* columns = tree.columns + leaf * tree.cols * kLeafPoints;
  Wide<T> sum[kLeafPoints / kWide<T>];
  leaf_distances<norm>(columns, q, tree.cols, sum);
  const std::uint32_t points = points_of(tree, leaf);
  if (list.is_empty() && list.wanted() <= __builtin_popcount(points)) {
    // k points are no farther than what their screen says, and any point as near passes the screen widened once more.
    limit = widened(metric, widened(metric, limit_for<T>(sum, points, int(list.wanted()))));
  }
  std::uint32_t candidates = at_most<T>(sum, limit) & points;
  if (candidates == 0) return;
  for (; candidates != 0; candidates &= candidates - 1) {
    const int point = __builtin_ctz(candidates);
    const double distance = distance_of(metric, exact_reduced<norm>(metric, columns + point, q, tree.cols));
    if (distance > list.limit()) continue;
    const std::int64_t row = row_of(tree, leaf * kLeafPoints + point);
    if (list.takes(distance, row)) list.add(distance, row);
  }
  const T now = limit_of<T>(metric, list.limit());
  limit = now < limit ? now : limit;
}

// Returns how many leaves were looked into. The nearest leaf comes first: it brings a limit, and few children wait above it.
template <Norm norm, class List, class T>
FASTML_INLINE std::int64_t nearest_to(const KdTreeView<T>& tree, const KdMetric& metric, const T* q,
                                      std::int32_t first_leaf, List& list) {
  T limit = T(__builtin_inf());
  look_into<norm>(tree, metric, q, first_leaf, list, limit);
  Waiting<T> stack[kMostWaiting];
  stack[0] = {T(0), tree.root};
  int size = 1;
  std::int64_t leaves = 1;
  while (size > 0) {
    const Waiting<T> next = stack[--size];
    if (next.nearest > limit) continue;
    if (next.child >= 0) {
      size = push_children<norm>(tree, next.child, q, limit, stack, size);
    } else if (~next.child != first_leaf) {
      ++leaves;
      look_into<norm>(tree, metric, q, ~next.child, list, limit);
    }
  }
  return leaves;
}

template <Norm norm, class List, class T>
void nearest_to_all(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                    const NearestTask& task) {
  for (std::int64_t i = queries.begin; i < queries.end; ++i) {
    std::int64_t number;
    const T* q = query_of(queries, i, number);
    List list(task.list, task.k);
    const std::int32_t leaf = queries.leaf != nullptr ? queries.leaf[number] : locate_one(tree, q);
    *task.leaves += nearest_to<norm>(tree, metric, q, leaf, list);
    const Neighbor* found = list.finish();
    for (std::int64_t n = 0; n < task.k; ++n) {
      task.distances[number * task.k + n] = found[n].distance;
      task.rows[number * task.k + n] = found[n].row;
    }
  }
}

template <Norm norm, class T>
FASTML_INLINE void nearest_under(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                                 const NearestTask& task) {
  if (task.k <= kLongestSortedList) {
    nearest_to_all<norm, SortedList>(tree, metric, queries, task);
  } else {
    nearest_to_all<norm, Reservoir>(tree, metric, queries, task);
  }
}

template <class T>
void nearest(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries, const NearestTask& task) {
  switch (metric.norm) {
    case Norm::l1:
      return nearest_under<Norm::l1>(tree, metric, queries, task);
    case Norm::l2:
      return nearest_under<Norm::l2>(tree, metric, queries, task);
    default:
      return nearest_under<Norm::max>(tree, metric, queries, task);
  }
}

// One query within a radius: where found rows are counted or written.
template <Norm norm, bool writes, class T>
struct RadiusWalk {
  const KdTreeView<T>& tree;
  const KdMetric& metric;
  const RadiusTask& task;
  const T limit, certain;
  const T* q = nullptr;
  std::int64_t found = 0;

  FASTML_INLINE void write(std::int64_t leaf, int point, double sum) {
    task.rows[found] = row_of(tree, leaf * kLeafPoints + point);
    if (task.distances != nullptr) task.distances[found] = distance_of(metric, sum);
    ++found;
  }

  FASTML_INLINE double sum_to(std::int64_t leaf, int point) const {
    return exact_reduced<norm>(metric, tree.columns + leaf * tree.cols * kLeafPoints + point, q, tree.cols);
  }

  // All points of these leaves are within the radius.
  FASTML_INLINE void take_all(std::int64_t first_leaf, std::int64_t end_leaf) {
    const std::int64_t begin = first_leaf * kLeafPoints;
    const std::int64_t end = end_leaf * kLeafPoints < tree.points ? end_leaf * kLeafPoints : tree.points;
    if constexpr (!writes) {
      found += end - begin;
    } else if (task.distances == nullptr) {
      for (std::int64_t point = begin; point < end; ++point) task.rows[found++] = row_of(tree, point);
    } else {
      for (std::int64_t point = begin; point < end; ++point) {
        const std::int64_t leaf = point / kLeafPoints;
        write(leaf, int(point % kLeafPoints), sum_to(leaf, int(point % kLeafPoints)));
      }
    }
  }

  FASTML_INLINE void look_into(std::int64_t leaf) {
    Wide<T> sum[kLeafPoints / kWide<T>];
    leaf_distances<norm>(tree.columns + leaf * tree.cols * kLeafPoints, q, tree.cols, sum);
    const std::uint32_t here = points_of(tree, leaf);
    std::uint32_t candidates = at_most<T>(sum, limit) & here;
    const std::uint32_t sure = at_most<T>(sum, certain) & here;
    if constexpr (!writes) {
      found += __builtin_popcount(sure);
      candidates &= ~sure;
    }
    for (; candidates != 0; candidates &= candidates - 1) {
      const int point = __builtin_ctz(candidates);
      if (writes && task.distances == nullptr && (sure >> point & 1) != 0) {
        write(leaf, point, 0);
        continue;
      }
      const double exact = sum_to(leaf, point);
      if (exact > task.reduced) continue;
      if constexpr (writes) {
        write(leaf, point, exact);
      } else {
        ++found;
      }
    }
  }

  FASTML_INLINE void walk() {
    std::int32_t stack[kMostWaiting];
    stack[0] = tree.root;
    int size = 1;
    while (size > 0) {
      const std::int32_t at = stack[--size];
      if (at < 0) {
        look_into(~at);
        continue;
      }
      alignas(64) T nearest[kFanOut], farthest[kFanOut];
      const KdNode& node = tree.nodes[at];
      box_distances<norm, true>(tree.boxes + at * tree.cols * 2 * kFanOut, q, tree.cols, nearest, farthest);
      for (int c = node.children - 1; c >= 0; --c) {
        if (nearest[c] > limit) continue;
        if (farthest[c] <= certain) {
          take_all(node.first_leaf[c], node.first_leaf[c + 1]);
        } else {
          stack[size++] = node.child[c];
        }
      }
    }
  }
};

template <Norm norm, bool writes, class T>
void within_radius(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                   const RadiusTask& task) {
  RadiusWalk<norm, writes, T> walk{tree, metric, task, limit_of<T>(metric, task.radius),
                                   certain_limit<T>(metric, task.reduced)};
  for (std::int64_t i = queries.begin; i < queries.end; ++i) {
    std::int64_t number;
    walk.q = query_of(queries, i, number);
    walk.found = writes ? task.offsets[number] : 0;
    walk.walk();
    if constexpr (!writes) task.counts[number] = walk.found;
  }
}

template <Norm norm, class T>
FASTML_INLINE void within_under(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                                const RadiusTask& task) {
  if (task.counts != nullptr) {
    within_radius<norm, false>(tree, metric, queries, task);
  } else {
    within_radius<norm, true>(tree, metric, queries, task);
  }
}

template <class T>
void within(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries, const RadiusTask& task) {
  switch (metric.norm) {
    case Norm::l1:
      return within_under<Norm::l1>(tree, metric, queries, task);
    case Norm::l2:
      return within_under<Norm::l2>(tree, metric, queries, task);
    default:
      return within_under<Norm::max>(tree, metric, queries, task);
  }
}

// Those of a's points that are asked for, one after the other; the box of b rules out most of them all at once.
template <Norm norm, class T>
void leaf_pair_under(const KdTreeView<T>& tree, const KdMetric& metric, double radius, double reduced,
                     const LeafPair<T>& pair) {
  constexpr int vectors = kLeafPoints / kWide<T>;
  const T limit = limit_of<T>(metric, radius), certain = certain_limit<T>(metric, reduced);
  const T* a = tree.columns + pair.a * tree.cols * kLeafPoints;
  const T* b = tree.columns + pair.b * tree.cols * kLeafPoints;
  Wide<T> sum[vectors] = {};
  for (std::int64_t j = 0; j < tree.cols; ++j) {
    const Wide<T> low = pair.box[2 * j] - Wide<T>{}, high = pair.box[2 * j + 1] - Wide<T>{};
#pragma GCC unroll 32
    for (int v = 0; v < vectors; ++v) {
      const Wide<T> x = load_wide(a + j * kLeafPoints + v * kWide<T>);
      sum[v] = with_term<norm>(sum[v], larger(larger(low - x, x - high), Wide<T>{}));
    }
  }
  const std::uint32_t near = at_most<T>(sum, limit), here = points_of(tree, pair.b);
  for (std::uint32_t points = pair.active; points != 0; points &= points - 1) {
    const int point = __builtin_ctz(points);
    if ((near >> point & 1) == 0) {
      pair.masks[point] = 0;
      continue;
    }
    for (std::int64_t j = 0; j < tree.cols; ++j) pair.query[j] = a[j * kLeafPoints + point];
    leaf_distances<norm>(b, pair.query, tree.cols, sum);
    std::uint32_t found = at_most<T>(sum, certain) & here;
    for (std::uint32_t open = at_most<T>(sum, limit) & here & ~found; open != 0; open &= open - 1) {
      const int other = __builtin_ctz(open);
      if (exact_reduced<norm>(metric, b + other, pair.query, tree.cols) <= reduced) found |= open & -open;
    }
    pair.masks[point] = found;
  }
}

template <class T>
void leaf_pair(const KdTreeView<T>& tree, const KdMetric& metric, double radius, double reduced,
               const LeafPair<T>& pair) {
  switch (metric.norm) {
    case Norm::l1:
      return leaf_pair_under<Norm::l1>(tree, metric, radius, reduced, pair);
    case Norm::l2:
      return leaf_pair_under<Norm::l2>(tree, metric, radius, reduced, pair);
    default:
      return leaf_pair_under<Norm::max>(tree, metric, radius, reduced, pair);
  }
}

}  // namespace

extern const KdTreeKernels<float> kd_tree_table_f32;
extern const KdTreeKernels<double> kd_tree_table_f64;
const KdTreeKernels<float> kd_tree_table_f32{locate<float>, nearest<float>, within<float>, leaf_pair<float>};
const KdTreeKernels<double> kd_tree_table_f64{locate<double>, nearest<double>, within<double>, leaf_pair<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
