"""From the estimators of the SGD family to the solver: its arguments, its random numbers, its threads."""

import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import SPARSE_INTERCEPT_DECAY
from sklearn.utils.parallel import Parallel, delayed

from fastml._support import threads
from fastml.linear_model._sgd import Cancel, plain_sgd

SEEDS = np.iinfo(np.int32).max
"""What seeds are drawn below."""

_SOLVERS = {np.dtype(np.float32): plain_sgd["float"], np.dtype(np.float64): plain_sgd["double"]}

_LOSSES = {
    "hinge": 0,
    "perceptron": 0,
    "squared_hinge": 1,
    "log_loss": 2,
    "modified_huber": 3,
    "squared_error": 4,
    "huber": 5,
    "epsilon_insensitive": 6,
    "squared_epsilon_insensitive": 7,
}
"""The numbers of ``_sgd_losses.pxd``."""

_THRESHOLDS = {"hinge": 1.0, "squared_hinge": 1.0, "perceptron": 0.0}

_STATE = (
    "coef_",
    "intercept_",
    "offset_",
    "_standard_coef",
    "_standard_intercept",
    "_average_coef",
    "_average_intercept",
)
"""The attributes that a fit goes on from."""

_WORK_PER_VALUE = 0.5
"""Of a value of X and an epoch, in units of ``threads.n_threads``: two to four operations, of which a thread is worth
four times as many as a thread of OpenMP's team, since a Python thread takes 100 us to start."""
_EPOCHS = 5
"""How many a fit is taken to run at most, when the threads it is worth are counted: how many it will run is not known,
and fewer than this are rare where there are that many."""

Result = TypeVar("Result")


def detach(estimator: Any) -> None:
    """Give an estimator copies of what it goes on from, since the solver works in place.

    The arrays may be the user's, and a fit that fails leaves them as they were. Attributes that share an array share
    its copy: scikit-learn's classes count on that.
    """
    state = estimator.__dict__
    copies: dict[int, np.ndarray] = {}
    for name in _STATE:
        array = state.get(name)
        if isinstance(array, np.ndarray):
            state[name] = copies.setdefault(id(array), array.copy())


def draw_unused(random_state: np.random.RandomState) -> None:
    """Draw what scikit-learn draws for a data set of its own, which makes no use of it."""
    random_state.randint(1, SEEDS)


def solve(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    start: tuple[np.ndarray, float, np.ndarray | None, float],
    *,
    loss: str,
    alpha: float,
    learning_rate: str,
    max_iter: int,
    seed: int,
    validation_mask: np.ndarray | None = None,
    validation_score: Callable[[np.ndarray, float], float] | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
    one_class: bool = False,
    cancel: Cancel | None = None,
) -> tuple[float, float, int]:
    """Run the solver with the parameters of an estimator, and those given here, which may differ.

    Parameters
    ----------
    estimator : estimator instance
        Of the SGD family.
    X : ndarray or CSR of shape (n_samples, n_features)
        Validated.
    y : ndarray of shape (n_samples,)
        As the loss takes it.
    sample_weight : ndarray of shape (n_samples,), or None
        None for ones.
    start : tuple
        Coefficients and intercept, and their averages. The arrays are changed in place.
    loss, alpha, learning_rate, max_iter, seed, validation_mask, validation_score, one_class, cancel
        See ``_sgd.plain_sgd``.
    class_weights : tuple of float
        Of the positive and of the negative class.

    Returns
    -------
    intercept, average_intercept, n_iter
    """
    coef, intercept, average_coef, average_intercept = start
    if coef.dtype != X.dtype:
        raise TypeError(
            f"X is {X.dtype}, but the coefficients from which the fit goes on are {coef.dtype}: give all batches the "
            "same dtype."
        )
    if max(X.shape) > SEEDS:
        raise ValueError(f"More than {SEEDS} samples or features not supported; got {X.shape}.")
    sparse = sp.issparse(X)
    return _SOLVERS[coef.dtype](
        coef,
        intercept,
        average_coef,
        average_intercept,
        _LOSSES[loss],
        _THRESHOLDS.get(loss, estimator.epsilon),
        estimator._get_penalty_type(estimator.penalty),
        alpha,
        estimator._get_l1_ratio(),
        None if sparse else X,
        X.data if sparse else None,
        X.indices if sparse else None,
        X.indptr if sparse else None,
        np.require(y, X.dtype, ["C", "A"]),
        sample_weight,
        None if validation_mask is None else validation_mask.view(np.uint8),
        validation_score,
        estimator.n_iter_no_change,
        max_iter,
        -np.inf if estimator.tol is None else estimator.tol,
        estimator.fit_intercept,
        estimator.verbose,
        estimator.shuffle,
        seed,
        *class_weights,
        estimator._get_learning_rate_type(learning_rate),
        estimator.eta0,
        estimator.power_t,
        one_class,
        estimator.t_,
        SPARSE_INTERCEPT_DECAY if sparse else 1.0,
        estimator.average,
        Cancel() if cancel is None else cancel,
    )


def run_each(
    fit: Callable[[int, int, Cancel], Result], seeds: np.ndarray, X: Any, estimator: Any, max_iter: int
) -> list[Result]:
    """Return ``fit(i, seed, cancel)`` for each class, in threads where that pays.

    Where the user has told joblib how to run tasks, or wants its progress, they are joblib's. The error raised is that
    of the first class that has one, as if they were fitted one after the other.
    """
    cancel = Cancel()
    if threads.joblib_is_in_charge(estimator.n_jobs, estimator.verbose):
        return Parallel(n_jobs=estimator.n_jobs, verbose=estimator.verbose, require="sharedmem")(
            delayed(fit)(i, seed, cancel) for i, seed in enumerate(seeds)
        )
    values = X.nnz if sp.issparse(X) else X.size
    work = _WORK_PER_VALUE * len(seeds) * values * min(max_iter, _EPOCHS)
    n_threads = min(threads.n_threads(estimator.n_jobs, work=work), len(seeds))
    if n_threads == 1:
        return [fit(i, seed, cancel) for i, seed in enumerate(seeds)]

    waiting = iter(enumerate(seeds))
    taking = threading.Lock()
    results: dict[int, Result] = {}
    errors: dict[int, BaseException] = {}

    def work_on() -> None:
        while not errors:
            with taking:
                i, seed = next(waiting, (-1, 0))
            if i < 0:
                return
            try:
                results[i] = fit(i, seed, cancel)
            except BaseException as error:
                errors[i] = error
                if not isinstance(error, Exception):
                    cancel.requested = True

    workers = [threading.Thread(target=work_on) for _ in range(n_threads - 1)]
    try:
        for worker in workers:
            worker.start()
        work_on()
        for worker in workers:
            worker.join()
    except BaseException:
        # Ctrl-C while waiting. Threads see the flag within 10 ms.
        cancel.requested = True
        raise
    for error in errors.values():
        if not isinstance(error, Exception):
            raise error
    if errors:
        raise errors[min(errors)]
    return [results[i] for i in range(len(seeds))]


def solve_single(
    estimator: Any, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, intercept: np.ndarray, **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Run the solver for an estimator of one output, and leave the state that the next partial fit goes on from.

    Parameters
    ----------
    estimator, X, y, sample_weight
        As `solve` takes them.
    intercept : ndarray of shape (1,)
        Where to start without averaging; else the estimator's own state says.
    **options
        As `solve` takes them.

    Returns
    -------
    coef : ndarray of shape (n_features,)
    intercept : ndarray of shape (1,)
        The averages where there are any yet.
    """
    coef = estimator.coef_
    average_coef: Any = None
    average_intercept = 0.0
    if estimator.average:
        coef, intercept = estimator._standard_coef, estimator._standard_intercept
        average_coef, average_intercept = estimator._average_coef, estimator._average_intercept[0]
    start = (coef, intercept[0], average_coef, average_intercept)
    end, average_end, estimator.n_iter_ = solve(estimator, X, y, sample_weight, start, **options)
    estimator.t_ += estimator.n_iter_ * X.shape[0]
    if not estimator.average > 0:
        return coef, np.atleast_1d(end)
    estimator._average_intercept = np.atleast_1d(average_end)
    estimator._standard_intercept = np.atleast_1d(end)
    if estimator.average <= estimator.t_ - 1.0:
        return average_coef, np.atleast_1d(average_end)
    return coef, np.atleast_1d(end)


def warn_of_fit(estimator: Any) -> None:
    """Warn of what scikit-learn warns of at the end of a fit."""
    if estimator.tol is not None and estimator.tol > -np.inf and estimator.n_iter_ == estimator.max_iter:
        warnings.warn(
            "Maximum number of iteration reached before convergence. Consider increasing max_iter to improve the fit.",
            ConvergenceWarning,
            stacklevel=2,
        )
    if estimator.power_t < 0:
        warnings.warn(
            "Negative values for `power_t` are deprecated in version 1.8 and will raise an error in 1.10. "
            "Use values in the range [0.0, inf) instead.",
            FutureWarning,
            stacklevel=2,
        )
