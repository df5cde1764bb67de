#include "nn/dense_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::DenseKernels<float>
#define FASTML_TABLE_NAME dense_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::DenseKernels<float>& nn::dense_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::DenseKernels<double>
#define FASTML_TABLE_NAME dense_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::DenseKernels<double>& nn::dense_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_table_f64;
  }
}

}  // namespace fastml
