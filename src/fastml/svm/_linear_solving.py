"""From the parameters of LinearSVC and LinearSVR to the solvers, and from their weights to attributes.

The solvers are LIBLINEAR's, by its numbers: those of the dual problem and of the l1 penalty, which learn one sample or
feature after the other, and the trust region for the primal one, which passes over all samples. One generator of random
numbers serves all classes of a fit, one after the other: what a class draws depends on how many numbers those before it
have drawn. So only the trust region uses threads.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm._base import _get_liblinear_solver_type
from sklearn.utils import check_random_state

from fastml._core import minimize_squared_loss
from fastml._support import threads
from fastml.svm._liblinear_crammer_singer import crammer_singer
from fastml.svm._liblinear_dual import dual_svc
from fastml.svm._liblinear_dual_regression import dual_svr
from fastml.svm._liblinear_l1 import l1_svc

SQUARED_HINGE_DUAL = 1
SQUARED_HINGE = 2
HINGE_DUAL = 3
CRAMMER_SINGER = 4
SQUARED_HINGE_L1 = 5
SQUARED_INSENSITIVE = 11
SQUARED_INSENSITIVE_DUAL = 12

_NAMES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}

_SEEDS = np.iinfo(np.int32).max
"""What seeds are drawn below."""


@dataclass(slots=True)
class Task:
    """What the solvers are given for all classes.

    Parameters
    ----------
    X : ndarray (C-contiguous) or CSR of shape (n_samples, n_features)
        float32 or float64, with 32-bit indices.
    weights : ndarray of shape (n_samples,), float64
        The weights of the samples; those that are not positive are left out.
    order : ndarray of shape (n_rows,), int32
        The other samples, in LIBLINEAR's order.
    solver : int
        LIBLINEAR's number of the solver.
    bias : float
        The value of a further feature of all samples; 0 for none.
    C, tol, epsilon : float
        The estimator's parameters.
    max_iter, verbose : int
        The estimator's parameters.
    draws : ndarray of shape (1249,), uint32
        The state of the random numbers, as ``_liblinear_draws.pxd`` has it.
    """

    X: Any
    weights: np.ndarray
    order: np.ndarray
    solver: int
    bias: float
    C: float
    tol: float
    epsilon: float
    max_iter: int
    verbose: int
    draws: np.ndarray

    @property
    def size(self) -> int:
        """The number of weights of a class."""
        return self.X.shape[1] + (self.bias != 0)

    @property
    def rows(self) -> tuple[Any, ...]:
        """The samples as the sequential solvers take them, with the bias."""
        return (*_arrays(self.X), self.bias)


def solver_number(estimator: Any, penalty: str, multi_class: str, X: Any) -> int:
    """Return LIBLINEAR's number of the solver that an estimator's parameters ask for.

    Raises
    ------
    ValueError
        scikit-learn's, for parameters that no solver goes with.
    """
    dual = estimator.dual
    if isinstance(dual, str):
        # Weights are as many as features in the primal problem, and as samples in the dual one.
        dual = X.shape[0] < X.shape[1]
        try:
            return _get_liblinear_solver_type(multi_class, penalty, estimator.loss, dual)
        except ValueError:
            dual = not dual
    return _get_liblinear_solver_type(multi_class, penalty, estimator.loss, dual)


def make_task(
    estimator: Any, X: Any, weights: np.ndarray, order: np.ndarray, solver: int, random_state: Any, epsilon: float
) -> Task:
    """Return the task of an estimator, for which a seed is drawn.

    Raises
    ------
    ValueError
        scikit-learn's, for parameters that no solver takes.
    """
    if estimator.tol <= 0:
        raise ValueError("eps <= 0")
    if estimator.C <= 0:
        raise ValueError("C <= 0")
    if epsilon < 0:
        raise ValueError("p < 0")
    if not len(order):
        raise ValueError("No sample has a positive weight; one or more must have one.")
    # NumPy seeds its twister as C++ does.
    twister: Any = np.random.RandomState(random_state.randint(_SEEDS)).get_state(legacy=True)
    words = twister[1]
    draws = np.zeros(2 * len(words) + 1, dtype=np.uint32)
    draws[: len(words)] = words
    draws[len(words)] = len(words)
    return Task(
        X,
        weights,
        order,
        solver,
        float(estimator.intercept_scaling) if estimator.fit_intercept else 0.0,
        float(estimator.C),
        float(estimator.tol),
        float(epsilon),
        estimator.max_iter,
        int(estimator.verbose),
        draws,
    )


def random_numbers(estimator: Any) -> np.random.RandomState:
    """Check what a fit starts with, in scikit-learn's order: the source of seeds, and the scale of the intercept."""
    random_state = check_random_state(estimator.random_state)
    if estimator.verbose:
        print("[LibLinear]", end="")
    if estimator.fit_intercept and estimator.intercept_scaling <= 0:
        raise ValueError(
            f"Intercept scaling is {estimator.intercept_scaling!r} but needs to be greater than 0. To disable fitting "
            "an intercept, set fit_intercept=False."
        )
    return random_state


def solve_classes(task: Task, codes: np.ndarray, class_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit classes, each against the others or all at once.

    Parameters
    ----------
    task : Task
        Its `order` is that of the classes.
    codes : ndarray of shape (n_samples,), int
        The class of each sample.
    class_weight : ndarray of shape (n_classes,), float64
        What the costs of a class are multiplied by.

    Returns
    -------
    weights : ndarray of shape (1 or n_classes, n_features + 1 or n_features), float64
        A row a class; one row for two classes. Classes all of whose samples are left out have none.
    n_iter : ndarray of int32
        Of each row; where all classes are fitted at once there is one.
    """
    present = np.flatnonzero(np.bincount(codes[task.order], minlength=len(class_weight)))
    costs = task.C * class_weight
    if task.solver == CRAMMER_SINGER:
        return _solve_at_once(task, codes, present, costs)
    if len(present) == 2:
        rows = [(codes == present[1], costs[present[1]], costs[present[0]])]
    else:
        rows = [(codes == k, costs[k], task.C) for k in present]
    columns = _column_arrays(task.X) if task.solver == SQUARED_HINGE_L1 else None
    raw = np.empty((len(rows), task.size), order="F")
    n_iter = np.empty(len(rows), dtype=np.intc)
    for k, (positive, cost, other_cost) in enumerate(rows):
        signs = np.where(positive, 1.0, -1.0)
        raw[k], n_iter[k] = _solve_class(task, signs, task.weights * np.where(positive, cost, other_cost), columns)
    return raw, n_iter


def solve_values(task: Task, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a regression; what is returned is as in `solve_classes`, with one row."""
    costs = task.C * task.weights
    if task.solver == SQUARED_INSENSITIVE:
        w, n_iter = _solve_primal(task, y, costs, margin=False, tol=task.tol)
    else:
        w = np.zeros(task.size)
        n_iter = _typed(dual_svr, task.X)(
            *task.rows,
            task.order,
            y,
            costs,
            task.solver == SQUARED_INSENSITIVE_DUAL,
            task.epsilon,
            task.tol,
            task.max_iter,
            task.draws,
            w,
            task.verbose,
        )
    return w.reshape(1, -1), np.array([n_iter], dtype=np.intc)


def coefficients(task: Task, raw: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return ``coef_`` and ``intercept_`` for the rows of weights, as scikit-learn has them."""
    if task.bias == 0:
        return raw, 0.0
    return raw[:, :-1], task.bias * raw[:, -1]


def warn_of(n_iter: np.ndarray, max_iter: int) -> None:
    """Warn, as scikit-learn does, where a solver has not ended by itself."""
    if n_iter.max() >= max_iter:
        warnings.warn(
            "Liblinear failed to converge, increase the number of iterations.", ConvergenceWarning, stacklevel=2
        )


def _solve_class(task: Task, signs: np.ndarray, costs: np.ndarray, columns: Any) -> tuple[np.ndarray, int]:
    """Fit samples of the signs 1 and -1."""
    if task.solver in (SQUARED_HINGE, SQUARED_HINGE_L1):
        n_rows = len(task.order)
        n_positive = int(np.count_nonzero(signs[task.order] > 0))
        tol = task.tol * max(min(n_positive, n_rows - n_positive), 1) / n_rows
        if task.solver == SQUARED_HINGE:
            return _solve_primal(task, signs, costs, margin=True, tol=tol)
    w = np.zeros(task.size)
    if task.solver == SQUARED_HINGE_L1:
        n_iter = _typed(l1_svc, task.X)(
            *columns,
            task.bias,
            signs,
            np.where(task.weights > 0, costs, 0.0) * signs,
            n_rows,
            tol,
            task.max_iter,
            task.draws,
            w,
            task.verbose,
        )
    else:
        n_iter = _typed(dual_svc, task.X)(
            *task.rows,
            task.order,
            signs,
            costs,
            task.solver == SQUARED_HINGE_DUAL,
            task.tol,
            task.max_iter,
            task.draws,
            w,
            task.verbose,
        )
    return w, n_iter


def _solve_at_once(
    task: Task, codes: np.ndarray, present: np.ndarray, costs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if len(present) < 2:
        raise ValueError(
            "The samples of one class only have positive weights; expected a positive weight in two classes."
        )
    places = np.zeros(len(costs), dtype=np.intc)
    places[present] = np.arange(len(present))
    w = np.zeros((task.size, len(present)))
    n_iter = _typed(crammer_singer, task.X)(
        *task.rows, task.order, places[codes], task.weights * costs[codes], task.tol, task.draws, w, task.verbose
    )
    return w.T, np.array([n_iter], dtype=np.intc)


def _solve_primal(
    task: Task, targets: np.ndarray, costs: np.ndarray, *, margin: bool, tol: float
) -> tuple[np.ndarray, int]:
    X = task.X
    losses = (task.bias, targets, costs, margin, task.epsilon, tol, task.max_iter)
    if sp.issparse(X):
        n_threads = threads.n_threads(work=2 * X.nnz)
        solved = minimize_squared_loss(X.data, X.indices, X.indptr, X.shape[1], *losses, n_threads)
    else:
        solved = minimize_squared_loss(X, *losses, threads.n_threads(work=2 * X.size))
    w, n_iter, end, steps = solved
    if task.verbose:
        _print_steps(steps, end)
    return w, n_iter


def _print_steps(steps: list[tuple[Any, ...]], end: str) -> None:
    for iteration, reduction, expected, radius, value, norm, products, at_boundary in steps:
        if at_boundary:
            print("cg reaches trust region boundary")
        print(
            f"iter {iteration:2d} act {reduction:5.3e} pre {expected:5.3e} delta {radius:5.3e} f {value:5.3e} "
            f"|g| {norm:5.3e} CG {products:3d}"
        )
    warning = {
        "unbounded": "f < -1.0e+32",
        "no_decrease": "actred and prered <= 0",
        "too_small": "actred and prered too small",
    }.get(end)
    if warning:
        print(f"WARNING: {warning}")


def _typed(solver: Any, X: Any) -> Any:
    return solver[_NAMES[X.dtype]]


def _arrays(X: Any) -> tuple[Any, ...]:
    """Return (dense, data, indices, indptr), of which the first or all others are None."""
    return (None, X.data, X.indices, X.indptr) if sp.issparse(X) else (X, None, None, None)


def _column_arrays(X: Any) -> tuple[Any, ...]:
    """Return the same of the transpose: columns side by side."""
    if not sp.issparse(X):
        return _arrays(np.ascontiguousarray(X.T))
    columns = X.tocsc()
    return None, columns.data, columns.indices.astype(np.intc, copy=False), columns.indptr.astype(np.intc, copy=False)
