#include "linear/squared_loss_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::SquaredLossKernels<float>
#define FASTML_TABLE_NAME squared_loss_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::SquaredLossKernels<float>& linear::squared_loss_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::squared_loss_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::SquaredLossKernels<double>
#define FASTML_TABLE_NAME squared_loss_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::SquaredLossKernels<double>& linear::squared_loss_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::squared_loss_table_f64;
  }
}

}  // namespace fastml
