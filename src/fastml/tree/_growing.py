"""Growing one decision tree: scikit-learn's checks, then the kernel in place of its builder."""

import threading
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.tree._classes import BaseDecisionTree
from sklearn.tree._splitter import Splitter
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.validation import validate_data

from fastml import _core
from fastml._registry import is_ours
from fastml._support import threads
from fastml._support.dispatch import Condition
from fastml._support.targets import are_plain, check_and_encode, check_poisson_targets
from fastml.tree import _shared_features
from fastml.tree._fitted_tree import for_pickle, from_pickle, make_tree
from fastml.tree._parameters import criterion_name, encoding, number_of_features, signed_constraints, tree_options
from fastml.tree._predicting import forget_view
from fastml.tree._samples import checked_weights, dense_or_csc, may_be_finite

SEEDS = 2**31 - 1
"""The splitter's seed is drawn from below this number."""

SERVED_CRITERION = Condition(
    "a criterion and a splitter that scikit-learn has names for",
    lambda self, *args, **kwargs: (
        criterion_name(self.criterion) is not None and not isinstance(getattr(self, "splitter", None), Splitter)
    ),
)


class Growing(BaseDecisionTree):
    """What the ``fit`` of all four trees does, and their pickles."""

    classes_: Any

    @classmethod
    def _get_param_names(cls):
        # An ensemble clones its trees and sets their parameters: to read the signature takes longer than a small fit.
        names = _names.get(cls)
        if names is None:
            names = tuple(super()._get_param_names())
            if is_ours(cls):
                # Classes derived from ours come and go, and are not kept alive here.
                _names[cls] = names
        return list(names)

    def _validate_params(self):
        # Trees are fitted by the hundred with the same parameters, and to check them takes as long as a small fit.
        key = _parameters_key(self)
        if key is None or key not in _valid_parameters:
            super()._validate_params()
            if key is not None:
                if len(_valid_parameters) >= _MOST_REMEMBERED:
                    _valid_parameters.clear()
                _valid_parameters.add(key)

    def _fit(
        self,
        X,
        y,
        sample_weight=None,
        check_input=True,
        missing_values_in_feature_mask=None,
        *,
        features=None,
    ):
        """Fit as scikit-learn's method of this name does; ``features`` is X encoded, where the caller has it."""
        if not SERVED_CRITERION.predicate(self):
            return super()._fit(X, y, sample_weight, check_input, missing_values_in_feature_mask)
        random_state = seeded(self.random_state)
        given = X
        if features is None:
            features = _shared_features.find(given, self.splitter)
        if check_input:
            X, y = self._checked(X, y, features)

        n_samples, self.n_features_in_ = X.shape
        y = np.atleast_1d(y)
        if y.ndim == 1:
            y = y.reshape(-1, 1)
        self.n_outputs_ = y.shape[1]
        class_weights = None
        n_classes = None
        if isinstance(self, ClassifierMixin):
            labels = y
            self.classes_, y = check_and_encode(labels)
            if self.class_weight is not None:
                class_weights = compute_sample_weight(self.class_weight, labels)
            n_classes = np.array([len(classes) for classes in self.classes_], dtype=np.intp)
            self.n_classes_ = n_classes
        y = np.ascontiguousarray(y, dtype=np.float64)
        self.max_features_ = number_of_features(self.max_features, self.n_features_in_)
        if len(y) != n_samples:
            raise ValueError(f"Number of labels={len(y)} does not match number of samples={n_samples}")
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, X)
        if class_weights is not None:
            sample_weight = class_weights if sample_weight is None else sample_weight * class_weights
        options = tree_options(
            self,
            n_samples,
            self.max_features_,
            total_weight=n_samples if sample_weight is None else np.sum(sample_weight),
            monotonic_cst=signed_constraints(self, X.shape[1], n_classes, self.n_outputs_),
        )

        if features is None:
            kind = encoding(self.splitter, self.max_features_, self.n_features_in_)
            features = _shared_features.encode(dense_or_csc(X, self.splitter), kind)
            _shared_features.keep(given, self.splitter, features)
        grown = _core.grow_tree(
            features,
            _core.TreeTargets(y, n_classes),
            options,
            None if sample_weight is None else np.require(sample_weight, requirements=["C", "A"]),
            random_state.randint(0, SEEDS),
            threads.n_threads(work=4.0 * n_samples * self.max_features_),
        )
        if n_classes is None:
            n_classes = np.ones(self.n_outputs_, dtype=np.intp)
        elif self.n_outputs_ == 1:
            self.n_classes_ = self.n_classes_[0]
            self.classes_ = self.classes_[0]
        self.tree_ = make_tree(self.n_features_in_, n_classes, *grown)
        if self.ccp_alpha != 0.0:
            self._prune_tree()
        forget_view(self)
        return self

    def _checked(self, X: Any, y: Any, features: _core.TreeFeatures | None) -> tuple[Any, Any]:
        """Return X and y as arrays, or raise what scikit-learn raises."""
        if _is_plain(X) and are_plain(y):
            # Nothing that validate_data could object to, which takes longer than to grow a small tree.
            self.__dict__.pop("feature_names_in_", None)
            if features is None:
                X = X.astype(np.float32, copy=False)
                if not may_be_finite(X):
                    self._compute_missing_values_in_feature_mask(X)
        elif features is not None:
            # These very samples have passed before; the names of their features are still to be noted.
            X, y = validate_data(self, X, y, validate_separately=(_UNCHECKED, _CHECK_Y))
        else:
            X, y = validate_data(self, X, y, validate_separately=(_CHECK_X, _CHECK_Y))
            if issparse(X) or not may_be_finite(X):
                self._compute_missing_values_in_feature_mask(X)
        if self.criterion == "poisson":
            check_poisson_targets(
                y,
                "Some value(s) of y are negative which is not allowed for Poisson regression.",
                "Sum of y is not positive which is necessary for Poisson regression.",
            )
        return X, y

    def __getstate__(self):
        state = dict(super().__getstate__())  # a copy: it may be the estimator's own
        if "tree_" in state:
            state["tree_"] = for_pickle(state["tree_"])
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "tree_" in vars(self):
            self.tree_ = from_pickle(self.tree_)


_MOST_REMEMBERED = 1000
_valid_parameters: set[tuple[Any, ...]] = set()


def _parameters_key(tree: Any) -> tuple[Any, ...] | None:
    """Return what tells a tree's parameters from others, or None where values could change and stay the same object."""
    if not is_ours(type(tree)):
        return None
    state = tree.__dict__
    values = [state.get(name) for name in tree._get_param_names()]
    # 1, 1.0 and True are equal, but not all of them are valid.
    types = tuple(map(type, values))
    return (type(tree), types, *values) if _IMMUTABLE.issuperset(types) else None


_names: dict[type, tuple[str, ...]] = {}
_IMMUTABLE = frozenset({int, float, str, bool, type(None)})

_CHECK_X = {"dtype": np.float32, "accept_sparse": "csc", "ensure_all_finite": False}
_CHECK_Y = {"ensure_2d": False, "dtype": None}
_UNCHECKED = {"dtype": None, "accept_sparse": True, "ensure_all_finite": False}


def _is_plain(X: Any) -> bool:
    return type(X) is np.ndarray and X.ndim == 2 and X.size > 0 and X.dtype in (np.float32, np.float64)


class _Generator(threading.local):
    def __init__(self) -> None:
        self.random_state = np.random.RandomState(0)


_generator = _Generator()


def seeded(seed: Any) -> np.random.RandomState:
    """Return what ``check_random_state`` returns, for use before the next call.

    Where a generator is made for a seed, the same one is seeded anew each time: to make one takes ten times as long.
    """
    if isinstance(seed, Integral):
        random_state = _generator.random_state
        random_state.seed(int(seed))
        return random_state
    return check_random_state(seed)
