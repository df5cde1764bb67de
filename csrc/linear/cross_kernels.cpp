#include "linear/cross_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::CrossKernels<float>
#define FASTML_TABLE_NAME cross_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::CrossKernels<float>& linear::cross_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::cross_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::CrossKernels<double>
#define FASTML_TABLE_NAME cross_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::CrossKernels<double>& linear::cross_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::cross_table_f64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::CrossProductKernels<float, float>
#define FASTML_TABLE_NAME cross_table_f32_narrow
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::CrossProductKernels<float, float>& linear::cross_product_kernels<float, float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::cross_table_f32_narrow;
  }
}

template <>
const linear::CrossProductKernels<float, double>& linear::cross_product_kernels<float, double>(SimdLevel level) {
  return cross_kernels<float>(level);
}

template <>
const linear::CrossProductKernels<double, double>& linear::cross_product_kernels<double, double>(SimdLevel level) {
  return cross_kernels<double>(level);
}

}  // namespace fastml
