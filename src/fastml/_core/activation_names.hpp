// The names by which Python calls activations.
#pragma once

#include <string>

#include "nn/activation_kernels.hpp"

namespace fastml {

// Raises for an unknown name.
nn::Activation activation_of(const std::string& kind);

}  // namespace fastml
