#include <array>
#include <string_view>

#include "bindings.hpp"
#include "nn/losses.hpp"
#include "nn/softmax.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using nn::ElementLoss;

ElementLoss loss_of(const std::string& kind) {
  static constexpr std::array<std::pair<std::string_view, ElementLoss>, 8> kinds{
      {{"squared", ElementLoss::squared},
       {"absolute", ElementLoss::absolute},
       {"huber", ElementLoss::huber},
       {"smooth", ElementLoss::smooth},
       {"logistic", ElementLoss::logistic},
       {"hinge", ElementLoss::hinge},
       {"poisson", ElementLoss::poisson},
       {"poisson_of_log", ElementLoss::poisson_of_log}}};
  for (const auto& [name, loss] : kinds) {
    if (name == kind) return loss;
  }
  throw py::value_error("unknown loss: " + kind);
}

// An array like another, or None.
template <class T>
struct Result {
  py::object array = py::none();
  T* data = nullptr;

  Result(bool is_wanted, const Array<T>& like) {
    if (!is_wanted) return;
    Array<T> made = pooled_like(like);
    data = made.mutable_data();
    array = made;
  }
};

template <class T>
const T* weights_of(const std::optional<Array<T>>& weights, const Array<T>& x) {
  if (!weights) return nullptr;
  require_equal_shapes(*weights, x);
  return weights->data();
}

template <class T>
py::tuple elementwise_loss(const Array<T>& x, const Array<T>& y, const std::string& kind, T parameter,
                           const std::optional<Array<T>>& weights, const std::optional<Array<T>>& positive_weights,
                           T factor, bool with_losses, bool with_derivatives, int n_threads) {
  require_equal_shapes(x, y);
  const ElementLoss loss = loss_of(kind);
  const Result<T> losses(with_losses, x), derivatives(with_derivatives, x);
  const nn::LossArrays<T> arrays{x.data(),    y.data(),        weights_of(weights, x), weights_of(positive_weights, x),
                                 losses.data, derivatives.data};
  const py::ssize_t size = x.size();
  double sum;
  {
    const py::gil_scoped_release unlocked;
    sum = nn::elementwise_loss(loss, parameter, size, arrays, factor, n_threads);
  }
  return py::make_tuple(sum, losses.array, derivatives.array);
}

template <class T>
py::tuple cross_entropy(const Array<T>& x, const std::optional<Array<std::int64_t>>& classes,
                        const std::optional<Array<T>>& probabilities, const std::optional<Array<T>>& weights,
                        T label_smoothing, std::int64_t ignored, bool mean, bool with_derivatives, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require(rows.cols >= 1 || rows.rows == 0, "cross_entropy: there are no classes");
  require(classes.has_value() != probabilities.has_value(), "cross_entropy: give classes or probabilities");
  if (probabilities) require_equal_shapes(*probabilities, x);
  const nn::ClassTargets<T> targets{optional_data(classes, rows.rows, "classes"),
                                    probabilities ? probabilities->data() : nullptr,
                                    optional_data(weights, rows.cols, "weights"), label_smoothing, ignored};
  Array<T> losses(rows.rows);
  T* to = losses.mutable_data();
  const Result<T> derivatives(with_derivatives, x);
  nn::LossSum result;
  {
    const py::gil_scoped_release unlocked;
    result = nn::cross_entropy(rows.rows, rows.cols, rows.data, targets, mean, to, derivatives.data, n_threads);
  }
  require(result.wrong < 0, "cross_entropy: classes must lie in [0, " + std::to_string(rows.cols) + "), got " +
                                std::to_string(result.wrong < 0 ? 0 : targets.classes[result.wrong]) + ".");
  return py::make_tuple(result.sum, result.weight, losses, derivatives.array);
}

template <class T>
void bind_nn_losses_of(py::module_& module) {
  using py::arg;
  module.def("nn_elementwise_loss", &elementwise_loss<T>, arg("x").noconvert(), arg("y").noconvert(), arg("kind"),
             arg("parameter"), arg("weights").noconvert().none(true), arg("positive_weights").noconvert().none(true),
             arg("factor"), arg("with_losses"), arg("with_derivatives"), arg("n_threads"),
             "(sum of the losses, losses or None, their derivatives by x times factor or None); formulas are in\n"
             "csrc/nn/losses.hpp.");
  module.def("nn_cross_entropy", &cross_entropy<T>, arg("x").noconvert(), arg("classes").noconvert().none(true),
             arg("probabilities").noconvert().none(true), arg("weights").noconvert().none(true), arg("label_smoothing"),
             arg("ignored"), arg("mean"), arg("with_derivatives"), arg("n_threads"),
             "(sum of the losses, what a mean divides it by, losses, derivatives of the sum or the mean, or None) of\n"
             "the rows of x against classes or probabilities.");
}

}  // namespace

void bind_nn_losses(py::module_& module) {
  bind_nn_losses_of<float>(module);
  bind_nn_losses_of<double>(module);
}

}  // namespace fastml
