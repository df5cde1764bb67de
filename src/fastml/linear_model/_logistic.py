"""Logistic regression: the kernel in place of scikit-learn's losses."""

from typing import Any

import numpy as np
import sklearn.linear_model
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.base import _fit_context
from sklearn.utils import check_consistent_length, compute_class_weight
from sklearn.utils.extmath import softmax
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastml import _core
from fastml._support import threads, validation
from fastml._support.dispatch import Condition, accelerated
from fastml._support.targets import are_plain, check_and_encode
from fastml.linear_model._logistic_borrowed import fit_by_liblinear, solve_as_sklearn
from fastml.linear_model._logistic_parameters import Options, checked_penalty
from fastml.linear_model._logistic_path import SOLVERS, LogisticProblem
from fastml.linear_model._predicting import NUMPY, PredictingClasses

SHORT_INDICES = Condition(
    "fewer than 2**31 features", lambda self, X, *args, **kwargs: not issparse(X) or X.shape[1] < 2**31
)
_NO_CALLBACKS = Condition("no callbacks", lambda self, *args, **kwargs: not hasattr(self, "_skl_callbacks"))


class PredictingProbabilities(PredictingClasses):
    """Probabilities of the classes. Comes before scikit-learn's class among the bases."""

    @accelerated(NUMPY)
    def predict_proba(self, X):
        """
        Return the probabilities of the classes.

        They are the softmax of the scores, for two classes the logistic function of the one score.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            A column for each of ``classes_``, in their order. Rows add up to 1.
        """
        if "coef_" not in self.__dict__:
            check_is_fitted(self)
        is_binary = len(self.classes_) <= 2
        coef = self.coef_
        if not issparse(coef) and _is_rows_of(X, coef):
            X = validation.validate(self, X, reset=False, sparse="csr", dtype=(coef.dtype.type,))
            outputs = 1 if is_binary else len(coef)
            intercept = np.broadcast_to(np.asarray(self.intercept_, dtype=coef.dtype), outputs)
            coefficients = np.concatenate([coef.reshape(outputs, -1).T.reshape(-1), intercept])
            return _core.logistic_probabilities(
                X, coefficients, outputs, threads.n_threads(work=float(X.size) * outputs)
            )
        scores = self.decision_function(X)
        if not is_binary:
            return softmax(scores, copy=False)
        probability = expit(scores)
        return np.stack([1 - probability, probability], axis=1)

    @accelerated(NUMPY)
    def predict_log_proba(self, X):
        """
        Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            A column for each of ``classes_``, in their order.
        """
        return np.log(self.predict_proba(X))


def _is_rows_of(X: Any, coef: np.ndarray) -> bool:
    """Tell whether the kernel takes X as it is."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.size > 0
        and X.dtype == coef.dtype
        and X.dtype.type in (np.float64, np.float32)
        and X.dtype.isnative
        and X.flags.c_contiguous
        and X.flags.aligned
    )


class LogisticRegression(PredictingProbabilities, sklearn.linear_model.LogisticRegression):
    __doc__ = sklearn.linear_model.LogisticRegression.__doc__

    @accelerated(NUMPY, SHORT_INDICES, _NO_CALLBACKS)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        C, penalty = checked_penalty(self)
        X, y = samples_and_labels(self, X, y, dtype=(np.float64, np.float32))
        classes, codes = encoded_labels(y)
        if self.solver == "liblinear":
            self.coef_, self.intercept_, self.n_iter_ = fit_by_liblinear(
                self, X, y, len(classes), penalty, sample_weight
            )
            self.classes_ = classes
            return self
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{classes[0]!r}"
            )
        start = self._warm_coef() if self.warm_start else None
        options = Options(C, penalty, self.l1_ratio, sample_weight, self.class_weight, start, self.verbose)
        coef, n_iter = solve(self, X, y, codes, classes, options)

        self.classes_ = classes
        self.n_iter_ = np.array([n_iter], dtype=np.int32)
        coef = np.atleast_2d(coef)
        if self.fit_intercept:
            self.intercept_ = coef[0, -1:] if len(coef) == 1 else coef[:, -1]
            self.coef_ = coef[:, :-1]
        else:
            self.intercept_ = np.zeros(len(coef), dtype=X.dtype)
            self.coef_ = coef
        return self

    def _warm_coef(self) -> np.ndarray | None:
        """Return the coefficients of the last fit with its intercepts."""
        coef = getattr(self, "coef_", None)
        if coef is not None and self.fit_intercept:
            coef = np.concatenate([coef, self.intercept_[:, None]], axis=1)
        return coef


def samples_and_labels(estimator: Any, X: Any, y: Any, *, dtype: Any) -> tuple[Any, np.ndarray]:
    """Check samples and class labels as scikit-learn does, with a way past it for plain arrays.

    Parameters
    ----------
    estimator : LogisticRegression or LogisticRegressionCV
        Whose ``n_features_in_`` and ``feature_names_in_`` are set. Its solver decides on 64-bit indices.
    X : array-like or sparse array of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,)
        The labels.
    dtype : sequence of types
        The types kept; samples of others become the first.

    Returns
    -------
    X : ndarray or CSR array of shape (n_samples, n_features)
        C-contiguous and aligned, if dense.
    y : ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects them.
    """
    large_sparse = estimator.solver in SOLVERS
    if are_plain(y) and getattr(X, "shape", (0,))[:1] == y.shape:
        X = validation.validate(estimator, X, reset=True, sparse="csr", dtype=dtype, large_sparse=large_sparse)
        return X, y
    X, y = validate_data(
        estimator, X, y, accept_sparse="csr", dtype=list(dtype), order="C", accept_large_sparse=large_sparse
    )
    check_consistent_length(X, y)
    return np.require(X, requirements="A") if type(X) is np.ndarray else X, y


def encoded_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted classes, and the number of each sample's class.

    Raises
    ------
    ValueError
        scikit-learn's, where the labels are not classes.
    """
    classes, codes = check_and_encode(y[:, None])
    return classes[0], codes[:, 0]


def total_weights(
    X: Any, y: np.ndarray, codes: np.ndarray, classes: np.ndarray, sample_weight: Any, class_weight: Any
) -> np.ndarray | None:
    """Return weights of samples times those of their classes, in the type of X; None where there are neither."""
    if sample_weight is None and class_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, X, dtype=X.dtype, copy=True)
    if class_weight is not None:
        of_classes = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
        weights *= of_classes[codes].astype(X.dtype)
    return weights


def solve(
    estimator: Any, X: Any, y: np.ndarray, codes: np.ndarray, classes: np.ndarray, options: Options
) -> tuple[np.ndarray, int]:
    """Solve for one strength of the penalty, by the kernel or by a solver of scikit-learn's.

    Parameters
    ----------
    estimator : LogisticRegression or LogisticRegressionCV
        Its solver, tolerance and so on.
    X : ndarray (C-contiguous) or CSR array of shape (n_samples, n_features)
        The samples.
    y, codes : ndarray of shape (n_samples,)
        Their labels, and the numbers of their classes.
    classes : ndarray of shape (n_classes,)
        The sorted classes, at least 2.
    options : Options
        The penalty, the weights and where to begin.

    Returns
    -------
    coef : ndarray of shape (n_coefficients,) or (n_classes, n_coefficients)
        The solution, intercepts last, in the type of X.
    n_iter : int
        The number of iterations.
    """
    if estimator.solver not in SOLVERS:
        return solve_as_sklearn(estimator, X, y, classes, options)
    problem = LogisticProblem(
        X,
        codes,
        len(classes),
        total_weights(X, y, codes, classes, options.sample_weight, options.class_weight),
        fit_intercept=estimator.fit_intercept,
        solver=estimator.solver,
    )
    point, n_iter = problem.solve(
        options.C,
        problem.start(options.start),
        tol=estimator.tol,
        max_iter=estimator.max_iter,
        verbose=options.verbose,
    )
    return problem.coefficients(point), n_iter
