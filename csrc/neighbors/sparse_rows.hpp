// A view of compressed sparse rows whose number of values may need 64 bits.
#pragma once

#include <cstdint>

namespace fastml::neighbors {

// Row i holds values[offsets[i] .. offsets[i + 1]); its indices ascend.
template <class T>
struct SparseRows {
  const T* values;
  const std::int32_t* indices;
  const std::int64_t* offsets;
  std::int64_t rows;
  std::int64_t cols;
};

}  // namespace fastml::neighbors
