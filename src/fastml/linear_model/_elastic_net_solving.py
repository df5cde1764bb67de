"""Solving for penalties, with scikit-learn's draws and warnings."""

import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from fastml.linear_model._coordinate_descent import LARGEST_SEED, Residual, descend


@dataclass(frozen=True, slots=True)
class Options:
    """How to descend: scikit-learn's parameters of these names."""

    max_iter: int
    tol: float
    positive: bool = False
    selection: str = "cyclic"
    do_screening: bool = True


@dataclass(frozen=True, slots=True)
class Path:
    """Solutions for some penalties.

    Parameters
    ----------
    coefs : ndarray of shape (n_alphas, n_features * n_tasks), float64
        The weights, those of a feature's tasks side by side.
    gaps : ndarray of shape (n_alphas,), float64
        The duality gaps, of the sum over the samples.
    tol : float
        The gap that was asked for.
    n_iters : ndarray of shape (n_alphas,), int64
        The sweeps over the features.
    unconverged : tuple of (float, float)
        Penalty and gap where the sweeps were too few.
    """

    coefs: np.ndarray
    gaps: np.ndarray
    tol: float
    n_iters: np.ndarray
    unconverged: tuple[tuple[float, float], ...]

    def warn(self) -> None:
        """Warn of each solution that did not converge, as scikit-learn does."""
        for penalty, gap in self.unconverged:
            message = (
                "Objective did not converge. You might want to increase the number of iterations, check the scale of "
                f"the features or consider increasing regularisation. Duality gap: {gap:.6e}, tolerance: {self.tol:.3e}"
            )
            if penalty < np.finfo(np.float64).eps:
                message += (
                    "\nLinear regression models with a zero l1 penalization strength are more efficiently fitted using "
                    "one of the solvers implemented in sklearn.linear_model.Ridge/RidgeCV instead."
                )
            warnings.warn(message, ConvergenceWarning, stacklevel=3)

    def by_task(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the weights for y of the shape (n_samples, *shape), as scikit-learn's lie.

        Parameters
        ----------
        shape : tuple of int
            () for one target, (n_tasks,) for tasks.
        dtype : dtype
            The type of the samples.

        Returns
        -------
        coefs : ndarray of shape (n_alphas, n_features) or (n_alphas, n_tasks, n_features)
            Each of the solutions is Fortran-contiguous.
        """
        coefs = self.coefs.reshape(len(self.coefs), -1, *shape).astype(dtype)
        return coefs if shape == () else coefs.swapaxes(1, 2)

    def report(self, verbose: bool | int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """Print what scikit-learn prints of each solution; `by_task` has the other parameters."""
        for i, coef in enumerate(self.by_task(shape, dtype)):
            if verbose > 2:
                print((coef, float(self.gaps[i]), self.tol, int(self.n_iters[i])))
            elif verbose > 1:
                print(f"Path: {i:03} out of {len(self.gaps):03}")
            else:
                sys.stderr.write(".")


def draw_seeds(random_state: Any, count: int) -> np.ndarray:
    """Return the seeds of as many solutions: scikit-learn draws one for each, whether it is needed or not."""
    seeds = check_random_state(random_state).randint(0, LARGEST_SEED, size=count)
    return seeds.astype(np.uint32)


def solve(
    residual: Residual,
    alphas: np.ndarray,
    betas: np.ndarray,
    seeds: np.ndarray,
    options: Options,
    *,
    start: np.ndarray | None = None,
    stop: np.ndarray | None = None,
) -> Path:
    """Solve for one penalty after the other.

    Parameters
    ----------
    residual : Residual
        The data.
    alphas, betas : ndarray of shape (n_alphas,)
        Penalties on absolute weights and on half their squares.
    seeds : ndarray of shape (n_alphas,)
        From `draw_seeds`.
    options : Options
        How to descend.
    start : ndarray of shape (n_features,) or (n_tasks, n_features), optional
        Where to start; zeros if not given.
    stop : ndarray of shape (1,), uint8, optional
        Set by another thread to end this one.
    """
    w = np.zeros(residual.n_features * residual.n_tasks)
    if start is not None:
        w[:] = _flat(start, residual)
    coefs, gaps, n_iters, converged = descend(
        residual,
        w,
        alphas,
        betas,
        seeds,
        max_iter=options.max_iter,
        tol=options.tol,
        random=options.selection == "random",
        positive=options.positive,
        screening=options.do_screening,
        stop=np.zeros(1, dtype=np.uint8) if stop is None else stop,
    )
    unconverged = () if converged.all() else tuple(zip(alphas[~converged], gaps[~converged], strict=True))
    return Path(coefs, gaps, options.tol * residual.y_norm2, n_iters, unconverged)


def solve_once(
    data: Any,
    target: int | slice,
    alpha: float,
    l1_ratio: float,
    options: Options,
    random_state: Any,
    start: np.ndarray | None = None,
) -> Path:
    """Solve for one penalty, given as scikit-learn's estimators take it, and warn where that did not converge.

    Parameters
    ----------
    data : DenseData or SparseData
        The samples.
    target : int or slice
        Which of their targets, or all tasks.
    alpha, l1_ratio : float
        The penalty.
    options, random_state, start
        As `solve` and `draw_seeds` take them.
    """
    penalties = np.array([alpha * l1_ratio * data.n_samples], dtype=np.float64)
    ridges = np.array([alpha * (1.0 - l1_ratio) * data.n_samples], dtype=np.float64)
    residual = data.residual(target, penalties, options.tol, in_turn=options.selection == "cyclic")
    path = solve(residual, penalties, ridges, draw_seeds(random_state, 1), options, start=start)
    path.warn()
    return path


def _flat(start: Any, residual: Residual) -> np.ndarray:
    """Return weights in the solver's order."""
    weights = np.asarray(start, dtype=np.float64)
    if np.atleast_2d(weights).shape != (residual.n_tasks, residual.n_features):
        raise ValueError(
            f"The weights to start from have the shape {weights.shape}, not that of {residual.n_tasks} targets and "
            f"{residual.n_features} features."
        )
    return weights.ravel(order="F")
