#include "linear/wide_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::WideKernels<float>
#define FASTML_TABLE_NAME wide_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::WideKernels<float>& linear::wide_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::wide_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::WideKernels<double>
#define FASTML_TABLE_NAME wide_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::WideKernels<double>& linear::wide_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::wide_table_f64;
  }
}

}  // namespace fastml
