#include "tree/sparse_features.hpp"

#include <algorithm>
#include <thread>

namespace fastml::tree {

bool SparseMatrix::valid() const {
  if (starts[0] != 0 || starts[cols] > stored) return false;
  for (std::int64_t f = 0; f < cols; ++f) {
    if (starts[f] > starts[f + 1]) return false;
    std::int32_t before = -1;
    for (std::int32_t k = starts[f]; k < starts[f + 1]; ++k) {
      if (rows_of[k] <= before || rows_of[k] >= rows) return false;
      before = rows_of[k];
    }
  }
  return true;
}

SparseFeatures::SparseFeatures(const SparseMatrix& x, bool in_order)
    : in_order_(in_order), starts_(x.cols + 1), states_(in_order ? x.cols : 0), row_starts_(x.rows + 1) {
  samples_.resize(x.starts[x.cols]);
  values_.resize(x.starts[x.cols]);
  std::uint32_t entries = 0;
  for (std::int64_t f = 0; f < x.cols; ++f) {
    for (std::int32_t k = x.starts[f]; k < x.starts[f + 1]; ++k) {
      samples_[entries] = std::uint32_t(x.rows_of[k]);
      values_[entries] = x.values[k];
      entries += x.values[k] != 0;
    }
    starts_[f + 1] = entries;
  }
  samples_.resize(entries);
  values_.resize(entries);
  if (in_order) by_sample_.resize(entries);
}

// By value; equal negative ones by sample, equal positive ones backwards: as scikit-learn's splitter happens to find them
// where all are equal, which matters to sums that are rounded.
void SparseFeatures::sort(std::int64_t feature) const {
  struct Entry {
    float value;
    std::uint32_t sample, at;
    bool operator<(const Entry& other) const {
      if (value != other.value) return value < other.value;
      return value < 0 ? sample < other.sample : sample > other.sample;
    }
  };
  std::vector<Entry> entries(end(feature) - begin(feature));
  std::uint8_t state = kRaw;
  while (!states_[feature].compare_exchange_weak(state, kBusy, std::memory_order_acquire)) {
    // Another thread is at it, for some microseconds.
    if (state == kDone) return;
    state = kRaw;
    std::this_thread::yield();
  }
  const std::uint32_t first = begin(feature);
  for (std::uint32_t k = 0; k < entries.size(); ++k) entries[k] = {values_[first + k], samples_[first + k], first + k};
  std::sort(entries.begin(), entries.end());
  for (std::uint32_t k = 0; k < entries.size(); ++k) {
    values_[first + k] = entries[k].value;
    samples_[first + k] = entries[k].sample;
    by_sample_[entries[k].at] = {entries[k].sample, first + k};
  }
  states_[feature].store(kDone, std::memory_order_release);
}

void SparseFeatures::make_rows() const {
  for (std::int64_t f = 0; f < count(); ++f) put_in_order(f);
  row_entries_.resize(samples_.size());
  std::vector<std::uint32_t> starts(row_starts_.size());
  for (const std::uint32_t sample : samples_) ++starts[sample + 1];
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  std::copy(starts.begin(), starts.end(), row_starts_.begin());
  for (std::int64_t f = 0; f < count(); ++f) {
    for (std::uint32_t e = begin(f); e < end(f); ++e) row_entries_[starts[samples_[e]]++] = {std::uint32_t(f), e};
  }
  has_rows_.store(true, std::memory_order_release);
}

std::int64_t SparseFeatures::bytes() const {
  return std::int64_t((starts_.size() + row_starts_.size() + samples_.size()) * sizeof(std::uint32_t) +
                      values_.size() * sizeof(float) + by_sample_.size() * sizeof(ColumnEntry) + states_.size() +
                      samples_.size() * sizeof(RowEntry));
}

}  // namespace fastml::tree
