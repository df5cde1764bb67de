"""enet_path and lasso_path: solutions along a grid of penalties."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from sklearn.linear_model._base import _check_precomputed_gram_matrix
from sklearn.linear_model._coordinate_descent import _alpha_grid
from sklearn.utils import check_array
from sklearn.utils._param_validation import validate_params

from fastml._support.dispatch import Condition, accelerated
from fastml.linear_model._coordinate_descent import Residual
from fastml.linear_model._elastic_net_data import ALL_TASKS, SparseData, data_of
from fastml.linear_model._elastic_net_solving import Options, draw_seeds, solve

N_ALPHAS = 100

_DENSE_TARGETS = Condition("dense y", lambda X, y, **kwargs: not sp.issparse(y))
_NOT_CENTERED = Condition(
    "sparse X without X_offset and sample_weight",
    lambda X, y, *, X_offset=None, sample_weight=None, **kwargs: (
        not sp.issparse(X) or (X_offset is None and sample_weight is None)
    ),
)


@accelerated(_DENSE_TARGETS, _NOT_CENTERED, fallback=sklearn.linear_model.enet_path)
@validate_params(sklearn.linear_model.enet_path._skl_parameter_constraints, prefer_skip_nested_validation=True)
def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    **params,
):
    return _path(
        X,
        y,
        l1_ratio,
        eps,
        _grid_given(n_alphas, alphas),
        precompute=precompute,
        Xy=Xy,
        coef_init=coef_init,
        verbose=verbose,
        return_n_iter=return_n_iter,
        positive=positive,
        check_input=check_input,
        **params,
    )


@accelerated(_DENSE_TARGETS, _NOT_CENTERED, fallback=sklearn.linear_model.lasso_path)
@validate_params(sklearn.linear_model.lasso_path._skl_parameter_constraints, prefer_skip_nested_validation=True)
def lasso_path(
    X,
    y,
    *,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    **params,
):
    return _path(
        X,
        y,
        1.0,
        eps,
        _grid_given(n_alphas, alphas),
        precompute=precompute,
        Xy=Xy,
        coef_init=coef_init,
        verbose=verbose,
        return_n_iter=return_n_iter,
        positive=positive,
        **params,
    )


def _grid_given(n_alphas: Any, alphas: Any) -> Any:
    """Return the number or the array of penalties, and warn of ways to give them that scikit-learn gives up."""
    grid = N_ALPHAS
    if not isinstance(n_alphas, str):
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' now accepts an integer value which "
            "removes the need to pass 'n_alphas'. The default value of 'alphas' will change from None to 100 in 1.11. "
            "Pass an explicit value to 'alphas' and leave 'n_alphas' to its default value to silence this warning.",
            FutureWarning,
            stacklevel=2,
        )
        grid = n_alphas
    if alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11, at which point the default value will be set to "
            "100. Set 'alphas=100' to silence this warning.",
            FutureWarning,
            stacklevel=2,
        )
    return grid if alphas is None or isinstance(alphas, str) else alphas


def _path(
    X: Any,
    y: Any,
    l1_ratio: float,
    eps: float,
    alphas: Any,
    *,
    precompute: Any,
    Xy: Any,
    coef_init: Any,
    verbose: bool | int,
    return_n_iter: bool,
    positive: bool,
    check_input: bool = True,
    X_offset: Any = None,
    X_scale: Any = None,
    sample_weight: Any = None,
    tol: float = 1e-4,
    max_iter: int = 1000,
    random_state: Any = None,
    selection: str = "cyclic",
    do_screening: bool = True,
    **unknown: Any,
) -> tuple[Any, ...]:
    """Do what both functions do. Dense X is centred and weighted already, where it is to be."""
    if unknown:
        raise ValueError("Unexpected parameters in params", unknown.keys())
    if check_input:
        X = check_array(X, accept_sparse="csc", dtype=[np.float64, np.float32], accept_large_sparse=False)
        y = check_array(y, dtype=X.dtype.type, ensure_2d=False)
        if Xy is not None:
            Xy = check_array(Xy, dtype=X.dtype.type, order="C", copy=False, ensure_2d=False)
    multiple = y.ndim != 1
    if multiple and positive:
        raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
    target = ALL_TASKS if multiple else 0
    if selection not in ("random", "cyclic"):
        raise ValueError("selection should be either random or cyclic.")
    if not sp.issparse(X) and not (X.flags.forc and X.flags.aligned):
        X = np.require(X, requirements=["C", "A"])
    data = data_of(X, y, None, False)
    gram = precompute if hasattr(precompute, "__array__") and not sp.issparse(X) else None
    if gram is None:
        Xy = None
    elif check_input:
        _check_precomputed_gram_matrix(X, gram, data.X_offset, np.ones(data.n_features, dtype=X.dtype))
        gram = check_array(gram, dtype=X.dtype.type, order="C")
    if multiple:
        gram = None  # as in scikit-learn; what it is multiplied with remains

    if isinstance(alphas, Integral):
        products = data.products(target).astype(X.dtype, copy=False) if Xy is None else Xy
        alphas = _alpha_grid(
            X, y, Xy=products, l1_ratio=l1_ratio, fit_intercept=False, positive=positive, eps=eps, n_alphas=alphas
        )
    elif len(alphas) > 1:
        alphas = np.sort(alphas)[::-1]
    scaled = np.asarray(alphas, dtype=np.float64) * data.n_samples
    penalties = scaled * l1_ratio
    residual: Residual
    if gram is None or isinstance(data, SparseData):
        residual = data.residual(target, penalties, tol)
    else:
        residual = data.given_gram_residual(0, gram, Xy)
    path = solve(
        residual,
        penalties,
        scaled * (1.0 - l1_ratio),
        draw_seeds(random_state, len(scaled)),
        Options(max_iter, tol, positive, selection, do_screening),
        start=coef_init,
    )
    path.warn()
    if verbose:
        path.report(verbose, y.shape[1:], X.dtype)
    coefs = np.moveaxis(path.by_task(y.shape[1:], X.dtype), 0, -1)
    result = (alphas, np.ascontiguousarray(coefs), path.gaps / data.n_samples)
    return (*result, path.n_iters.tolist()) if return_n_iter else result
