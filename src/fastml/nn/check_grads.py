"""Gradients compared with differences of the function itself, along random directions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml.nn._recording import no_grad
from fastml.nn.tensor import Tensor, grad


def check_grads(
    function: Callable[..., Tensor],
    inputs: Sequence[Any],
    order: int = 1,
    directions: int = 3,
    eps: float = 1e-6,
    rtol: float = 1e-3,
    atol: float = 1e-5,
    seed: int = 0,
) -> None:
    """Check the gradients of a function against central differences.

    A random direction v tests all elements at once: (f(x + eps v) - f(x - eps v)) / (2 eps) must be the product of v
    and the gradient. It costs two evaluations, not two for each element; a wrong element is missed with probability 0.

    Parameters
    ----------
    function : callable
        ``function(*tensors)`` returns a tensor. It must compute in the type of its inputs, and draw nothing at random.
    inputs : sequence of array-like
        Where to check; converted to float64.
    order : {1, 2}, default=1
        2 checks the gradients of gradients as well: for functions that are smooth around the inputs.
    directions : int, default=3
        How many to try.
    eps : float, default=1e-6
        The step.
    rtol, atol : float
        The relative and the absolute difference that is allowed.
    seed : int, default=0
        Of the directions.

    Raises
    ------
    AssertionError
        Where they differ; it says at which order, and shows both numbers.
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}.")
    points = [np.array(x.data if isinstance(x, Tensor) else x, dtype=np.float64) for x in inputs]
    rng = np.random.default_rng(seed)

    def weighted(weights: np.ndarray, tensors: Sequence[Tensor]) -> Tensor:
        return (function(*tensors) * weights).sum()

    for _ in range(directions):
        with no_grad():
            weights = rng.normal(size=function(*[Tensor(x) for x in points]).shape)
        _check("first", lambda *t: weighted(weights, t), points, rng, eps, rtol, atol)  # noqa: B023
        if order == 2:
            # Gradients that are recorded may come another way, by the plain form of a coarse primitive.
            _check("first (recorded)", lambda *t: weighted(weights, t), points, rng, eps, rtol, atol, True)  # noqa: B023
            mixing = [rng.normal(size=x.shape) for x in points]

            def slope(*tensors: Tensor) -> Tensor:
                gradients = grad(weighted(weights, tensors), tensors, create_graph=True)  # noqa: B023
                parts = [(g * m).sum() for g, m in zip(gradients, mixing) if g is not None]  # noqa: B023
                return sum(parts[1:], parts[0])

            _check("second", slope, points, rng, eps, rtol, atol)


def _check(
    which: str,
    function: Callable[..., Tensor],
    points: Sequence[np.ndarray],
    rng: np.random.Generator,
    eps: float,
    rtol: float,
    atol: float,
    recorded: bool = False,
) -> None:
    direction = [rng.normal(size=x.shape) for x in points]
    ahead, behind = (
        function(*[Tensor(x + step * v, requires_grad=True) for x, v in zip(points, direction)]).item()
        for step in (eps, -eps)
    )
    expected = (ahead - behind) / (2 * eps)
    tensors = [Tensor(x, requires_grad=True) for x in points]
    result = function(*tensors)
    gradients = grad(result, tensors, create_graph=recorded) if result.requires_grad else [None] * len(tensors)
    actual = float(sum([(g.data * v).sum() for g, v in zip(gradients, direction) if g is not None]))
    assert abs(actual - expected) <= atol + rtol * abs(expected), (
        f"{which} order: the gradient gives {actual:.9g} along a random direction, differences {expected:.9g}"
    )
