#include "svm/row_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE svm::RowKernels
#define FASTML_TABLE_NAME svm_row_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const svm::RowKernels& svm::row_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::svm_row_table;
  }
}

}  // namespace fastml
