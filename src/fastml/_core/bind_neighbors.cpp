#include <cmath>

#include "bindings.hpp"
#include "neighbors/brute.hpp"

namespace fastml {
namespace {

using neighbors::BruteSearch;
using neighbors::Metric;
using neighbors::MetricOptions;
using neighbors::RankedRow;

MetricOptions metric_options(const std::string& metric, double p, const std::optional<Array<double>>& weights,
                             std::int64_t cols) {
  const std::pair<const char*, Metric> names[] = {
      {"sqeuclidean", Metric::sqeuclidean}, {"euclidean", Metric::euclidean}, {"manhattan", Metric::manhattan},
      {"chebyshev", Metric::chebyshev},     {"minkowski", Metric::minkowski}, {"cosine", Metric::cosine}};
  for (const auto& [name, value] : names) {
    if (metric != name) continue;
    MetricOptions options{value, p, {}};
    require(value != Metric::minkowski || (p > 0 && std::isfinite(p)), "p: expected a positive, finite number");
    if (!weights) return options;
    require(value == Metric::minkowski, "weights: of minkowski only");
    const double* data = optional_data(weights, cols, "weights");
    options.weights.assign(data, data + cols);
    for (const double weight : options.weights)
      require(weight >= 0 && std::isfinite(weight), "weights: negative or not finite");
    return options;
  }
  throw py::value_error("metric: '" + metric + "' is not served");
}

// A search with the array that it looks into.
template <class T>
struct BruteRun {
  Array<T> owner;
  BruteSearch<T> search;

  BruteRun(const Array<T>& x, const std::string& metric, double p, const std::optional<Array<double>>& weights,
           int n_threads)
      : owner(x), search(checked(x), metric_options(metric, p, weights, checked(x).cols), n_threads) {}

  static Rows<const T> checked(const Array<T>& x) {
    const Rows<const T> rows = rows_of(x);
    require(rows.rows > 0, "x: expected at least one row");
    return rows;
  }

  Rows<const T> queries(const Array<T>& given) const {
    const Rows<const T> rows = rows_of(given);
    require(rows.cols == search.cols(), "queries: expected " + std::to_string(search.cols()) + " columns");
    return rows;
  }
};

template <class T>
void bind_brute(py::module_& module, const char* name) {
  using Run = BruteRun<T>;
  py::class_<Run>(module, name, "Brute-force neighbours search; csrc/neighbors/brute.hpp has the contract.")
      .def(py::init<const Array<T>&, const std::string&, double, const std::optional<Array<double>>&, int>(),
           py::arg("x").noconvert(), py::arg("metric") = "euclidean", py::arg("p") = 2.0,
           py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1)
      .def(
          "nearest",
          [](const Run& run, const Array<T>& given, std::int64_t k, int n_threads) {
            const Rows<const T> queries = run.queries(given);
            require(k >= 1 && k <= run.search.rows(), "k: expected 1 to " + std::to_string(run.search.rows()));
            py::array_t<double> distances({queries.rows, k});
            py::array_t<std::int64_t> indices({queries.rows, k});
            double* to_distances = distances.mutable_data();
            std::int64_t* to_indices = indices.mutable_data();
            bool finished;
            {
              const py::gil_scoped_release unlocked;
              finished = run.search.nearest(queries, k, n_threads, interrupted, to_distances, to_indices);
            }
            raise_if(!finished);
            return py::make_tuple(distances, indices);
          },
          py::arg("queries").noconvert(), py::arg("k"), py::arg("n_threads") = 1,
          "(distances, indices) of the k nearest rows of each query, by (distance, index).")
      .def(
          "within",
          [](const Run& run, const Array<T>& given, double radius, bool sorted, int n_threads) {
            const Rows<const T> queries = run.queries(given);
            std::vector<std::vector<RankedRow>> found;
            bool finished;
            {
              const py::gil_scoped_release unlocked;
              finished = run.search.within(queries, radius, n_threads, interrupted, found);
            }
            raise_if(!finished);
            py::array_t<std::int64_t> offsets(queries.rows + 1);
            const std::int64_t total = neighbors::offsets_of(found, offsets.mutable_data());
            py::array_t<double> distances(total);
            py::array_t<std::int64_t> indices(total);
            double* to_distances = distances.mutable_data();
            std::int64_t* to_indices = indices.mutable_data();
            {
              const py::gil_scoped_release unlocked;
              neighbors::unpack(found, sorted, to_distances, to_indices);
            }
            return py::make_tuple(offsets, distances, indices);
          },
          py::arg("queries").noconvert(), py::arg("radius"), py::arg("sorted") = false, py::arg("n_threads") = 1,
          "(offsets, distances, indices) of all rows at most `radius` away: those of query i stand from offsets[i] to "
          "offsets[i + 1], by ascending index, or by (distance, index) if sorted.");
}

}  // namespace

void bind_neighbors(py::module_& module) {
  bind_brute<float>(module, "BruteF32");
  bind_brute<double>(module, "BruteF64");
}

}  // namespace fastml
