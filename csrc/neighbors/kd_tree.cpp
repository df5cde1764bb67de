#include "neighbors/kd_tree.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "neighbors/kd_tree_build.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE neighbors::KdTreeKernels<float>
#define FASTML_TABLE_NAME kd_tree_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)
namespace neighbors {

template <>
const KdTreeKernels<float>& kd_tree_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::kd_tree_table_f32;
  }
}
}  // namespace neighbors

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE neighbors::KdTreeKernels<double>
#define FASTML_TABLE_NAME kd_tree_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)
namespace neighbors {

template <>
const KdTreeKernels<double>& kd_tree_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::kd_tree_table_f64;
  }
}
}  // namespace neighbors

namespace neighbors {
namespace {

// Queries of a block, which one thread answers: some tens of microseconds.
constexpr std::int64_t kBlockQueries = 64;

// From here on queries are brought into the order of the tree.
constexpr std::int64_t kOrderedQueries = 256;

bool before(const Neighbor& a, const Neighbor& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

template <class T>
KdMetric metric_of(const MetricOptions& options, std::int64_t cols) {
  if (!options.weights.empty()) throw std::invalid_argument("A k-d tree takes no weights of features.");
  KdMetric metric{};
  metric.scale = 1;
  double p = 0;
  switch (options.metric) {
    case Metric::sqeuclidean:
    case Metric::euclidean:
      p = 2;
      break;
    case Metric::manhattan:
      p = 1;
      break;
    case Metric::chebyshev:
      p = std::numeric_limits<double>::infinity();
      break;
    case Metric::minkowski:
      p = options.p;
      break;
    default:
      throw std::invalid_argument(
          "A k-d tree does not serve this metric, but sqeuclidean, euclidean, manhattan, chebyshev and minkowski.");
  }
  if (!(p >= 1)) throw std::invalid_argument("A k-d tree needs p >= 1, got " + std::to_string(p) + ".");
  double pow_error = 0;
  if (p == 1) {
    metric.norm = Norm::l1;
  } else if (p == 2) {
    metric.norm = Norm::l2;
    metric.root = metric.square = options.metric != Metric::sqeuclidean;
  } else if (std::isinf(p)) {
    metric.norm = Norm::max;
  } else {
    // Norms fall as p grows, and |x|_2 <= cols^(1/2 - 1/p) |x|_p for p > 2. The maximum is closer to high p.
    metric.p = p;
    metric.norm = p < 6 ? Norm::l2 : Norm::max;
    metric.square = metric.norm == Norm::l2;
    if (p > 2 && metric.square) metric.scale = std::pow(double(cols), 0.5 - 1 / p);
    // The exponent 1 / p is rounded, and what it is applied to may be anything up to e^710.
    pow_error = 4096 * std::numeric_limits<double>::epsilon();
  }
  // Twice what KdMetric names, once for the screen, once for what it is compared with.
  metric.grow = 1 + 2 * double(cols + 8) * double(std::numeric_limits<T>::epsilon()) + pow_error;
  metric.tiny = double(cols + 4) * double(std::numeric_limits<T>::min());
  return metric;
}

std::int64_t leaf_count(std::int64_t rows) {
  const std::int64_t leaves = (rows + kLeafPoints - 1) / kLeafPoints;
  if (leaves > std::numeric_limits<std::int32_t>::max()) throw std::length_error("Too many points for a k-d tree.");
  return leaves;
}

}  // namespace

bool has_kd_tree(const MetricOptions& options) {
  switch (options.metric) {
    case Metric::sqeuclidean:
    case Metric::euclidean:
    case Metric::manhattan:
    case Metric::chebyshev:
      return options.weights.empty();
    case Metric::minkowski:
      return options.weights.empty() && options.p >= 1;
    default:
      return false;
  }
}

void keep_nearest(Neighbor* list, std::int64_t size, std::int64_t k) {
  std::nth_element(list, list + k - 1, list + size, before);
}

void sort_nearest(Neighbor* list, std::int64_t size, std::int64_t k) {
  if (size > k) keep_nearest(list, size, k);
  std::sort(list, list + std::min(size, k), before);
}

template <class T>
KdTree<T>::KdTree(const T* data, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                  const MetricOptions& options, int threads, StopCheck stop)
    : rows_(rows),
      cols_(cols),
      leaves_(leaf_count(rows)),
      metric_(metric_of<T>(options, cols)),
      columns_(leaves_ * cols * kLeafPoints),
      boxes_(kd_node_count(leaves_) * cols * 2 * kFanOut),
      nodes_(kd_node_count(leaves_)) {
  const Rows<const T> x{data, rows, cols, row_stride};
  const auto build = [&](auto& order) {
    order.resize(rows);
    return build_kd_tree(x, leaves_, threads, stop, nodes_.data(), boxes_.data(), columns_.data(), order.data());
  };
  if (!(rows <= std::numeric_limits<std::int32_t>::max() ? build(order_) : build(long_order_))) throw Stopped{};
}

template <class T>
KdTreeView<T> KdTree<T>::view() const {
  return {rows_,
          cols_,
          leaves_,
          leaves_ == 1 ? ~std::int32_t(0) : 0,
          nodes_.data(),
          boxes_.data(),
          columns_.data(),
          order_.empty() ? nullptr : order_.data(),
          long_order_.data()};
}

template <class T>
template <class Answer>
bool KdTree<T>::for_each_block(const Rows<const T>& queries, int threads, StopCheck stop, const Answer& answer) const {
  const std::int64_t count = queries.rows;
  const std::int64_t blocks = (count + kBlockQueries - 1) / kBlockQueries;
  const int team = int(std::clamp<std::int64_t>(blocks, 1, std::max(threads, 1)));
  const KdTreeKernels<T>& kernels = kd_tree_kernels<T>();
  const KdTreeView<T> tree = view();
  std::vector<std::int64_t> which;
  std::vector<std::int32_t> leaf;
  if (count >= kOrderedQueries && leaves_ > 1) {
    leaf.resize(count);
#pragma omp parallel for num_threads(team) if (team > 1) schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      kernels.locate(tree, {queries, nullptr, b * kBlockQueries, std::min(count, (b + 1) * kBlockQueries), nullptr},
                     leaf.data());
    }
    std::vector<std::int64_t> next(leaves_ + 1);
    for (const std::int32_t l : leaf) ++next[l + 1];
    for (std::int64_t l = 0; l < leaves_; ++l) next[l + 1] += next[l];
    which.resize(count);
    for (std::int64_t i = 0; i < count; ++i) which[next[leaf[i]]++] = i;
  }
  const std::int64_t* order = which.empty() ? nullptr : which.data();
  const auto block = [&](int thread, std::int64_t b) {
    answer(thread, KdQueries<T>{queries, order, b * kBlockQueries, std::min(count, (b + 1) * kBlockQueries),
                                leaf.empty() ? nullptr : leaf.data()});
  };
  if (team == 1) {
    for (std::int64_t b = 0; b < blocks; ++b) {
      if (b > 0 && stop != nullptr && stop()) return false;
      block(0, b);
    }
    return true;
  }
  std::atomic<std::int64_t> taken{0};
  std::atomic<bool> stopped{false};
  // A loop over threads, not over blocks: an answer must not wait for the caller's turn to ask for Ctrl-C.
#pragma omp parallel for num_threads(team) schedule(static, 1)
  for (int thread = 0; thread < team; ++thread) {
    for (std::int64_t b; (b = taken.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
      if (stopped.load(std::memory_order_relaxed)) break;
      block(thread, b);
      // The first of the team is the caller, which may call back into its interpreter.
      if (thread == 0 && stop != nullptr && stop()) stopped.store(true, std::memory_order_relaxed);
    }
  }
  return !stopped.load();
}

template <class T>
bool KdTree<T>::nearest(const T* queries, std::int64_t rows, std::int64_t row_stride, std::int64_t k, int threads,
                        StopCheck stop, double* distances, std::int64_t* indices) const {
  const int team = std::max(threads, 1);
  const std::int64_t room = whole_lines<Neighbor>(list_room(k));
  // Many neighbours need much room: threads that have nothing to do get none.
  const std::int64_t blocks = (rows + kBlockQueries - 1) / kBlockQueries;
  std::vector<Neighbor> lists(std::min<std::int64_t>(team, std::max<std::int64_t>(blocks, 1)) * room);
  const KdTreeKernels<T>& kernels = kd_tree_kernels<T>();
  const KdTreeView<T> tree = view();
  return for_each_block({queries, rows, cols_, row_stride}, threads, stop, [&](int thread, const KdQueries<T>& block) {
    std::int64_t leaves = 0;
    kernels.nearest(tree, metric_, block, {k, lists.data() + thread * room, distances, indices, &leaves});
  });
}

template <class T>
double KdTree<T>::share_visited(const T* queries, std::int64_t rows, std::int64_t row_stride, std::int64_t k) const {
  if (rows == 0) return 0;
  std::vector<Neighbor> list(list_room(k));
  std::vector<double> distances(k);
  std::vector<std::int64_t> indices(k);
  std::int64_t leaves = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    kd_tree_kernels<T>().nearest(view(), metric_,
                                 {{queries + i * row_stride, 1, cols_, row_stride}, nullptr, 0, 1, nullptr},
                                 {k, list.data(), distances.data(), indices.data(), &leaves});
  }
  return double(leaves) / double(rows) / double(leaves_);
}

double reduced_radius(const KdMetric& metric, double radius) {
  if (metric.p != 0) return std::pow(radius, metric.p);
  return metric.root ? radius * radius : radius;
}

template <class T>
bool KdTree<T>::count_within(const T* queries, std::int64_t rows, std::int64_t row_stride, double radius, int threads,
                             StopCheck stop, std::int64_t* counts) const {
  if (!(radius >= 0)) {
    std::fill_n(counts, rows, 0);
    return true;
  }
  const RadiusTask task{radius, reduced_radius(metric_, radius), counts, nullptr, nullptr, nullptr};
  const KdTreeKernels<T>& kernels = kd_tree_kernels<T>();
  const KdTreeView<T> tree = view();
  return for_each_block({queries, rows, cols_, row_stride}, threads, stop,
                        [&](int, const KdQueries<T>& block) { kernels.within(tree, metric_, block, task); });
}

template <class T>
bool KdTree<T>::within(const T* queries, std::int64_t rows, std::int64_t row_stride, double radius, bool sorted,
                       int threads, StopCheck stop, const std::int64_t* offsets, double* distances,
                       std::int64_t* indices) const {
  if (!(radius >= 0)) return true;
  std::int64_t longest = 0;
  if (distances != nullptr) {
    for (std::int64_t i = 0; i < rows; ++i) longest = std::max(longest, offsets[i + 1] - offsets[i]);
  }
  const int team = std::max(threads, 1);
  std::vector<Neighbor> lists(team * longest);
  const RadiusTask task{radius, reduced_radius(metric_, radius), nullptr, offsets, distances, indices};
  const KdTreeKernels<T>& kernels = kd_tree_kernels<T>();
  const KdTreeView<T> tree = view();
  const auto by_row = [](const Neighbor& a, const Neighbor& b) { return a.row < b.row; };
  return for_each_block({queries, rows, cols_, row_stride}, threads, stop, [&](int thread, const KdQueries<T>& block) {
    kernels.within(tree, metric_, block, task);
    Neighbor* list = lists.data() + thread * longest;
    for (std::int64_t i = block.begin; i < block.end; ++i) {
      const std::int64_t query = block.which != nullptr ? block.which[i] : i;
      const std::int64_t begin = offsets[query], count = offsets[query + 1] - begin;
      if (distances == nullptr) {
        std::sort(indices + begin, indices + begin + count);
        continue;
      }
      for (std::int64_t n = 0; n < count; ++n) list[n] = {distances[begin + n], indices[begin + n]};
      sorted ? std::sort(list, list + count, before) : std::sort(list, list + count, by_row);
      for (std::int64_t n = 0; n < count; ++n) {
        distances[begin + n] = list[n].distance;
        indices[begin + n] = list[n].row;
      }
    }
  });
}

template class KdTree<float>;
template class KdTree<double>;

}  // namespace neighbors
}  // namespace fastml
