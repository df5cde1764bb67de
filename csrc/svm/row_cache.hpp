// Rows of the kernel matrix that are kept, the least recently used given up first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/block_pool.hpp"
#include "runtime/buffer.hpp"
#include "svm/kernel_rows.hpp"
#include "svm/smo_kernels.hpp"

namespace fastml::svm {

// Which rows may be wanted next, besides the one that is missing now: writes at most `most` different columns whose rows
// are not kept, and returns how many.
using Guess = std::function<int(std::int32_t missing, std::int32_t* columns, int most)>;

// A row is named by its sample's column, and has a value for each place of a variable, in the order the places have now.
// Shrinking exchanges places; a kept row follows when it is asked for the next time, since few rows are used between two
// exchanges of many places.
class RowCache {
 public:
  // `columns` are those of the places. Memory of rows is bounded by `bytes`, but for the few that a step needs at once.
  RowCache(KernelRows& rows, std::vector<std::int32_t> columns, std::int64_t bytes);

  // Batches of rows that were computed so far.
  std::int64_t computed() const { return computed_; }
  // Whether there is room for every row.
  bool holds_all() const { return capacity_ >= rows_.columns(); }

  std::int32_t column(std::int64_t place) const { return columns_[place]; }
  void exchange(std::int64_t a, std::int64_t b);

  std::pair<std::int64_t, std::int64_t> part_of(std::int64_t column) const { return rows_.part_of(column); }
  bool is_kept(std::int32_t column) const { return slot_of_[column] >= 0; }

  // A row, valid until four other rows have been asked for or places are exchanged. Where it is not kept it is computed, and
  // with it others that `guess` names: together rows cost a fraction of what they cost one by one.
  const float* row(std::int32_t column, const Guess& guess);

 private:
  struct GiveBack {
    std::size_t bytes;
    void operator()(float* slab) const;
  };
  using Slab = std::unique_ptr<float, GiveBack>;

  void add(std::int32_t column, const Guess& guess);
  void note_guess(bool was_used);
  void follow(std::int32_t slot);
  std::int32_t take_slot();
  void unlink(std::int32_t slot);
  void push_front(std::int32_t slot);
  float* values(std::int32_t slot) { return slabs_[slot / slab_rows_].get() + slot % slab_rows_ * stride_; }

  KernelRows& rows_;
  const SmoKernels& kernels_;
  std::vector<std::int32_t> columns_;  // by place
  std::int64_t places_, stride_, capacity_, slab_rows_, slab_bytes_;
  int batch_;
  double worthwhile_;  // share of guessed rows that must be used for guesses to pay
  int used_guesses_ = 0, guesses_seen_ = 0;
  std::int64_t computed_ = 0;
  bool in_order_;  // every place is of its own column, or of that in the first half where there are twice as many
  std::vector<std::pair<std::int32_t, std::int32_t>> exchanges_;  // all, in order
  std::vector<std::int32_t> batch_columns_, batch_slots_;
  std::vector<float*> batch_values_;
  Buffer<float> by_column_;              // a batch of rows, before they are put in order
  std::vector<Slab> slabs_;              // made when they are needed: few problems need all rows
  std::int64_t used_ = 0;                // slots
  std::vector<std::int32_t> slot_of_;    // by column; -1 where the row is not kept
  std::vector<std::int32_t> column_of_;  // by slot
  std::vector<std::size_t> followed_;    // by slot: exchanges that the row has followed
  std::vector<char> is_guess_;           // by slot: computed by a guess, and not used yet
  // By slot, the most recently used first; element capacity_ stands for both ends.
  std::vector<std::int32_t> before_, after_;
};

}  // namespace fastml::svm
