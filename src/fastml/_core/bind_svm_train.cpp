#include <map>
#include <string>

#include "bindings.hpp"
#include "svm/train.hpp"
#include "svm_arguments.hpp"

namespace fastml {
namespace {

using svm::Machine;

Machine machine_of(const std::string& name) {
  static const std::map<std::string, Machine> machines{{"c_svc", Machine::c_svc},
                                                       {"nu_svc", Machine::nu_svc},
                                                       {"one_class", Machine::one_class},
                                                       {"epsilon_svr", Machine::epsilon_svr},
                                                       {"nu_svr", Machine::nu_svr}};
  const auto found = machines.find(name);
  require(found != machines.end(), "machine: not known: " + name);
  return found->second;
}

// X is a dense array, or (values, indices, offsets, number of features) of sparse rows. `owner` keeps what was converted.
svm::Samples samples_of(const py::object& x, const svm::Kernel& kernel, py::object& owner) {
  svm::Samples samples{};
  samples.kernel = kernel;
  samples.is_sparse = py::isinstance<py::tuple>(x);
  if (!samples.is_sparse) {
    const auto dense = x.cast<Array<double>>();
    owner = dense;
    samples.dense = rows_of(dense);
    require(!samples.is_given() || samples.dense.rows == samples.dense.cols,
            "a precomputed kernel: expected a square matrix");
    return samples;
  }
  const SparseRows sparse(x.cast<py::tuple>());
  owner = py::make_tuple(sparse.values, sparse.indices, sparse.offsets);
  require(!samples.is_given(), "CSR rows: expected a kernel that is not precomputed");
  samples.sparse = sparse.rows;
  return samples;
}

bool are_classes(const double* targets, std::int64_t count, std::int64_t classes) {
  return std::all_of(targets, targets + count, [&](double c) { return c >= 0 && c < double(classes); });
}

py::dict train(const py::object& x, const Array<double>& targets, const Array<double>& weights,
               const Array<double>& class_weights, const std::string& machine, const std::string& kernel, int degree,
               double gamma, double coef0, double c, double nu, double epsilon, double tolerance, bool shrinking,
               std::int64_t max_iter, double cache_megabytes, bool probability, std::uint32_t seed, int n_threads) {
  svm::TrainingSet set{};
  py::object owner;
  const svm::KernelKind kind = kernel == "precomputed" ? svm::KernelKind::precomputed : kernel_kind_of(kernel);
  set.samples = samples_of(x, {kind, degree, gamma, coef0}, owner);
  const std::int64_t count = set.samples.count();
  svm::TrainOptions options{machine_of(machine), c, nu, epsilon, {}, probability, seed, n_threads};
  const double most_bytes = 1e18;
  options.smo = {tolerance, shrinking, max_iter, std::int64_t(std::min(cache_megabytes * (1 << 20), most_bytes))};
  require(n_threads >= 1, "n_threads: expected at least 1");
  require(cache_megabytes >= 0, "cache_megabytes: expected a number from 0");
  require(weights.size() == count, "weights: expected one for each sample");
  require(options.machine == Machine::one_class || targets.size() == count, "targets: expected one for each sample");
  set.targets = targets.data();
  set.weights = weights.data();
  set.class_weights = class_weights.data();
  set.classes = class_weights.size();
  const bool is_classification = options.machine == Machine::c_svc || options.machine == Machine::nu_svc;
  require(!is_classification || set.classes >= 2, "class_weights: expected one for each of at least 2 classes");
  require(!is_classification || are_classes(targets.data(), count, set.classes), "targets: expected classes from 0");

  svm::TrainedMachine result;
  try {
    const py::gil_scoped_release unlocked;
    result = svm::train(set, options, interrupted);
  } catch (const Stopped&) {
    throw py::error_already_set();
  }
  py::dict fitted;
  const py::ssize_t rows = std::max<std::int64_t>(0, result.present_classes - 1);
  py::array_t<double> coefficients({rows, py::ssize_t(result.support.size())});
  std::copy(result.coefficients.begin(), result.coefficients.end(), coefficients.mutable_data());
  fitted["support"] = copy_of(result.support);
  fitted["n_support"] = copy_of(result.n_support);
  fitted["dual_coef"] = std::move(coefficients);
  fitted["intercept"] = copy_of(result.intercepts);
  fitted["n_iter"] = copy_of(result.n_iter);
  fitted["sigmoid_a"] = copy_of(result.sigmoid_a);
  fitted["sigmoid_b"] = copy_of(result.sigmoid_b);
  fitted["objective"] = copy_of(result.objectives);
  fitted["problem_support"] = copy_of(result.problem_support);
  fitted["problem_bounded"] = copy_of(result.problem_bounded);
  fitted["timed_out"] = result.timed_out;
  return fitted;
}

}  // namespace

void bind_svm_train(py::module_& module) {
  module.def("svm_train", &train, py::arg("x"), py::arg("targets").noconvert(), py::arg("weights").noconvert(),
             py::arg("class_weights").noconvert(), py::kw_only(), py::arg("machine"), py::arg("kernel"),
             py::arg("degree"), py::arg("gamma"), py::arg("coef0"), py::arg("c"), py::arg("nu"), py::arg("epsilon"),
             py::arg("tolerance"), py::arg("shrinking"), py::arg("max_iter"), py::arg("cache_megabytes"),
             py::arg("probability"), py::arg("seed"), py::arg("n_threads"),
             "Train a support vector machine; csrc/svm/train.hpp has the contract.");
}

}  // namespace fastml
