#include <array>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "nn/dense_network.hpp"

namespace fastml {
namespace {

using nn::DenseActivation;
using nn::DenseInput;
using nn::DenseLoss;
using nn::DenseNetwork;
using nn::DenseTargets;
using nn::Outcome;
using nn::Parameters;
using nn::Rule;

// The value that a name stands for.
template <class Value, std::size_t Count>
Value named(const std::array<std::pair<const char*, Value>, Count>& names, const std::string& name) {
  for (const auto& [known, value] : names) {
    if (name == known) return value;
  }
  throw py::value_error("unknown name: " + name);
}

DenseActivation dense_activation_of(const std::string& name) {
  return named<DenseActivation, 6>({{{"identity", DenseActivation::identity},
                                     {"logistic", DenseActivation::logistic},
                                     {"tanh", DenseActivation::tanh},
                                     {"relu", DenseActivation::relu},
                                     {"softmax", DenseActivation::softmax},
                                     {"exp", DenseActivation::exp}}},
                                   name);
}

DenseLoss dense_loss_of(const std::string& name) {
  return named<DenseLoss, 4>({{{"squared_error", DenseLoss::squared_error},
                               {"poisson", DenseLoss::poisson},
                               {"log_loss", DenseLoss::log_loss},
                               {"binary_log_loss", DenseLoss::binary_log_loss}}},
                             name);
}

Parameters parameters_of(const std::string& name) {
  return named<Parameters, 3>(
      {{{"weights", Parameters::weights}, {"first", Parameters::first}, {"second", Parameters::second}}}, name);
}

std::vector<std::int64_t> checked_widths(const std::vector<std::int64_t>& widths) {
  require(widths.size() >= 2, "widths: expected those of the input and of one layer at least");
  for (const std::int64_t width : widths) require(width >= 1, "widths: expected at least 1 each");
  return widths;
}

// Rows with the arrays that they are borrowed from: an array, or (data, indices, indptr, n_features).
struct NetworkInput {
  py::object values;
  Array<std::int32_t> indices;
  Array<std::int64_t> offsets;
  DenseInput rows{};

  NetworkInput(const py::object& x, std::int64_t features) {
    const bool is_sparse = py::isinstance<py::tuple>(x);
    values = is_sparse ? py::object(x.cast<py::tuple>()[0]) : x;
    const bool is_double = py::isinstance<Array<double>>(values);
    require(is_double || py::isinstance<Array<float>>(values), "expected C-contiguous float32 or float64 rows");
    const auto array = py::reinterpret_borrow<py::array>(values);
    rows.values = array.data();
    rows.is_double = is_double;
    if (is_sparse) {
      const auto parts = x.cast<py::tuple>();
      require(parts.size() == 4, "a CSR input is (data, indices, indptr, n_features)");
      indices = parts[1].cast<Array<std::int32_t>>();
      offsets = parts[2].cast<Array<std::int64_t>>();
      rows.indices = indices.data();
      rows.offsets = offsets.data();
      rows.rows = offsets.size() - 1;
      rows.cols = parts[3].cast<std::int64_t>();
      require(array.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
      require(nn::in_bounds(rows, array.size()), "CSR offsets or column indices out of range");
    } else {
      require(array.ndim() == 2, "expected a 2-dimensional array");
      rows.rows = array.shape(0);
      rows.cols = array.shape(1);
    }
    require(rows.cols == features, "expected " + std::to_string(features) + " features");
  }
};

template <class T>
DenseTargets<T> targets_of(const py::array& y, const std::optional<Array<double>>& weights, std::int64_t rows,
                           std::int64_t outputs) {
  require(y.ndim() == 2 && y.shape(0) == rows && y.shape(1) == outputs, "targets: expected rows x outputs");
  DenseTargets<T> targets{nullptr, nullptr, optional_data(weights, rows, "weights")};
  if (py::isinstance<Array<std::uint8_t>>(y)) {
    targets.flags = static_cast<const std::uint8_t*>(y.data());
  } else {
    require(py::isinstance<Array<T>>(y), "targets: expected the type of the network, or uint8");
    targets.values = static_cast<const T*>(y.data());
  }
  return targets;
}

void raise_unless_finished(Outcome outcome) {
  if (outcome == Outcome::weightless) {
    PyErr_SetString(PyExc_ZeroDivisionError, "Weights sum to zero, can't be normalized");
    throw py::error_already_set();
  }
  raise_if(outcome == Outcome::stopped);
}

// A network and the optimizer that trains it.
template <class T>
struct Trainer {
  DenseNetwork<T> network;
  nn::Optimizer optimizer{Rule::sgd, 0, 0, 0, 0, 0};

  Trainer(const std::vector<std::int64_t>& widths, const std::string& hidden, const std::string& output,
          const std::string& loss)
      : network(checked_widths(widths), dense_activation_of(hidden), dense_activation_of(output), dense_loss_of(loss)) {
  }

  void load(const std::string& which, const Array<T>& flat) {
    require(flat.ndim() == 1 && flat.size() == network.size(),
            "expected " + std::to_string(network.size()) + " parameters, got " + std::to_string(flat.size()));
    network.load(parameters_of(which), flat.data());
  }

  Array<T> store(const std::string& which) const {
    Array<T> flat(network.size());
    network.store(parameters_of(which), flat.mutable_data());
    return flat;
  }

  void set_optimizer(const std::string& rule, double rate, double momentum, double beta_2, double epsilon,
                     std::int64_t steps, bool scales_epsilon) {
    const auto known = named<Rule, 3>({{{"sgd", Rule::sgd}, {"nesterov", Rule::nesterov}, {"adam", Rule::adam}}}, rule);
    optimizer = {known, rate, momentum, beta_2, epsilon, steps, scales_epsilon};
  }

  double train_epoch(const py::object& x, const py::array& y, const std::optional<Array<double>>& weights,
                     const std::optional<Array<std::int64_t>>& order, std::int64_t batch, double alpha, int n_threads) {
    const NetworkInput input(x, network.widths().front());
    const std::int64_t rows = input.rows.rows;
    const DenseTargets<T> targets = targets_of<T>(y, weights, rows, network.widths().back());
    const std::int64_t* numbers = optional_data(order, rows, "order");
    require(numbers == nullptr || are_indices(numbers, rows, rows), "order: expected numbers of rows");
    require(batch >= 1, "batch: expected at least 1");
    double loss;
    Outcome outcome;
    {
      const py::gil_scoped_release unlocked;
      outcome =
          network.train_epoch(input.rows, targets, numbers, batch, alpha, optimizer, n_threads, loss, interrupted);
    }
    raise_unless_finished(outcome);
    return loss;
  }

  py::tuple loss_gradient(const py::object& x, const py::array& y, const std::optional<Array<double>>& weights,
                          double alpha, int n_threads) {
    const NetworkInput input(x, network.widths().front());
    const DenseTargets<T> targets = targets_of<T>(y, weights, input.rows.rows, network.widths().back());
    Array<T> gradient(network.size());
    T* to = gradient.mutable_data();
    double loss;
    Outcome outcome;
    {
      const py::gil_scoped_release unlocked;
      outcome = network.loss_gradient(input.rows, targets, alpha, n_threads, loss, to, interrupted);
    }
    raise_unless_finished(outcome);
    return py::make_tuple(loss, gradient);
  }

  Array<T> predict(const py::object& x, int n_threads) {
    const NetworkInput input(x, network.widths().front());
    Array<T> outputs({input.rows.rows, network.widths().back()});
    T* to = outputs.mutable_data();
    bool finished;
    {
      const py::gil_scoped_release unlocked;
      finished = network.predict(input.rows, n_threads, to, interrupted);
    }
    raise_if(!finished);
    return outputs;
  }
};

// The outputs of one row; coefs[l] is inputs x outputs.
template <class T>
Array<T> predict_row(const Array<T>& row, const std::vector<Array<T>>& coefs, const std::vector<Array<T>>& intercepts,
                     const std::string& hidden, const std::string& output) {
  require(!coefs.empty() && coefs.size() == intercepts.size(), "expected as many intercepts as coefficients");
  std::vector<std::int64_t> widths{row.size()};
  std::vector<const T*> weights, starts;
  for (const Array<T>& coef : coefs) {
    const Array<T>& intercept = intercepts[weights.size()];
    require(coef.ndim() == 2 && coef.shape(0) == widths.back() && intercept.size() == coef.shape(1),
            "coefficients of unequal shapes");
    widths.push_back(coef.shape(1));
    weights.push_back(coef.data());
    starts.push_back(intercept.data());
  }
  checked_widths(widths);
  Array<T> outputs({std::int64_t(1), widths.back()});
  nn::dense_forward_row(widths, dense_activation_of(hidden), dense_activation_of(output), row.data(), weights.data(),
                        starts.data(), outputs.mutable_data());
  return outputs;
}

template <class T>
void bind_network(py::module_& module, const char* name) {
  py::class_<Trainer<T>>(module, name,
                         "A network of dense layers and its optimizer; csrc/nn/dense_network.hpp has the contract.")
      .def(py::init<const std::vector<std::int64_t>&, const std::string&, const std::string&, const std::string&>(),
           py::arg("widths"), py::arg("hidden"), py::arg("output"), py::arg("loss"))
      .def("load", &Trainer<T>::load, py::arg("which"), py::arg("flat").noconvert())
      .def("store", &Trainer<T>::store, py::arg("which"))
      .def("set_optimizer", &Trainer<T>::set_optimizer, py::arg("rule"), py::arg("rate"), py::arg("momentum"),
           py::arg("beta_2"), py::arg("epsilon"), py::arg("steps"), py::arg("scales_epsilon") = false)
      .def_property_readonly("steps", [](const Trainer<T>& self) { return self.optimizer.steps; })
      .def("train_epoch", &Trainer<T>::train_epoch, py::arg("x"), py::arg("y"), py::arg("weights").noconvert(),
           py::arg("order").noconvert(), py::arg("batch"), py::arg("alpha"), py::arg("n_threads") = 1,
           "The sum of loss * rows over the batches.")
      .def("loss_gradient", &Trainer<T>::loss_gradient, py::arg("x"), py::arg("y"), py::arg("weights").noconvert(),
           py::arg("alpha"), py::arg("n_threads") = 1)
      .def("predict", &Trainer<T>::predict, py::arg("x"), py::arg("n_threads") = 1);
  module.def("dense_predict_row", predict_row<T>, py::arg("row").noconvert(), py::arg("coefs"), py::arg("intercepts"),
             py::arg("hidden"), py::arg("output"), "The outputs of one row.");
}

}  // namespace

void bind_nn_dense(py::module_& module) {
  bind_network<float>(module, "DenseNetworkF32");
  bind_network<double>(module, "DenseNetworkF64");
}

}  // namespace fastml
