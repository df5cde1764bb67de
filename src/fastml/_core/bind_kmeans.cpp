#include <optional>

#include "bindings.hpp"
#include "cluster/lloyd.hpp"
#include "cluster/predict.hpp"
#include "cluster/seeding.hpp"

namespace fastml {
namespace {

template <class T>
using Optional = std::optional<Array<T>>;

// X as the drivers take it, together with the arrays that own its memory. `x` is a dense array, or the tuple
// (data, indices, indptr, n_features) of a CSR one.
template <class T>
struct KMeansInput {
  KMeansData<T> data{};
  py::object owner;
  Optional<T> shift, weights;

  KMeansInput(const Array<T>& x, Optional<T> shift_, Optional<T> weights_)
      : owner(x), shift(std::move(shift_)), weights(std::move(weights_)) {
    data.dense = rows_of(x);
    data.shift = optional_data(shift, data.dense.cols, "shift");
    data.weights = optional_data(weights, data.dense.rows, "weights");
  }

  KMeansInput(const py::tuple& x, const Optional<T>& shift_, Optional<T> weights_)
      : owner(x), weights(std::move(weights_)) {
    require(x.size() == 4, "a CSR input is (data, indices, indptr, n_features)");
    require(!shift_, "a CSR input cannot be shifted");
    const auto values = x[0].cast<Array<T>>();
    const auto indices = x[1].cast<Array<std::int32_t>>();
    const auto offsets = x[2].cast<Array<std::int32_t>>();
    require(values.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
    // cast() hands out the caller's own arrays only where no conversion was needed; else `owner` must hold the new ones.
    owner = py::make_tuple(values, indices, offsets);
    data.is_sparse = true;
    data.sparse = {values.data(), indices.data(), offsets.data(), offsets.size() - 1, x[3].cast<std::int64_t>()};
    require(in_bounds(data.sparse, values.size()), "CSR offsets or column indices out of range");
    data.weights = optional_data(weights, data.sparse.rows, "weights");
  }
};

template <class T>
std::int64_t clusters_of(const Array<T>& centers, std::int64_t cols) {
  require(centers.ndim() == 2 && centers.shape(0) > 0 && centers.shape(1) == cols,
          "centers: expected clusters x " + std::to_string(cols) + " features");
  return centers.shape(0);
}

const char* text(LloydOutcome outcome) {
  switch (outcome) {
    case LloydOutcome::strict:
      return "strict";
    case LloydOutcome::tolerance:
      return "tolerance";
    case LloydOutcome::empty_clusters:
      return "empty_clusters";
    default:
      return "running";
  }
}

// A run of Lloyd's algorithm with its input kept alive.
template <class T>
struct LloydRun {
  KMeansInput<T> input;
  std::int64_t clusters;
  Lloyd<T> lloyd;

  template <class X>
  LloydRun(const X& x, std::int64_t n_clusters, Optional<T> shift, Optional<T> weights, int n_threads, bool incremental)
      : input(x, std::move(shift), std::move(weights)),
        clusters(n_clusters),
        lloyd(input.data, n_clusters, n_threads, incremental) {}
};

template <class T, class X>
void bind_lloyd_input(py::class_<LloydRun<T>>& lloyd) {
  lloyd.def(py::init<const X&, std::int64_t, Optional<T>, Optional<T>, int, bool>(), py::arg("x").noconvert(),
            py::arg("n_clusters"), py::arg("shift").noconvert() = py::none(),
            py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1, py::arg("incremental") = true);
}

template <class T>
void bind_lloyd(py::module_& module, const char* name) {
  using Run = LloydRun<T>;
  py::class_<Run> lloyd(module, name,
                        "Lloyd's algorithm on dense or CSR rows; csrc/cluster/lloyd.hpp has the contract.");
  bind_lloyd_input<T, Array<T>>(lloyd);
  bind_lloyd_input<T, py::tuple>(lloyd);
  lloyd
      .def(
          "start",
          [](Run& run, const Array<T>& centers) {
            require(clusters_of(centers, run.input.data.cols()) == run.clusters, "centers: one row a cluster");
            run.lloyd.start(centers.data());
          },
          py::arg("centers").noconvert())
      .def(
          "iterate",
          [](Run& run, std::int64_t steps, double tolerance) {
            LloydOutcome outcome;
            {
              const py::gil_scoped_release unlocked;
              outcome = run.lloyd.iterate(steps, tolerance, interrupted);
            }
            raise_if(outcome == LloydOutcome::stopped);
            return text(outcome);
          },
          py::arg("steps"), py::arg("tolerance"))
      .def("relabel",
           [](Run& run) {
             bool finished;
             {
               const py::gil_scoped_release unlocked;
               finished = run.lloyd.relabel(interrupted);
             }
             raise_if(!finished);
           })
      .def(
          "inertia", [](Run& run, bool previous) { return run.lloyd.inertia(previous); },
          py::arg("previous_centers") = false, py::call_guard<py::gil_scoped_release>())
      .def("distances",
           [](Run& run) {
             std::vector<T> distances;
             {
               const py::gil_scoped_release unlocked;
               distances = run.lloyd.distances();
             }
             return copy_of(distances);
           })
      .def("empty_clusters", [](const Run& run) { return copy_of(run.lloyd.empty_clusters()); })
      .def(
          "relocate",
          [](Run& run, const Array<std::int64_t>& rows) {
            require(are_indices(rows.data(), rows.size(), run.input.data.rows()), "relocate: no such row");
            run.lloyd.relocate(rows.data(), rows.size());
          },
          py::arg("rows"))
      .def("centers",
           [](const Run& run) {
             return copy_of(run.lloyd.centers())
                 .reshape({py::ssize_t(run.clusters), py::ssize_t(run.input.data.cols())});
           })
      .def("labels", [](const Run& run) { return copy_of(run.lloyd.labels()); })
      .def_property_readonly("iterations", [](const Run& run) { return run.lloyd.iterations(); })
      .def_property_readonly("center_shift", [](const Run& run) { return run.lloyd.center_shift(); })
      .def_property_readonly("rows_compared", [](const Run& run) { return run.lloyd.rows_compared(); });
}

template <class T>
struct SeedingRun {
  KMeansInput<T> input;
  Seeding<T> seeding;

  template <class X>
  SeedingRun(const X& x, Optional<T> shift, int n_threads)
      : input(x, std::move(shift), std::nullopt), seeding(input.data, n_threads) {}
};

template <class T, class X>
void bind_seeding_input(py::class_<SeedingRun<T>>& seeding) {
  seeding.def(py::init<const X&, Optional<T>, int>(), py::arg("x").noconvert(),
              py::arg("shift").noconvert() = py::none(), py::arg("n_threads") = 1);
}

template <class T>
void bind_seeding(py::module_& module, const char* name) {
  using Run = SeedingRun<T>;
  py::class_<Run> seeding(module, name, "Distances for k-means++; csrc/cluster/seeding.hpp has the contract.");
  bind_seeding_input<T, Array<T>>(seeding);
  bind_seeding_input<T, py::tuple>(seeding);
  seeding
      .def(
          "distances",
          [](Run& run, const Array<std::int64_t>& candidates, const Optional<T>& closest, Array<T> out) {
            const std::int64_t rows = run.input.data.rows();
            require(are_indices(candidates.data(), candidates.size(), rows), "distances: no such row");
            require(out.ndim() == 2 && out.shape(0) == candidates.size() && out.shape(1) == rows,
                    "distances: out must be candidates x rows");
            const T* limit = optional_data(closest, rows, "closest");
            bool finished;
            {
              T* to = out.mutable_data();
              const py::gil_scoped_release unlocked;
              finished = run.seeding.distances(candidates.data(), candidates.size(), limit, to, interrupted);
            }
            raise_if(!finished);
          },
          py::arg("candidates"), py::arg("closest").noconvert(), py::arg("out").noconvert())
      .def(
          "row",
          [](const Run& run, std::int64_t index) {
            require(index >= 0 && index < run.input.data.rows(), "row: no such row");
            Array<T> out(run.input.data.cols());
            run.seeding.row(index, out.mutable_data());
            return out;
          },
          py::arg("index"));
  module.def(
      "search_cumulative",
      [](const Array<T>& closest, const Optional<T>& weights, const Array<double>& draws) {
        py::array_t<std::int64_t> out(draws.size());
        const T* weight = optional_data(weights, closest.size(), "weights");
        std::int64_t* to = out.mutable_data();
        const py::gil_scoped_release unlocked;
        search_cumulative(closest.data(), weight, closest.size(), draws.data(), draws.size(), to);
        return out;
      },
      py::arg("closest").noconvert(), py::arg("weights").noconvert(), py::arg("draws"),
      "numpy.searchsorted(numpy.cumsum(weights * closest), draws), clipped to the last index.");
}

template <class T, class X>
void bind_predict(py::module_& module) {
  module.def(
      "kmeans_labels",
      [](const X& x, const Array<T>& centers, int n_threads) {
        const KMeansInput<T> input(x, std::nullopt, std::nullopt);
        const std::int64_t clusters = clusters_of(centers, input.data.cols());
        py::array_t<std::int32_t> labels(input.data.rows());
        std::int32_t* out = labels.mutable_data();
        bool finished;
        {
          const py::gil_scoped_release unlocked;
          finished = predict_labels(input.data, centers.data(), clusters, n_threads, out, interrupted);
        }
        raise_if(!finished);
        return labels;
      },
      py::arg("x").noconvert(), py::arg("centers").noconvert(), py::arg("n_threads") = 1,
      "Closest centre of each row.");
  module.def(
      "kmeans_inertia",
      [](const X& x, const Array<T>& centers, const Array<std::int32_t>& labels, const Optional<T>& weights,
         int n_threads) {
        const KMeansInput<T> input(x, std::nullopt, weights);
        const std::int64_t clusters = clusters_of(centers, input.data.cols());
        require(labels.ndim() == 1 && labels.shape(0) == input.data.rows(), "labels: expected one a row");
        require(are_indices(labels.data(), labels.size(), clusters), "labels: no such cluster");
        const py::gil_scoped_release unlocked;
        return inertia<T>(input.data, centers.data(), clusters, labels.data(), n_threads, nullptr);
      },
      py::arg("x").noconvert(), py::arg("centers").noconvert(), py::arg("labels").noconvert(),
      py::arg("weights").noconvert() = py::none(), py::arg("n_threads") = 1,
      "Sum of weighted squared distances to the labelled centres.");
  module.def(
      "kmeans_distances",
      [](const X& x, const Array<T>& centers, int n_threads) {
        const KMeansInput<T> input(x, std::nullopt, std::nullopt);
        const std::int64_t clusters = clusters_of(centers, input.data.cols());
        Array<T> distances({py::ssize_t(input.data.rows()), py::ssize_t(clusters)});
        bool finished;
        {
          T* out = distances.mutable_data();
          const py::gil_scoped_release unlocked;
          finished = transform(input.data, centers.data(), clusters, n_threads, out, interrupted);
        }
        raise_if(!finished);
        return distances;
      },
      py::arg("x").noconvert(), py::arg("centers").noconvert(), py::arg("n_threads") = 1,
      "Euclidean distance from each row to each centre.");
}

template <class T>
void bind_kmeans_of(py::module_& module, const char* lloyd, const char* seeding) {
  bind_lloyd<T>(module, lloyd);
  bind_seeding<T>(module, seeding);
  bind_predict<T, Array<T>>(module);
  bind_predict<T, py::tuple>(module);
}

}  // namespace

void bind_kmeans(py::module_& module) {
  bind_kmeans_of<float>(module, "LloydF32", "SeedingF32");
  bind_kmeans_of<double>(module, "LloydF64", "SeedingF64");
}

}  // namespace fastml
