"""A small autograd, layers and losses.

:class:`Tensor` wraps a NumPy array and remembers what it was made of; ``loss.backward()`` puts the gradient into every
``parameter.grad``. ``tensor`` is the engine, in one reading; ``_primitives`` the table of operations and their
vector-Jacobian products; ``layers`` and ``losses`` are what networks are made of. Names, arguments and defaults are
PyTorch's wherever PyTorch has the thing. Nothing here knows scikit-learn: ``fastml.neural_network`` joins both.
"""

from fastml._core import release_memory
from fastml.nn import augment, callbacks, functional, init, models, optim, plots, schedules
from fastml.nn._recording import enable_grad, is_grad_enabled, no_grad
from fastml.nn._seeding import default_generator, manual_seed, seeded
from fastml.nn.batches import Batches
from fastml.nn.check_grads import check_grads
from fastml.nn.clipping import clip_grad_norm_, clip_grad_value_
from fastml.nn.containers import DenseBlock, Residual, Sequential
from fastml.nn.conv_layers import Conv1d, Conv2d, ConvTranspose2d
from fastml.nn.functional import cat, clip, concatenate, maximum, minimum, stack, where
from fastml.nn.history import History
from fastml.nn.layers import (
    ELU,
    GELU,
    Activation,
    Dropout,
    Embedding,
    Flatten,
    Identity,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from fastml.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    l1_loss,
    l1_penalty,
    l2_penalty,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
from fastml.nn.module import Buffer, Module, Parameter, ShapeError
from fastml.nn.norm_layers import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from fastml.nn.pool_layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
    Upsample,
)
from fastml.nn.serialization import load, load_arrays, save, save_arrays
from fastml.nn.tensor import Tensor, grad
from fastml.nn.training import NonFiniteLossError, fit

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Batches",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "DenseBlock",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "NonFiniteLossError",
    "Parameter",
    "PoissonNLLLoss",
    "ReLU",
    "Residual",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Tensor",
    "Upsample",
    "augment",
    "binary_cross_entropy_with_logits",
    "callbacks",
    "cat",
    "check_grads",
    "clip",
    "clip_grad_norm_",
    "clip_grad_value_",
    "concatenate",
    "cross_entropy",
    "default_generator",
    "enable_grad",
    "fit",
    "functional",
    "grad",
    "hinge_loss",
    "huber_loss",
    "init",
    "is_grad_enabled",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "load",
    "load_arrays",
    "manual_seed",
    "maximum",
    "minimum",
    "models",
    "mse_loss",
    "no_grad",
    "optim",
    "plots",
    "poisson_nll_loss",
    "release_memory",
    "save",
    "save_arrays",
    "schedules",
    "seeded",
    "smooth_l1_loss",
    "stack",
    "where",
]
