// Rows of the kernel matrix that are kept, the least recently used given up first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/memory.hpp"
#include "svm/kernel_rows.hpp"

namespace fastml::svm {

// Which rows may be wanted next, besides the one that is missing now: writes at most `most` different columns whose rows
// are not kept, and returns how many.
using Guess = std::function<int(std::int32_t missing, std::int32_t* columns, int most)>;

// Rows are of float, one value for each column of the problem, and named by their column.
class RowCache {
 public:
  // Memory of rows is bounded by `bytes`, but for the few that a step needs at once.
  RowCache(KernelRows& rows, std::int64_t bytes);

  bool is_kept(std::int32_t column) const { return slot_of_[column] >= 0; }

  // The row, valid until four other rows have been asked for. Where it is not kept it is computed, and with it others that
  // `guess` names: together rows cost a fraction of what they cost one by one.
  const float* row(std::int32_t column, const Guess& guess);

 private:
  struct FreeSlab {
    std::size_t bytes;
    void operator()(float* slab) const { free_aligned(slab, bytes); }
  };

  void add(std::int32_t column, const Guess& guess);
  std::int32_t take_slot();
  void unlink(std::int32_t slot);
  void push_front(std::int32_t slot);
  float* values(std::int32_t slot) { return slabs_[slot / slab_rows_].get() + slot % slab_rows_ * stride_; }

  KernelRows& rows_;
  std::int64_t stride_, capacity_, slab_rows_;
  int batch_;
  std::vector<std::unique_ptr<float, FreeSlab>> slabs_;  // made when they are needed: few problems need all rows
  std::int64_t used_ = 0;                                // slots
  std::vector<std::int32_t> slot_of_;                    // by column; -1 where the row is not kept
  std::vector<std::int32_t> column_of_;                  // by slot
  // By slot, the most recently used first; element capacity_ stands for both ends.
  std::vector<std::int32_t> before_, after_;
};

}  // namespace fastml::svm
