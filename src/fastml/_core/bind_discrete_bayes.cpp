#include "bayes/category_counts.hpp"
#include "bayes/counts.hpp"
#include "bayes/row_scores.hpp"
#include "bayes_outcomes.hpp"
#include "bindings.hpp"

namespace fastml {
namespace {

using bayes::CategoryResult;

const double* pointer_to(const std::optional<double>& value) { return value ? &*value : nullptr; }

void require_labels(const Array<std::int64_t>& labels, std::int64_t rows, std::int64_t classes) {
  require(rows > 0 && classes > 0, "expected a row and a class or more");
  require(labels.ndim() == 1 && labels.shape(0) == rows, "labels: expected one a row of x");
  require(are_indices(labels.data(), rows, classes + 1), "labels: expected numbers of classes, or their number");
}

template <class T>
py::tuple count_rows(const Array<T>& x, const Array<std::int64_t>& labels, const std::optional<Array<double>>& weights,
                     std::optional<double> threshold, std::int64_t classes, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require_labels(labels, rows.rows, classes);
  require(rows.cols > 0, "x: expected a feature or more");
  const bayes::CountTask<T> task{
      {rows, labels.data(), optional_data(weights, rows.rows, "weights"), pointer_to(threshold)},
      classes,
      n_threads,
      interrupted};
  Array<double> counts({classes, rows.cols});
  double* to = counts.mutable_data();
  bayes::ValueRange range;
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = bayes::count_rows(task, to, range);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(counts), range.least, range.finite);
}

template <class T, class Index>
bayes::SparseRows<T, Index> sparse_rows_of(const Array<T>& values, const Array<Index>& indices,
                                           const Array<Index>& offsets, std::int64_t features) {
  require(offsets.size() > 1 && features > 0, "expected one row and column or more");
  require(values.size() == indices.size(), "values, indices: expected as many of both");
  const bayes::SparseRows<T, Index> x{values.data(), indices.data(), offsets.data(), offsets.size() - 1, features};
  require(bayes::in_bounds(x, values.size()), "offsets or column indices out of range");
  return x;
}

template <class T, class Index>
py::tuple count_sparse_rows(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                            std::int64_t features, const Array<std::int64_t>& labels,
                            const std::optional<Array<double>>& weights, std::optional<double> threshold,
                            std::int64_t classes, int n_threads) {
  const bayes::SparseRows<T, Index> x = sparse_rows_of(values, indices, offsets, features);
  require_labels(labels, x.rows, classes);
  const bayes::SparseCountTask<T, Index> task{
      x,         labels.data(), optional_data(weights, x.rows, "weights"), pointer_to(threshold), classes,
      n_threads, interrupted};
  Array<double> counts({classes, features});
  double* to = counts.mutable_data();
  bayes::ValueRange range;
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = bayes::count_rows(task, to, range);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(counts), range.least, range.finite);
}

template <class T>
py::tuple linear_scores(const Array<T>& x, const Array<double>& weights, const Array<double>& constants,
                        std::optional<double> threshold, const std::string& outcome, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require(rows.rows > 0 && rows.cols > 0, "expected one row and column or more");
  require(weights.ndim() == 2 && weights.shape(0) > 0 && weights.shape(1) == rows.cols,
          "weights: expected one a feature, for each class");
  require(constants.ndim() == 1 && constants.shape(0) == weights.shape(0), "constants: expected one a class");
  const bayes::LinearModel model{rows.cols,        weights.shape(0),      weights.data(),
                                 constants.data(), threshold.has_value(), threshold.value_or(0)};
  OutcomeArray out(outcome, false, rows.rows, model.classes);
  bayes::ScoreResult result;
  {
    const py::gil_scoped_release unlocked;
    result = bayes::score_rows(model, rows, out.outcomes(), n_threads, interrupted);
  }
  raise_if(result == bayes::ScoreResult::stopped);
  return py::make_tuple(out.array(), result == bayes::ScoreResult::finite);
}

template <class T, class Index>
py::tuple sparse_linear_scores(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                               const Array<double>& weights, const Array<double>& constants,
                               std::optional<double> threshold, const std::string& outcome, int n_threads) {
  require(weights.ndim() == 2 && weights.size() > 0, "weights: expected a matrix of classes x features");
  require(constants.ndim() == 1 && constants.shape(0) == weights.shape(0), "constants: expected one a class");
  require(!(threshold.value_or(0) < 0), "threshold: expected none below 0, as values that are not stored are 0");
  const bayes::SparseRows<T, Index> x = sparse_rows_of(values, indices, offsets, weights.shape(1));
  const bayes::LinearModel model{x.cols,           weights.shape(0),      weights.data(),
                                 constants.data(), threshold.has_value(), threshold.value_or(0)};
  OutcomeArray out(outcome, false, x.rows, model.classes);
  bayes::ScoreResult result;
  {
    const py::gil_scoped_release unlocked;
    result = bayes::score_rows(model, x, out.outcomes(), n_threads, interrupted);
  }
  raise_if(result == bayes::ScoreResult::stopped);
  return py::make_tuple(out.array(), result == bayes::ScoreResult::finite);
}

py::tuple largest_categories(const Array<std::int64_t>& x, int n_threads) {
  const Rows<const std::int64_t> rows = rows_of(x);
  require(rows.rows > 0 && rows.cols > 0, "expected one row and column or more");
  Array<std::int64_t> largest(rows.cols);
  std::int64_t* to = largest.mutable_data();
  std::int64_t least;
  {
    const py::gil_scoped_release unlocked;
    least = bayes::largest_categories(rows, n_threads, to);
  }
  return py::make_tuple(std::move(largest), least);
}

void require_offsets(const Array<std::int64_t>& offsets, std::int64_t features) {
  require(offsets.ndim() == 1 && offsets.shape(0) == features + 1, "offsets: expected one a feature, and one more");
  const std::int64_t* first = offsets.data();
  require(
      first[0] == 0 && std::adjacent_find(first, first + features + 1, std::greater_equal<>()) == first + features + 1,
      "offsets: expected growing numbers from 0 on");
}

Array<double> count_categories(const Array<std::int64_t>& x, const Array<std::int64_t>& labels,
                               const std::optional<Array<double>>& weights, const Array<std::int64_t>& offsets,
                               std::int64_t classes, int n_threads) {
  const Rows<const std::int64_t> rows = rows_of(x);
  require_labels(labels, rows.rows, classes);
  require_offsets(offsets, rows.cols);
  const bayes::CategoryCountTask task{rows,           labels.data(), optional_data(weights, rows.rows, "weights"),
                                      offsets.data(), classes,       n_threads,
                                      interrupted};
  Array<double> counts({classes, offsets.data()[rows.cols]});
  double* to = counts.mutable_data();
  CategoryResult result;
  {
    const py::gil_scoped_release unlocked;
    result = bayes::count_categories(task, to);
  }
  raise_if(result == CategoryResult::stopped);
  require(result == CategoryResult::known, "x: expected categories within the offsets");
  return counts;
}

py::tuple category_scores(const Array<std::int64_t>& x, const Array<std::int64_t>& offsets,
                          const Array<double>& weights, const Array<double>& constants, const std::string& outcome,
                          int n_threads) {
  const Rows<const std::int64_t> rows = rows_of(x);
  require(rows.rows > 0 && rows.cols > 0, "expected one row and column or more");
  require_offsets(offsets, rows.cols);
  require(weights.ndim() == 2 && weights.shape(0) > 0 && weights.shape(1) == offsets.data()[rows.cols],
          "weights: expected a row or more, of one a category");
  require(constants.ndim() == 1 && constants.shape(0) == weights.shape(0), "constants: expected one a class");
  const bayes::CategoryModel model{rows.cols, weights.shape(0), offsets.data(), weights.data(), constants.data()};
  OutcomeArray out(outcome, false, rows.rows, model.classes);
  CategoryResult result;
  {
    const py::gil_scoped_release unlocked;
    result = bayes::score_rows(model, rows, out.outcomes(), n_threads, interrupted);
  }
  raise_if(result == CategoryResult::stopped);
  return py::make_tuple(out.array(), result == CategoryResult::known);
}

template <class T>
void bind_dense_rows(py::module_& module) {
  module.def("count_rows", &count_rows<T>, py::arg("x").noconvert(), py::arg("labels").noconvert(),
             py::arg("weights").noconvert(), py::arg("threshold"), py::arg("classes"), py::arg("n_threads") = 1,
             "(sum of the rows of each class, least value, whether all are finite); csrc/bayes/counts.hpp has the "
             "contract.");
  module.def("linear_scores", &linear_scores<T>, py::arg("x").noconvert(), py::arg("weights").noconvert(),
             py::arg("constants").noconvert(), py::arg("threshold"), py::arg("outcome"), py::arg("n_threads") = 1,
             "(outcome of each row, whether x is finite) of a linear model of x, or of x above a threshold; "
             "csrc/bayes/row_scores.hpp has the contract.");
}

template <class T, class Index>
void bind_sparse_rows(py::module_& module) {
  module.def("count_sparse_rows", &count_sparse_rows<T, Index>, py::arg("values").noconvert(),
             py::arg("indices").noconvert(), py::arg("offsets").noconvert(), py::arg("features"),
             py::arg("labels").noconvert(), py::arg("weights").noconvert(), py::arg("threshold"), py::arg("classes"),
             py::arg("n_threads") = 1, "count_rows() of CSR rows, of their stored values.");
  module.def("sparse_linear_scores", &sparse_linear_scores<T, Index>, py::arg("values").noconvert(),
             py::arg("indices").noconvert(), py::arg("offsets").noconvert(), py::arg("weights").noconvert(),
             py::arg("constants").noconvert(), py::arg("threshold"), py::arg("outcome"), py::arg("n_threads") = 1,
             "linear_scores() of CSR rows; csrc/bayes/row_scores.hpp has the contract.");
}

}  // namespace

void bind_discrete_bayes(py::module_& module) {
  bind_dense_rows<float>(module);
  bind_dense_rows<double>(module);
  bind_dense_rows<std::int32_t>(module);
  bind_dense_rows<std::int64_t>(module);
  bind_sparse_rows<float, std::int32_t>(module);
  bind_sparse_rows<float, std::int64_t>(module);
  bind_sparse_rows<double, std::int32_t>(module);
  bind_sparse_rows<double, std::int64_t>(module);
  module.def("largest_categories", &largest_categories, py::arg("x").noconvert(), py::arg("n_threads") = 1,
             "(largest value of each feature, least of all).");
  module.def("count_categories", &count_categories, py::arg("x").noconvert(), py::arg("labels").noconvert(),
             py::arg("weights").noconvert(), py::arg("offsets").noconvert(), py::arg("classes"),
             py::arg("n_threads") = 1,
             "How often each category occurs in each class; csrc/bayes/category_counts.hpp has the contract.");
  module.def("category_scores", &category_scores, py::arg("x").noconvert(), py::arg("offsets").noconvert(),
             py::arg("weights").noconvert(), py::arg("constants").noconvert(), py::arg("outcome"),
             py::arg("n_threads") = 1,
             "(outcome of each row, whether all values are categories); csrc/bayes/row_scores.hpp has the contract.");
}

}  // namespace fastml
