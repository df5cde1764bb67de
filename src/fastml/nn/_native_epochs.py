"""An epoch of a plain multilayer perceptron in one native call, where nothing needs Python between its batches."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import issparse

from fastml import _core
from fastml._support import threads
from fastml.nn import losses, optim
from fastml.nn.containers import Sequential
from fastml.nn.layers import Linear, ReLU, Sigmoid, Tanh
from fastml.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss

_HIDDEN: dict[Any, str] = {ReLU: "relu", Sigmoid: "logistic", Tanh: "tanh"}
_FUNCTIONS = {
    losses.binary_cross_entropy_with_logits: BCEWithLogitsLoss,
    losses.cross_entropy: CrossEntropyLoss,
    losses.mse_loss: MSELoss,
}
_PLAIN = {loss: vars(loss()) for loss in _FUNCTIONS.values()}
"""The arguments by default, which are those that the kernel knows."""


def native_epochs(training: Any) -> NativeEpochs | None:
    """Return the native epochs of a training, or None where it needs the loop over batches.

    They are for a ``Sequential`` of ``Linear`` layers, with biases and one activation between them (``ReLU``,
    ``Sigmoid``, ``Tanh``), for cross entropy, binary cross entropy and squared errors as they are by default, for
    ``Adam`` and ``SGD`` without weight decay, over all parameters, and two-dimensional X of their type, CSR or not.
    Weights of samples, augmentation, clipping, accumulation, hooks, and callbacks that look at batches need the loop.
    """
    batches = training.batches
    layers = _layers(training.module)
    if layers is None or not _is_plain_step(training, layers[0]):
        return None
    if training.accumulate > 1 or training.clip_norm is not None or training.clip_value is not None:
        return None
    if any(callback.sees_batches for callback in training.callbacks) or batches.sample_weight is not None:
        return None
    if training.augmentation is not None:
        return None
    X = batches.X
    if X.ndim != 2 or X.dtype != training.dtype:
        return None
    if issparse(X):
        if X.shape[1] >= 2**31:
            return None
        samples: Any = X.data, X.indices.astype(np.int32, copy=False), X.indptr.astype(np.int64), X.shape[1]
    elif X.flags.c_contiguous and X.flags.aligned:
        samples = X
    else:
        return None
    if batches.n_samples != X.shape[0] or batches.dtype != X.dtype or batches.factor is not None:
        return None
    if X.shape[1] != layers[0][0].in_features:
        return None
    targets = _targets(training.loss, batches.y, layers[0][-1].out_features, training.dtype)
    return None if targets is None else NativeEpochs(training, *layers, samples, *targets)


class NativeEpochs:
    """A network of the kernel's, which takes over the parameters before an epoch and gives them back after it.

    The kernel's loss and gradient are multiples of ours. Moments are converted along with the parameters: they are
    what a checkpoint holds, so that a resumed training goes on with the same numbers.
    """

    def __init__(
        self, training: Any, linear: list[Any], hidden: str, samples: Any, loss: str, targets: np.ndarray
    ) -> None:
        self.training, self.linear, self.hidden = training, linear, hidden
        self.samples, self.targets = samples, targets
        self.units = [linear[0].in_features, *[layer.out_features for layer in linear]]
        output = {"squared_error": "identity", "log_loss": "softmax", "binary_log_loss": "logistic"}[loss]
        make = _core.DenseNetworkF32 if training.dtype == np.float32 else _core.DenseNetworkF64
        self.network = make(self.units, hidden, output, loss)
        n_outputs = self.units[-1]
        self.loss_factor = {"squared_error": 2.0, "log_loss": 1.0, "binary_log_loss": 1 / n_outputs}[loss]
        self.gradient_factor = {"squared_error": 2 / n_outputs, "log_loss": 1.0, "binary_log_loss": 1 / n_outputs}[loss]
        work = float(training.batches.batch_size) * float(np.dot(self.units[1:], self.units[:-1]))
        self.n_threads = threads.n_threads(work=work)

    def still_fit(self) -> bool:
        """Tell whether nothing has changed since the training began that the kernel does not know of."""
        return _layers(self.training.module) == (self.linear, self.hidden) and _is_plain_step(
            self.training, self.linear
        )

    def run(self) -> float | None:
        """Train for an epoch, and return the sum of the losses of its samples.

        Returns
        -------
        total : float or None
            None where the loss is not finite. Nothing has been changed then, but for a draw of an order.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C. The batches before have been learnt.
        """
        training, network = self.training, self.network
        batches = training.batches
        training.optimizer.zero_grad()
        network.load("weights", self._gathered(lambda p: p.data))
        self._load_state()
        total = math.nan
        try:
            total = network.train_epoch(
                self.samples, self.targets, None, batches.order(), batches.batch_size, 0.0, self.n_threads
            )
            if not math.isfinite(total):
                return None
            return total * self.loss_factor
        except KeyboardInterrupt:
            total = 0.0
            raise
        finally:
            if math.isfinite(total):
                with training._interrupts.held:
                    self._take_back()

    def _load_state(self) -> None:
        """Give the optimizer's state to the kernel."""
        optimizer = self.training.optimizer
        group, flat = optimizer.param_groups[0], optimizer._flats[0][0]
        f = self.gradient_factor
        if type(optimizer) is optim.SGD:
            rule = "nesterov" if group["nesterov"] else "sgd"
            self.network.set_optimizer(rule, group["lr"] * f, group["momentum"], 0.0, 0.0, flat.counts[0])
            if group["momentum"]:
                # The kernel's velocity contains the rate.
                self.network.load("first", self._state("momentum_buffer", -group["lr"]))
            return
        beta_1, beta_2 = group["betas"]
        scales = group["eps_after_correction"]
        self.network.set_optimizer("adam", group["lr"], beta_1, beta_2, group["eps"] / f, flat.counts[0], scales)
        self.network.load("first", self._state("exp_avg", 1 / f))
        self.network.load("second", self._state("exp_avg_sq", 1 / f**2))

    def _take_back(self) -> None:
        optimizer = self.training.optimizer
        group, flat = optimizer.param_groups[0], optimizer._flats[0][0]
        f = self.gradient_factor
        self._scatter(self.network.store("weights"), lambda p: p.data)
        if type(optimizer) is optim.Adam:
            self._scatter_state("exp_avg", "first", f)
            self._scatter_state("exp_avg_sq", "second", f**2)
        elif group["momentum"]:
            self._scatter_state("momentum_buffer", "first", -1 / group["lr"])
        flat.counts[:] = [self.network.steps] * len(flat.counts)

    def _homes(self, name: str) -> dict[int, np.ndarray]:
        """Return the parts of a state of the optimizer, by the ``id`` of their parameters."""
        flat = self.training.optimizer._flats[0][0]
        buffer = flat.state(name)
        return {id(p): flat.view(buffer, i) for i, p in enumerate(flat.parameters)}

    def _state(self, name: str, factor: float) -> np.ndarray:
        homes = self._homes(name)
        values = self._gathered(lambda p: homes[id(p)])
        return values if factor == 1 else values * values.dtype.type(factor)

    def _scatter_state(self, name: str, which: str, factor: float) -> None:
        homes = self._homes(name)
        values = self.network.store(which)
        self._scatter(values if factor == 1 else values * values.dtype.type(factor), lambda p: homes[id(p)])

    def _gathered(self, array_of: Any) -> np.ndarray:
        """Return arrays of the parameters in the kernel's order: weights as inputs x outputs, then biases."""
        weights = [array_of(layer.weight).T.ravel() for layer in self.linear]
        return np.concatenate([*weights, *[array_of(layer.bias) for layer in self.linear]])

    def _scatter(self, values: np.ndarray, array_of: Any) -> None:
        start = 0
        for layer, (fan_in, fan_out) in zip(self.linear, pairwise(self.units)):
            array_of(layer.weight)[...] = values[start : start + fan_in * fan_out].reshape(fan_in, fan_out).T
            start += fan_in * fan_out
        for layer, fan_out in zip(self.linear, self.units[1:]):
            array_of(layer.bias)[...] = values[start : start + fan_out]
            start += fan_out


def _layers(module: Any) -> tuple[list[Any], str] | None:
    """Return the linear layers of a plain perceptron, and the name of the activation between them."""
    if type(module) is not Sequential:
        return None
    layers: list[Any] = list(module)
    linear, between = layers[::2], layers[1::2]
    if len(linear) != len(between) + 1 or any(type(layer) is not Linear or layer.bias is None for layer in linear):
        return None
    kinds = {type(layer) for layer in between}
    if len(kinds) > 1 or not kinds <= set(_HIDDEN) or len(set(map(id, linear))) < len(linear):
        return None
    if any(a.out_features != b.in_features for a, b in pairwise(linear)):
        return None
    return linear, _HIDDEN[kinds.pop()] if kinds else "identity"


def _is_plain_step(training: Any, linear: list[Any]) -> bool:
    """Tell whether all parameters are stepped alike, by a rule that the kernel knows."""
    optimizer = training.optimizer
    parameters = [p for layer in linear for p in (layer.weight, layer.bias)]
    if type(optimizer) not in (optim.Adam, optim.SGD) or len(optimizer.param_groups) != 1:
        return False
    group, flats = optimizer.param_groups[0], optimizer._flats[0]
    if len(flats) != 1 or {id(p) for p in flats[0].parameters} != {id(p) for p in parameters}:
        return False
    if any(not p.requires_grad or p._hooks for p in parameters) or len(set(flats[0].counts)) != 1:
        return False
    if group["weight_decay"] or group["maximize"] or not group["lr"] > 0:
        return False
    return not (group.get("dampening") or group.get("amsgrad") or group.get("decoupled_weight_decay"))


def _is_plain_loss(loss: Any) -> bool:
    """Tell whether a loss has the arguments that it has by default."""
    for name, default in _PLAIN[type(loss)].items():
        given = getattr(loss, name)
        if given is not default and not (isinstance(given, (str, int, float)) and given == default):
            return False
    return True


def _targets(loss: Any, y: Any, n_outputs: int, dtype: np.dtype) -> tuple[str, np.ndarray] | None:
    """Return the kernel's name of a loss, and targets as it takes them."""
    kind = next((cls for function, cls in _FUNCTIONS.items() if loss is function), None)
    if kind is None:
        kind = type(loss)
        if kind not in _PLAIN or not _is_plain_loss(loss):
            return None
    if kind is CrossEntropyLoss:
        if y.ndim != 1 or y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= n_outputs:
            return None
        return "log_loss", (y[:, np.newaxis] == np.arange(n_outputs)).view(np.uint8)
    if y.dtype != dtype or (y.shape != (len(y), n_outputs) and (n_outputs > 1 or y.ndim > 1)):
        return None
    values = np.require(y.reshape(len(y), -1), requirements=["C", "A"])
    if kind is MSELoss:
        return "squared_error", values
    flags = values == 1
    return ("binary_log_loss", flags.view(np.uint8)) if np.all(flags | (values == 0)) else None
