// The objective of LinearSVC and LinearSVR in the primal, on rows:
//
//   |w|^2 / 2 + sum over rows of weight * error^2
//
// with the errors of squared_loss_kernels.hpp. The bias is a weight like any other.
//
// Rows are dealt to threads in equal shares: the sums depend on the number of threads, and on nothing else that could
// change from run to run.
#pragma once

#include <memory>

#include "linear/squared_loss_kernels.hpp"
#include "linear/trust_region.hpp"
#include "runtime/stop.hpp"

namespace fastml::linear {

// Arrays are borrowed. There are fewer than 2^31 rows. Throws std::bad_alloc.
template <class T>
std::unique_ptr<NewtonFunction> make_squared_loss(const SquaredLossRows<T>& rows, const SquaredLossTargets& targets,
                                                  int threads, StopCheck stop);

}  // namespace fastml::linear
