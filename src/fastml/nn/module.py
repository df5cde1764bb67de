"""Modules: what has parameters, buffers and submodules, each found by its name."""

from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np

from fastml.nn.tensor import FLOATS, Tensor


class Parameter(Tensor):
    """A tensor that a module learns.

    Parameters
    ----------
    data : array-like
    requires_grad : bool, default=True
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)


class Buffer(Tensor):
    """A tensor that belongs to a module's state, but is not learned: a running mean, ..."""

    __slots__ = ()


class ShapeError(ValueError):
    """An input that does not fit a layer. It gets the layer's name while it passes through the modules around it."""

    def __init__(self, layer: str, problem: str) -> None:
        super().__init__(layer, problem)
        self.layer, self.problem = layer, problem
        self.path: list[str] = []
        self.module: Any = None

    def __str__(self) -> str:
        name = f" '{'.'.join(reversed(self.path))}'" if self.path else ""
        return f"{self.layer}{name}: {self.problem}"


class Module:
    """Base class of layers, losses and networks.

    Assigning a :class:`Parameter`, :class:`Buffer` or module to an attribute makes it part of the module, under that
    name. Subclasses define ``forward``; the module is called like a function.

    Attributes
    ----------
    training : bool
        Whether layers that differ between training and use (dropout, BatchNorm) are training.
    """

    training: bool = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.forward(*args, **kwargs)
        except ShapeError as error:
            names = [name for name, child in self.named_children() if child is error.module]
            if names:
                error.path.append(names[0])
            error.module = self
            raise

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define what it computes.")

    def misfit(self, problem: str) -> ShapeError:
        """Return the error for an input whose shape does not fit."""
        error = ShapeError(f"{type(self).__name__}({self.extra_repr()})", problem)
        error.module = self
        return error

    # What is inside.

    def _members(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values of parameters, buffers and submodules of this module itself."""
        yield from vars(self).items()

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yield (name, module) of the submodules directly inside."""
        return ((name, value) for name, value in self._members() if isinstance(value, Module))

    def children(self) -> Iterator["Module"]:
        """Yield the submodules directly inside."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Yield (name, module) of this module and all inside, each once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            stack.extend([(f"{name}.{n}" if name else n, m) for n, m in reversed(list(module.named_children()))])

    def modules(self) -> Iterator["Module"]:
        """Yield this module and all inside, each once."""
        return (module for _, module in self.named_modules())

    def _named_tensors(self, kind: type) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in module._members():
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{prefix}.{name}" if prefix else name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, parameter), each parameter once."""
        return self._named_tensors(Parameter)

    def parameters(self) -> Iterator[Parameter]:
        """Yield the parameters, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Yield (name, buffer)."""
        return self._named_tensors(Buffer)

    def buffers(self) -> Iterator[Buffer]:
        """Yield the buffers."""
        return (buffer for _, buffer in self.named_buffers())

    # What is done to all of it.

    def train(self, mode: bool = True) -> "Module":
        """Make this module and all inside train, or (with False) not. Return the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> "Module":
        """Make this module and all inside stop training. Return the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> "Module":
        """Set whether the parameters require gradients. Return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def astype(self, dtype: Any) -> "Module":
        """Convert parameters and buffers to float32 or float64. Return the module.

        To be called before an optimizer is made: it moves the parameters into memory of one type.
        """
        if np.dtype(dtype) not in FLOATS:
            raise TypeError(f"a module computes in float32 or float64, not {np.dtype(dtype)}.")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.dtype in FLOATS:
                tensor.data, tensor.grad, tensor.grad_buffer = tensor.data.astype(dtype), None, None
        return self

    def float(self) -> "Module":
        """Convert parameters and buffers to float32."""
        return self.astype(np.float32)

    def double(self) -> "Module":
        """Convert parameters and buffers to float64."""
        return self.astype(np.float64)

    # State.

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the arrays of all parameters and buffers by name: the arrays themselves, not copies.

        A tensor that the module holds under two names stands under both, as in PyTorch.
        """
        return {name: tensor.data for name, tensor in self._state()}

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        def inside(module: Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
            for name, value in module._members():
                if isinstance(value, (Parameter, Buffer)):
                    yield prefix + name, value
            for name, child in module.named_children():
                yield from inside(child, f"{prefix}{name}.")

        return inside(self, "")

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy arrays into the parameters and buffers of the same names.

        Parameters
        ----------
        state_dict : mapping of str to array-like

        Raises
        ------
        ValueError
            Where names or shapes differ, or types that are not converted; it lists all that do, and nothing has been
            changed. Floats are converted to the module's.
        """
        own = dict(self._state())
        given = {
            name: np.asarray(getattr(value, "data", value) if isinstance(value, Tensor) else value)
            for name, value in state_dict.items()
        }
        problems = [f"missing: {name} {own[name].shape}" for name in own if name not in given]
        problems += [f"unexpected: {name} {given[name].shape}" for name in given if name not in own]
        problems += [
            f"shape of {name}: {given[name].shape} given, {own[name].shape} expected"
            for name in own
            if name in given and own[name].shape != given[name].shape
        ]
        problems += [
            f"type of {name}: {given[name].dtype} given, {own[name].dtype} expected"
            for name in own
            if name in given and not np.can_cast(given[name].dtype, own[name].dtype, "same_kind")
        ]
        if problems:
            lines = "".join(f"\n  {problem}" for problem in problems)
            raise ValueError(f"the state is not that of this {type(self).__name__}; nothing was loaded:{lines}")
        for name, tensor in own.items():
            np.copyto(tensor.data, given[name], casting="same_kind")

    def save(self, path: str | PathLike) -> None:
        """Write the state to a safetensors file: see :func:`fastml.nn.save`."""
        from fastml.nn.serialization import save

        save(self, path)

    def load(self, path: str | PathLike) -> "Module":
        """Read the state from a safetensors file, and return the module: see :func:`fastml.nn.load`."""
        from fastml.nn.serialization import load

        load(self, path)
        return self

    # Text.

    def extra_repr(self) -> str:
        """Return the arguments to show in the module's text."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(children) + "\n)"
