#include "tree/value_passes.hpp"

#define FASTML_TABLE_TYPE tree::ValueKernels
#define FASTML_TABLE_NAME tree_value_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

namespace tree {

const ValueKernels& value_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::tree_value_table;
  }
}

}  // namespace tree
}  // namespace fastml
