"""What kernel machines do once they are fitted: values, decisions, classes and probabilities.

The kernels of ``csrc/svm`` answer for all pairs of classes at once, from attributes as they are: whoever changes dual
coefficients or intercepts gets the predictions of scikit-learn. Support vectors alone are packed beforehand, which
takes longer than predicting a sample. What is packed is remembered, for as long as the estimator has the same array of
them: other support vectors are another array.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.svm
from sklearn.exceptions import NotFittedError
from sklearn.svm._base import BaseLibSVM, BaseSVC
from sklearn.utils import _align_api_if_sparse, check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from fastml import _core
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml._support.remembered import Remembered

_packed: Remembered[tuple[Any, tuple[Any, ...], _core.SupportVectors]] = Remembered()

_GIVEN_WORK = 4.0
"""Scalar operations for a value of the kernel that is given: it is gathered from the row of a sample."""


class Deciding(BaseLibSVM):
    """Checks of samples, and decisions for them. What predicts by them is derived from it."""

    kernel: Any
    degree: int
    coef0: float
    support_: np.ndarray
    support_vectors_: Any
    shape_fit_: tuple[int, ...]
    _sparse: bool
    _gamma: float
    _n_support: np.ndarray
    _dual_coef_: Any
    _intercept_: np.ndarray
    classes_: np.ndarray

    def _validate_for_predict(self, X: Any) -> Any:
        if "support_vectors_" not in self.__dict__:
            check_is_fitted(self)
        kernel = self.kernel
        if not callable(kernel):
            if type(X) is np.ndarray and X.dtype.type is np.float32:
                X = X.astype(np.float64)  # as the checks would, which are passed by then
            X = validation.validate(self, X, reset=False, sparse="csr", dtype=(np.float64,))
        if self._sparse:
            if not sp.issparse(X):
                X = _align_api_if_sparse(sp.csr_array(X))
            X.sort_indices()
        elif sp.issparse(X) and not callable(kernel):
            raise ValueError(f"cannot use sparse input in {type(self).__name__!r} trained on dense data")
        if kernel == "precomputed":
            self._check_width(X)
        vectors = self.support_vectors_
        if not self._sparse and vectors.size > 0 and self._n_vectors() != vectors.shape[0]:
            raise self._altered()
        return X

    def _n_vectors(self) -> int:
        """Return the number of support vectors that those of the classes add up to."""
        counts = self._n_support.tolist()
        return sum(counts) if self._has_classes() else counts[0]

    def _has_classes(self) -> bool:
        return self._impl in ("c_svc", "nu_svc")

    def _altered(self) -> ValueError:
        return ValueError(f"The internal representation of {type(self).__name__} was altered")

    def _check_width(self, X: Any) -> None:
        if X.shape[1] != self.shape_fit_[0]:
            raise ValueError(
                f"X.shape[1] = {X.shape[1]} should be equal to {self.shape_fit_[0]}, "
                "the number of samples at training time"
            )

    def _decision_function(self, X: Any) -> np.ndarray:
        decisions = self._answers(self._validate_for_predict(X), "decisions", check_finite=True)
        # In the binary case scikit-learn turns LIBSVM's sign around.
        return -decisions.ravel() if self._has_classes() and len(self.classes_) == 2 else decisions

    def _answers(self, X: Any, answer: str, check_finite: bool = False, **sigmoids: np.ndarray) -> np.ndarray:
        """Return what :meth:`fastml._core.SupportVectors.decide` answers for validated samples.

        ``check_finite``: whether the values of a kernel that is a function are checked.
        """
        kernel = self.kernel
        if callable(kernel):
            X = self._compute_kernel(X)
            if check_finite or X.ndim != 2:
                X = check_array(X, dtype=np.float64, order="C", accept_large_sparse=False)
            self._check_width(X)
            kernel = "precomputed"
        weights = self._weights()
        if kernel == "precomputed":
            columns = np.ascontiguousarray(self.support_, dtype=np.int32)
            n_threads = threads.n_threads(work=X.shape[0] * columns.size * (_GIVEN_WORK + len(weights[0])))
            return _core.decide_given(X, columns, *weights, answer, n_threads=n_threads, **sigmoids)
        view = self._packed_vectors()
        n_threads = threads.n_threads(work=X.shape[0] * view.work)
        return view.decide(_core_samples(X), *weights, answer, n_threads=n_threads, **sigmoids)

    def _weights(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Return coefficients, numbers of support vectors of the classes (None without classes) and intercepts."""
        dual = self._dual_coef_
        if sp.issparse(dual):
            # As fitted, zeros are stored.
            dual = dual.data if dual.nnz == dual.shape[0] * dual.shape[1] else dual.toarray()
        counts = None
        if self._has_classes():
            counts = np.ascontiguousarray(self._n_support, dtype=np.int32)
            # Where there are no vectors to compare with, these numbers have not been looked at.
            if self._n_vectors() != len(self.support_):
                raise self._altered()
        return (
            np.ascontiguousarray(dual, dtype=np.float64),
            counts,
            np.ascontiguousarray(self._intercept_, dtype=np.float64),
        )

    def _packed_vectors(self) -> _core.SupportVectors:
        """Return the support vectors as the kernels read them, those packed before where nothing has changed."""
        vectors = self.support_vectors_
        options = (self.kernel, self.degree, self._gamma, self.coef0)
        kept = _packed.get(self)
        if kept is not None and kept[0] is vectors and kept[1] == options:
            return kept[2]
        view = _core.SupportVectors(_core_samples(vectors), *options)
        _packed.keep(self, (vectors, options, view))
        return view


def _core_samples(X: Any) -> Any:
    """Return samples or support vectors as the bindings take them: an array, or the parts of a CSR one."""
    if not sp.issparse(X):
        return np.require(X, np.float64, ["C", "A"])
    indices = (np.ascontiguousarray(part, dtype=np.int32) for part in (X.indices, X.indptr))
    return np.ascontiguousarray(X.data, dtype=np.float64), *indices, X.shape[1]


class Predicting(Deciding):
    """Predictions of regressors. Comes before scikit-learn's class among the bases, as do the others."""

    @accelerated()
    def predict(self, X):
        return self._answers(self._validate_for_predict(X), "decisions").ravel()


class PredictingInliers(Deciding, sklearn.svm.OneClassSVM):
    """Decisions and predictions of one-class machines."""

    offset_: np.ndarray

    @accelerated()
    def predict(self, X):
        decisions = self._answers(self._validate_for_predict(X), "decisions").ravel()
        return np.where(decisions > 0, np.intp(1), np.intp(-1))

    @accelerated()
    def decision_function(self, X):
        return self._decision_function(X).ravel()

    @accelerated()
    def score_samples(self, X):
        return self.decision_function(X) + self.offset_


def _documented(method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method the text of scikit-learn's: ``accelerated`` cannot where ``available_if`` stands around it."""
    method.__doc__ = getattr(BaseSVC, method.__name__).__doc__
    return method


class PredictingClasses(Deciding, BaseSVC):
    """Decisions, classes and probabilities of classifiers."""

    _probA: np.ndarray
    _probB: np.ndarray

    @accelerated()
    def decision_function(self, X):
        if self.decision_function_shape == "ovr":
            X = self._validate_for_predict(X)
            if len(self.classes_) > 2:
                if len(self._n_support) != len(self.classes_):
                    raise ValueError(
                        f"{len(self._n_support)} of {len(self.classes_)} classes have samples of positive weight: "
                        "there is no decision for each class. Leave the others out of y, or give their samples weight."
                    )
                return self._answers(X, "scores", check_finite=True)
            return -self._answers(X, "decisions", check_finite=True).ravel()
        return self._decision_function(X)

    @accelerated()
    def predict(self, X):
        if "support_vectors_" not in self.__dict__:
            check_is_fitted(self)
        if self.break_ties and self.decision_function_shape == "ovo":
            raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
        if self.break_ties and len(self.classes_) > 2:
            won = np.argmax(self.decision_function(X), axis=1)
        else:
            won = self._answers(self._validate_for_predict(X), "votes")
        return self.classes_.take(won)

    @available_if(lambda estimator: estimator._check_proba())
    @accelerated()
    @_documented
    def predict_proba(self, X):
        X = self._validate_for_predict(X)
        if self._probA.size == 0 or self._probB.size == 0:
            raise NotFittedError("predict_proba is not available when fitted with probability=False")
        return self._answers(
            X,
            "probabilities",
            slopes=np.ascontiguousarray(self._probA, dtype=np.float64),
            offsets=np.ascontiguousarray(self._probB, dtype=np.float64),
        )

    @available_if(lambda estimator: estimator._check_proba())
    @accelerated()
    @_documented
    def predict_log_proba(self, X):
        return np.log(self.predict_proba(X))
