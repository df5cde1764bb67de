#include <vector>

#include "bindings.hpp"
#include "tree/forest_predict.hpp"
#include "tree/narrow.hpp"

namespace fastml {
namespace {

using tree::ForestArrays;
using tree::Node;
using tree::Samples;
using tree::TreeArrays;

// Nodes as scikit-learn's structured array, or as its bytes in rows of 64.
TreeArrays tree_of(const py::array& nodes, const Array<double>& values) {
  const bool structured = nodes.ndim() == 1 && nodes.itemsize() == py::ssize_t(sizeof(Node));
  const bool bytes = nodes.ndim() == 2 && nodes.itemsize() == 1 && nodes.shape(1) == py::ssize_t(sizeof(Node));
  require(structured || bytes, "nodes: expected records, or rows, of 64 bytes");
  require(
      (nodes.flags() & py::array::c_style) != 0 && reinterpret_cast<std::uintptr_t>(nodes.data()) % alignof(Node) == 0,
      "nodes: expected a C-contiguous, aligned array");
  require(values.ndim() >= 1 && values.shape(0) == nodes.shape(0) && nodes.shape(0) > 0,
          "values: expected an entry for each of " + std::to_string(nodes.shape(0)) + " nodes");
  return {static_cast<const Node*>(nodes.data()), nodes.shape(0), values.data()};
}

// Trees and the arrays that own their memory.
struct ForestView {
  ForestArrays forest;
  double steps;
  py::list owners;

  ForestView(const py::list& trees, std::int64_t n_features) {
    require(n_features > 0, "n_features: expected a positive number");
    forest.features = n_features;
    forest.width = -1;
    for (const py::handle& item : trees) {
      const auto pair = item.cast<py::tuple>();
      require(pair.size() == 2, "trees: expected pairs of nodes and values");
      require(py::isinstance<py::array>(pair[0]) && py::isinstance<Array<double>>(pair[1]),
              "trees: expected an array of nodes and a C-contiguous array of float64 values");
      const auto values = pair[1].cast<Array<double>>();
      forest.trees.push_back(tree_of(pair[0].cast<py::array>(), values));
      const std::int64_t width = values.size() / values.shape(0);
      require(forest.width < 0 || width == forest.width, "values: expected as many a node in every tree");
      forest.width = width;
      owners.append(pair);
    }
    require(!forest.trees.empty(), "trees: expected at least one");
    steps = expected_steps(forest);
  }
};

// X as the kernels take it, and the arrays that own its memory.
struct ForestInput {
  Samples samples{};
  py::object owner;

  ForestInput(const py::array_t<float>& x, const ForestArrays& forest) : owner(x) {
    constexpr py::ssize_t size = sizeof(float);
    require(x.ndim() == 2, "expected a 2-dimensional array");
    require(x.strides(0) % size == 0 && x.strides(1) % size == 0 &&
                reinterpret_cast<std::uintptr_t>(x.data()) % alignof(float) == 0,
            "expected an aligned array");
    samples.data = x.data();
    samples.rows = x.shape(0);
    samples.cols = x.shape(1);
    samples.row_stride = x.strides(0) / size;
    samples.col_stride = x.strides(1) / size;
    check(forest);
  }

  ForestInput(const py::tuple& x, const ForestArrays& forest) : owner(x) {
    require(x.size() == 4, "a CSR input is (data, indices, indptr, n_features)");
    require(py::isinstance<Array<float>>(x[0]) && py::isinstance<Array<std::int32_t>>(x[1]) &&
                py::isinstance<Array<std::int32_t>>(x[2]),
            "a CSR input has float32 data, int32 indices and int32 indptr");
    const auto values = x[0].cast<Array<float>>();
    const auto indices = x[1].cast<Array<std::int32_t>>();
    const auto offsets = x[2].cast<Array<std::int32_t>>();
    require(values.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
    samples.is_sparse = true;
    samples.sparse = {values.data(), indices.data(), offsets.data(), offsets.size() - 1, x[3].cast<std::int64_t>()};
    samples.rows = samples.sparse.rows;
    samples.cols = samples.sparse.cols;
    check(forest);
    require(in_bounds(samples.sparse, values.size()), "CSR offsets or column indices out of range");
  }

 private:
  void check(const ForestArrays& forest) const {
    require(samples.cols == forest.features,
            "X has " + std::to_string(samples.cols) + " features, the trees have " + std::to_string(forest.features));
  }
};

template <class X>
void bind_forest_of(py::class_<ForestView>& view) {
  view.def(
      "add_values",
      [](const ForestView& self, const X& x, Array<double>& out, double scale,
         const std::optional<Array<std::int64_t>>& columns, int n_threads) {
        const ForestArrays& forest = self.forest;
        const ForestInput input(x, forest);
        require(out.ndim() == 2 && out.shape(0) == input.samples.rows && out.shape(1) >= forest.width,
                "out: expected a row a sample, at least as wide as a leaf's values");
        const std::int64_t* to = optional_data(columns, py::ssize_t(forest.trees.size()), "columns");
        require(to == nullptr || are_indices(to, columns->size(), out.shape(1) - forest.width + 1),
                "columns: values would leave the row");
        const tree::LeafSums sums{out.mutable_data(), out.shape(1), scale, to};
        bool finished;
        {
          const py::gil_scoped_release unlocked;
          finished = add_leaf_values(forest, input.samples, sums, n_threads, interrupted);
        }
        raise_if(!finished);
      },
      py::arg("x").noconvert(), py::arg("out").noconvert(), py::arg("scale") = 1.0,
      py::arg("columns").noconvert() = py::none(), py::arg("n_threads") = 1,
      "Add scale times the values of the leaves to the rows of `out`, tree by tree, from each tree's column on.");
  view.def(
      "apply",
      [](const ForestView& self, const X& x, int n_threads) {
        const ForestInput input(x, self.forest);
        py::array_t<std::int64_t> leaves({py::ssize_t(self.forest.trees.size()), py::ssize_t(input.samples.rows)});
        std::int64_t* to = leaves.mutable_data();
        bool finished;
        {
          const py::gil_scoped_release unlocked;
          finished = find_leaves(self.forest, input.samples, to, n_threads, interrupted);
        }
        raise_if(!finished);
        return leaves;
      },
      py::arg("x").noconvert(), py::arg("n_threads") = 1, "Index of the leaf, trees x samples.");
}

}  // namespace

void bind_forest(py::module_& module) {
  py::class_<ForestView> view(module, "ForestView",
                              "Trees in scikit-learn's layout, read where they are: changes in place are seen.");
  view.def(py::init<const py::list&, std::int64_t>(), py::arg("trees"), py::arg("n_features"))
      .def_property_readonly("n_trees", [](const ForestView& self) { return self.forest.trees.size(); })
      .def_property_readonly("n_features", [](const ForestView& self) { return self.forest.features; })
      .def_property_readonly("n_values", [](const ForestView& self) { return self.forest.width; })
      .def_property_readonly(
          "n_steps", [](const ForestView& self) { return self.steps; },
          "About how many steps the walks of a sample take together.");
  bind_forest_of<py::array_t<float>>(view);
  bind_forest_of<py::tuple>(view);
  module.def(
      "to_float32",
      [](const Array<double>& x, int n_threads) -> py::object {
        const std::vector<py::ssize_t> shape(x.shape(), x.shape() + x.ndim());
        py::array_t<float> narrowed(shape);
        float* to = narrowed.mutable_data();
        bool finite;
        {
          const py::gil_scoped_release unlocked;
          finite = tree::narrow(x.data(), x.size(), n_threads, to);
        }
        if (!finite) return py::none();
        return narrowed;
      },
      py::arg("x").noconvert(), py::arg("n_threads") = 1,
      "The array in float32; None where that has infinities or NaN.");
}

}  // namespace fastml
