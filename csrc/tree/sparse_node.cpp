#include "tree/sparse_node.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "tree/tuning.hpp"

namespace fastml::tree {

SparseNode::SparseNode(const SparseFeatures& features, std::vector<std::uint32_t>& samples, std::uint64_t* items,
                       bool arrange)
    : features_(features),
      samples_(samples),
      items_(items),
      arrange_(arrange),
      places_(features.samples(), std::numeric_limits<std::uint32_t>::max()),
      buckets_(features.count()) {
  for (std::size_t i = 0; i < samples_.size(); ++i) places_[samples_[i]] = std::uint32_t(i);
  std::uint32_t longest = 0;
  for (std::int64_t f = 0; f < features_.count(); ++f)
    longest = std::max(longest, features_.end(f) - features_.begin(f));
  // One more than there can be: walks write each entry, and move on behind those that are in the node.
  found_.resize(longest + 1);
  found_samples_.resize(longest + 1);
  found_values_.resize(longest + 1);
}

void SparseNode::start(std::int64_t begin, std::int64_t end, std::int64_t columns) {
  begin_ = begin;
  count_ = end - begin;
  parted_ = -1;
  for (const std::uint32_t feature : touched_) buckets_[feature] = {};
  touched_.clear();
  const double entries = double(features_.end(features_.count() - 1));
  const double column_work = double(columns) * (kColumnWork + entries / double(features_.count()));
  const double mean_row = entries / double(features_.samples());
  const double saved = column_work - kRowEntryWork * double(count_) * (1 + mean_row);
  by_rows_ = saved > 0 && features_.rows_pay(std::int64_t(saved));
  if (!by_rows_) return;
  std::int64_t size = 0;
  for (std::int64_t i = begin; i < end; ++i) size += features_.row_size(samples_[i]);
  by_rows_ = kRowEntryWork * double(size + count_) < column_work;
  if (by_rows_) gather_rows();
}

void SparseNode::gather_rows() {
  const std::uint32_t* samples = samples_.data() + begin_;
  if (arrange_) {
    ascending_.assign(samples, samples + count_);
    std::sort(ascending_.begin(), ascending_.end());
    samples = ascending_.data();
  }
  for (std::int64_t i = 0; i < count_; ++i) {
    for (const auto* entry = features_.row_begin(samples[i]); entry != features_.row_end(samples[i]); ++entry) {
      if (buckets_[entry->feature].size++ == 0) touched_.push_back(entry->feature);
    }
  }
  std::uint32_t sum = 0;
  for (const std::uint32_t feature : touched_) {
    buckets_[feature].end = sum;
    sum += buckets_[feature].size;
  }
  if (bucketed_.size() < sum) bucketed_.resize(sum);
  for (std::int64_t i = 0; i < count_; ++i) {
    for (const auto* entry = features_.row_begin(samples[i]); entry != features_.row_end(samples[i]); ++entry) {
      bucketed_[buckets_[entry->feature].end++] = entry->entry;
    }
  }
}

SparseFeature SparseNode::collected(std::int64_t feature) const {
  return {feature,
          found_samples_.data(),
          found_values_.data(),
          std::int64_t(found_count_),
          negative_,
          count_,
          arrange_ ? samples_.data() + begin_ : nullptr};
}

SparseFeature SparseNode::by_value(std::int64_t feature) {
  if (arrange_) {
    collect_by_sample(feature);
    arrange();
  }
  collect_by_value(feature);
  if (arrange_) {
    for (std::int64_t k = 0; k < found_count_; ++k) {
      put(found_samples_[k], begin_ + (k < negative_ ? k : count_ - found_count_ + k));
    }
  }
  parted_ = -1;
  return collected(feature);
}

SparseFeature SparseNode::by_sample(std::int64_t feature) {
  collect_by_sample(feature);
  if (arrange_) arrange();
  parted_ = -1;
  asked_ = feature;
  return collected(feature);
}

// Where the entries by sample have just been collected and are few, they are sorted; else the column is walked in order.
void SparseNode::collect_by_value(std::int64_t feature) {
  // With rows all columns are in order.
  if (!by_rows_) features_.put_in_order(feature);
  if (arrange_ && !by_rows_ && found_count_ * kSortWork < features_.end(feature) - features_.begin(feature)) {
    std::sort(found_.begin(), found_.begin() + found_count_);
    take_found();
    return;
  }
  if (by_rows_) {
    const Bucket bucket = buckets_[feature];
    std::uint32_t* const entries = bucketed_.data() + bucket.end - bucket.size;
    std::copy(entries, entries + bucket.size, found_.begin());
    std::sort(found_.begin(), found_.begin() + bucket.size);
    found_count_ = bucket.size;
    take_found();
    return;
  }
  walk(feature);
}

void SparseNode::walk(std::int64_t feature) {
  std::int64_t found = 0;
  for (std::uint32_t e = features_.begin(feature); e < features_.end(feature); ++e) {
    const std::uint32_t sample = features_.sample(e);
    found_samples_[found] = sample;
    found_values_[found] = features_.value(e);
    found += inside(sample);
  }
  found_count_ = found;
  count_negative();
}

void SparseNode::collect_by_sample(std::int64_t feature) {
  if (!by_rows_) features_.put_in_order(feature);
  if (by_rows_) {
    const Bucket bucket = buckets_[feature];
    const std::uint32_t* const entries = bucketed_.data() + bucket.end - bucket.size;
    std::copy(entries, entries + bucket.size, found_.begin());
    found_count_ = bucket.size;
    take_found();
  } else if (features_.in_order() && arrange_) {
    const SparseFeatures::ColumnEntry* const entries = features_.by_sample();
    std::int64_t found = 0;
    for (std::uint32_t k = features_.begin(feature); k < features_.end(feature); ++k) {
      found_[found] = entries[k].entry;
      found += inside(entries[k].sample);
    }
    found_count_ = found;
    take_found();
  } else {
    walk(feature);
  }
}

void SparseNode::take_found() {
  for (std::int64_t k = 0; k < found_count_; ++k) {
    found_samples_[k] = features_.sample(found_[k]);
    found_values_[k] = features_.value(found_[k]);
  }
  count_negative();
}

void SparseNode::count_negative() {
  std::int64_t negative = 0;
  for (std::int64_t k = 0; k < found_count_; ++k) negative += found_values_[k] < 0;
  negative_ = negative;
}

// Puts a sample to a place among samples_, and the one that was there to where this one was.
void SparseNode::put(std::uint32_t sample, std::int64_t place) {
  const std::uint32_t from = places_[sample], other = samples_[place];
  samples_[from] = other;
  samples_[place] = sample;
  places_[other] = from;
  places_[sample] = std::uint32_t(place);
  if (items_ != nullptr) std::swap(items_[from], items_[place]);
}

// Samples with negative values to the front, with positive ones to the end, one after the other.
void SparseNode::arrange() {
  std::int64_t front = begin_, back = begin_ + count_;
  for (std::int64_t k = 0; k < found_count_; ++k) put(found_samples_[k], found_values_[k] < 0 ? front++ : --back);
}

std::int64_t SparseNode::select(double threshold) {
  const bool below = threshold < 0;
  selected_.clear();
  for (std::int64_t k = 0; k < found_count_; ++k) {
    if ((double(found_values_[k]) <= threshold) == below) selected_.push_back(found_samples_[k]);
  }
  const std::int64_t beyond = std::int64_t(selected_.size());
  return below ? beyond : count_ - beyond;
}

std::int64_t SparseNode::part(double threshold) {
  if (!arrange_) arrange();
  // The values on the side of zero that the threshold is on, as their samples stand.
  const bool above = threshold >= 0;
  std::int64_t first = above ? begin_ + count_ - (found_count_ - negative_) : begin_, last = first;
  std::vector<float>& values = placed_values_;
  values.clear();
  for (std::int64_t k = 0; k < found_count_; ++k) {
    if ((found_values_[k] < 0) != above) values.push_back(found_values_[k]);
  }
  if (above) std::reverse(values.begin(), values.end());
  if (threshold != 0) last += std::int64_t(values.size());  // else they are parted as they stand
  for (std::int64_t at = 0; first + at < last;) {
    if (double(values[at]) <= threshold) {
      ++at;
      continue;
    }
    --last;
    std::swap(values[at], values[last - first]);
    put(samples_[first + at], last);
  }
  parted_ = asked_;
  left_ = last - begin_;
  return left_;
}

}  // namespace fastml::tree
