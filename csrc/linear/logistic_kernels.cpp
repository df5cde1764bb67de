#include "linear/logistic_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE linear::LogisticKernels<linear::DenseSamples<float>>
#define FASTML_TABLE_NAME logistic_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::LogisticKernels<linear::DenseSamples<float>>& linear::logistic_kernels<linear::DenseSamples<float>>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::logistic_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::LogisticKernels<linear::DenseSamples<double>>
#define FASTML_TABLE_NAME logistic_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::LogisticKernels<linear::DenseSamples<double>>& linear::logistic_kernels<linear::DenseSamples<double>>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::logistic_table_f64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE linear::LogisticKernels<linear::SparseSamples>
#define FASTML_TABLE_NAME logistic_table_csr
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const linear::LogisticKernels<linear::SparseSamples>& linear::logistic_kernels<linear::SparseSamples>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::logistic_table_csr;
  }
}

}  // namespace fastml
