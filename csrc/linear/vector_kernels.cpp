#include "linear/vector_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::VectorKernels<float>
#define FASTML_TABLE_NAME vector_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::VectorKernels<float>& linear::vector_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::vector_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::VectorKernels<double>
#define FASTML_TABLE_NAME vector_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::VectorKernels<double>& linear::vector_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::vector_table_f64;
  }
}

}  // namespace fastml
