"""NeuralNetClassifier and NeuralNetRegressor: what both share."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastml import nn
from fastml.neural_network._building import new_loss, new_module
from fastml.neural_network._dense_module import dense_network
from fastml.neural_network._trained_network import TrainedNetwork, float_type, scale_of
from fastml.neural_network._training_parameters import PARTS
from fastml.nn.predictor import outputs

MODULE_DOC = """\
module : Module, class or function, default=None
        What is trained. A class or function is called with ``module__<name>`` to build it, and with those of
        ``in_features``, ``out_features`` and ``dtype`` that its signature names: numbers of features and of outputs,
        and the type of X. A module is copied, and the copy trained from the parameters that it has. By default a
        multilayer perceptron, :func:`fastml.neural_network.dense_network`, with arguments such as
        ``module__hidden_layer_sizes``, ``module__activation``, ``module__dropout``, ``module__batch_norm``. It
        computes in float32 where X is float32, and in float64 otherwise."""


class NeuralNet(TrainedNetwork):
    """An estimator over any module."""

    _parts = ("module", "criterion", *PARTS)

    module: Any
    criterion: Any

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _validated(self, X: Any, y: Any, reset: bool, **checks: Any) -> tuple[Any, Any]:
        """Return samples as the module gets them, and targets."""
        return validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
            order="C",
            reset=reset,
            **checks,
        )

    def _new_module(self, X: np.ndarray, out_features: int) -> nn.Module:
        shape = {"in_features": X.shape[1], "out_features": out_features, "dtype": X.dtype}
        module = dense_network if self.module is None else self.module
        return new_module(module, self._nested("module"), shape)

    def _new_loss(self, criterion: Any, weight: np.ndarray | None) -> Callable[[Any, Any], Any]:
        return new_loss(criterion, self._nested("criterion"), of_samples=weight is not None)

    def _checked_weight(self, sample_weight: Any, X: np.ndarray) -> np.ndarray | None:
        if sample_weight is None:
            return None
        return _check_sample_weight(sample_weight, X, dtype=float_type(X), ensure_non_negative=True)

    def _width(self, module: nn.Module, X: np.ndarray) -> int:
        """Return how many numbers a module gives for a sample, by a pass over the first samples."""
        first = X[:2]
        shape = outputs(module, first, scale_of(first)).shape
        if shape[:1] != first.shape[:1] or len(shape) > 2:
            raise ValueError(
                f"module: expected {type(module).__name__} to give a number or a row of them for each sample; for "
                f"samples of shape {first.shape} it gave shape {shape}."
            )
        return shape[1] if len(shape) == 2 else 1
