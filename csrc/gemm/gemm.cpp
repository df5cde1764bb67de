#include "gemm/gemm.hpp"

#define FASTML_TABLE_TYPE GemmKernels
#define FASTML_TABLE_NAME gemm_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const GemmKernels& gemm_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::gemm_table;
  }
}

}  // namespace fastml
