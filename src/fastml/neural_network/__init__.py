"""Neural networks: multilayer perceptrons, estimators over any module of ``fastml.nn``, autoencoders."""

from fastml.neural_network._autoencoder import Autoencoder
from fastml.neural_network._dense_module import dense_network
from fastml.neural_network._mlp import MLPClassifier, MLPRegressor
from fastml.neural_network._neural_net_classifier import NeuralNetClassifier
from fastml.neural_network._neural_net_regressor import NeuralNetRegressor

__all__ = ["Autoencoder", "MLPClassifier", "MLPRegressor", "NeuralNetClassifier", "NeuralNetRegressor", "dense_network"]
