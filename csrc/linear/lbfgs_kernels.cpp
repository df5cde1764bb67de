#include "linear/lbfgs_kernels.hpp"

#define FASTML_TABLE_TYPE linear::LbfgsKernels
#define FASTML_TABLE_NAME lbfgs_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const linear::LbfgsKernels& linear::lbfgs_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::lbfgs_table;
  }
}

}  // namespace fastml
