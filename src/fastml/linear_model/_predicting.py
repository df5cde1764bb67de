"""What linear models do once they are fitted: scores, values and classes.

scikit-learn's predictions of few rows are checks of the input, mostly; ours pass them by where the input is plain. The
product itself is SciPy's or NumPy's, which runs at the speed of memory.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model._base import LinearClassifierMixin, LinearModel
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from fastml._support import validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import accelerated

NUMPY = of_numpy("coef_")


class PredictingValues(LinearModel):
    """Predictions of linear regressors. Comes before scikit-learn's class among the bases."""

    coef_: Any
    intercept_: Any

    @accelerated(NUMPY)
    def predict(self, X):
        return self._decision_function(X)

    def _decision_function(self, X: Any) -> np.ndarray:
        return linear_scores(self, X, sparse=("csr", "csc", "coo"))


class PredictingClasses(LinearClassifierMixin):
    """Scores and predictions of linear classifiers. Comes before scikit-learn's class among the bases."""

    coef_: Any
    intercept_: Any
    classes_: np.ndarray

    @accelerated(NUMPY)
    def decision_function(self, X):
        scores = linear_scores(self, X, sparse="csr")
        return scores.reshape(-1) if scores.ndim > 1 and scores.shape[1] == 1 else scores

    @accelerated(NUMPY)
    def predict(self, X):
        scores = self.decision_function(X)
        return self.classes_.take((scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1))


def linear_scores(estimator: Any, X: Any, *, sparse: str | tuple[str, ...]) -> np.ndarray:
    """Return ``X @ coef_.T + intercept_`` of a fitted linear model.

    Parameters
    ----------
    estimator : estimator instance
        With ``coef_`` of shape (n_features,) or (n_outputs, n_features), dense or sparse, and ``intercept_``.
    X : array-like or sparse array of shape (n_samples, n_features)
        The samples as the user gave them.
    sparse : str or tuple of str
        The sparse formats that are taken as they are.

    Returns
    -------
    scores : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        One column an output where ``coef_`` has two dimensions.

    Raises
    ------
    NotFittedError, TypeError, ValueError
        scikit-learn's.
    """
    if "coef_" not in estimator.__dict__:
        check_is_fitted(estimator)
    X = validation.validate(estimator, X, reset=False, sparse=sparse, dtype="numeric", order=None, large_sparse=True)
    return scores_of(X, estimator.coef_) + estimator.intercept_


def scores_of(X: Any, coef: Any) -> np.ndarray:
    """Return ``X @ coef.T`` of validated samples; both may be sparse."""
    if sp.issparse(X) or sp.issparse(coef):
        return safe_sparse_dot(X, coef.T, dense_output=True)
    return X @ coef.T
