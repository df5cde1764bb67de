#include "bindings.hpp"
#include "nn/batches.hpp"

namespace fastml {
namespace {

using Indices = Array<std::int64_t>;

const std::int64_t* checked(const Indices& rows, std::int64_t limit) {
  require(rows.ndim() == 1, "rows: expected one dimension");
  require(are_indices(rows.data(), rows.size(), limit), "rows: an index is out of range");
  return rows.data();
}

template <class From, class To>
void gather(const py::array_t<From>& x, const Indices& rows, const std::optional<Array<To>>& shift,
            const std::optional<Array<To>>& factor, Array<To> batch, int n_threads) {
  require(x.ndim() == 2 && batch.ndim() == 2, "gather_rows: expected matrices");
  const py::ssize_t count = rows.size(), cols = x.shape(1), item = py::ssize_t(sizeof(From));
  require(batch.shape(0) == count && batch.shape(1) == cols, "gather_rows: the batch has another shape");
  require((x.strides(1) == item || cols <= 1) && x.strides(0) % item == 0,
          "gather_rows: expected rows that are contiguous");
  require(shift.has_value() == factor.has_value(), "gather_rows: expected a shift with a factor");
  const Rows<const From> view{x.data(), x.shape(0), cols, x.strides(0) / item};
  const auto* const at = checked(rows, x.shape(0));
  const To *const minus = optional_data(shift, cols, "shift"), *const times = optional_data(factor, cols, "factor");
  To* const out = batch.mutable_data();
  const py::gil_scoped_release release;
  nn::gather_rows<From, To>(view, at, count, minus, times, out, n_threads);
}

void gather_bytes(const py::array& x, const Indices& rows, py::array batch) {
  require(x.ndim() >= 1 && x.dtype().equal(batch.dtype()) && !x.dtype().attr("hasobject").cast<bool>(),
          "gather_items: expected two arrays of one type that holds no objects");
  require((batch.flags() & py::array::c_style) != 0 && batch.ndim() == x.ndim() && batch.shape(0) == rows.size(),
          "gather_items: the batch has another shape");
  const py::ssize_t bytes = rows.size() == 0 ? 0 : batch.nbytes() / rows.size();
  require(x.shape(0) == 0 || x.nbytes() / x.shape(0) == bytes || rows.size() == 0,
          "gather_items: the batch has another shape");
  require(x.ndim() == 1 || (x.flags() & py::array::c_style) != 0, "gather_items: expected contiguous items");
  const auto* const at = checked(rows, x.shape(0));
  const char* const from = static_cast<const char*>(x.data());
  char* const to = static_cast<char*>(batch.mutable_data());
  const py::ssize_t stride = x.strides(0), count = rows.size();
  const py::gil_scoped_release release;
  nn::gather_bytes(from, bytes, stride, at, count, to);
}

template <class From, class To>
void bind_gather(py::module_& module) {
  module.def("nn_gather_rows", &gather<From, To>, py::arg("x").noconvert(), py::arg("rows").noconvert(),
             py::arg("shift").noconvert(), py::arg("factor").noconvert(), py::arg("batch").noconvert(),
             py::arg("n_threads"),
             "Write rows of a matrix into a batch, converted to its type; with a shift and a factor for each column,\n"
             "(x - shift) * factor.");
}

}  // namespace

void bind_nn_batches(py::module_& module) {
  bind_gather<float, float>(module);
  bind_gather<double, double>(module);
  bind_gather<double, float>(module);
  bind_gather<float, double>(module);
  bind_gather<std::uint8_t, float>(module);
  bind_gather<std::uint8_t, double>(module);
  module.def("nn_gather_items", &gather_bytes, py::arg("x").noconvert(), py::arg("rows").noconvert(),
             py::arg("batch").noconvert(), "Write x[rows] into a batch of x's type.");
}

}  // namespace fastml
