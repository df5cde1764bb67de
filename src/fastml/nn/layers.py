"""Layers, under PyTorch's names and with its arguments and initial values."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastml.nn import functional
from fastml.nn._seeding import as_generator
from fastml.nn.conv_layers import Conv1d, Conv2d, ConvTranspose2d
from fastml.nn.module import Buffer, Module, Parameter
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


class BatchNorm1d(Module):
    """Give every channel mean 0 and variance 1 over a batch, then the scale and shift that are learned.

    Parameters
    ----------
    num_features : int
        Channels: the length of axis 1 of samples x channels (x positions).
    eps : float, default=1e-5
    momentum : float or None, default=0.1
        The share of a batch in the running statistics, which take its place after training. With None they are the
        mean over all batches.
    affine : bool, default=True
        Whether there are a weight and a bias.
    track_running_stats : bool, default=True
    dtype : dtype, default=float32

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,), or None
    running_mean, running_var : Buffer of shape (num_features,), or None
    num_batches_tracked : Buffer of one integer, or None
        The batches that the running statistics have seen.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = Buffer(np.zeros(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.ones(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.zeros((), np.int64)) if track_running_stats else None

    def forward(self, x: Any) -> Tensor:
        shape = _shape(x)
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            raise self.misfit(
                f"the input has shape {shape}; expected samples x {self.num_features} channels (x positions)."
            )
        if (self.training or self.running_mean is None) and math.prod(shape) // max(shape[1], 1) < 2:
            raise self.misfit(
                f"the input has shape {shape}; training needs more than one value per channel (drop_last leaves out a "
                "last batch of one sample)."
            )
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.data += 1
            momentum = 1 / float(self.num_batches_tracked) if momentum is None else momentum
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, momentum or 0.0, self.eps
        )

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class LayerNorm(Module):
    """Give every sample mean 0 and variance 1 over its last axes, then the scale and shift that are learned.

    Parameters
    ----------
    normalized_shape : int or sequence of int
    eps : float, default=1e-5
    elementwise_affine, bias : bool, default=True
    dtype : dtype, default=float32
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        shape = functional.as_shape(normalized_shape)
        self.normalized_shape, self.eps = shape, eps
        self.weight = Parameter(np.ones(shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Tensor:
        shape, own = _shape(x), self.normalized_shape
        if shape[len(shape) - len(own) :] != own:
            raise self.misfit(f"the input has shape {shape}, which must end in {own}.")
        return functional.layer_norm(x, own, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


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


_WITH_ACTIVATION = (Linear, Conv1d, Conv2d, ConvTranspose2d)
"""Layers that compute an activation behind them in the same pass. Classes derived from them may do something else."""


class Sequential(Module):
    """Modules one after the other.

    Parameters
    ----------
    *modules : Module, or one dict of str to Module
        They are named "0", "1", ..., or as in the dict.
    """

    def __init__(self, *modules: Any) -> None:
        is_dict = len(modules) == 1 and isinstance(modules[0], dict)
        for name, module in modules[0].items() if is_dict else enumerate(modules):
            self._add(str(name), module)

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"Sequential: expected modules, got {module!r}.")
        # A module under the name of an attribute would take its place; dots are between names in the state.
        if not name or "." in name or hasattr(self, name):
            raise ValueError(f"Sequential: no module can be named {name!r}: it is empty, has a dot, or is taken.")
        setattr(self, name, module)

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, index: int) -> Module:
        return list(self.children())[index]

    def append(self, module: Module) -> "Sequential":
        """Add a module behind the last one, and return the whole."""
        self._add(str(len(self)), module)
        return self

    def forward(self, x: Any) -> Any:
        modules = list(self.named_children())
        i = 0
        while i < len(modules):
            module = modules[i][1]
            after = modules[i + 1][1] if i + 1 < len(modules) else None
            if type(module) in _WITH_ACTIVATION and isinstance(after, Activation) and after.fusable:
                x = module.activated(x, after.kind, after.parameter)
                i += 2
            else:
                x = module(x)
                i += 1
        return x


class Residual(Module):
    """``x + module(x)``; the module must keep the shape.

    Parameters
    ----------
    module : Module
    shortcut : Module, optional
        What x goes through on its other way, by default nothing.
    """

    def __init__(self, module: Module, shortcut: Module | None = None) -> None:
        self.module, self.shortcut = module, shortcut

    def forward(self, x: Any) -> Tensor:
        x = x if isinstance(x, Tensor) else Tensor(x)
        way: Callable[[Any], Any] = self.shortcut or (lambda x: x)
        inside, outside = self.module(x), way(x)
        if inside.shape != outside.shape:
            raise self.misfit(f"the module gives shape {inside.shape}, which must be the shortcut's {outside.shape}.")
        return inside + outside
