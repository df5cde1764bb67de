#include "neighbors/dbscan.hpp"

#include <memory>
#include <stdexcept>

#include "neighbors/kd_tree.hpp"
#include "neighbors/leaf_pairs.hpp"
#include "neighbors/tile_pairs.hpp"
#include "neighbors/tuning.hpp"

namespace fastml::neighbors {
namespace {

template <class T>
std::unique_ptr<BlockPairs> pairs_of(const Rows<const T>& data, const MetricOptions& options, const DbscanTask& task,
                                     DbscanRoute route) {
  const bool leaves = route == DbscanRoute::leaves ||
                      (route == DbscanRoute::automatic && has_kd_tree(options) && data.cols <= kLeafCols);
  if (!leaves) {
    auto tiles = std::make_unique<TilePairs<T>>(data, options, task.eps, task.threads, task.stop);
    if (route == DbscanRoute::tiles || !has_kd_tree(options) || tiles->open_share() < kMostOpen) return tiles;
  }
  return std::make_unique<LeafPairs<T>>(data, options, task.eps, task.threads, task.stop);
}

}  // namespace

template <class T>
bool dbscan(const Rows<const T>& data, const MetricOptions& options, const DbscanTask& task, std::int64_t* labels,
            std::uint8_t* core, DbscanRoute route) {
  if (options.metric != Metric::cosine && options.metric != Metric::minkowski && !has_kd_tree(options)) {
    throw std::invalid_argument("DBSCAN's kernel does not serve this metric.");
  }
  std::unique_ptr<BlockPairs> pairs;
  try {
    pairs = pairs_of(data, options, task, route);
  } catch (const Stopped&) {
    return false;
  }
  return dbscan_passes(*pairs, task, labels, core);
}

template bool dbscan(const Rows<const float>&, const MetricOptions&, const DbscanTask&, std::int64_t*, std::uint8_t*,
                     DbscanRoute);
template bool dbscan(const Rows<const double>&, const MetricOptions&, const DbscanTask&, std::int64_t*, std::uint8_t*,
                     DbscanRoute);

}  // namespace fastml::neighbors
