#include "activation_names.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "bindings.hpp"

namespace fastml {

using nn::Activation;

Activation activation_of(const std::string& kind) {
  static constexpr std::array<std::pair<std::string_view, Activation>, 10> kinds{
      {{"identity", Activation::identity},
       {"relu", Activation::relu},
       {"leaky_relu", Activation::leaky_relu},
       {"elu", Activation::elu},
       {"gelu", Activation::gelu},
       {"gelu_tanh", Activation::gelu_tanh},
       {"silu", Activation::silu},
       {"sigmoid", Activation::sigmoid},
       {"tanh", Activation::tanh},
       {"softplus", Activation::softplus}}};
  for (const auto& [name, activation] : kinds) {
    if (name == kind) return activation;
  }
  throw py::value_error("unknown activation: " + kind);
}

}  // namespace fastml
