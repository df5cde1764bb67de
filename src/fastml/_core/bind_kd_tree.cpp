#include <numeric>
#include <vector>

#include "bindings.hpp"
#include "metric_options.hpp"
#include "neighbors/kd_tree.hpp"

namespace fastml {
namespace {

using neighbors::KdTree;
using neighbors::MetricOptions;

template <class T>
Rows<const T> queries_of(const KdTree<T>& tree, const Array<T>& queries) {
  const Rows<const T> rows = rows_of(queries);
  require(rows.cols == tree.cols(),
          "queries: expected " + std::to_string(tree.cols()) + " features, got " + std::to_string(rows.cols));
  return rows;
}

template <class T>
void require_neighbors(const KdTree<T>& tree, std::int64_t k) {
  require(k >= 1 && k <= tree.rows(), "k: expected 1 to " + std::to_string(tree.rows()) + ", got " + std::to_string(k));
}

template <class T>
py::tuple nearest(const KdTree<T>& tree, const Array<T>& queries, std::int64_t k, int n_threads) {
  const Rows<const T> q = queries_of(tree, queries);
  require_neighbors(tree, k);
  Array<double> distances({py::ssize_t(q.rows), py::ssize_t(k)});
  Array<std::int64_t> indices({py::ssize_t(q.rows), py::ssize_t(k)});
  bool finished;
  {
    double* to = distances.mutable_data();
    std::int64_t* rows = indices.mutable_data();
    const py::gil_scoped_release unlocked;
    finished = tree.nearest(q.data, q.rows, q.stride, k, n_threads, interrupted, to, rows);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(distances), std::move(indices));
}

template <class T>
Array<std::int64_t> count_within(const KdTree<T>& tree, const Array<T>& queries, double radius, int n_threads) {
  const Rows<const T> q = queries_of(tree, queries);
  Array<std::int64_t> counts(q.rows);
  bool finished;
  {
    std::int64_t* to = counts.mutable_data();
    const py::gil_scoped_release unlocked;
    finished = tree.count_within(q.data, q.rows, q.stride, radius, n_threads, interrupted, to);
  }
  raise_if(!finished);
  return counts;
}

template <class T>
py::tuple within(const KdTree<T>& tree, const Array<T>& queries, double radius, bool sorted, bool with_distances,
                 int n_threads) {
  require(with_distances || !sorted, "rows are sorted by their distances: ask for them too");
  const Rows<const T> q = queries_of(tree, queries);
  Array<std::int64_t> offsets(q.rows + 1);
  std::int64_t* from = offsets.mutable_data();
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    from[0] = 0;
    finished = tree.count_within(q.data, q.rows, q.stride, radius, n_threads, interrupted, from + 1);
    std::partial_sum(from, from + q.rows + 1, from);
  }
  raise_if(!finished);
  Array<std::int64_t> indices(from[q.rows]);
  Array<double> distances(with_distances ? from[q.rows] : 0);
  {
    double* to = with_distances ? distances.mutable_data() : nullptr;
    std::int64_t* rows = indices.mutable_data();
    const py::gil_scoped_release unlocked;
    finished = tree.within(q.data, q.rows, q.stride, radius, sorted, n_threads, interrupted, from, to, rows);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(offsets), std::move(indices),
                        with_distances ? py::object(std::move(distances)) : py::object(py::none()));
}

template <class T>
void bind_kd_tree_of(py::module_& module, const char* name) {
  py::class_<KdTree<T>>(module, name,
                        "A k-d tree over a copy of dense rows; csrc/neighbors/kd_tree.hpp has the contract.")
      .def(py::init([](const Array<T>& x, const std::string& metric, double p, int n_threads) {
             const Rows<const T> rows = rows_of(x);
             require(rows.rows > 0 && rows.cols > 0, "x: expected at least one row and one feature");
             const MetricOptions options = metric_options(metric, rows.cols, {p, {}, {}, {}});
             try {
               const py::gil_scoped_release unlocked;
               return new KdTree<T>(rows.data, rows.rows, rows.cols, rows.stride, options, n_threads, interrupted);
             } catch (const Stopped&) {
               throw py::error_already_set();
             }
           }),
           py::arg("x").noconvert(), py::arg("metric") = "euclidean", py::arg("p") = 2.0, py::arg("n_threads") = 1)
      .def("nearest", &nearest<T>, py::arg("queries").noconvert(), py::arg("k"), py::arg("n_threads") = 1,
           "Distances and rows of the k nearest, by (distance, row): two arrays queries x k.")
      .def("count_within", &count_within<T>, py::arg("queries").noconvert(), py::arg("radius"),
           py::arg("n_threads") = 1, "How many rows are within the radius of each query.")
      .def("within", &within<T>, py::arg("queries").noconvert(), py::arg("radius"), py::arg("sorted") = false,
           py::arg("with_distances") = true, py::arg("n_threads") = 1,
           "(offsets, rows, distances or None): the rows within the radius of query i begin at offsets[i].")
      .def(
          "share_visited",
          [](const KdTree<T>& tree, const Array<T>& queries, std::int64_t k) {
            const Rows<const T> q = queries_of(tree, queries);
            require_neighbors(tree, k);
            const py::gil_scoped_release unlocked;
            return tree.share_visited(q.data, q.rows, q.stride, k);
          },
          py::arg("queries").noconvert(), py::arg("k"),
          "Mean share of the points that these queries look at for k neighbours.");
}

}  // namespace

void bind_kd_tree(py::module_& module) {
  bind_kd_tree_of<float>(module, "KdTreeF32");
  bind_kd_tree_of<double>(module, "KdTreeF64");
}

}  // namespace fastml
