"""Where a number that is not finite came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastml.nn._recording import no_grad
from fastml.nn.tensor import Tensor


class NonFiniteLossError(FloatingPointError):
    """The loss became NaN or infinite, or will be with the parameters that the last step has made.

    Attributes
    ----------
    epoch, batch : int
        Where it was first seen, both counted from 1.
    loss : float
    culprit : str
        What was not finite first.
    history : History
        Of the epochs before.
    """

    def __init__(self, epoch: int, batch: int, loss: float, culprit: str, history: Any) -> None:
        super().__init__(
            f"The loss is {loss} in epoch {epoch}, batch {batch}; first not finite: {culprit}. A smaller learning rate "
            "or clip_norm keeps steps short; inputs far from 0 +- 1 should be scaled."
        )
        self.epoch, self.batch, self.culprit, self.history = epoch, batch, culprit, history
        self.loss = loss

    def __reduce__(self) -> tuple:
        """Let it come back from another process: exceptions are rebuilt from their message otherwise."""
        return type(self), (self.epoch, self.batch, self.loss, self.culprit, self.history)


def first_not_finite(module: Any, X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None = None) -> str:
    """Tell what was not finite first: the inputs, a parameter, an activation, the targets, or weights of samples.

    Activations are those of another pass over the batch, with new draws where layers draw.
    """
    if not np.isfinite(X).all():
        return f"the input, in row {_first_row(X)} of the batch"
    state = first_parameter(module) or _first_named("buffer", module.named_buffers())
    if state:
        return f"{state}, before this batch"
    activation = _first_activation(module, X)
    if activation:
        return activation
    if y is not None and not np.isfinite(y).all():
        return f"the target, in row {_first_row(y)} of the batch"
    if weight is not None and not np.isfinite(weight).all():
        return f"the sample's weight, in row {_first_row(weight)} of the batch"
    return "the loss itself, of finite outputs"


def first_parameter(module: Any) -> str:
    """Name the first parameter of a module that is not finite; "" where all are. Buffers may be infinite: masks are."""
    return _first_named("parameter", module.named_parameters())


def _first_named(kind: str, tensors: Iterable[tuple[str, Tensor]]) -> str:
    return next((f"{kind} {name}" for name, tensor in tensors if not np.isfinite(tensor.data).all()), "")


def _first_activation(module: Any, X: np.ndarray) -> str:
    """Run the batch with every layer's outputs looked at, in the order in which they are computed."""
    found: list[str] = []
    changed: list[tuple[Any, str]] = []

    def watch(name: str, layer: Any, method: str) -> None:
        compute = getattr(layer, method)

        def watched(*args: Any, **kwargs: Any) -> Any:
            output = compute(*args, **kwargs)
            if not found and not np.isfinite(_array(output)).all():
                found.append(f"the output of {name or 'the module'} ({type(layer).__name__})")
            return output

        setattr(layer, method, watched)
        changed.append((layer, method))

    try:
        for name, layer in list(module.named_modules()):
            # Sequential computes a Linear and the activation behind it by the former's `activated`.
            for method in ("forward", "activated"):
                if hasattr(layer, method):
                    watch(name, layer, method)
        with no_grad(), np.errstate(all="ignore"):
            module(Tensor(X))
    finally:
        for layer, method in changed:
            delattr(layer, method)
    return found[0] if found else ""


def _array(value: Any) -> np.ndarray:
    return value.data if isinstance(value, Tensor) else np.asarray(value)


def _first_row(values: np.ndarray) -> int:
    bad = ~np.isfinite(values)
    return int(np.argmax(bad.reshape(len(values), -1).any(axis=1)))
