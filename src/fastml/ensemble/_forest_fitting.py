"""The fit of forests: scikit-learn's checks and draws, with samples encoded once for all trees."""

from typing import Any
from warnings import warn

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.ensemble._bootstrap import _get_n_samples_bootstrap
from sklearn.ensemble._forest import BaseForest
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastml._support import threads
from fastml._support.dispatch import Condition, accelerated
from fastml._support.targets import check_and_encode, check_poisson_targets
from fastml.ensemble._bootstrap import Bootstrap
from fastml.ensemble._lazy_trees import Batch, GrownForest, GrownTree, LazyTrees
from fastml.ensemble._tree_tasks import TreeTask, grow_by_joblib, grow_by_threads
from fastml.tree._growing import SERVED_CRITERION, seeded
from fastml.tree._parameters import number_of_features, signed_constraints
from fastml.tree._predicting import forget_view
from fastml.tree._samples import checked_weights, dense_or_csc, may_be_finite

_SEEDS = np.iinfo(np.int32).max
_WORK_PER_VALUE = 0.5
"""Of a thread's start and its share of the interpreter, in units of ``threads.n_threads``: the growing of a tree on
150 x 4 values takes 20 us, and a Python thread 100 us to start."""

OWN_TREES = Condition(
    "the trees that scikit-learn's forest of this name has",
    lambda self, *args, **kwargs: type(self.estimator) in self._tree_class.__mro__[:-1],
)


class ForestFitting(LazyTrees):
    """Fit and importances of all five forests."""

    estimator_: Any
    _n_samples_bootstrap: int | None
    _sample_weight: np.ndarray | None

    @accelerated(SERVED_CRITERION, OWN_TREES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        return self._fit_forest(X, y, sample_weight)

    def _fit_forest(self, X: Any, y: Any, sample_weight: Any) -> Any:
        if issparse(y):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        X, y = validate_data(
            self, X, y, multi_output=True, accept_sparse="csc", dtype=np.float32, ensure_all_finite=False
        )
        self._check_finite(X)
        X = dense_or_csc(X, self._tree_class().splitter)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        y = np.atleast_1d(y)
        if y.ndim == 2 and y.shape[1] == 1:
            warn(
                "A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
                "(n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=5,
            )
        if y.ndim == 1:
            y = y.reshape(-1, 1)
        if self.criterion == "poisson":
            check_poisson_targets(
                y,
                "Some value(s) of y are negative which is not allowed for Poisson regression.",
                "Sum of y is not strictly positive which is necessary for Poisson regression.",
            )
        self._n_samples, self.n_outputs_ = y.shape
        y, class_weights = self._validate_y_class_weight(y, sample_weight)
        y = np.ascontiguousarray(y, dtype=np.float64)
        if class_weights is not None:
            sample_weight = class_weights if sample_weight is None else sample_weight * class_weights
        self._sample_weight = sample_weight
        if not self.bootstrap and self.max_samples is not None:
            raise ValueError(
                "`max_sample` cannot be set if `bootstrap=False`. Either switch to `bootstrap=True` or set "
                "`max_sample=None`."
            )
        self._n_samples_bootstrap = (
            _get_n_samples_bootstrap(X.shape[0], self.max_samples, sample_weight) if self.bootstrap else None
        )
        self._validate_estimator()
        if not self.bootstrap and self.oob_score:
            raise ValueError("Out of bag estimation only available if bootstrap=True")
        random_state = seeded(self.random_state)

        if not self.warm_start:
            self.__dict__.pop("_grown", None)
            self.__dict__.pop("_estimators", None)
        n_before = self._n_trees()
        n_more = self.n_estimators - n_before
        if n_more < 0:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to len(estimators_)={n_before} when "
                "warm_start==True"
            )
        if n_more == 0:
            warn("Warm-start fitting without increasing n_estimators does not fit new trees.", stacklevel=2)
        else:
            # The seeds of the trees there are: what comes after them is what it would be without a warm start.
            random_state.randint(_SEEDS, size=n_before)
            self._add(self._grow(X, y, random_state.randint(_SEEDS, size=n_more).tolist()))

        if self.oob_score and (n_more > 0 or not hasattr(self, "oob_score_")):
            kind = type_of_target(y)
            if kind == "unknown" or (isinstance(self, ClassifierMixin) and kind == "multiclass-multioutput"):
                raise ValueError(
                    f"The type of target cannot be used to compute OOB estimates. Got {kind} while only the "
                    "following are supported: continuous, continuous-multioutput, binary, multiclass, "
                    "multilabel-indicator."
                )
            scoring = {"scoring_function": self.oob_score} if callable(self.oob_score) else {}
            self._set_oob_score_and_attributes(X, y, **scoring)
        if isinstance(self, ClassifierMixin) and self.n_outputs_ == 1:
            self.n_classes_ = self.n_classes_[0]
            self.classes_ = self.classes_[0]
        return self

    def _validate_y_class_weight(self, y, sample_weight):
        if isinstance(self, ClassifierMixin) and self.class_weight is None:
            # As scikit-learn's does, which takes longer than a small forest.
            self.classes_, codes = check_and_encode(y)
            self.n_classes_ = [len(labels) for labels in self.classes_]
            return codes, None
        return super()._validate_y_class_weight(y, sample_weight)

    def _check_finite(self, X: Any) -> None:
        if issparse(X) or not may_be_finite(X):
            # The trees' own rule tells what may be and what not.
            tree = self._tree_class(criterion=self.criterion)
            tree._compute_missing_values_in_feature_mask(X, estimator_name=type(self).__name__)

    def _validate_estimator(self, default=None):
        super()._validate_estimator(default)
        if type(self.estimator_) in self._tree_class.__mro__[1:]:
            self.estimator_ = self._tree_class()

    def _grow(self, X: Any, y: np.ndarray, seeds: list[int]) -> Batch:
        """Grow the trees that have these ``random_state``."""
        parameters = {name: getattr(self, name) for name in self.estimator_params if name != "random_state"}
        tree = self._tree_class(**parameters)
        n_samples, n_features = X.shape
        n_classes = np.array(self.n_classes_, dtype=np.intp) if isinstance(self, ClassifierMixin) else None
        max_features = number_of_features(tree.max_features, n_features)
        constraints = signed_constraints(tree, n_features, n_classes, self.n_outputs_)
        weights = self._sample_weight
        bootstrap = None
        if self._n_samples_bootstrap is not None:
            bootstrap = Bootstrap(n_samples, self._n_samples_bootstrap, weights)
            weights = None
        elif weights is not None:
            weights = np.require(checked_weights(weights, X), requirements=["C", "A"])
        by_joblib = threads.joblib_is_in_charge(self.n_jobs, self.verbose)
        task = TreeTask(
            X,
            y,
            n_classes,
            weights,
            bootstrap,
            self.bootstrap and getattr(self, "class_weight", None) == "balanced_subsample",
            tree,
            max_features,
            constraints,
            keep_X=by_joblib,
        )
        trees: list[GrownTree]
        if by_joblib:
            trees = grow_by_joblib(task, seeds, self.n_jobs, self.verbose)
        else:
            work = _WORK_PER_VALUE * len(seeds) * n_samples * max_features * max(1.0, np.log2(n_samples))
            trees = grow_by_threads(task, seeds, threads.n_threads(self.n_jobs, work))
        if n_classes is None:
            n_classes = np.ones(self.n_outputs_, dtype=np.intp)
        return Batch(trees, parameters, max_features, n_classes)

    def _add(self, batch: Batch) -> None:
        """Set the trees: those there were, and further ones."""
        forget_view(self)
        grown = vars(self).get("_grown")
        further = GrownForest(self.n_features_in_, (batch,))
        if grown is not None:
            self._grown = grown.and_then(batch)
        elif "_estimators" in vars(self):
            self._estimators = [*self._estimators, *further.estimators(self._tree_class)]
        else:
            self._grown = further

    def _importances(self) -> Any:
        check_is_fitted(self)
        grown = vars(self).get("_grown")
        if grown is None:
            return super().feature_importances_
        importances = [tree.compute_feature_importances() for tree in grown.trees() if tree.node_count > 1]
        if not importances:
            return np.zeros(self.n_features_in_, dtype=np.float64)
        mean = np.mean(importances, axis=0, dtype=np.float64)
        return mean / np.sum(mean)

    feature_importances_ = property(_importances, doc=BaseForest.feature_importances_.__doc__)
