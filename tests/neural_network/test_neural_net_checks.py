"""scikit-learn's checks of estimators, on those over modules."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastml.neural_network import (
    Autoencoder,
    ConvAutoencoder,
    ConvNetClassifier,
    ConvNetRegressor,
    NeuralNetClassifier,
    NeuralNetRegressor,
)


@parametrize_with_checks(
    [
        NeuralNetClassifier(),
        NeuralNetClassifier(module__hidden_layer_sizes=(16,), criterion="bce_with_logits", optimizer__lr=0.01),
        NeuralNetRegressor(),
        NeuralNetRegressor(module__hidden_layer_sizes=(16,), criterion="huber", optimizer="adamw", optimizer__lr=0.01),
        Autoencoder(n_components=1, max_epochs=20),
        Autoencoder(n_components=2, hidden_layer_sizes=(8,), tied=True, noise="gaussian", max_epochs=20),
        ConvNetClassifier(),
        ConvNetClassifier([8], criterion="bce_with_logits", module__batch_norm=False, optimizer__lr=0.02),
        ConvNetRegressor(),
        ConvNetRegressor([8, ("dense", 16)], module__batch_norm=False, criterion="huber", optimizer__lr=0.02),
        ConvAutoencoder(n_components=1),
    ]
)
@pytest.mark.filterwarnings("ignore:A column-vector y:sklearn.exceptions.DataConversionWarning")
def test_checks_of_estimators(estimator, check):
    check(estimator)
