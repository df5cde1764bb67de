// Kernel values among the samples of one class, shared by all pairs that the class is in.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/memory.hpp"

namespace fastml::svm {

// Row i has K(member i, each member) in float. Any thread may ask for rows and add some.
class OwnRows {
 public:
  // At most `bytes` are kept.
  OwnRows(std::int64_t members, std::int64_t bytes)
      : rows_(std::size_t(members)), room_(members > 0 ? bytes / (members * std::int64_t(sizeof(float))) : 0) {}
  ~OwnRows() {
    for (std::atomic<float*>& row : rows_) {
      if (row != nullptr) free_aligned(row, bytes());
    }
  }
  OwnRows(const OwnRows&) = delete;
  OwnRows& operator=(const OwnRows&) = delete;

  // Null where the row is not kept; else it stays as it is.
  const float* find(std::int64_t member) const { return rows_[std::size_t(member)].load(std::memory_order_acquire); }

  // Copies a row that was not found, while there is room.
  void keep(std::int64_t member, const float* row);

 private:
  std::size_t bytes() const { return rows_.size() * sizeof(float); }

  std::vector<std::atomic<float*>> rows_;
  std::atomic<std::int64_t> room_;  // rows that may still be kept
};

}  // namespace fastml::svm
