"""Neural networks: multilayer perceptrons."""

from fastml.neural_network._mlp import MLPClassifier, MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
