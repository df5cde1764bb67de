"""Logistic regression of one fold for a row of penalties, each solution the start of the next, and their scores."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.validation import _check_method_params, _check_sample_weight

from fastml.linear_model._logistic import LogisticRegression, total_weights
from fastml.linear_model._logistic_path import LogisticProblem


def solve_fold(
    X: Any,
    y: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    *,
    Cs: Sequence[float],
    estimator: Any,
    class_weight: Any,
    sample_weight: Any,
    scoring: Any,
    score_params: dict[str, Any] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit the rows of ``train`` for each C, and score each fit on those of ``test``.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float64
        All samples.
    y, codes : ndarray of shape (n_samples,)
        Their labels, and the numbers of their classes.
    classes : ndarray of shape (n_classes,)
        All classes, of which a fold may lack some.
    train, test : ndarray
        Rows.
    Cs : sequence of float
        Inverse strengths of the penalty.
    estimator : LogisticRegressionCV
        Its solver, tolerance and so on.
    class_weight : dict or None
        Weights of classes.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of samples.
    scoring : str, callable or None
        The scoring method; None for accuracy.
    score_params : dict or None
        What the scorer is given besides.

    Returns
    -------
    coefs : ndarray of shape (n_cs, n_outputs, n_coefficients)
        The solutions, intercepts last.
    scores : ndarray of shape (n_cs,)
        Their scores.
    n_iter : ndarray of shape (n_cs,), int32
        Numbers of iterations.
    """
    train_weight = test_weight = None
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X)
        train_weight, test_weight = sample_weight[train], sample_weight[test]
    X_train, y_train, codes_train = X[train], y[train], codes[train]
    problem = LogisticProblem(
        X_train,
        codes_train,
        len(classes),
        total_weights(X_train, y_train, codes_train, classes, train_weight, class_weight),
        fit_intercept=estimator.fit_intercept,
        solver=estimator.solver,
    )
    score = _score_function(X, X[test], y[test], test, test_weight, classes, scoring, score_params)
    model = LogisticRegression(solver=estimator.solver)
    model.classes_ = classes

    coefs, scores = [], []
    n_iter = np.zeros(len(Cs), dtype=np.int32)
    point = problem.start(None)
    for i, C in enumerate(Cs):
        point, n_iter[i] = problem.solve(
            C, point, tol=estimator.tol, max_iter=estimator.max_iter, verbose=estimator.verbose
        )
        coef = problem.coefficients(point)
        model.C = C
        model.coef_ = coef[..., :-1] if estimator.fit_intercept else coef
        model.intercept_ = coef[..., -1] if estimator.fit_intercept else 0.0
        coefs.append(np.atleast_2d(coef))
        scores.append(score(model))
    return np.stack(coefs), np.array(scores), n_iter


def _score_function(
    X: Any,
    X_test: Any,
    y_test: np.ndarray,
    test: np.ndarray,
    test_weight: np.ndarray | None,
    classes: np.ndarray,
    scoring: Any,
    score_params: dict[str, Any] | None,
) -> Callable[[Any], float]:
    """Return a function that scores a model on the rows held out."""
    scorer = get_scorer(scoring)
    if scorer is None:
        return lambda model: model.score(X_test, y_test, sample_weight=test_weight)
    params = _check_method_params(X=X, params=score_params or {}, indices=test)
    if hasattr(scorer, "_score_func"):
        accepted = inspect.signature(scorer._score_func).parameters
        if "labels" in accepted:
            # The rows held out may lack a class that the probabilities have a column for.
            more = {"pos_label": classes[-1]} if len(classes) <= 2 and "pos_label" in accepted else {}
            scorer = make_scorer(
                scorer._score_func,
                greater_is_better=scorer._sign == 1,
                response_method=scorer._response_method,
                labels=classes,
                **more,
                **getattr(scorer, "_kwargs", {}),
            )
    return lambda model: scorer(model, X_test, y_test, **params)
