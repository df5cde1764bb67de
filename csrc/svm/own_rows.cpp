#include "svm/own_rows.hpp"

#include <cstring>

namespace fastml::svm {

void OwnRows::keep(std::int64_t member, const float* row) {
  if (room_.load(std::memory_order_relaxed) <= 0 || find(member) != nullptr) return;
  if (room_.fetch_sub(1, std::memory_order_relaxed) <= 0) return;
  float* const kept = static_cast<float*>(allocate_aligned(bytes()));
  std::memcpy(kept, row, bytes());
  float* none = nullptr;
  if (!rows_[std::size_t(member)].compare_exchange_strong(none, kept, std::memory_order_release,
                                                          std::memory_order_relaxed)) {
    free_aligned(kept, bytes());  // another pair has been faster
  }
}

}  // namespace fastml::svm
