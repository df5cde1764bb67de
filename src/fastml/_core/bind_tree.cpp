#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bindings.hpp"
#include "tree/compact_tree.hpp"
#include "tree/grow.hpp"

namespace fastml {
namespace {

using tree::CriterionKind;
using tree::Encoding;

std::shared_ptr<tree::Features> make_features(const py::array_t<float>& x, const std::string& kind, int n_threads) {
  require(x.ndim() == 2, "TreeFeatures: X must be 2-dimensional");
  require(x.strides(0) % py::ssize_t(sizeof(float)) == 0 && x.strides(1) % py::ssize_t(sizeof(float)) == 0,
          "TreeFeatures: strides must be whole elements");
  require(kind == "values" || kind == "ranks" || kind == "sorted",
          "TreeFeatures: kind must be 'values', 'ranks' or 'sorted', got '" + kind + "'");
  const Encoding encoding =
      kind == "values" ? Encoding::values : (kind == "ranks" ? Encoding::ranks : Encoding::sorted);
  const tree::SampleMatrix samples{x.data(), x.shape(0), x.shape(1), x.strides(0) / py::ssize_t(sizeof(float)),
                                   x.strides(1) / py::ssize_t(sizeof(float))};
  const py::gil_scoped_release unlocked;
  return std::make_shared<tree::Features>(samples, encoding, n_threads);
}

std::shared_ptr<tree::Features> make_sparse_features(const Array<float>& data, const Array<std::int32_t>& indices,
                                                     const Array<std::int32_t>& indptr, std::int64_t n_samples,
                                                     bool random_splits) {
  require(indptr.size() >= 2, "TreeFeatures: indptr must have an entry more than X has columns, of which there is one");
  require(indices.size() == data.size(), "TreeFeatures: data and indices must have the same length");
  const tree::SparseMatrix x{data.data(), indices.data(),    indptr.data(),
                             n_samples,   indptr.size() - 1, std::int64_t(data.size())};
  const py::gil_scoped_release unlocked;
  require(x.valid(), "TreeFeatures: the rows of each column must ascend and lie in [0, n_samples)");
  return std::make_shared<tree::Features>(x, !random_splits);
}

// Targets with the array that owns their numbers.
struct OwnedTargets {
  Array<double> y;
  tree::Targets targets;

  OwnedTargets(Array<double> y_, const std::optional<Array<std::int64_t>>& n_classes) : y(std::move(y_)) {
    require(y.ndim() == 2 && y.shape(1) > 0, "TreeTargets: y must be samples x outputs");
    targets.y = y.data();
    targets.samples = y.shape(0);
    targets.outputs = y.shape(1);
    if (n_classes) {
      optional_data(n_classes, y.shape(1), "n_classes");
      targets.classes.assign(n_classes->data(), n_classes->data() + y.shape(1));
    }
    require(targets.valid(), "TreeTargets: class codes must lie in [0, n_classes)");
  }
};

CriterionKind criterion_of(const std::string& name) {
  if (name == "gini") return CriterionKind::gini;
  if (name == "entropy" || name == "log_loss") return CriterionKind::entropy;
  if (name == "squared_error") return CriterionKind::squared_error;
  if (name == "absolute_error") return CriterionKind::absolute_error;
  require(name == "poisson", "TreeOptions: unknown criterion '" + name + "'");
  return CriterionKind::poisson;
}

tree::Options make_options(const std::string& criterion, bool random_splits, std::int64_t max_depth,
                           std::int64_t min_samples_split, std::int64_t min_samples_leaf, double min_weight_leaf,
                           std::int64_t max_features, std::int64_t max_leaf_nodes, double min_impurity_decrease,
                           const std::optional<Array<std::int8_t>>& monotonic_cst) {
  tree::Options options;
  options.criterion = criterion_of(criterion);
  options.random_splits = random_splits;
  options.max_depth = max_depth;
  options.min_samples_split = min_samples_split;
  options.min_samples_leaf = min_samples_leaf;
  options.min_weight_leaf = min_weight_leaf;
  options.max_features = max_features;
  options.max_leaf_nodes = max_leaf_nodes;
  options.min_impurity_decrease = min_impurity_decrease;
  // A leaf without samples would have no value.
  require(min_samples_leaf >= 1, "TreeOptions: min_samples_leaf must be at least 1");
  if (monotonic_cst) {
    options.monotonic.assign(monotonic_cst->data(), monotonic_cst->data() + monotonic_cst->size());
  }
  return options;
}

// An array that owns the vector's memory.
template <class T, class Item>
py::array_t<T> take(std::vector<Item>&& items, std::vector<py::ssize_t> shape) {
  auto owner = std::make_unique<std::vector<Item>>(std::move(items));
  T* data = reinterpret_cast<T*>(owner->data());
  const py::capsule capsule(owner.get(), [](void* held) { delete static_cast<std::vector<Item>*>(held); });
  owner.release();
  return py::array_t<T>(std::move(shape), data, capsule);
}

// Ends the growing of all trees that were given it.
struct CancelFlag {
  std::atomic<bool> is_set{false};
  mutable std::atomic<int> growing{0};  // trees that were given it
};

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("the growing of the tree was cancelled") {}
};

// The flag of the tree that this thread grows: a stop check takes no arguments, and is asked by the calling thread only.
thread_local const CancelFlag* cancel_flag = nullptr;

bool is_cancelled() { return cancel_flag != nullptr && cancel_flag->is_set.load(std::memory_order_relaxed); }
bool interrupted_or_cancelled() { return is_cancelled() || interrupted(); }

// A tree in growth with the flag as the thread's, until the GIL is held again. The flag before is put back: a signal handler
// may grow a tree in the middle of another.
class Cancellable {
 public:
  explicit Cancellable(const CancelFlag* flag) : flag_(flag), before_(std::exchange(cancel_flag, flag)) {
    if (flag_ != nullptr) ++flag_->growing;
  }
  ~Cancellable() {
    if (flag_ != nullptr) --flag_->growing;
    cancel_flag = before_;
  }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

 private:
  const CancelFlag *flag_, *before_;
};

// Grows a tree without the GIL: grow(stop) tells whether it came to its end.
template <class Grow>
void grow_cancellably(const std::optional<const CancelFlag*>& cancel, const Grow& grow) {
  const Cancellable growing(cancel.value_or(nullptr));
  bool done;
  {
    const py::gil_scoped_release unlocked;
    done = grow(&interrupted_or_cancelled);
  }
  // A flag that is set later than a signal handler raised must not hide what that raised.
  if (!done && PyErr_Occurred() == nullptr) throw Cancelled();
  raise_if(!done);
}

const double* checked_weights(const tree::Features& features, const OwnedTargets& targets, const tree::Options& options,
                              const std::optional<Array<double>>& sample_weight) {
  require(targets.targets.samples == features.samples(), "grow_tree: as many targets as samples are needed");
  require(options.monotonic.empty() || std::int64_t(options.monotonic.size()) == features.count(),
          "grow_tree: monotonic_cst must have an entry for each feature");
  require((options.criterion == CriterionKind::gini || options.criterion == CriterionKind::entropy) ==
              targets.targets.classification(),
          "grow_tree: gini and entropy are for classes, the other criteria for numbers");
  if (features.sparse() == nullptr) {
    require((features.encoding() == Encoding::values) == options.random_splits,
            "grow_tree: features must be 'values' for random splits, else 'ranks' or 'sorted'");
  } else {
    require(features.sparse()->in_order() != options.random_splits,
            "grow_tree: sparse features must be made for the kind of splits");
  }
  return optional_data(sample_weight, features.samples(), "sample_weight");
}

py::tuple grow_tree(const tree::Features& features, const OwnedTargets& targets, const tree::Options& options,
                    const std::optional<Array<double>>& sample_weight, std::uint32_t seed, int n_threads,
                    const std::optional<const CancelFlag*>& cancel) {
  const double* weights = checked_weights(features, targets, options, sample_weight);
  tree::GrownTree tree;
  grow_cancellably(cancel, [&](StopCheck stop) {
    const bool done = tree::grow(features, targets.targets, weights, options, seed, n_threads, stop, tree);
    tree.nodes.shrink_to_fit();
    tree.values.shrink_to_fit();
    return done;
  });
  const py::ssize_t nodes = py::ssize_t(tree.nodes.size());
  return py::make_tuple(
      take<std::uint8_t>(std::move(tree.nodes), {nodes, py::ssize_t(sizeof(tree::Node))}),
      take<double>(std::move(tree.values), {nodes, targets.targets.outputs, targets.targets.most_classes()}),
      tree.max_depth);
}

py::tuple grow_compact_tree(const tree::Features& features, const OwnedTargets& targets, const tree::Options& options,
                            const std::optional<Array<double>>& sample_weight, std::uint32_t seed, int n_threads,
                            const std::optional<const CancelFlag*>& cancel) {
  const double* weights = checked_weights(features, targets, options, sample_weight);
  std::optional<tree::CompactTree> tree;
  std::int64_t max_depth = 0;
  grow_cancellably(cancel, [&](StopCheck stop) {
    tree = tree::grow_compact(features, targets.targets, weights, options, seed, n_threads, stop, max_depth);
    return tree.has_value();
  });
  return py::make_tuple(std::move(*tree), max_depth);
}

tree::CompactTree make_compact(const Array<std::uint8_t>& nodes, const Array<double>& values) {
  constexpr py::ssize_t kBytes = sizeof(tree::Node);
  require(nodes.ndim() == 2 && nodes.shape(1) == kBytes && nodes.shape(0) > 0 &&
              reinterpret_cast<std::uintptr_t>(nodes.data()) % alignof(tree::Node) == 0,
          "CompactTree: nodes must be rows of 64 bytes");
  require(values.ndim() == 3 && values.shape(0) == nodes.shape(0) && values.size() > 0,
          "CompactTree: values must be nodes x outputs x classes");
  const py::gil_scoped_release unlocked;
  return tree::CompactTree(reinterpret_cast<const tree::Node*>(nodes.data()), nodes.shape(0), values.data(),
                           values.shape(1) * values.shape(2));
}

py::tuple expand(const tree::CompactTree& tree, py::ssize_t outputs) {
  require(outputs > 0 && tree.width() % outputs == 0, "CompactTree: not the number of outputs");
  py::array_t<std::uint8_t> nodes({py::ssize_t(tree.count()), py::ssize_t(sizeof(tree::Node))});
  py::array_t<double> values({py::ssize_t(tree.count()), outputs, py::ssize_t(tree.width()) / outputs});
  {
    auto* const to_nodes = reinterpret_cast<tree::Node*>(nodes.mutable_data());
    double* const to_values = values.mutable_data();
    const py::gil_scoped_release unlocked;
    tree.expand(to_nodes, to_values);
  }
  return py::make_tuple(std::move(nodes), std::move(values));
}

}  // namespace

void bind_tree(py::module_& module) {
  py::class_<tree::Features, std::shared_ptr<tree::Features>>(
      module, "TreeFeatures",
      "X prepared once for all the trees grown on it; immutable, safe to share between threads.")
      .def(py::init(&make_features), py::arg("X").noconvert(), py::arg("kind"), py::arg("n_threads") = 1,
           py::keep_alive<1, 2>(),
           "X: float32 of any strides, NaN allowed; must not change while this is used. kind: 'values' for random "
           "splits; 'ranks' for best splits;\n"
           "'sorted' likewise, with the order of the samples: quicker where splits look at most features.")
      .def_static("from_csc", &make_sparse_features, py::arg("data").noconvert(), py::arg("indices").noconvert(),
                  py::arg("indptr").noconvert(), py::arg("n_samples"), py::arg("random_splits"),
                  "Sparse X that stays so: the parts of a CSC matrix in canonical format, float32 without NaN, with\n"
                  "32-bit indices. They are not kept.")
      .def_property_readonly("n_samples", &tree::Features::samples)
      .def_property_readonly("n_features", &tree::Features::count)
      .def_property_readonly("nbytes", &tree::Features::bytes);
  py::class_<OwnedTargets>(module, "TreeTargets", "Targets, checked once for all the trees grown on them.")
      .def(py::init<Array<double>, const std::optional<Array<std::int64_t>>&>(), py::arg("y").noconvert(),
           py::arg("n_classes").noconvert(),
           "y: samples x outputs; class codes where n_classes (of each output) is given. Kept, not copied.");
  py::class_<tree::Options>(module, "TreeOptions", "How a tree is grown: scikit-learn's parameters, as numbers.")
      .def(py::init(&make_options), py::kw_only(), py::arg("criterion"), py::arg("random_splits"), py::arg("max_depth"),
           py::arg("min_samples_split"), py::arg("min_samples_leaf"), py::arg("min_weight_leaf"),
           py::arg("max_features"), py::arg("max_leaf_nodes"), py::arg("min_impurity_decrease"),
           py::arg("monotonic_cst").noconvert(), "max_leaf_nodes < 0: no limit.");
  py::class_<tree::CompactTree>(module, "CompactTree", "A grown tree in about half the bytes. Immutable.")
      .def(py::init(&make_compact), py::arg("nodes").noconvert(), py::arg("values").noconvert(),
           "nodes, values: as grow_tree returns them.")
      .def("expand", &expand, py::arg("n_outputs"), "Return the nodes and values, equal to the bit.")
      .def_property_readonly("n_nodes", &tree::CompactTree::count)
      .def_property_readonly("nbytes", &tree::CompactTree::bytes);
  py::class_<CancelFlag>(module, "CancelFlag", "Ends the growing of all trees that were given it, from any thread.")
      .def(py::init<>())
      .def(
          "set", [](CancelFlag& self) { self.is_set = true; }, "Trees that are not soon done raise Cancelled.")
      .def_property_readonly(
          "n_growing", [](const CancelFlag& self) { return self.growing.load(); },
          "How many trees are in growth with it.");
  py::register_exception<Cancelled>(module, "Cancelled", PyExc_RuntimeError);
  module.def(
      "grow_tree", &grow_tree, py::arg("features"), py::arg("targets"), py::arg("options"),
      py::arg("sample_weight").noconvert(), py::arg("seed"), py::arg("n_threads") = 1, py::arg("cancel") = py::none(),
      "Grow a tree. Returns its nodes (one row of 64 bytes each, scikit-learn's NODE_DTYPE), their values (nodes x\n"
      "outputs x classes) and its depth.");
  module.def("grow_compact_tree", &grow_compact_tree, py::arg("features"), py::arg("targets"), py::arg("options"),
             py::arg("sample_weight").noconvert(), py::arg("seed"), py::arg("n_threads") = 1,
             py::arg("cancel") = py::none(), "The same, for forests: returns a CompactTree and its depth.");
}

}  // namespace fastml
