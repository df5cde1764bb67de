#include "decomposition/product_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE decomposition::ProductKernels<float>
#define FASTML_TABLE_NAME product_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const decomposition::ProductKernels<float>& decomposition::product_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::product_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE decomposition::ProductKernels<double>
#define FASTML_TABLE_NAME product_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const decomposition::ProductKernels<double>& decomposition::product_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::product_table_f64;
  }
}

}  // namespace fastml
