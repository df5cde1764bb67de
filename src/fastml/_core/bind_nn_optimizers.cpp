#include <vector>

#include "bindings.hpp"
#include "nn/optimizers.hpp"

namespace fastml {
namespace {

// The arrays of a list; their places in flat buffers are filled in by whoever has some.
template <class T>
std::vector<nn::Piece<T>> pieces_of(const py::list& gradients, bool changed) {
  std::vector<nn::Piece<T>> pieces;
  pieces.reserve(gradients.size());
  for (const py::handle item : gradients) {
    require(py::isinstance<Array<T>>(item), "gradients: expected C-contiguous arrays of one floating type");
    auto gradient = py::reinterpret_borrow<Array<T>>(item);
    require(!changed || gradient.writeable(), "gradients: expected writeable arrays");
    pieces.push_back({const_cast<T*>(gradient.data()), 0, gradient.size()});
  }
  return pieces;
}

template <class T>
nn::Pieces<T> view_of(const std::vector<nn::Piece<T>>& pieces) {
  return {pieces.data(), std::int64_t(pieces.size())};
}

// What every step takes: gradients with their places, the flat buffers, all as long as the parameters.
template <class T>
class Buffers {
 public:
  Buffers(Array<T>& parameters, const py::list& gradients, const std::vector<std::int64_t>& offsets)
      : pieces_(pieces_of<T>(gradients, false)), parameters_(parameters.mutable_data()), size_(parameters.size()) {
    require(offsets.size() == pieces_.size(), "offsets: expected one for each gradient");
    auto offset = offsets.begin();
    for (nn::Piece<T>& piece : pieces_) {
      piece.offset = *offset++;
      require(piece.offset >= 0 && piece.size <= size_ - piece.offset, "offsets: a gradient leaves the flat buffer");
    }
  }

  nn::Pieces<T> pieces() const { return view_of(pieces_); }
  T* parameters() const { return parameters_; }
  T* state(Array<T>& state) const {
    require(state.size() == size_, "a state has another size than the parameters");
    return state.mutable_data();
  }
  T* state(std::optional<Array<T>>& given) const { return given ? state(*given) : nullptr; }

 private:
  std::vector<nn::Piece<T>> pieces_;
  T* parameters_;
  std::int64_t size_;
};

using Offsets = std::vector<std::int64_t>;

template <class T>
void sgd(Array<T> parameters, const py::list& gradients, const Offsets& offsets, std::optional<Array<T>> velocity,
         double gradient_factor, double weight_decay, double rate, double momentum, double keep, double take,
         bool nesterov, int n_threads) {
  const Buffers<T> buffers(parameters, gradients, offsets);
  T* const v = buffers.state(velocity);
  const py::gil_scoped_release release;
  nn::sgd_step<T>({gradient_factor, weight_decay, rate, momentum, keep, take, nesterov}, buffers.pieces(),
                  buffers.parameters(), v, n_threads);
}

template <class T>
void adagrad(Array<T> parameters, const py::list& gradients, const Offsets& offsets, Array<T> sum,
             double gradient_factor, double weight_decay, double rate, double eps, int n_threads) {
  const Buffers<T> buffers(parameters, gradients, offsets);
  T* const s = buffers.state(sum);
  const py::gil_scoped_release release;
  nn::adagrad_step<T>({gradient_factor, weight_decay, rate, eps}, buffers.pieces(), buffers.parameters(), s, n_threads);
}

template <class T>
void rmsprop(Array<T> parameters, const py::list& gradients, const Offsets& offsets, Array<T> square,
             std::optional<Array<T>> mean, std::optional<Array<T>> velocity, double gradient_factor,
             double weight_decay, double rate, double alpha, double eps, double momentum, int n_threads) {
  const Buffers<T> buffers(parameters, gradients, offsets);
  T *const s = buffers.state(square), *const m = buffers.state(mean), *const v = buffers.state(velocity);
  const py::gil_scoped_release release;
  nn::rmsprop_step<T>({gradient_factor, weight_decay, rate, alpha, eps, momentum}, buffers.pieces(),
                      buffers.parameters(), s, m, v, n_threads);
}

template <class T>
void adam(Array<T> parameters, const py::list& gradients, const Offsets& offsets, Array<T> mean, Array<T> square,
          std::optional<Array<T>> largest_square, double gradient_factor, double weight_decay, double shrink,
          double rate, double beta1, double beta2, double root_factor, double eps, int n_threads) {
  const Buffers<T> buffers(parameters, gradients, offsets);
  T *const m = buffers.state(mean), *const s = buffers.state(square), *const l = buffers.state(largest_square);
  const py::gil_scoped_release release;
  nn::adam_step<T>({gradient_factor, weight_decay, shrink, rate, beta1, beta2, root_factor, eps}, buffers.pieces(),
                   buffers.parameters(), m, s, l, n_threads);
}

// The type of a list of arrays is that of its first: the overloads of a list look alike to pybind11.
template <class Call>
auto by_type(const py::list& gradients, const Call& call) {
  const bool single = !gradients.empty() && py::isinstance<Array<float>>(gradients[0]);
  return single ? call(float()) : call(double());
}

double squared_norm_of(const py::list& gradients, int n_threads) {
  return by_type(gradients, [&](auto zero) {
    const auto pieces = pieces_of<decltype(zero)>(gradients, false);
    const py::gil_scoped_release release;
    return nn::squared_norm(view_of(pieces), n_threads);
  });
}

void scale(const py::list& gradients, double factor, int n_threads) {
  by_type(gradients, [&](auto zero) {
    const auto pieces = pieces_of<decltype(zero)>(gradients, true);
    const py::gil_scoped_release release;
    nn::scale(view_of(pieces), factor, n_threads);
  });
}

void clip(const py::list& gradients, double most, int n_threads) {
  by_type(gradients, [&](auto zero) {
    const auto pieces = pieces_of<decltype(zero)>(gradients, true);
    const py::gil_scoped_release release;
    nn::clip(view_of(pieces), most, n_threads);
  });
}

template <class T>
void bind_steps(py::module_& module) {
  using py::arg;
  module.def("nn_sgd_step", &sgd<T>, arg("parameters").noconvert(), arg("gradients"), arg("offsets"),
             arg("velocity").noconvert(), arg("gradient_factor"), arg("weight_decay"), arg("rate"), arg("momentum"),
             arg("keep"), arg("take"), arg("nesterov"), arg("n_threads"),
             "Move flat parameters by a step of SGD. The formulas are in csrc/nn/optimizers.hpp.");
  module.def("nn_adagrad_step", &adagrad<T>, arg("parameters").noconvert(), arg("gradients"), arg("offsets"),
             arg("sum").noconvert(), arg("gradient_factor"), arg("weight_decay"), arg("rate"), arg("eps"),
             arg("n_threads"), "Move flat parameters by a step of Adagrad.");
  module.def("nn_rmsprop_step", &rmsprop<T>, arg("parameters").noconvert(), arg("gradients"), arg("offsets"),
             arg("square").noconvert(), arg("mean").noconvert(), arg("velocity").noconvert(), arg("gradient_factor"),
             arg("weight_decay"), arg("rate"), arg("alpha"), arg("eps"), arg("momentum"), arg("n_threads"),
             "Move flat parameters by a step of RMSprop.");
  module.def("nn_adam_step", &adam<T>, arg("parameters").noconvert(), arg("gradients"), arg("offsets"),
             arg("mean").noconvert(), arg("square").noconvert(), arg("largest_square").noconvert(),
             arg("gradient_factor"), arg("weight_decay"), arg("shrink"), arg("rate"), arg("beta1"), arg("beta2"),
             arg("root_factor"), arg("eps"), arg("n_threads"), "Move flat parameters by a step of Adam or AdamW.");
}

}  // namespace

void bind_nn_optimizers(py::module_& module) {
  bind_steps<float>(module);
  bind_steps<double>(module);
  module.def("nn_squared_norm", &squared_norm_of, py::arg("gradients"), py::arg("n_threads"),
             "The sum of squares of all elements of a list of arrays of one type, in double.");
  module.def("nn_scale", &scale, py::arg("gradients"), py::arg("factor"), py::arg("n_threads"),
             "Multiply arrays in place.");
  module.def("nn_clip", &clip, py::arg("gradients"), py::arg("most"), py::arg("n_threads"),
             "Bring the elements of arrays into [-most, most] in place; NaN stays.");
}

}  // namespace fastml
