#include "svm/decision_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE svm::DecisionKernels
#define FASTML_TABLE_NAME decision_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const svm::DecisionKernels& svm::decision_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::decision_table;
  }
}

}  // namespace fastml
