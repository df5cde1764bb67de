// How good a split is: the criteria of scikit-learn, evaluated by the same expressions in the same order, so that the same
// split wins.
//
// A Criterion knows the targets and weights of one tree and the totals of one node. It searches a feature's thresholds;
// several threads may search at once, each with Sides of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "tree/features.hpp"
#include "tree/sort.hpp"
#include "tree/sparse_node.hpp"
#include "tree/targets.hpp"
#include "tree/tree.hpp"

namespace fastml::tree {

// Samples of a node in the order of one feature. Missing ones have no place in it: they go left or right together.
struct SortedFeature {
  std::int64_t index;
  const std::uint32_t* samples;  // of the node, where keys hold places among them; nullptr where they hold samples
  const RankedFeature* feature;
  const Key* present;
  std::int64_t present_count;
  const Key* missing;
  std::int64_t missing_count;

  std::int64_t count() const { return present_count + missing_count; }
  std::uint32_t sample(Key key) const { return samples == nullptr ? sample_of(key) : samples[sample_of(key)]; }
  // Whether a threshold fits between present[i - 1] and present[i].
  bool parts(std::int64_t i) const { return feature->apart(code_of(present[i - 1]), code_of(present[i])); }
};

// A feature as the samples of a node have it, in their order. None is missing.
struct GatheredFeature {
  std::int64_t index;
  const RankedFeature* feature;
  const std::uint32_t* codes;
  std::int64_t count;
  std::uint32_t low, high;  // the codes lie in [low, high]
};

// A feature with few values, none of them missing, and where among its tallies those of a node are.
struct TalliedFeature {
  std::int64_t index;
  const RankedFeature* feature;
  std::int64_t start;
};

struct Limits {
  std::int64_t min_samples_leaf;
  double min_weight_leaf;
  const std::int8_t* monotonic;  // of each feature; nullptr for none
  double lower;                  // bounds that monotonic splits above have put on the values of this node
  double upper;
};

// The best split so far. `proxy` orders the splits of a node; the first of equals stays.
struct Best {
  double proxy = -std::numeric_limits<double>::infinity();
  std::int64_t feature = -1;
  std::uint32_t last_left = 0;  // samples with codes up to this go left
  enum class Place {
    at_threshold,     // the threshold is known,
    between_samples,  // or it is between the values of two samples,
    at_code           // or, for the time of the feature's search, between the codes on either side of last_left
  } place = Place::at_threshold;
  double threshold = 0;
  std::uint32_t lower = 0, upper = 0;  // the samples
  bool saw_missing = false;            // of the samples of the node; else missing values go where most samples go
  bool missing_left = false;

  bool found() const { return feature >= 0; }
};

// Sums over the two sides of a split, and room for what a criterion needs while it searches.
struct Sides {
  std::vector<double> left, right;
  double weight_left = 0, weight_right = 0;
  std::vector<double> scratch;
  std::vector<double> class_sums;
  std::vector<TalliedFeature> tallied;
  std::vector<std::uint64_t> tallies;
  std::vector<std::uint32_t> tally_counts;
  std::vector<std::uint64_t> buckets, before;
  std::vector<std::uint32_t> bucket_counts, ordered;
  std::vector<double> left_weights, left_weights_1, edges, bounds;
  std::vector<std::uint8_t> open;
  std::vector<Key> keys;
};

class Criterion {
 public:
  // Borrows `targets` and the weights of its samples (nullptr: all 1) for the growing of one tree.
  Criterion(const Targets& targets, const double* weights) : targets_(targets), weights_(weights) {}
  virtual ~Criterion() = default;
  Criterion(const Criterion&) = delete;
  Criterion& operator=(const Criterion&) = delete;

  // Makes a node with these samples the current one: the tree's samples from `begin` on, as they stand.
  virtual void start_node(const std::uint32_t* samples, std::int64_t begin, std::int64_t count) = 0;
  double weight() const { return weight_; }
  // Whether sums are rounded: then they depend on the order of the node's samples, which is to be scikit-learn's.
  virtual bool rounds() const { return true; }
  // What the criterion keeps of each of the tree's samples, to be moved along with them when a node is parted; may be null.
  std::uint64_t* items() { return items_.empty() ? nullptr : items_.data(); }
  virtual double impurity() const = 0;
  virtual void value(double* out) const = 0;
  // The value within bounds, for nodes below monotonic splits.
  virtual void clip_value(double* value, double lower, double upper) const;

  virtual Sides sides() const = 0;
  // Replaces `best` by the feature's best split if that is better.
  virtual void search(const SortedFeature& feature, const Limits& limits, Sides& sides, Best& best) const;
  // The same for features with few values: tally() adds up the node's samples by the values of each of sides.tallied, in one
  // pass; search_tally() searches one of them, or returns false where it is constant. tally_size() is how many sums that takes,
  // 0 where it is not worth it.
  virtual std::int64_t tally_size(const RankedFeature&, std::int64_t /*count*/) const { return 0; }
  virtual void tally(const Features&, const std::uint32_t* /*samples*/, std::int64_t /*count*/, const Limits&,
                     Sides&) const {}
  virtual bool search_tally(std::int64_t /*which*/, std::int64_t /*count*/, const Limits&, Sides&, Best&) const {
    return true;
  }
  // The same without sorted samples. Returns false, with `best` as it was, where it is not worth it: then sort.
  virtual bool search_unsorted(const GatheredFeature&, const Limits&, Sides&, Best&) const { return false; }
  // The same for a sparse feature whose entries stand by value.
  virtual void search(const SparseFeature& feature, const Limits& limits, Sides& sides, Best& best) const;
  // Sums over the sides when these samples of the node are on the left, or all but these. For sums that are not rounded.
  virtual void divide_off(const std::uint32_t*, std::int64_t, bool /* left */, Sides&) const {}
  // Sums over the sides when samples whose value is at most `threshold` go left. Returns how many do. Where sums are rounded,
  // `places` holds the places of the node's samples in scikit-learn's order, which becomes that after this split.
  virtual std::int64_t divide_at(const std::uint32_t* samples, const float* values, std::int64_t count, float threshold,
                                 bool missing_left, std::uint32_t* places, Sides& sides) const;
  // Sums over the sides of the node's samples, the first `count_left` of which go left.
  virtual void divide(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, Sides& sides) const;
  virtual double proxy(const Sides& sides) const;
  // Impurities of the sides, after divide(). Only some criteria look at the samples again.
  virtual void impurities(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count, const Sides& sides,
                          double& left, double& right) const = 0;
  virtual double middle_value(const Sides& sides) const;
  // Whether a split of `feature` keeps to the limits on weights and values.
  bool allowed(const Sides& sides, std::int64_t feature, const Limits& limits) const {
    return monotonic(sides, feature, limits) && !(sides.weight_left < limits.min_weight_leaf) &&
           !(sides.weight_right < limits.min_weight_leaf);
  }

 protected:
  double weight_of(std::uint32_t sample) const { return weights_ == nullptr ? 1.0 : weights_[sample]; }

  virtual void add(std::uint32_t sample, double weight, double* sums) const = 0;
  // Samples of a sorted feature: those of `first`, then those of `second`.
  struct KeyOrder {
    const Key* first;
    std::int64_t first_count;
    const Key* second;
    const std::uint32_t* samples;

    KeyOrder(const SortedFeature& f, bool missing_left)
        : first(missing_left ? f.missing : f.present),
          first_count(missing_left ? f.missing_count : f.present_count),
          second(missing_left ? f.present : f.missing),
          samples(f.samples) {}
    std::uint32_t operator[](std::int64_t i) const {
      const std::uint32_t at = sample_of(i < first_count ? first[i] : second[i - first_count]);
      return samples == nullptr ? at : samples[at];
    }
  };
  // The sums and weight left of a position become those left of `end`, on the shorter way, as scikit-learn's do.
  template <class Order, class Add>
  void move(const Order& order, std::int64_t begin, std::int64_t end, std::int64_t count, Sides& sides,
            const Add& add_one) const {
    if (end - begin <= count - end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double weight = weight_of(order[i]);
        add_one(order[i], weight, sides.left.data());
        sides.weight_left += weight;
      }
    } else {
      std::copy(totals_.begin(), totals_.end(), sides.left.begin());
      sides.weight_left = weight_;
      for (std::int64_t i = count - 1; i >= end; --i) {
        const double weight = weight_of(order[i]);
        add_one(order[i], -weight, sides.left.data());
        sides.weight_left -= weight;
      }
    }
    complete(sides);
  }
  void clear_left(Sides& sides) const;
  // Parts the places of samples, whose values are values[place], as scikit-learn does. Returns how many go left.
  static std::int64_t part_places(std::uint32_t* places, const float* values, std::int64_t count, float threshold,
                                  bool missing_left, Sides& sides);
  void complete(Sides& sides) const;  // right = total - left

  // search() of a sparse feature, with the class's add() and proxy(): a class that gives its own spares calls by table.
  template <class Add, class Proxy>
  void search_with(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best, const Add& add_one,
                   const Proxy& proxy_of) const;

  bool monotonic(const Sides& sides, std::int64_t feature, const Limits& limits) const;
  virtual void monotonic_values(const Sides& sides, double& left, double& right) const;

  const Targets& targets_;
  const double* weights_;
  double weight_ = 0;
  std::vector<double> totals_;
  std::vector<std::uint64_t> items_;
};

// Writes down a split of `feature` between present[count - 1] and present[count]; where count is all that are present,
// between those and the missing ones.
void record(const SortedFeature& feature, std::int64_t count, bool missing_left, double proxy, Best& best);

void record(const SparseFeature& feature, float lower, float upper, double proxy, Best& best);

template <class Add, class Proxy>
void Criterion::search_with(const SparseFeature& f, const Limits& limits, Sides& sides, Best& best, const Add& add_one,
                            const Proxy& proxy_of) const {
  clear_left(sides);
  std::int64_t position = 0;
  f.each_split([&](std::int64_t left, float lower, float upper) {
    if (left < limits.min_samples_leaf || f.count - left < limits.min_samples_leaf) return;
    move(f.order, position, left, f.count, sides, add_one);
    position = left;
    if (!allowed(sides, f.index, limits)) return;
    const double value = proxy_of(sides);
    if (value > best.proxy) record(f, lower, upper, value, best);
  });
}

// `total_weight`: of all samples of the tree. `by_sample`: whether searches will be given keys that hold samples.
std::unique_ptr<Criterion> make_criterion(CriterionKind kind, const Targets& targets, const double* weights,
                                          const std::vector<std::uint32_t>& samples, double total_weight,
                                          bool by_sample);

}  // namespace fastml::tree
