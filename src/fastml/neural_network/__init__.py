"""Neural networks: multilayer perceptrons, convolutional ones, estimators over any module, autoencoders."""

from fastml.neural_network._autoencoder import Autoencoder
from fastml.neural_network._conv_autoencoder import ConvAutoencoder
from fastml.neural_network._conv_module import conv_network
from fastml.neural_network._conv_net_classifier import ConvNetClassifier
from fastml.neural_network._conv_net_regressor import ConvNetRegressor
from fastml.neural_network._dense_module import dense_network
from fastml.neural_network._mlp import MLPClassifier, MLPRegressor
from fastml.neural_network._neural_net_classifier import NeuralNetClassifier
from fastml.neural_network._neural_net_regressor import NeuralNetRegressor

__all__ = [
    "Autoencoder",
    "ConvAutoencoder",
    "ConvNetClassifier",
    "ConvNetRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NeuralNetClassifier",
    "NeuralNetRegressor",
    "conv_network",
    "dense_network",
]
