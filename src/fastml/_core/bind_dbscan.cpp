#include <algorithm>

#include "bindings.hpp"
#include "metric_options.hpp"
#include "neighbors/dbscan.hpp"
#include "neighbors/dbscan_graph.hpp"

namespace fastml {
namespace {

using neighbors::DbscanTask;
using neighbors::DistanceGraph;

using Weights = std::optional<Array<double>>;

// Runs `cluster(task, labels, core)` without the GIL and returns (labels, core).
template <class Cluster>
py::tuple run(std::int64_t rows, double eps, double min_samples, const Weights& weights, int n_threads,
              const Cluster& cluster) {
  const DbscanTask task{eps, min_samples, optional_data(weights, rows, "weights"), n_threads, interrupted};
  Array<std::int64_t> labels(rows);
  py::array_t<bool> core(rows);
  bool finished;
  {
    std::int64_t* to_labels = labels.mutable_data();
    auto* to_core = reinterpret_cast<std::uint8_t*>(core.mutable_data());
    const py::gil_scoped_release unlocked;
    finished = cluster(task, to_labels, to_core);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(labels), std::move(core));
}

template <class T>
py::tuple dbscan(const Array<T>& x, double eps, double min_samples, const std::string& metric, double p,
                 const Weights& feature_weights, const Weights& weights, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require(rows.rows > 0 && rows.cols > 0, "x: expected at least one row and one feature");
  const neighbors::MetricOptions options = metric_options(metric, rows.cols, {p, feature_weights, {}, {}});
  return run(rows.rows, eps, min_samples, weights, n_threads,
             [&](const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
               return neighbors::dbscan(rows, options, task, labels, core);
             });
}

template <class T>
py::tuple dbscan_matrix(const Array<T>& distances, double eps, double min_samples, const Weights& weights,
                        int n_threads) {
  const Rows<const T> rows = rows_of(distances);
  require(rows.rows == rows.cols, "distances: expected a square matrix");
  return run(rows.rows, eps, min_samples, weights, n_threads,
             [&](const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
               return neighbors::dbscan_matrix(rows, task, labels, core);
             });
}

template <class T, class Index>
py::tuple dbscan_graph(const Array<T>& values, const Array<Index>& columns, const Array<Index>& offsets, double eps,
                       double min_samples, const Weights& weights, int n_threads) {
  const DistanceGraph<T, Index> graph{offsets.size() - 1, values.data(), columns.data(), offsets.data()};
  require(graph.rows >= 0 && neighbors::in_bounds(graph, std::min(values.size(), columns.size())),
          "distances: not a square CSR matrix");
  return run(graph.rows, eps, min_samples, weights, n_threads,
             [&](const DbscanTask& task, std::int64_t* labels, std::uint8_t* core) {
               return neighbors::dbscan_graph(graph, task, labels, core);
             });
}

template <class T>
void bind_dbscan_of(py::module_& module) {
  module.def("dbscan", &dbscan<T>, py::arg("x").noconvert(), py::arg("eps"), py::arg("min_samples"),
             py::arg("metric") = "euclidean", py::arg("p") = 2.0, py::arg("feature_weights").noconvert() = py::none(),
             py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1,
             "(labels, core) of each row; csrc/neighbors/dbscan.hpp has the contract.");
  module.def("dbscan_matrix", &dbscan_matrix<T>, py::arg("distances").noconvert(), py::arg("eps"),
             py::arg("min_samples"), py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1,
             "The same of a square matrix of distances; csrc/neighbors/dbscan_graph.hpp has the contract.");
}

template <class T, class Index>
void bind_graph(py::module_& module) {
  module.def("dbscan_graph", &dbscan_graph<T, Index>, py::arg("values").noconvert(), py::arg("columns").noconvert(),
             py::arg("offsets").noconvert(), py::arg("eps"), py::arg("min_samples"),
             py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1,
             "The same of the entries of a square CSR matrix.");
}

}  // namespace

void bind_dbscan(py::module_& module) {
  bind_dbscan_of<float>(module);
  bind_dbscan_of<double>(module);
  bind_graph<float, std::int32_t>(module);
  bind_graph<float, std::int64_t>(module);
  bind_graph<double, std::int32_t>(module);
  bind_graph<double, std::int64_t>(module);
}

}  // namespace fastml
