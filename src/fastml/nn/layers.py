"""Layers, under PyTorch's names and with its arguments and initial values."""

import math
from typing import Any

import numpy as np

from fastml.nn import functional
from fastml.nn._seeding import as_generator
from fastml.nn.module import Module, Parameter
from fastml.nn.tensor import Tensor


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if isinstance(x, Tensor) else np.shape(x)


class Linear(Module):
    """``x @ weight.T + bias``, of the last axis of x.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool, default=True
    dtype : dtype, default=float32
    rng : None, int, Generator or RandomState
        Where the initial values come from: uniform in +-1 / sqrt(in_features).

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, dtype: Any = np.float32, rng: Any = None
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        rng = as_generator(rng)
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        self.weight = Parameter(rng.uniform(-bound, bound, (out_features, in_features)).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, out_features).astype(dtype)) if bias else None

    def forward(self, x: Any) -> Tensor:
        return self.activated(x, "identity", 0.0)

    def activated(self, x: Any, kind: str, parameter: float) -> Tensor:
        """Return the layer's result with an activation, computed in one pass."""
        shape = _shape(x)
        if not shape or shape[-1] != self.in_features:
            raise self.misfit(
                f"the input has shape {shape}, and its last axis must be {self.in_features} long "
                f"(the weight has shape {self.weight.shape})."
            )
        return functional.linear(x, self.weight, self.bias, kind, parameter)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Activation(Module):
    """Base of the elementwise activations. Behind a :class:`Linear`, :class:`Sequential` computes both in one pass.

    Attributes
    ----------
    kind : str
        What the kernel calls it.
    parameter : float
    fusable : bool
        Whether the kernel computes it whatever its arguments are.
    """

    kind: str
    parameter: float = 0.0
    fusable: bool = True

    def forward(self, x: Any) -> Tensor:
        return functional._activate(x, self.kind, self.parameter)


class ReLU(Activation):
    """max(x, 0)."""

    kind = "relu"


class LeakyReLU(Activation):
    """x where it is positive, negative_slope * x elsewhere."""

    kind = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.parameter = self.negative_slope = float(negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Activation):
    """x where it is positive, alpha * (e^x - 1) elsewhere."""

    kind = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        self.parameter = self.alpha = float(alpha)
        self.fusable = self.alpha > 0

    def forward(self, x: Any) -> Tensor:
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class GELU(Activation):
    """x Phi(x), Phi the normal distribution; with approximate="tanh" a formula close to it."""

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}.")
        self.approximate = approximate
        self.kind = "gelu" if approximate == "none" else "gelu_tanh"

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Activation):
    """x sigmoid(x)."""

    kind = "silu"


class Sigmoid(Activation):
    """1 / (1 + e^-x)."""

    kind = "sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent."""

    kind = "tanh"


class Softplus(Activation):
    """log(1 + e^(beta x)) / beta, or x where beta x is above a threshold."""

    kind = "softplus"

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.parameter = self.beta = float(beta)
        self.threshold = float(threshold)
        self.fusable = self.threshold >= functional.SOFTPLUS_IS_IDENTITY

    def forward(self, x: Any) -> Tensor:
        return functional.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """e^x over its sum along an axis."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return functional.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of the softmax along an axis."""

    def forward(self, x: Any) -> Tensor:
        return functional.log_softmax(x, self.dim)


class Identity(Module):
    """x."""

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """Make consecutive axes one; by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        return functional.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Dropout(Module):
    """In training, set elements to 0 with probability p and divide the others by 1 - p.

    Parameters
    ----------
    p : float, default=0.5
    rng : None, int, Generator or RandomState
        Where the choices come from.
    """

    def __init__(self, p: float = 0.5, rng: Any = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p must be a probability, got {p}.")
        self.p = p
        self.rng = None if rng is None else as_generator(rng)

    def forward(self, x: Any) -> Tensor:
        if self.rng is None or not self.training:
            return functional.dropout(x, self.p, self.training)
        draw = self.rng.integers if isinstance(self.rng, np.random.Generator) else self.rng.randint
        return functional.dropout(x, self.p, True, seed=int(draw(1 << 31)))

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Embedding(Module):
    """Rows of a table that integers name.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Shape of the table.
    padding_idx : int, optional
        A row that is 0 at first and gets no gradient.
    dtype : dtype, default=float32
    rng : None, int, Generator or RandomState
        Where the initial values come from: normal, with variance 1.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = np.float32,
        rng: Any = None,
    ) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else functional.padding_index(padding_idx, num_embeddings)
        self.weight = Parameter(as_generator(rng).normal(size=(num_embeddings, embedding_dim)).astype(dtype))
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, index: Any) -> Tensor:
        return functional.embedding(index, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
