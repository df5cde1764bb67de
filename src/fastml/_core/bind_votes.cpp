#include <algorithm>

#include "bindings.hpp"
#include "neighbors/votes.hpp"

namespace fastml {
namespace {

using neighbors::NeighborLists;

using Int64s = Array<std::int64_t>;

bool all_below(const Int64s& values, std::int64_t limit) {
  const std::int64_t* begin = values.data();
  return std::all_of(begin, begin + values.size(), [=](std::int64_t value) { return value >= 0 && value < limit; });
}

void check_offsets(const Int64s& offsets, std::int64_t neighbors) {
  require(offsets.ndim() == 1 && offsets.size() >= 1, "offsets: expected one dimension and at least one element");
  const std::int64_t* begin = offsets.data();
  const std::int64_t* end = begin + offsets.size();
  require(*begin == 0 && end[-1] == neighbors && std::is_sorted(begin, end),
          "offsets: expected 0 to " + std::to_string(neighbors) + ", ascending");
}

NeighborLists lists_of(const Int64s& offsets, const Int64s& indices, const std::optional<Array<double>>& weights,
                       std::int64_t fitted_rows) {
  check_offsets(offsets, indices.size());
  require(all_below(indices, fitted_rows), "indices: expected 0 to " + std::to_string(fitted_rows - 1));
  if (weights) require(weights->size() == indices.size(), "weights: expected one for each neighbour");
  return {offsets.data(), indices.data(), weights ? weights->data() : nullptr, offsets.size() - 1};
}

void check_labels(const Int64s& labels, std::int64_t classes) {
  require(classes >= 1, "n_classes: expected at least 1");
  require(all_below(labels, classes), "labels: expected 0 to " + std::to_string(classes - 1));
}

}  // namespace

void bind_votes(py::module_& module) {
  module.def(
      "sum_votes",
      [](const Int64s& offsets, const Int64s& indices, const std::optional<Array<double>>& weights,
         const Int64s& labels, std::int64_t n_classes) {
        const NeighborLists lists = lists_of(offsets, indices, weights, labels.size());
        check_labels(labels, n_classes);
        Array<double> votes({lists.queries, n_classes});
        double* to = votes.mutable_data();
        {
          const py::gil_scoped_release unlocked;
          neighbors::sum_votes(lists, labels.data(), n_classes, to);
        }
        return votes;
      },
      py::arg("offsets").noconvert(), py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
      py::arg("labels").noconvert(), py::arg("n_classes"),
      "Votes of each query's neighbours for the classes; csrc/neighbors/votes.hpp has the contract.");
  module.def(
      "most_votes",
      [](const Int64s& offsets, const Int64s& indices, const std::optional<Array<double>>& weights,
         const Int64s& labels, std::int64_t n_classes) {
        const NeighborLists lists = lists_of(offsets, indices, weights, labels.size());
        check_labels(labels, n_classes);
        Int64s winners(lists.queries);
        std::int64_t* to = winners.mutable_data();
        {
          const py::gil_scoped_release unlocked;
          neighbors::most_votes(lists, labels.data(), n_classes, to);
        }
        return winners;
      },
      py::arg("offsets").noconvert(), py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
      py::arg("labels").noconvert(), py::arg("n_classes"),
      "The class that each query's neighbours vote for, the lowest among equals.");
  module.def(
      "mean_targets",
      [](const Int64s& offsets, const Int64s& indices, const std::optional<Array<double>>& weights,
         const Array<double>& targets) {
        const Rows<const double> rows = rows_of(targets);
        const NeighborLists lists = lists_of(offsets, indices, weights, rows.rows);
        Array<double> means({lists.queries, rows.cols});
        double* to = means.mutable_data();
        {
          const py::gil_scoped_release unlocked;
          neighbors::mean_targets(lists, rows.data, rows.cols, to);
        }
        return means;
      },
      py::arg("offsets").noconvert(), py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
      py::arg("targets").noconvert(), "Means of the targets (n_fitted, n_outputs) of each query's neighbours.");
  module.def(
      "inverse_distances",
      [](const Int64s& offsets, const Array<double>& distances) {
        check_offsets(offsets, distances.size());
        Array<double> weights(distances.size());
        double* to = weights.mutable_data();
        {
          const py::gil_scoped_release unlocked;
          neighbors::inverse_distances(offsets.data(), offsets.size() - 1, distances.data(), to);
        }
        return weights;
      },
      py::arg("offsets").noconvert(), py::arg("distances").noconvert(),
      "1 / distances; where some of a query's are 0, those weigh 1 and its others 0.");
}

}  // namespace fastml
