"""Tensors, the record of what made them, and backpropagation. The engine knows no operation: those are in a table.

How a gradient comes about
--------------------------
``apply("multiply", x, y)`` looks up a primitive in :data:`PRIMITIVES`, computes on the arrays, and, where an input
requires a gradient, gives the result a :class:`Record`: the primitive, its inputs, and a running number. An operation
can only use what exists already, so that numbers grow from inputs to results: *the order of recording is a topological
order*. :func:`_backpropagate` visits the records that a result was made from in falling order of their numbers. When
the turn of one comes, all that used its result have been visited, so that the gradient that has gathered for it is
complete; its vector-Jacobian product turns that into gradients for its inputs, and the record is freed.

Vector-Jacobian products are written with the primitives themselves. They run unrecorded, unless ``create_graph=True``
asks for a gradient that can be differentiated again.

Changing ``tensor.data`` in place after it was used: records hold arrays, not copies, and count no versions. A product
that needs the values (``multiply``, ``matmul``, ...) then computes with the changed ones, silently. Optimizers change
parameters between ``backward`` and the next forward pass, where no record is alive.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml.nn._operators import Operators, values_of
from fastml.nn._recording import mode, no_grad

__all__ = [
    "FLOATS",
    "METHODS",
    "PRIMITIVES",
    "STORED",
    "Primitive",
    "Record",
    "Tensor",
    "apply",
    "as_tensor",
    "grad",
    "no_grad",
]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

_numbers = itertools.count(1)


class Primitive:
    """A row of the table: an operation on arrays and its vector-Jacobian products.

    Parameters
    ----------
    name : str
        What errors call it.
    forward : callable
        ``forward(*arrays, **options)`` returns the result, a new array or a view.
    vjps : sequence of callables, or one callable
        ``vjps[i](gradient, result, *inputs, **options)`` returns the gradient for input i, all of them tensors. One
        callable serves any number of inputs, with i as its first argument. Neither changes a gradient in place.
    needs_result : bool
        Whether a product reads ``result``. Others get None, and the array lives no longer than its user wants.
    """

    def __init__(self, name: str, forward: Callable, vjps: Any, needs_result: bool = False) -> None:
        self.name, self.forward, self.vjps, self.needs_result = name, forward, vjps, needs_result

    def apply(self, inputs: Sequence["Tensor"], options: dict) -> "Tensor":
        try:
            data = self.forward(*[x.data for x in inputs], **options)
        except (ValueError, IndexError, TypeError) as error:
            kind = next(k for k in (IndexError, TypeError, ValueError) if isinstance(error, k))
            raise kind(f"{self.name}: {_described(inputs)} do not fit: {error}") from error
        result = Tensor._of(data)
        if mode.recording:
            _record(result, self, inputs, options, result.data if self.needs_result else None)
        return result

    def backward(self, record: "Record", gradient: "Tensor", needs: Sequence[bool], direct: bool) -> list:
        """Return the gradients of the inputs that need one, None for the others."""
        inputs, vjps = record.inputs, self.vjps
        result = None
        if self.needs_result:
            result = Tensor._of(record.saved)
            result.requires_grad, result._record = True, record
        if callable(vjps):
            return [vjps(i, gradient, result, *inputs, **record.options) if n else None for i, n in enumerate(needs)]
        return [v(gradient, result, *inputs, **record.options) if n else None for v, n in zip(vjps, needs)]


PRIMITIVES: dict[str, Primitive] = {}
"""The table, filled by ``fastml.nn._primitives`` and its neighbours."""

STORED = object()
"""What a product returns for a gradient that it has added to the tensor's ``grad`` itself."""


def apply(name: str, *inputs: "Tensor", **options: Any) -> "Tensor":
    """Apply a primitive of the table to tensors."""
    return PRIMITIVES[name].apply(inputs, options)


class Record:
    """An operation that was applied: where its result comes from."""

    __slots__ = ("hooks", "inputs", "number", "options", "primitive", "saved")

    def __init__(self, primitive: Any, inputs: Sequence["Tensor"], options: dict, saved: Any) -> None:
        self.number = next(_numbers)
        self.primitive: Any = primitive
        self.inputs: Sequence[Tensor] = inputs
        self.options: dict = options
        self.saved: Any = saved
        self.hooks: list[Callable] | None = None

    def free(self) -> None:
        """Let go of inputs and arrays: nothing can be propagated through it any more."""
        self.inputs, self.options, self.saved = (), {}, None


def _record(result: "Tensor", primitive: Any, inputs: Sequence["Tensor"], options: dict, saved: Any) -> None:
    """Make a result remember what it was made of, where an input requires a gradient."""
    for x in inputs:
        if x.requires_grad:
            result.requires_grad = True
            result._record = Record(primitive, inputs, options, saved)
            return


def _described(inputs: Sequence["Tensor"]) -> str:
    return "shapes " + " and ".join(str(x.shape) for x in inputs)


class Tensor(Operators):
    """An array that knows what it was made of.

    Parameters
    ----------
    data : array-like
        Arrays of float32 and float64 are wrapped as they are, without a copy, and so are integers and booleans, which
        have no gradients. Anything else becomes float32.
    requires_grad : bool, default=False
        Whether :meth:`backward` accumulates a gradient in ``grad``.
    dtype : dtype, optional
        The type to convert to.

    Attributes
    ----------
    data : ndarray
        The values.
    grad : ndarray or None
        What :meth:`backward` has added up since ``grad`` was None, for tensors that no operation made.
    requires_grad : bool
    grad_buffer : ndarray or None
        Memory for ``grad``. Where it is set, :meth:`backward` stores the first gradient there and makes ``grad`` that
        array. Optimizers use it to keep the gradients of all parameters side by side.
    """

    __slots__ = ("__weakref__", "_hooks", "_record", "data", "grad", "grad_buffer", "requires_grad")
    # NumPy's operators leave `array * tensor` to us.
    __array_ufunc__ = None

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(data, Tensor):
            data = data.data
        is_array = isinstance(data, (np.ndarray, np.generic))
        data = np.asarray(data, dtype=dtype)
        if data.dtype not in FLOATS and (not is_array or data.dtype.kind not in "iub"):
            data = data.astype(np.float32)
        if requires_grad and data.dtype not in FLOATS:
            raise TypeError(f"Only tensors of float32 and float64 have gradients, got {data.dtype}.")
        self.data: np.ndarray = data
        self.grad: np.ndarray | None = None
        self.grad_buffer: np.ndarray | None = None
        self.requires_grad = requires_grad
        self._record: Record | None = None
        self._hooks: list[Callable] | None = None

    @classmethod
    def _of(cls, data: Any) -> "Tensor":
        """Wrap the result of an operation, without looking at it."""
        tensor = Tensor.__new__(Tensor)
        tensor.data = data if type(data) is np.ndarray else np.asarray(data)
        tensor.grad = tensor.grad_buffer = tensor._record = tensor._hooks = None
        tensor.requires_grad = False
        return tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self._record is None

    def numpy(self) -> np.ndarray:
        """Return the values: the tensor's own array."""
        return self.data

    def item(self) -> float:
        """Return the only element as a Python number."""
        return self.data.item()

    def detach(self) -> "Tensor":
        """Return a tensor of the same array that requires no gradient."""
        return Tensor._of(self.data)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set ``requires_grad`` of a leaf, and return it."""
        if self._record is not None:
            raise RuntimeError("requires_grad of a result follows from its inputs: use detach() to cut it off.")
        if requires_grad and self.data.dtype not in FLOATS:
            raise TypeError(f"Only tensors of float32 and float64 have gradients, got {self.data.dtype}.")
        self.requires_grad = requires_grad
        return self

    def register_hook(self, hook: Callable[[np.ndarray], np.ndarray | None]) -> Callable[[], None]:
        """Call ``hook(gradient)`` when the gradient is complete; an array that it returns takes the gradient's place.

        Returns
        -------
        remove : callable
            Takes the hook away again.
        """
        if not self.requires_grad:
            raise RuntimeError("a tensor that does not require a gradient never calls its hooks.")
        if self._record is not None:
            hooks = self._record.hooks = self._record.hooks or []
        else:
            hooks = self._hooks = self._hooks or []
        hooks.append(hook)
        return lambda: hooks.remove(hook)

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this tensor to ``grad`` of all leaves that it was made from.

        Parameters
        ----------
        gradient : array-like of the tensor's shape, optional
            The gradient of what is to be differentiated with respect to this tensor. A single element has 1.
        retain_graph : bool, default=False
            Whether to keep the records for another call. They are freed otherwise.
        """
        seed = _seed(self, gradient)
        leaves = _backpropagate(
            self, seed, lambda x: x.requires_grad, (), retain_graph, create_graph=False, direct=True
        )
        # Arrays that somebody else may hold: a gradient must be the leaf's own.
        taken = set() if gradient is None else {id(seed.data)}
        for leaf, total in leaves.values():
            array = _hooked(leaf._hooks, total.data)
            if array is not total.data:
                taken.add(id(array))
            if leaf.grad is not None:
                leaf.grad += array
            elif leaf.grad_buffer is not None:
                np.copyto(leaf.grad_buffer, array)
                leaf.grad = leaf.grad_buffer
            else:
                is_own = array.base is None and array.flags.writeable and id(array) not in taken
                leaf.grad = array if is_own and array.flags.c_contiguous else np.array(array, order="C")
                taken.add(id(leaf.grad))

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        kind = "" if self._record is None else f", made by {self._record.primitive.name}"
        return f"Tensor({text}, dtype={self.dtype}{', requires_grad=True' if self.requires_grad else ''}{kind})"

    def __len__(self) -> int:
        return len(self.data)

    def __float__(self) -> float:
        return float(self.data.item())

    def __bool__(self) -> bool:
        return bool(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple:
        if self._record is not None:
            raise TypeError(f"the result of {self._record.primitive.name} cannot be copied or pickled: detach() it.")
        return _restored, (type(self), self.data, self.grad, self.requires_grad)

    def __getattr__(self, name: str) -> Any:
        """Find ``x.exp()``, ``x.sum(axis=0)``, ...: the functions that take a tensor first."""
        method = METHODS.get(name)
        if method is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return method.__get__(self)

    def _unary(self, name: str, **options: Any) -> "Tensor":
        return PRIMITIVES[name].apply((self,), options)

    def _binary(self, name: str, other: Any) -> "Tensor":
        return PRIMITIVES[name].apply((self, _operand(other, self)), {})

    def _reflected(self, name: str, other: Any) -> "Tensor":
        return PRIMITIVES[name].apply((_operand(other, self), self), {})

    @property
    def T(self) -> "Tensor":
        """The tensor with its axes in reverse order."""
        return apply("transpose", self, axes=None)


def as_tensor(x: Any) -> Tensor:
    """Return a tensor as it is, and anything else as :class:`Tensor` takes it."""
    return x if isinstance(x, Tensor) else Tensor(x)


METHODS: dict[str, Callable] = {}
"""Functions of a tensor that are its methods, too; filled by ``fastml.nn.functional``."""


def _restored(cls: type, data: np.ndarray, grad: np.ndarray | None, requires_grad: bool) -> Tensor:
    tensor = cls(data, requires_grad=requires_grad)
    tensor.grad = grad
    return tensor


def _operand(other: Any, like: Tensor) -> Tensor:
    """Return an operand as a tensor: numbers and integers in the type of the other operand."""
    if isinstance(other, Tensor):
        if other.data.dtype in FLOATS:
            return other
        other = other.data
    array = np.asarray(other)
    if not isinstance(other, np.ndarray) or array.dtype not in FLOATS:
        array = array.astype(like.data.dtype if like.data.dtype in FLOATS else np.float32)
    return Tensor._of(array)


def _seed(output: Tensor, gradient: Any) -> Tensor:
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient, so there is none.")
    if gradient is None:
        if output.data.size != 1:
            raise RuntimeError(
                f"only a single element has a gradient of its own, this has shape {output.shape}: give one."
            )
        return Tensor._of(np.ones_like(output.data))
    seed = gradient if isinstance(gradient, Tensor) else Tensor._of(np.asarray(gradient, dtype=output.dtype))
    if seed.shape != output.shape:
        raise ValueError(f"backward: the gradient has shape {seed.shape}, the tensor {output.shape}.")
    return seed


def _hooked(hooks: list[Callable] | None, gradient: np.ndarray) -> np.ndarray:
    for hook in hooks or ():
        other = hook(gradient)
        if other is not None:
            other = np.asarray(values_of(other), dtype=gradient.dtype)
            if other.shape != gradient.shape:
                raise ValueError(f"a hook returned shape {other.shape} for a gradient of shape {gradient.shape}.")
            gradient = other
    return gradient


def _backpropagate(
    output: Tensor,
    seed: Tensor,
    needed: Callable[[Tensor], bool],
    wanted: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
    direct: bool,
) -> dict[int, tuple[Tensor, Tensor]]:
    """Visit the records that an output was made from, latest first.

    Returns
    -------
    collected : dict
        By ``id``: (tensor, complete gradient) of every leaf that is needed, and of every wanted tensor.
    """
    collected: dict[int, tuple[Tensor, Tensor]] = {}
    waiting: dict[int, tuple[Record, Tensor]] = {}  # by number: a record and what has gathered for its result
    latest: list[int] = []  # a heap of the negative numbers of `waiting`
    wanted_results = {x._record.number: x for x in wanted if x._record is not None}

    def deliver(tensor: Tensor, gradient: Tensor) -> None:
        record = tensor._record
        if record is None:
            before = collected.get(id(tensor))
            collected[id(tensor)] = (tensor, gradient if before is None else before[1] + gradient)
        elif record.number in waiting:
            waiting[record.number] = (record, waiting[record.number][1] + gradient)
        else:
            waiting[record.number] = (record, gradient)
            heapq.heappush(latest, -record.number)

    before, mode.recording = mode.recording, create_graph
    try:
        deliver(output, seed)
        while latest:
            record, gradient = waiting.pop(-heapq.heappop(latest))
            if record.hooks:
                gradient = Tensor._of(_hooked(record.hooks, gradient.data))
            if record.number in wanted_results:
                tensor = wanted_results[record.number]
                collected[id(tensor)] = (tensor, gradient)
            inputs = record.inputs
            needs = [needed(x) for x in inputs]
            if not inputs:
                raise RuntimeError(
                    f"the record of {record.primitive.name} was freed by an earlier backward: "
                    "give that one retain_graph=True to go through it again."
                )
            if not any(needs):
                continue
            for x, part in zip(inputs, record.primitive.backward(record, gradient, needs, direct)):
                if part is not None and part is not STORED:
                    deliver(x, part)
            if not retain_graph:
                record.free()
    finally:
        mode.recording = before
    return collected


def grad(
    output: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> list[Tensor | None]:
    """Return the gradients of an output with respect to some tensors, and leave every ``grad`` as it is.

    Parameters
    ----------
    output : Tensor
    inputs : Tensor or sequence of Tensors
        Leaves or results of operations.
    gradient : array-like or Tensor, optional
        As in :meth:`Tensor.backward`.
    create_graph : bool, default=False
        Whether the gradients can be differentiated again.
    retain_graph : bool, optional
        Whether the records are kept; by default they are where ``create_graph`` is true.

    Returns
    -------
    gradients : list of Tensor or None
        One for each input; None for those that the output does not depend on.
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    retain_graph = create_graph if retain_graph is None else retain_graph
    ids, path = {id(x) for x in inputs}, _records_leading_to(output, inputs)

    def needed(x: Tensor) -> bool:
        return id(x) in ids or (x._record is not None and x._record.number in path)

    collected = _backpropagate(
        output, _seed(output, gradient), needed, inputs, retain_graph, create_graph, direct=False
    )
    return [collected[id(x)][1] if id(x) in collected else None for x in inputs]


def _records_leading_to(output: Tensor, inputs: Sequence[Tensor]) -> set[int]:
    """Return the numbers of the records between inputs and an output: no other needs to be visited."""
    ids = {id(x) for x in inputs}
    numbers = {x._record.number for x in inputs if x._record is not None}
    first = min((0 if x._record is None else x._record.number for x in inputs), default=0)
    found: dict[int, Record] = {}
    stack = [output._record]
    while stack:
        record = stack.pop()
        if record is None or record.number in found or record.number < first:
            continue
        found[record.number] = record
        stack.extend([x._record for x in record.inputs])
    leading = set(numbers)
    for number in sorted(found):
        if any(id(x) in ids or (x._record is not None and x._record.number in leading) for x in found[number].inputs):
            leading.add(number)
    return leading
