"""Normalisation as layers, under PyTorch's names and with its arguments and initial values."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml.nn import functional
from fastml.nn._functional_pooling import group_norm
from fastml.nn.module import Buffer, Module, Parameter
from fastml.nn.tensor import Tensor

_PARAMETERS = """Parameters
    ----------
    num_features : int
        Channels: the length of axis 1.
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
        The batches that the running statistics have seen."""


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if isinstance(x, Tensor) else np.shape(x)


class BatchNorm(Module):
    __doc__ = f"""Base of the BatchNorms. :class:`Sequential` computes a ReLU behind one in the same pass.

    {_PARAMETERS}
    """

    dimensions: tuple[int, ...]
    expected: str

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
        return self.continued(x, None, False)

    def continued(self, x: Any, more: Tensor | None, relu: bool) -> Tensor:
        """Return the layer's result, plus more where that is given, through a ReLU if asked for: in the same pass."""
        shape = _shape(x)
        if len(shape) not in self.dimensions or shape[1] != self.num_features:
            raise self.misfit(f"the input has shape {shape}; expected {self.expected.format(self.num_features)}.")
        if (self.training or self.running_mean is None) and math.prod(shape) // max(shape[1], 1) < 2:
            raise self.misfit(
                f"the input has shape {shape}; training needs more than one value per channel (drop_last leaves out a "
                "last batch of one sample)."
            )
        if more is not None:
            self.check_more(more, shape)
        momentum, counts = self.momentum, self.training and self.num_batches_tracked is not None
        if counts and momentum is None:
            momentum = 1 / (float(self.num_batches_tracked) + 1)  # type: ignore[arg-type]
        y = functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            momentum or 0.0,
            self.eps,
            more=more,
            relu=relu,
        )
        if counts:
            self.num_batches_tracked.data += 1  # type: ignore[union-attr]
        return y

    def check_more(self, more: Tensor, shape: tuple[int, ...]) -> None:
        """Raise where something cannot be added to a result of a shape."""
        if more.shape != shape:
            raise self.misfit(f"the result has shape {shape}, to which shape {more.shape} cannot be added.")

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(BatchNorm):
    __doc__ = f"""Give every channel mean 0 and variance 1 over a batch, then the scale and shift that are learned.

    Of samples x channels (x positions).

    {_PARAMETERS}
    """

    dimensions, expected = (2, 3), "samples x {} channels (x positions)"


class BatchNorm2d(BatchNorm):
    __doc__ = f"""Give every channel mean 0 and variance 1 over a batch, then the scale and shift that are learned.

    Of images, samples x channels x height x width.

    {_PARAMETERS}
    """

    dimensions, expected = (4,), "samples x {} channels x height x width"


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


class GroupNorm(Module):
    """Give each group of channels of a sample mean 0 and variance 1, then the channels' scale and shift, learned.

    Parameters
    ----------
    num_groups : int
        Consecutive channels fall into so many groups. As many as channels make it an instance norm.
    num_channels : int
        A multiple of num_groups.
    eps : float, default=1e-5
        Added to the variance.
    affine : bool, default=True
        Whether scale and shift are learned.
    dtype : dtype, default=float32

    Attributes
    ----------
    weight, bias : Parameter of shape (num_channels,), or None
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, dtype: Any = np.float32
    ) -> None:
        if num_groups < 1 or num_channels < 1 or num_channels % num_groups != 0:
            raise ValueError(
                f"GroupNorm: num_channels must be a multiple of num_groups, got {num_channels} and {num_groups}."
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine else None

    def forward(self, x: Any) -> Tensor:
        shape = _shape(x)
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise self.misfit(f"the input has shape {shape}; expected samples x {self.num_channels} channels (x ...).")
        if math.prod(shape) == self.num_groups:
            raise self.misfit(f"the input has shape {shape}; a group needs more than one value.")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"
