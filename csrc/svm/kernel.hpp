// The kernel functions of support vector machines.
#pragma once

namespace fastml::svm {

enum class KernelKind { linear, poly, rbf, sigmoid, precomputed };

// K(x, y) is x.y, (gamma x.y + coef0)^degree, e^(-gamma |x - y|^2), tanh(gamma x.y + coef0), or given.
struct Kernel {
  KernelKind kind;
  int degree;
  double gamma;
  double coef0;
};

}  // namespace fastml::svm
