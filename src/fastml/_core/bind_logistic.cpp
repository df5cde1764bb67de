#include <memory>

#include "bindings.hpp"
#include "linear/lbfgs.hpp"
#include "linear/logistic.hpp"

namespace fastml {
namespace {

using linear::DenseSamples;
using linear::LbfgsOutcome;
using linear::LogisticLoss;
using linear::LogisticOptions;
using linear::LogisticTargets;
using linear::SparseSamples;

using Doubles = Array<double>;

template <class T>
DenseSamples<T> samples_of(const Array<T>& x) {
  return {rows_of(x)};
}

// The arrays (data, indices, indptr) of CSR rows and the number of their columns.
struct SparseInput {
  Doubles values;
  Array<std::int32_t> indices;
  Array<std::int64_t> offsets;
  SparseSamples samples{};

  explicit SparseInput(const py::tuple& x) {
    require(x.size() == 4, "a CSR input is (data, indices, indptr, n_features)");
    values = x[0].cast<Doubles>();
    indices = x[1].cast<Array<std::int32_t>>();
    offsets = x[2].cast<Array<std::int64_t>>();
    require(values.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
    samples = {values.data(), indices.data(), offsets.data(), offsets.size() - 1, x[3].cast<std::int64_t>()};
    require(linear::in_bounds(samples, values.size()), "CSR offsets or column indices out of range");
  }
};

// The loss with the arrays that it borrows.
struct Objective {
  py::object samples, classes, weights;
  std::unique_ptr<LogisticLoss> loss;
  bool has_curvature = false;

  template <class Samples, class T = typename Samples::Value>
  void set(const Samples& x, std::int64_t rows, const Array<T>& classes_, const std::optional<Array<T>>& weights_,
           std::int64_t outputs, double total_weight, bool intercept, int n_threads) {
    require(outputs >= 1, "outputs: expected at least 1");
    require(classes_.ndim() == 1 && classes_.shape(0) == rows, "classes: expected one a row");
    classes = classes_;
    weights = py::cast(weights_);
    const LogisticTargets<T> targets{classes_.data(), optional_data(weights_, rows, "weights"), outputs};
    loss = linear::make_logistic_loss(x, targets, LogisticOptions{intercept, total_weight, n_threads});
  }

  template <class T>
  Objective(const Array<T>& x, const Array<T>& classes_, const std::optional<Array<T>>& weights_, std::int64_t outputs,
            double total_weight, bool intercept, int n_threads)
      : samples(x) {
    set(samples_of(x), rows_of(x).rows, classes_, weights_, outputs, total_weight, intercept, n_threads);
  }

  Objective(const py::tuple& x, const Doubles& classes_, const std::optional<Doubles>& weights_, std::int64_t outputs,
            double total_weight, bool intercept, int n_threads) {
    const SparseInput input(x);
    samples = py::make_tuple(input.values, input.indices, input.offsets);
    set(input.samples, input.samples.rows, classes_, weights_, outputs, total_weight, intercept, n_threads);
  }

  const double* checked(const Doubles& coefficients) const {
    require(coefficients.ndim() == 1 && coefficients.size() == loss->size(),
            "expected " + std::to_string(loss->size()) + " coefficients, got " + std::to_string(coefficients.size()));
    return coefficients.data();
  }
};

template <class X, class T>
void bind_input(py::class_<Objective>& objective) {
  objective.def(py::init<const X&, const Array<T>&, const std::optional<Array<T>>&, std::int64_t, double, bool, int>(),
                py::arg("x").noconvert(), py::arg("classes").noconvert(), py::arg("weights").noconvert().none(true),
                py::arg("outputs"), py::arg("total_weight"), py::arg("intercept"), py::arg("n_threads") = 1);
}

py::tuple loss_gradient(Objective& self, const Doubles& coefficients, double l2, bool curvature) {
  const double* at = self.checked(coefficients);
  Doubles gradient(coefficients.size());
  double* to = gradient.mutable_data();
  double loss;
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = curvature ? self.loss->loss_gradient_curvature(at, l2, loss, to, interrupted)
                         : self.loss->loss_gradient(at, l2, loss, to, interrupted);
  }
  raise_if(!finished);
  self.has_curvature = self.has_curvature || curvature;
  return py::make_tuple(loss, gradient);
}

const char* text(LbfgsOutcome outcome) {
  switch (outcome) {
    case LbfgsOutcome::flat:
      return "flat";
    case LbfgsOutcome::no_progress:
      return "no_progress";
    case LbfgsOutcome::iterations:
      return "iterations";
    case LbfgsOutcome::evaluations:
      return "evaluations";
    default:
      return "abnormal";
  }
}

py::tuple minimize(Objective& self, const Doubles& start, double l2, std::int64_t max_iter, double gradient_tolerance,
                   double reduction_tolerance) {
  self.checked(start);
  Doubles point(start.size(), start.data());
  double* at = point.mutable_data();
  linear::LbfgsResult result{};
  {
    const py::gil_scoped_release unlocked;
    LogisticLoss& loss = *self.loss;
    const auto function = [&loss, l2](const double* x, double& value, double* gradient) {
      return loss.loss_gradient(x, l2, value, gradient, interrupted);
    };
    result = linear::minimize_lbfgs(function, at, loss.size(), {max_iter, gradient_tolerance, reduction_tolerance});
  }
  raise_if(result.outcome == LbfgsOutcome::stopped);
  return py::make_tuple(point, result.value, result.iterations, text(result.outcome));
}

template <class T>
void bind_probabilities(py::module_& module) {
  module.def(
      "logistic_probabilities",
      [](const Array<T>& x, const Array<T>& coefficients, std::int64_t outputs, int n_threads) {
        const DenseSamples<T> samples = samples_of(x);
        require(outputs >= 1 && coefficients.size() == outputs * (samples.x.cols + 1),
                "coefficients: expected those of the features and an intercept for each output");
        Array<T> probabilities({samples.x.rows, outputs == 1 ? std::int64_t(2) : outputs});
        const T* from = coefficients.data();
        T* to = probabilities.mutable_data();
        bool finished;
        {
          const py::gil_scoped_release unlocked;
          finished = linear::logistic_probabilities(samples, outputs, from, n_threads, to, interrupted);
        }
        raise_if(!finished);
        return probabilities;
      },
      py::arg("x").noconvert(), py::arg("coefficients").noconvert(), py::arg("outputs"), py::arg("n_threads") = 1,
      "Probabilities of the classes; csrc/linear/logistic.hpp has the contract.");
}

}  // namespace

void bind_logistic(py::module_& module) {
  py::class_<Objective> objective(
      module, "LogisticLoss",
      "The objective of logistic regression on dense or CSR rows; csrc/linear/logistic.hpp has the contract.");
  bind_input<Array<float>, float>(objective);
  bind_input<Array<double>, double>(objective);
  bind_input<py::tuple, double>(objective);
  objective
      .def(
          "loss_gradient",
          [](Objective& self, const Doubles& coefficients, double l2) {
            return loss_gradient(self, coefficients, l2, false);
          },
          py::arg("coefficients").noconvert(), py::arg("l2"))
      .def(
          "loss_gradient_curvature",
          [](Objective& self, const Doubles& coefficients, double l2) {
            return loss_gradient(self, coefficients, l2, true);
          },
          py::arg("coefficients").noconvert(), py::arg("l2"))
      .def(
          "hessian_product",
          [](Objective& self, const Doubles& direction, double l2) {
            require(self.has_curvature, "hessian_product: call loss_gradient_curvature first");
            const double* along = self.checked(direction);
            Doubles product(direction.size());
            double* to = product.mutable_data();
            bool finished;
            {
              const py::gil_scoped_release unlocked;
              finished = self.loss->hessian_product(along, l2, to, interrupted);
            }
            raise_if(!finished);
            return product;
          },
          py::arg("direction").noconvert(), py::arg("l2"))
      .def(
          "loss_gradient_hessian",
          [](Objective& self, const Doubles& coefficients, double l2) {
            const double* at = self.checked(coefficients);
            const py::ssize_t size = coefficients.size();
            Doubles gradient(size), hessian({size, size});
            double* slopes = gradient.mutable_data();
            double* bends = hessian.mutable_data();
            double loss;
            bool finished;
            {
              const py::gil_scoped_release unlocked;
              finished = self.loss->loss_gradient_hessian(at, l2, loss, slopes, bends, interrupted);
            }
            raise_if(!finished);
            return py::make_tuple(loss, gradient, hessian);
          },
          py::arg("coefficients").noconvert(), py::arg("l2"))
      .def("minimize_lbfgs", minimize, py::arg("start").noconvert(), py::arg("l2"), py::arg("max_iter"),
           py::arg("gradient_tolerance"), py::arg("reduction_tolerance"),
           "The last point of L-BFGS, its value, the number of iterations and what ended them.");
  bind_probabilities<float>(module);
  bind_probabilities<double>(module);
}

}  // namespace fastml
