#include "nn/softmax_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::SoftmaxKernels<float>
#define FASTML_TABLE_NAME softmax_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::SoftmaxKernels<float>& nn::softmax_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::softmax_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::SoftmaxKernels<double>
#define FASTML_TABLE_NAME softmax_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::SoftmaxKernels<double>& nn::softmax_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::softmax_table_f64;
  }
}

}  // namespace fastml
