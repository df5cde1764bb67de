"""Logistic regression by the solvers that are scikit-learn's own: liblinear, SAG and SAGA.

They take samples that were checked here, and exactly the arguments that scikit-learn's ``fit`` hands them: the same
bits come out, and the same warnings.
"""

from typing import Any

import numpy as np
from sklearn.linear_model._logistic import _log_reg_scoring_path, _logistic_regression_path
from sklearn.svm._base import _fit_liblinear
from sklearn.utils.extmath import row_norms
from sklearn.utils.parallel import Parallel, delayed

from fastml._support.dispatch import note_borrowed
from fastml.linear_model._logistic_parameters import Options

_LARGEST_FOR_LIBLINEAR = 1e30


def fit_by_liblinear(
    estimator: Any, X: Any, y: np.ndarray, n_classes: int, penalty: str, sample_weight: Any
) -> tuple[np.ndarray, Any, np.ndarray]:
    """Fit two classes by liblinear.

    Parameters
    ----------
    estimator : LogisticRegression
        Its parameters are used.
    X : ndarray (C-contiguous) or CSR array of shape (n_samples, n_features)
        The samples.
    y : ndarray of shape (n_samples,)
        The labels.
    n_classes : int
        The number of classes.
    penalty : {"l1", "l2"}
        The penalty.
    sample_weight : array-like of shape (n_samples,) or None
        The weights as they were given.

    Returns
    -------
    coef : ndarray of shape (1, n_features), float64
        The coefficients.
    intercept : ndarray of shape (1,) or float
        The intercept; 0.0 without one.
    n_iter : ndarray of shape (1,), int32
        The number of iterations.

    Raises
    ------
    ValueError
        scikit-learn's, for other numbers of classes and for values at which liblinear does not end.
    """
    if n_classes != 2:
        raise ValueError(
            "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use another "
            "solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest scheme."
        )
    if np.max(X) > _LARGEST_FOR_LIBLINEAR:
        raise ValueError(
            "Using the 'liblinear' solver while X contains a maximum value > 1e30 results in a frozen fit. Please "
            "choose another solver or rescale the input X."
        )
    note_borrowed("the solver liblinear is scikit-learn's")
    return _fit_liblinear(
        X,
        y,
        estimator.C,
        estimator.fit_intercept,
        estimator.intercept_scaling,
        estimator.class_weight,
        penalty,
        estimator.dual,
        estimator.verbose,
        estimator.max_iter,
        estimator.tol,
        estimator.random_state,
        sample_weight=sample_weight,
    )


def solve_as_sklearn(
    estimator: Any, X: Any, y: np.ndarray, classes: np.ndarray, options: Options
) -> tuple[np.ndarray, int]:
    """Solve for one strength of the penalty.

    Parameters and values are those of :func:`~fastml.linear_model._logistic.solve`. ``dual`` and ``intercept_scaling``
    of the estimator are left out, as scikit-learn leaves them out when it fits with the penalty that cross-validation
    chose.
    """
    note_borrowed(f"the solver {estimator.solver} is scikit-learn's")
    coefs, _, n_iter = _logistic_regression_path(
        X,
        y,
        classes=classes,
        Cs=[options.C],
        fit_intercept=estimator.fit_intercept,
        max_iter=estimator.max_iter,
        tol=estimator.tol,
        verbose=options.verbose,
        solver=estimator.solver,
        coef=options.start,
        class_weight=options.class_weight,
        penalty=options.penalty,
        random_state=estimator.random_state,
        check_input=False,
        max_squared_sum=_max_squared_sum(estimator, X),
        sample_weight=options.sample_weight,
        l1_ratio=options.l1_ratio,
    )
    return coefs[0], n_iter[0]


def score_folds_as_sklearn(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    classes: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    sample_weight: Any,
    *,
    penalty: str | None,
    l1_ratios: Any,
    class_weight: Any,
    scoring: Any,
    score_params: dict[str, Any] | None,
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Solve each fold for each ratio and each C, and score the solutions.

    They run where ``n_jobs`` says, one after the other by default: draws from a shared ``random_state`` have an order.

    Parameters
    ----------
    estimator : LogisticRegressionCV
        Its other parameters are used.
    X : ndarray (C-contiguous) or CSR array of shape (n_samples, n_features), float64
        The samples.
    y : ndarray of shape (n_samples,)
        The labels.
    classes : ndarray of shape (n_classes,)
        The sorted classes, at least 2.
    folds : list of pairs of ndarray
        The rows to fit, and those to score.
    sample_weight : array-like of shape (n_samples,) or None
        The weights as they were given.
    penalty : {"l1", "l2", "elasticnet"} or None
        The penalty.
    l1_ratios : array-like
        The ratios; [None] where they do not matter.
    class_weight : dict or None
        Weights of classes.
    scoring : str, callable or None
        The scoring method; None for accuracy.
    score_params : dict or None
        What the scorer is given besides.

    Returns
    -------
    solved : list of tuples
        What :func:`~fastml.linear_model._logistic_folds.solve_fold` returns, fold by fold, all ratios of each.
    """
    note_borrowed(f"the solver {estimator.solver} is scikit-learn's")
    max_squared_sum = _max_squared_sum(estimator, X)
    solved = Parallel(
        n_jobs=estimator.n_jobs,
        verbose=estimator.verbose,
        # liblinear keeps its random numbers in variables of the process.
        prefer="processes" if estimator.solver == "liblinear" else "threads",
    )(
        delayed(_log_reg_scoring_path)(
            X,
            y,
            train,
            test,
            classes=classes,
            Cs=estimator.Cs,
            scoring=scoring,
            fit_intercept=estimator.fit_intercept,
            max_iter=estimator.max_iter,
            tol=estimator.tol,
            class_weight=class_weight,
            verbose=estimator.verbose,
            solver=estimator.solver,
            penalty=penalty,
            dual=estimator.dual,
            intercept_scaling=estimator.intercept_scaling,
            random_state=estimator.random_state,
            max_squared_sum=max_squared_sum,
            sample_weight=sample_weight,
            l1_ratio=l1_ratio,
            score_params=score_params,
        )
        for train, test in folds
        for l1_ratio in l1_ratios
    )
    return [(coefs.reshape(len(coefs), -1, coefs.shape[-1]), scores, n_iter) for coefs, _, scores, n_iter in solved]


def _max_squared_sum(estimator: Any, X: Any) -> float | None:
    """Return the largest squared norm of a row, from which SAG and SAGA take their step."""
    return None if estimator.solver == "liblinear" else row_norms(X, squared=True).max()
