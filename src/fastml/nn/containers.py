"""Modules made of modules, and what is computed in one pass where they stand side by side.

A layer with weights takes an activation behind it along, a BatchNorm a ReLU and the shortcut that a :class:`Residual`
adds. In use, where nothing is recorded, a BatchNorm behind a convolution is part of the convolution's weights
(``_folding``). None of it changes what a network computes, but in the last digits. A ``forward`` that was set on a
module itself is called: its :class:`Sequential` then computes layer by layer.
"""

from collections.abc import Iterator
from typing import Any

from fastml.nn import functional
from fastml.nn._folding import can_fold, folded
from fastml.nn.conv_layers import Conv1d, Conv2d, ConvTranspose2d
from fastml.nn.layers import ELU, GELU, LeakyReLU, Linear, ReLU, Sigmoid, SiLU, Softplus, Tanh
from fastml.nn.module import Module
from fastml.nn.norm_layers import BatchNorm1d, BatchNorm2d
from fastml.nn.tensor import Tensor, as_tensor

__all__ = ["DenseBlock", "Residual", "Sequential"]

# Of these types exactly: classes derived from them may compute something else.
_WITH_ACTIVATION = (Linear, Conv1d, Conv2d, ConvTranspose2d)
_WITH_RELU = (BatchNorm1d, BatchNorm2d)
_ACTIVATIONS = (ReLU, LeakyReLU, ELU, GELU, SiLU, Sigmoid, Tanh, Softplus)


def _joins(module: Module, after: Module | None) -> bool:
    """Tell whether a layer computes the activation behind it."""
    return type(module) in _WITH_ACTIVATION and type(after) in _ACTIVATIONS and after.fusable  # type: ignore[union-attr]


def _finished(x: Any, more: Tensor | None, relu: bool) -> Any:
    if more is not None:
        x = x + more
    return functional.relu(x) if relu else x


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
        return self.continued(x, None, False)

    def continued(self, x: Any, more: Tensor | None, relu: bool) -> Any:
        """Return the result, plus more where that is given, through a ReLU if asked for."""
        modules = list(self.children())
        if any("forward" in vars(module) for module in modules):  # somebody wants to see what goes through
            for module in modules:
                x = module(x)
            return _finished(x, more, relu)
        i, n = 0, len(modules)
        while i < n:
            module, after = modules[i], modules[i + 1] if i + 1 < n else None
            if can_fold(module, after):
                i += 2
                then_relu = i < n and type(modules[i]) is ReLU
                i += then_relu
                is_last = i == n and not then_relu
                x = folded(module, after, x, more if is_last else None, then_relu or (is_last and relu))
                if is_last:
                    return x
            elif _joins(module, after):
                x = module.activated(x, after.kind, after.parameter)  # type: ignore[attr-defined, union-attr]
                i += 2
            elif type(module) in _WITH_RELU and type(after) is ReLU:
                x = module.continued(x, None, True)  # type: ignore[attr-defined]
                i += 2
            elif after is None and (more is not None or relu) and type(module) in (*_WITH_RELU, Sequential):
                # The shapes of what is added are compared by the module.
                return module.continued(x, more, relu)  # type: ignore[attr-defined]
            else:
                x = module(x)
                i += 1
        return _finished(x, more, relu)


class Residual(Module):
    """``activation(module(x) + shortcut(x))``.

    Parameters
    ----------
    module : Module
    shortcut : Module, optional
        What x goes through on its other way, by default nothing. Both must give the same shape.
    activation : Module, optional
        By default none.
    """

    def __init__(self, module: Module, shortcut: Module | None = None, activation: Module | None = None) -> None:
        self.module, self.shortcut, self.activation = module, shortcut, activation

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        outside = x if self.shortcut is None else self.shortcut(x)
        relu = type(self.activation) is ReLU
        if type(self.module) is Sequential and len(self.module) and type(self.module[-1]) in _WITH_RELU:
            y = self.module.continued(x, outside, relu)
        else:
            y = self.module(x)
            if y.shape != outside.shape:
                raise self.misfit(f"the module gives shape {y.shape}, which must be the shortcut's {outside.shape}.")
            y = y + outside
            y = functional.relu(y) if relu else y
        return y if relu or self.activation is None else self.activation(y)


class DenseBlock(Module):
    """Modules each of which sees all that came before it, joined along the channels (Huang et al., 2017).

    Parameters
    ----------
    *modules : Module
        Each takes what x and the modules before it gave, joined, and gives channels to be joined to that.
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(f"DenseBlock: expected modules, got {module!r}.")
            setattr(self, str(i), module)

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        for module in self.children():
            x = functional.concatenate([x, module(x)], axis=1)
        return x
