#include "svm/smo_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE svm::SmoKernels
#define FASTML_TABLE_NAME smo_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const svm::SmoKernels& svm::smo_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::smo_table;
  }
}

}  // namespace fastml
