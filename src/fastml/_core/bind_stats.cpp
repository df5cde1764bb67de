#include "bindings.hpp"
#include "stats/columns.hpp"
#include "stats/labels.hpp"

namespace fastml {
namespace {

template <class T>
void bind_stats_of(py::module_& module) {
  module.def(
      "all_finite",
      [](const Array<T>& array, int n_threads) {
        const T* data = array.data();
        const py::ssize_t size = array.size();
        const py::gil_scoped_release unlocked;
        return all_finite(data, size, n_threads);
      },
      py::arg("array").noconvert(), py::arg("n_threads") = 1,
      "Whether every element of a C-contiguous array is finite.");
  module.def(
      "column_sums",
      [](const Array<T>& x) {
        const Rows<const T> rows = rows_of(x);
        Array<T> sums(rows.cols);
        T* out = sums.mutable_data();
        const py::gil_scoped_release unlocked;
        column_kernels<T>().sums(rows, out);
        return sums;
      },
      py::arg("x").noconvert(), "Sum of each column, added row by row in the dtype of x.");
  module.def(
      "column_spread",
      [](const Array<T>& x, const Array<T>& center, int n_threads) {
        const Rows<const T> rows = rows_of(x);
        require(center.ndim() == 1 && center.shape(0) == rows.cols, "center: expected one element a column");
        ColumnSpread spread;
        {
          const py::gil_scoped_release unlocked;
          spread = column_spread(rows, center.data(), n_threads);
        }
        return py::make_tuple(py::array_t<double>(spread.variances.size(), spread.variances.data()),
                              spread.largest_ratio);
      },
      py::arg("x").noconvert(), py::arg("center").noconvert(), py::arg("n_threads") = 1,
      "Population variances of the columns about `center`, and the largest deviation in standard deviations.");
}

std::optional<py::tuple> labels_and_codes(const Array<std::int64_t>& labels) {
  require(labels.ndim() == 1 && labels.size() > 0, "labels: expected one dimension and one label or more");
  Array<std::int64_t> codes(labels.size());
  const std::int64_t* from = labels.data();
  std::int64_t* to = codes.mutable_data();
  std::vector<std::int64_t> classes;
  {
    const py::gil_scoped_release unlocked;
    classes = fastml::number_labels(from, codes.size(), to);
  }
  if (classes.empty()) return std::nullopt;
  return py::make_tuple(copy_of(classes), std::move(codes));
}

}  // namespace

void bind_stats(py::module_& module) {
  bind_stats_of<float>(module);
  bind_stats_of<double>(module);
  module.def("number_labels", &labels_and_codes, py::arg("labels").noconvert(),
             "(sorted different labels, place of each label among them); None where they span too wide a range.");
}

}  // namespace fastml
