"""The function ridge_regression."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._param_validation import validate_params
from sklearn.utils.validation import _check_sample_weight

from fastml._support.arrays import are_of_numpy
from fastml._support.dispatch import Condition, accelerated, note_borrowed
from fastml.linear_model._ridge_solving import BORROWED, solve_normal_equations
from fastml.linear_model._samples import FLOATS, Samples, are_plain

_NUMPY = Condition("array_api_dispatch=False, or arrays of NumPy", lambda *args, **kwargs: are_of_numpy(args, kwargs))

# Once scikit-learn is patched, its name stands for the function below.
_by_scikit_learn = sklearn.linear_model.ridge_regression


@accelerated(_NUMPY, fallback=_by_scikit_learn)
@validate_params(sklearn.linear_model.ridge_regression._skl_parameter_constraints, prefer_skip_nested_validation=True)
def ridge_regression(
    X,
    y,
    alpha,
    *,
    sample_weight=None,
    solver="auto",
    max_iter=None,
    tol=1e-4,
    verbose=0,
    positive=False,
    random_state=None,
    return_n_iter=False,
    return_intercept=False,
    check_input=True,
):
    if not (positive or return_intercept) and solver in ("auto", "cholesky"):
        samples = _check(X, y, sample_weight, solver, check_input)
        solved = None if samples is None else solve_normal_equations(samples, alpha, solver=solver, center=False)
        if solved is not None:
            coef = solved[1]
            coef = coef[0] if len(coef) == 1 else coef
            return (coef, None) if return_n_iter else coef
    note_borrowed(BORROWED)
    return _by_scikit_learn(
        X,
        y,
        alpha,
        sample_weight=sample_weight,
        solver=solver,
        max_iter=max_iter,
        tol=tol,
        verbose=verbose,
        positive=positive,
        random_state=random_state,
        return_n_iter=return_n_iter,
        return_intercept=return_intercept,
        check_input=check_input,
    )


def _check(X: Any, y: Any, sample_weight: Any, solver: str, check_input: bool) -> Samples | None:
    """Return the samples, checked as scikit-learn does, but for values that are not finite in plain arrays.

    None where scikit-learn is to say what is wrong with them.
    """
    X = X if sp.issparse(X) else np.asarray(X)
    if check_input and not are_plain(X, y):
        formats = "csr" if solver == "auto" and sp.issparse(X) else ["csr", "csc", "coo"]
        X = check_array(X, accept_sparse=formats, dtype=list(FLOATS), order="C")
        y = check_array(y, dtype=X.dtype, ensure_2d=False, order=None)
    y = np.asarray(y)
    if X.dtype not in FLOATS or X.ndim != 2 or y.ndim not in (1, 2) or y.dtype.kind not in "biuf":
        return None
    check_consistent_length(X, y)
    if not sp.issparse(X):
        X = np.require(X, requirements="A")
    samples = Samples(X, y.astype(X.dtype, copy=False))
    if sample_weight is not None:
        samples.weights = np.require(_check_sample_weight(sample_weight, X, dtype=X.dtype), requirements=["C", "A"])
    return samples if X.shape[0] and X.shape[1] and y.size else None
