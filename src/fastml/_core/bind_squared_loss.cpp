#include "bindings.hpp"
#include "linear/squared_loss.hpp"

namespace fastml {
namespace {

using linear::SquaredLossRows;
using linear::SquaredLossTargets;
using linear::TrustRegionOutcome;

const char* text(TrustRegionOutcome outcome) {
  switch (outcome) {
    case TrustRegionOutcome::unbounded:
      return "unbounded";
    case TrustRegionOutcome::no_decrease:
      return "no_decrease";
    case TrustRegionOutcome::too_small:
      return "too_small";
    default:
      return "converged";
  }
}

py::list listed(const std::vector<linear::TrustRegionStep>& steps) {
  py::list list;
  for (const auto& step : steps) {
    list.append(py::make_tuple(step.iteration, step.reduction, step.expected_reduction, step.radius, step.value,
                               step.gradient_norm, step.products, step.at_boundary));
  }
  return list;
}

template <class T>
py::tuple minimize(const SquaredLossRows<T>& rows, const Array<double>& targets, const Array<double>& weights,
                   bool margin, double epsilon, double tolerance, std::int64_t max_iter, int n_threads) {
  require(rows.rows() < (std::int64_t(1) << 31), "x: expected fewer than 2^31 rows");
  require(targets.size() == rows.rows() && weights.size() == rows.rows(), "targets, weights: expected one a row");
  Array<double> point(rows.size());
  double* to = point.mutable_data();
  const SquaredLossTargets losses{targets.data(), weights.data(), margin, epsilon};
  std::vector<linear::TrustRegionStep> steps;
  linear::TrustRegionResult result{};
  {
    const py::gil_scoped_release unlocked;
    const auto function = linear::make_squared_loss(rows, losses, n_threads, interrupted);
    result = linear::minimize_trust_region(*function, tolerance, max_iter, to, &steps);
  }
  raise_if(result.outcome == TrustRegionOutcome::stopped);
  return py::make_tuple(std::move(point), result.iterations, text(result.outcome), listed(steps));
}

template <class T>
void bind_squared_loss_of(py::module_& module) {
  module.def(
      "minimize_squared_loss",
      [](const Array<T>& x, double bias, const Array<double>& targets, const Array<double>& weights, bool margin,
         double epsilon, double tolerance, std::int64_t max_iter, int n_threads) {
        const SquaredLossRows<T> rows{rows_of(x), {}, bias};
        return minimize(rows, targets, weights, margin, epsilon, tolerance, max_iter, n_threads);
      },
      py::arg("x").noconvert(), py::arg("bias"), py::arg("targets").noconvert(), py::arg("weights").noconvert(),
      py::arg("margin"), py::arg("epsilon"), py::arg("tolerance"), py::arg("max_iter"), py::arg("n_threads") = 1,
      "The minimum of csrc/linear/squared_loss.hpp by a trust region: the weights, the iterations, how it ended\n"
      "(\"converged\", \"unbounded\", \"no_decrease\" or \"too_small\"), and the steps tried.");
  module.def(
      "minimize_squared_loss",
      [](const Array<T>& values, const Array<std::int32_t>& indices, const Array<std::int32_t>& offsets,
         std::int64_t features, double bias, const Array<double>& targets, const Array<double>& weights, bool margin,
         double epsilon, double tolerance, std::int64_t max_iter, int n_threads) {
        require(values.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
        const Csr<T> x{values.data(), indices.data(), offsets.data(), offsets.size() - 1, features};
        require(in_bounds(x, values.size()), "CSR offsets or column indices out of range");
        const SquaredLossRows<T> rows{{}, x, bias};
        return minimize(rows, targets, weights, margin, epsilon, tolerance, max_iter, n_threads);
      },
      py::arg("values").noconvert(), py::arg("indices").noconvert(), py::arg("offsets").noconvert(),
      py::arg("features"), py::arg("bias"), py::arg("targets").noconvert(), py::arg("weights").noconvert(),
      py::arg("margin"), py::arg("epsilon"), py::arg("tolerance"), py::arg("max_iter"), py::arg("n_threads") = 1,
      "The same of CSR rows.");
}

}  // namespace

void bind_squared_loss(py::module_& module) {
  bind_squared_loss_of<float>(module);
  bind_squared_loss_of<double>(module);
}

}  // namespace fastml
