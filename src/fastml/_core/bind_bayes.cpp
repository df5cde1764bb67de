#include "bayes/likelihood.hpp"
#include "bayes/moments.hpp"
#include "bayes_outcomes.hpp"
#include "bindings.hpp"

namespace fastml {
namespace {

using bayes::ScoreResult;

void require_model_shape(const Array<double>& matrix, const Array<double>& constants, std::int64_t features) {
  require(matrix.ndim() == 2 && matrix.shape(0) > 0 && matrix.shape(1) > 0, "expected a matrix of classes x features");
  require(matrix.shape(1) == features,
          "x: expected " + std::to_string(matrix.shape(1)) + " features, got " + std::to_string(features));
  require(constants.ndim() == 1 && constants.shape(0) == matrix.shape(0), "expected one constant a class");
}

template <class Model, class T>
py::tuple scores_of(const Model& model, const Array<T>& x, const std::string& outcome, bool narrow, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  OutcomeArray out(outcome, narrow, rows.rows, model.classes);
  ScoreResult result;
  {
    const py::gil_scoped_release unlocked;
    result = bayes::score_rows(model, rows, out.outcomes(), n_threads, interrupted);
  }
  raise_if(result == ScoreResult::stopped);
  return py::make_tuple(out.array(), result == ScoreResult::finite);
}

template <class T>
py::tuple gaussian_scores(const Array<T>& x, const Array<double>& means, const Array<double>& variances,
                          const Array<double>& log_priors, const std::string& outcome, bool narrow, int n_threads) {
  require_model_shape(means, log_priors, rows_of(x).cols);
  require_equal_shapes(means, variances);
  const bayes::GaussianModel model{means.shape(1), means.shape(0), means.data(), variances.data(), log_priors.data()};
  return scores_of(model, x, outcome, narrow, n_threads);
}

template <class T>
py::tuple gaussian_moments(const Array<T>& x, const Array<std::int64_t>& labels, const std::optional<Array<T>>& weights,
                           const Array<double>& class_weights, const Array<double>& means,
                           const Array<double>& variances, double smoothing, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require_model_shape(means, class_weights, rows.cols);
  require_equal_shapes(means, variances);
  require(labels.ndim() == 1 && labels.shape(0) == rows.rows, "labels: expected one a row of x");
  require(are_indices(labels.data(), rows.rows, means.shape(0)), "labels: expected numbers of classes");
  require(rows.rows > 0, "x: expected a row or more");
  const bayes::MomentsTask<T> task{rows,           labels.data(), optional_data(weights, rows.rows, "weights"),
                                   means.shape(0), n_threads,     interrupted};
  Array<double> new_weights(class_weights.size()), new_means = empty_like(means), new_variances = empty_like(means);
  std::copy_n(class_weights.data(), class_weights.size(), new_weights.mutable_data());
  std::copy_n(means.data(), means.size(), new_means.mutable_data());
  std::copy_n(variances.data(), variances.size(), new_variances.mutable_data());
  const bayes::GaussianMoments known{new_weights.mutable_data(), new_means.mutable_data(),
                                     new_variances.mutable_data()};
  bool finished;
  double largest = 0;
  {
    const py::gil_scoped_release unlocked;
    finished = bayes::add_moments(task, smoothing, known, &largest);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(new_weights), std::move(new_means), std::move(new_variances), largest);
}

template <class T>
void bind_bayes_of(py::module_& module) {
  module.def("gaussian_scores", &gaussian_scores<T>, py::arg("x").noconvert(), py::arg("means").noconvert(),
             py::arg("variances").noconvert(), py::arg("log_priors").noconvert(), py::arg("outcome"),
             py::arg("narrow") = false, py::arg("n_threads") = 1,
             "(outcome of each row, whether x is finite) of a Gaussian model; csrc/bayes/likelihood.hpp has the "
             "contract.");
  module.def("gaussian_moments", &gaussian_moments<T>, py::arg("x").noconvert(), py::arg("labels").noconvert(),
             py::arg("weights").noconvert(), py::arg("class_weights").noconvert(), py::arg("means").noconvert(),
             py::arg("variances").noconvert(), py::arg("smoothing"), py::arg("n_threads") = 1,
             "(weights of classes, means, variances, largest variance of a feature in x): what is known of some rows, "
             "joined with those of x; csrc/bayes/moments.hpp has the contract.");
}

}  // namespace

void bind_bayes(py::module_& module) {
  bind_bayes_of<float>(module);
  bind_bayes_of<double>(module);
}

}  // namespace fastml
