#include "bindings.hpp"
#include "metric_options.hpp"
#include "neighbors/brute.hpp"
#include "neighbors/brute_csr.hpp"
#include "neighbors/given_distances.hpp"

namespace fastml {
namespace {

using neighbors::BruteCsrSearch;
using neighbors::BruteSearch;
using neighbors::CanonicalRows;
using neighbors::RankedRow;

// (distances, indices), queries x k. ask(distances, indices) searches, and returns false when stopped.
template <class Ask>
py::tuple nearest_of(std::int64_t queries, std::int64_t k, std::int64_t rows, const Ask& ask) {
  require(k >= 1 && k <= rows, "k: expected 1 to " + std::to_string(rows));
  py::array_t<double> distances({queries, k});
  py::array_t<std::int64_t> indices({queries, k});
  double* to_distances = distances.mutable_data();
  std::int64_t* to_indices = indices.mutable_data();
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = ask(to_distances, to_indices);
  }
  raise_if(!finished);
  return py::make_tuple(distances, indices);
}

// (offsets, distances, indices). ask(found) searches, and returns false when stopped.
template <class Ask>
py::tuple within_of(std::int64_t queries, bool sorted, const Ask& ask) {
  std::vector<std::vector<RankedRow>> found;
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = ask(found);
  }
  raise_if(!finished);
  py::array_t<std::int64_t> offsets(queries + 1);
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
}

constexpr const char* kNearestText = "(distances, indices) of the k nearest rows of each query, by (distance, index).";
constexpr const char* kWithinText =
    "(offsets, distances, indices) of all rows at most `radius` away: those of query i stand from offsets[i] to "
    "offsets[i + 1], by ascending index, or by (distance, index) if sorted.";

// A search with the array that it looks into.
template <class T>
struct BruteRun {
  Array<T> owner;
  BruteSearch<T> search;

  BruteRun(const Array<T>& x, const std::string& metric, double p, const std::optional<Array<double>>& weights,
           int n_threads, const std::optional<Array<double>>& variances, const std::optional<Array<double>>& inverse)
      : owner(x),
        search(checked(x), metric_options(metric, checked(x).cols, {p, weights, variances, inverse}), n_threads) {}

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
      .def(py::init<const Array<T>&, const std::string&, double, const std::optional<Array<double>>&, int,
                    const std::optional<Array<double>>&, const std::optional<Array<double>>&>(),
           py::arg("x").noconvert(), py::arg("metric") = "euclidean", py::arg("p") = 2.0,
           py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1, py::arg("V").noconvert() = py::none(),
           py::arg("VI").noconvert() = py::none())
      .def(
          "nearest",
          [](const Run& run, const Array<T>& given, std::int64_t k, int n_threads) {
            const Rows<const T> queries = run.queries(given);
            return nearest_of(queries.rows, k, run.search.rows(), [&](double* distances, std::int64_t* indices) {
              return run.search.nearest(queries, k, n_threads, interrupted, distances, indices);
            });
          },
          py::arg("queries").noconvert(), py::arg("k"), py::arg("n_threads") = 1, kNearestText)
      .def(
          "within",
          [](const Run& run, const Array<T>& given, double radius, bool sorted, int n_threads) {
            const Rows<const T> queries = run.queries(given);
            return within_of(queries.rows, sorted, [&](std::vector<std::vector<RankedRow>>& found) {
              return run.search.within(queries, radius, n_threads, interrupted, found);
            });
          },
          py::arg("queries").noconvert(), py::arg("radius"), py::arg("sorted") = false, py::arg("n_threads") = 1,
          kWithinText);
}

template <class T, class Index>
CanonicalRows<T> sparse_rows_of(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                                std::int64_t cols) {
  require(values.ndim() == 1 && indices.ndim() == 1 && offsets.ndim() == 1 && offsets.size() > 0,
          "sparse rows: expected arrays of one dimension, and an offset more than there are rows");
  require(values.size() == indices.size(), "sparse rows: expected as many indices as values");
  return {values.data(), indices.data(), offsets.data(), values.size(), offsets.size() - 1, cols};
}

// A search with the arrays that it looks into.
template <class T>
struct BruteCsrRun {
  Array<T> values;
  py::object indices;
  CanonicalRows<T> rows;
  BruteCsrSearch<T> search;

  template <class Index>
  BruteCsrRun(const Array<T>& values_, const Array<Index>& indices_, const Array<Index>& offsets, std::int64_t cols,
              const std::string& metric)
      : values(values_),
        indices(indices_),
        rows(checked(values_, indices_, offsets, cols)),
        search(rows.view(), metric_options(metric, cols, {2, {}, {}, {}})) {}

  template <class Index>
  static CanonicalRows<T> checked(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                                  std::int64_t cols) {
    require(offsets.size() > 1, "sparse rows: expected at least one row");
    return sparse_rows_of(values, indices, offsets, cols);
  }
};

// The methods for one type of indices.
template <class T, class Index>
void bind_index(py::class_<BruteCsrRun<T>>& bound) {
  using Run = BruteCsrRun<T>;
  bound
      .def(py::init<const Array<T>&, const Array<Index>&, const Array<Index>&, std::int64_t, const std::string&>(),
           py::arg("values").noconvert(), py::arg("indices").noconvert(), py::arg("offsets").noconvert(),
           py::arg("n_features"), py::arg("metric") = "euclidean")
      .def(
          "nearest",
          [](const Run& run, const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
             std::int64_t k, int n_threads) {
            const CanonicalRows<T> rows = sparse_rows_of(values, indices, offsets, run.search.cols());
            return nearest_of(rows.view().rows, k, run.search.rows(), [&](double* distances, std::int64_t* found) {
              return run.search.nearest(rows.view(), k, n_threads, interrupted, distances, found);
            });
          },
          py::arg("values").noconvert(), py::arg("indices").noconvert(), py::arg("offsets").noconvert(), py::arg("k"),
          py::arg("n_threads") = 1, kNearestText)
      .def(
          "within",
          [](const Run& run, const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
             double radius, bool sorted, int n_threads) {
            const CanonicalRows<T> rows = sparse_rows_of(values, indices, offsets, run.search.cols());
            return within_of(rows.view().rows, sorted, [&](std::vector<std::vector<RankedRow>>& found) {
              return run.search.within(rows.view(), radius, n_threads, interrupted, found);
            });
          },
          py::arg("values").noconvert(), py::arg("indices").noconvert(), py::arg("offsets").noconvert(),
          py::arg("radius"), py::arg("sorted") = false, py::arg("n_threads") = 1, kWithinText);
}

template <class T>
void bind_brute_csr(py::module_& module, const char* name) {
  py::class_<BruteCsrRun<T>> bound(
      module, name, "Brute-force neighbours search in sparse rows; csrc/neighbors/brute_csr.hpp has the contract.");
  bind_index<T, std::int32_t>(bound);
  bind_index<T, std::int64_t>(bound);
}

template <class T>
py::tuple nearest_given(const Array<T>& given, std::int64_t k, int n_threads) {
  const Rows<const T> rows = rows_of(given);
  require(k >= 1 && k <= rows.cols, "k: expected 1 to " + std::to_string(rows.cols));
  Array<T> distances({rows.rows, k});
  Array<std::int64_t> indices({rows.rows, k});
  bool finished;
  {
    T* to = distances.mutable_data();
    std::int64_t* to_indices = indices.mutable_data();
    const py::gil_scoped_release unlocked;
    finished = neighbors::nearest_given(rows, k, n_threads, interrupted, to, to_indices);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(distances), std::move(indices));
}

}  // namespace

void bind_neighbors(py::module_& module) {
  bind_brute<float>(module, "BruteF32");
  bind_brute<double>(module, "BruteF64");
  bind_brute_csr<float>(module, "BruteCsrF32");
  bind_brute_csr<double>(module, "BruteCsrF64");
  const char* text = "(distances, indices) of the k least of each row of given distances, by (distance, index).";
  module.def("nearest_given", &nearest_given<float>, py::arg("distances").noconvert(), py::arg("k"),
             py::arg("n_threads") = 1, text);
  module.def("nearest_given", &nearest_given<double>, py::arg("distances").noconvert(), py::arg("k"),
             py::arg("n_threads") = 1, text);
}

}  // namespace fastml
