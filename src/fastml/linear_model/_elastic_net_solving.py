"""Solving for penalties, with scikit-learn's draws and warnings."""

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
    coefs : ndarray of shape (n_alphas, n_features), float64
        The weights.
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
    start : ndarray of shape (n_features,), optional
        Where to start; zeros if not given.
    stop : ndarray of shape (1,), uint8, optional
        Set by another thread to end this one.
    """
    w = np.zeros(residual.n_features) if start is None else np.array(start, dtype=np.float64)
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
