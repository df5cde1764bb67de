#include "linear/block_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::BlockKernels<float>
#define FASTML_TABLE_NAME block_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::BlockKernels<float>& linear::block_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::block_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::BlockKernels<double>
#define FASTML_TABLE_NAME block_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::BlockKernels<double>& linear::block_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::block_table_f64;
  }
}

}  // namespace fastml
