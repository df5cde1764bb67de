#include "neighbors/csr_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE neighbors::CsrKernels<float>
#define FASTML_TABLE_NAME csr_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::CsrKernels<float>& neighbors::csr_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::csr_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE neighbors::CsrKernels<double>
#define FASTML_TABLE_NAME csr_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::CsrKernels<double>& neighbors::csr_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::csr_table_f64;
  }
}

}  // namespace fastml
