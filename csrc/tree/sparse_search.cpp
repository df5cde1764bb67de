// The search of a node over sparse features: only values other than zero are looked at.
#include <algorithm>

#include "tree/splitter.hpp"

namespace fastml::tree {

void Splitter::start_sparse(const NodeRange& node, std::int64_t constants) {
  // Draws of features that are known to be constant count among the draws.
  const std::int64_t unknown = features_.count() - constants;
  const double share = double(unknown) / double(features_.count());
  sparse_->start(node.begin, node.end, std::min(unknown, 1 + std::int64_t(double(options_.max_features) * share)));
}

void Splitter::find_best_sparse(const NodeRange&, const Limits& limits, Best& best) {
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    const SparseFeature feature = sparse_->by_value(index);
    if (ask_to_stop(1 + feature.entries)) return;
    if (same_value(feature.low(), feature.high())) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    criterion_->search(feature, limits, sides_[0], best);
  }
}

void Splitter::find_random_sparse(const NodeRange& node, const Limits& limits, Best& best) {
  const std::int64_t count = node.count();
  Sides& sides = sides_[0];
  std::int64_t index;
  while (draws_.draw(options_.max_features, random_, index)) {
    const SparseFeature feature = sparse_->by_sample(index);
    if (ask_to_stop(1 + feature.entries)) return;
    float low = feature.zeros() > 0 ? 0.0f : feature.values[0], high = low;
    for (std::int64_t i = 0; i < feature.entries; ++i) {
      low = std::min(low, feature.values[i]);
      high = std::max(high, feature.values[i]);
    }
    if (same_value(low, high)) {
      draws_.constant();
      continue;
    }
    draws_.varies();
    double threshold = random_.uniform(low, high);
    if (threshold == high) threshold = low;

    const bool rounds = criterion_->rounds();
    const std::int64_t left = rounds ? sparse_->part(threshold) : sparse_->select(threshold);
    if (left < limits.min_samples_leaf || count - left < limits.min_samples_leaf) continue;
    if (rounds) {
      criterion_->divide(samples_.data() + node.begin, left, count, sides);
    } else {
      const std::vector<std::uint32_t>& selected = sparse_->selected();
      criterion_->divide_off(selected.data(), std::int64_t(selected.size()), threshold < 0, sides);
    }
    if (!criterion_->allowed(sides, index, limits)) continue;
    const double proxy = criterion_->proxy(sides);
    if (!(proxy > best.proxy)) continue;
    best.proxy = proxy;
    best.feature = index;
    best.threshold = threshold;
  }
}

std::int64_t Splitter::part_sparse(const Best& best) {
  if (sparse_->parted_by(best.feature)) return sparse_->left();
  sparse_->by_sample(best.feature);
  return sparse_->part(best.threshold);
}

}  // namespace fastml::tree
