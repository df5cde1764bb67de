#include "tree/class_estimates.hpp"

#define FASTML_TABLE_TYPE tree::ClassEstimateKernels
#define FASTML_TABLE_NAME class_estimate_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

namespace tree {

const ClassEstimateKernels& class_estimate_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::class_estimate_table;
  }
}

}  // namespace tree
}  // namespace fastml
