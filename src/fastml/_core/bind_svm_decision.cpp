#include <memory>
#include <numeric>
#include <vector>

#include "bindings.hpp"
#include "svm/decision.hpp"
#include "svm_arguments.hpp"

namespace fastml {
namespace {

using svm::Answer;
using svm::DecisionTask;
using svm::Kernel;
using svm::KernelKind;
using svm::SupportVectors;

using Doubles = Array<double>;
using Counts = std::optional<Array<std::int32_t>>;

Answer answer_of(const std::string& name) {
  if (name == "decisions") return Answer::decisions;
  if (name == "votes") return Answer::votes;
  if (name == "scores") return Answer::scores;
  require(name == "probabilities",
          "answer: expected 'decisions', 'votes', 'scores' or 'probabilities', got '" + name + "'");
  return Answer::probabilities;
}

// The machine's coefficients. None for the counts of the classes' support vectors stands for regression.
struct Coefficients {
  std::vector<std::int64_t> counts;
  DecisionTask task{};

  Coefficients(std::int64_t vectors, const Doubles& dual, const Counts& class_counts, const Doubles& intercepts,
               const std::string& answer, const std::optional<Doubles>& slopes, const std::optional<Doubles>& offsets,
               int n_threads)
      : counts(1, vectors) {
    if (class_counts) {
      require(class_counts->ndim() == 1 && class_counts->size() >= 2,
              "counts: expected one for each of two classes or more");
      counts.assign(class_counts->data(), class_counts->data() + class_counts->size());
    }
    task.dual = dual.data();
    task.counts = counts.data();
    task.threads = n_threads;
    task.stop = interrupted;
    task.answer.answer = answer_of(answer);
    task.answer.classes = std::int64_t(counts.size());
    task.answer.intercepts = intercepts.data();
    const bool negative = std::any_of(counts.begin(), counts.end(), [](std::int64_t count) { return count < 0; });
    require(!negative && std::accumulate(counts.begin(), counts.end(), std::int64_t(0)) == vectors,
            "counts: expected " + std::to_string(vectors) + " support vectors in all");
    require(dual.size() == task.answer.outputs() * vectors,
            "dual: expected " + std::to_string(task.answer.outputs()) + " coefficients for each of " +
                std::to_string(vectors) + " support vectors, got " + std::to_string(dual.size()) + " in all");
    const py::ssize_t pairs = task.answer.pairs();
    require(intercepts.size() == pairs,
            "intercepts: expected " + std::to_string(pairs) + ", got " + std::to_string(intercepts.size()));
    require(class_counts || task.answer.answer == Answer::decisions, "regression has decisions only");
    if (task.answer.answer == Answer::probabilities) {
      require(slopes && offsets, "probabilities need slopes and offsets");
      task.answer.slopes = optional_data(slopes, pairs, "slopes");
      task.answer.offsets = optional_data(offsets, pairs, "offsets");
    }
  }

  // decide(task) returns false when stopped.
  template <class Decide>
  py::array run(std::int64_t samples, const Decide& decide) {
    py::array result;
    if (task.answer.answer == Answer::votes) {
      py::array_t<std::int64_t> classes(samples);
      task.answer.classes_won = classes.mutable_data();
      result = classes;
    } else {
      py::array_t<double> values({samples, task.answer.width()});
      task.answer.values = values.mutable_data();
      result = values;
    }
    bool finished;
    {
      const py::gil_scoped_release unlocked;
      finished = decide(task);
    }
    raise_if(!finished);
    return result;
  }
};

// Support vectors with the arrays that they refer to.
struct SupportView {
  py::object owner;
  std::unique_ptr<SupportVectors> vectors;

  template <class Rows>
  void set(const Kernel& kernel, const Rows& rows) {
    const py::gil_scoped_release unlocked;
    vectors = std::make_unique<SupportVectors>(kernel, rows);
  }

  SupportView(const Doubles& rows, const std::string& kernel, int degree, double gamma, double coef0) : owner(rows) {
    set({kernel_kind_of(kernel), degree, gamma, coef0}, rows_of(rows));
  }
  SupportView(const py::tuple& rows, const std::string& kernel, int degree, double gamma, double coef0) {
    const SparseRows sparse(rows);
    owner = py::make_tuple(sparse.values, sparse.indices, sparse.offsets);
    set({kernel_kind_of(kernel), degree, gamma, coef0}, sparse.rows);
  }

  void check(std::int64_t features, bool is_sparse) const {
    require(features == vectors->features(),
            "x: expected " + std::to_string(vectors->features()) + " features, got " + std::to_string(features));
    require(is_sparse == vectors->is_sparse(), "x: expected CSR samples for CSR support vectors, dense ones for dense");
  }
};

template <class Input>
void bind_input(py::class_<SupportView>& view) {
  view.def(py::init<const Input&, const std::string&, int, double, double>(), py::arg("vectors").noconvert(),
           py::arg("kernel"), py::arg("degree"), py::arg("gamma"), py::arg("coef0"));
  view.def(
      "decide",
      [](const SupportView& self, const Input& x, const Doubles& dual, const Counts& counts, const Doubles& intercepts,
         const std::string& answer, const std::optional<Doubles>& slopes, const std::optional<Doubles>& offsets,
         int n_threads) {
        Coefficients coefficients(self.vectors->count(), dual, counts, intercepts, answer, slopes, offsets, n_threads);
        if constexpr (std::is_same_v<Input, py::tuple>) {
          const SparseRows sparse(x);
          self.check(sparse.rows.cols, true);
          return coefficients.run(sparse.rows.rows,
                                  [&](const DecisionTask& task) { return self.vectors->decide(sparse.rows, task); });
        } else {
          const Rows<const double> rows = rows_of(x);
          self.check(rows.cols, false);
          return coefficients.run(rows.rows,
                                  [&](const DecisionTask& task) { return self.vectors->decide(rows, task); });
        }
      },
      py::arg("x").noconvert(), py::arg("dual").noconvert(), py::arg("counts").noconvert().none(true),
      py::arg("intercepts").noconvert(), py::arg("answer"), py::arg("slopes").noconvert() = py::none(),
      py::arg("offsets").noconvert() = py::none(), py::arg("n_threads") = 1,
      "Answers for samples: of 'decisions' one a pair of classes, 'votes' the class, of 'scores' and 'probabilities' "
      "one "
      "a class. csrc/svm/decision.hpp has the contract.");
}

}  // namespace

void bind_svm_decision(py::module_& module) {
  py::class_<SupportView> view(module, "SupportVectors",
                               "Support vectors, packed for decisions. The arrays given must not change.");
  bind_input<Doubles>(view);
  bind_input<py::tuple>(view);
  view.def_property_readonly(
      "work", [](const SupportView& self) { return self.vectors->work(); }, "Scalar operations for a sample, roughly.");
  module.def(
      "decide_given",
      [](const Doubles& values, const Array<std::int32_t>& columns, const Doubles& dual, const Counts& counts,
         const Doubles& intercepts, const std::string& answer, const std::optional<Doubles>& slopes,
         const std::optional<Doubles>& offsets, int n_threads) {
        const Rows<const double> rows = rows_of(values);
        require(are_indices(columns.data(), columns.size(), rows.cols), "columns: expected columns of the values");
        Coefficients coefficients(columns.size(), dual, counts, intercepts, answer, slopes, offsets, n_threads);
        return coefficients.run(rows.rows, [&](const DecisionTask& task) {
          return svm::decide_given(rows, columns.data(), columns.size(), task);
        });
      },
      py::arg("values").noconvert(), py::arg("columns").noconvert(), py::arg("dual").noconvert(),
      py::arg("counts").noconvert().none(true), py::arg("intercepts").noconvert(), py::arg("answer"),
      py::arg("slopes").noconvert() = py::none(), py::arg("offsets").noconvert() = py::none(), py::arg("n_threads") = 1,
      "SupportVectors.decide() where the values of the kernel are given: columns[s] is vector s.");
}

}  // namespace fastml
