// Sparse samples as trees look at them: the values that are not zero by feature, in order, and by sample.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tree/tuning.hpp"

namespace fastml::tree {

// CSC. `starts` holds cols + 1 numbers; the rows of a column stand in `rows_of`, ascending. Values are finite.
struct SparseMatrix {
  const float* values;
  const std::int32_t* rows_of;
  const std::int32_t* starts;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stored;

  // Whether the parts fit together. Reading others would leave the arrays.
  bool valid() const;
};

// An entry is a value other than zero, by its number; those of a feature are numbered in a row. O(entries) of memory.
//
// What takes longer than to look at a few columns waits until it pays, since a shallow tree looks at no more: a column is
// sorted by put_in_order(), the rows are made by rows_pay(). Both may be called by several threads at once.
class SparseFeatures {
 public:
  // in_order: whether entries of a feature are to be numbered by value, as best splits want them; else by sample. Does not
  // keep x. Throws std::bad_alloc.
  SparseFeatures(const SparseMatrix& x, bool in_order);

  std::int64_t samples() const { return std::int64_t(row_starts_.size()) - 1; }
  std::int64_t count() const { return std::int64_t(starts_.size()) - 1; }
  std::int64_t bytes() const;
  bool in_order() const { return in_order_; }
  // Must come before the entries of the feature are looked at. Throws std::bad_alloc.
  void put_in_order(std::int64_t feature) const {
    if (in_order_ && states_[feature].load(std::memory_order_acquire) != kDone) sort(feature);
  }
  // Whether rows may be looked at, which would save so much work (in entries of a column that is walked): they are made when
  // all that they would have saved is more than making them takes. All columns are then in order. Throws std::bad_alloc.
  bool rows_pay(std::int64_t saved) const {
    if (has_rows_.load(std::memory_order_acquire)) return true;
    if (saved_.fetch_add(saved) + saved < kRowsWork * std::int64_t(samples_.size())) return false;
    std::call_once(made_rows_, [this] { make_rows(); });
    return true;
  }

  std::uint32_t begin(std::int64_t feature) const { return starts_[feature]; }
  std::uint32_t end(std::int64_t feature) const { return starts_[feature + 1]; }
  std::uint32_t sample(std::uint32_t entry) const { return samples_[entry]; }
  float value(std::uint32_t entry) const { return values_[entry]; }
  struct ColumnEntry {
    std::uint32_t sample, entry;
  };
  struct RowEntry {
    std::uint32_t feature, entry;
  };
  // Of entries in order: those of a feature in ascending order of samples are by_sample() from begin() to end().
  const ColumnEntry* by_sample() const { return by_sample_.data(); }
  const RowEntry* row_begin(std::uint32_t sample) const { return row_entries_.data() + row_starts_[sample]; }
  const RowEntry* row_end(std::uint32_t sample) const { return row_entries_.data() + row_starts_[sample + 1]; }
  std::int64_t row_size(std::uint32_t sample) const { return row_starts_[sample + 1] - row_starts_[sample]; }

 private:
  enum State : std::uint8_t { kRaw, kBusy, kDone };
  void sort(std::int64_t feature) const;
  void make_rows() const;

  bool in_order_;
  std::vector<std::uint32_t> starts_;
  mutable std::vector<std::uint32_t> samples_;  // of each entry
  mutable std::vector<float> values_;
  mutable std::vector<ColumnEntry> by_sample_;  // empty where entries stand so
  mutable std::vector<std::atomic<std::uint8_t>> states_;
  mutable std::atomic<std::int64_t> saved_{0};
  mutable std::atomic<bool> has_rows_{false};
  mutable std::once_flag made_rows_;
  mutable std::vector<std::uint32_t> row_starts_;
  mutable std::vector<RowEntry> row_entries_;
};

}  // namespace fastml::tree
