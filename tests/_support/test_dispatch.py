"""Which of the two ways a call takes, what is said and recorded of it, and that a failed fit leaves no trace."""

import inspect
import logging
import pickle
import sys
import threading
import warnings

import numpy as np
import pytest
import sklearn.cluster
from sklearn import config_context as sklearn_config_context
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, _fit_context
from sklearn.utils.metaestimators import available_if

import fastml.cluster
from fastml._support import dispatch
from fastml._support.dispatch import Condition, accelerated

X = np.array([[0.0], [1.0], [9.0]])


class Stock(TransformerMixin, ClusterMixin, BaseEstimator):
    """Stands for a scikit-learn estimator; its answers say who gave them."""

    _parameter_constraints = {"shift": [float, int]}

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y=None, sample_weight=None):
        """Fit, says scikit-learn."""
        self.fitted_by_ = "scikit-learn"
        return self

    def predict(self, X):
        """Predict, says scikit-learn."""
        return "scikit-learn"

    def transform(self, X):
        return np.asarray(X)


dense = Condition("an array", lambda self, X, *args, **kwargs: isinstance(X, np.ndarray))
unweighted = Condition("no weights", lambda self, X, y=None, sample_weight=None: sample_weight is None)


class Fast(Stock):
    @accelerated(dense, unweighted)
    def fit(self, X, y=None, sample_weight=None):
        self.fitted_by_ = "fastml"
        return self

    @accelerated(Condition("an array", lambda self, X: isinstance(X, np.ndarray)))
    def predict(self, X):
        """Predict, says fastml."""
        return "fastml"

    @accelerated()
    def fit_predict(self, X, y=None):
        return self.fit(X).predict(X)

    @accelerated()
    def transform(self, X):
        return super().transform(X)


def stock_mean(X, *, power=1):
    """Return scikit-learn's mean."""
    return "scikit-learn"


@accelerated(Condition("power 1", lambda X, *, power=1: power == 1), fallback=stock_mean)
def mean(X, *, power=1):
    return "fastml"


@pytest.fixture(autouse=True)
def _silent_and_uncounted():
    dispatch.reset_calls()
    with fastml.config_context(fallback="silent"):
        yield
    dispatch.reset_calls()


def recorded():
    return [(call.name, call.reason, call.count) for call in dispatch.calls()]


def test_a_served_call_runs_the_body():
    assert Fast().fit(X).fitted_by_ == "fastml"
    assert Fast().predict(X) == "fastml"
    assert recorded() == [("Fast.fit", None, 1), ("Fast.predict", None, 1)]


def test_an_unserved_call_runs_on_scikit_learn_and_is_counted_with_its_reason():
    assert Fast().fit(X.tolist()).fitted_by_ == "scikit-learn"
    assert Fast().fit(X, sample_weight=np.ones(3)).fitted_by_ == "scikit-learn"
    assert Fast().fit(X.tolist(), sample_weight=np.ones(3)).fitted_by_ == "scikit-learn"
    assert recorded() == [("Fast.fit", "needs an array", 2), ("Fast.fit", "needs no weights", 1)]


def test_a_served_fallback_says_nothing(caplog):
    with caplog.at_level(logging.DEBUG, logger="fastml"):
        Fast().fit(X)
    assert caplog.records == []


def test_silent_logs_the_reason(caplog):
    with caplog.at_level(logging.INFO, logger="fastml"), warnings.catch_warnings():
        warnings.simplefilter("error")
        Fast().fit(X.tolist())
    assert [record.getMessage() for record in caplog.records] == [
        "Fast.fit runs on scikit-learn: fastml needs an array"
    ]


def test_warn_warns_at_the_line_of_the_call():
    with fastml.config_context(fallback="warn"), pytest.warns(fastml.FallbackWarning, match="needs an array") as caught:
        assert Fast().predict([[1.0]]) == "scikit-learn"
    assert [warning.filename for warning in caught] == [__file__]


def test_error_raises_and_does_not_run():
    estimator = Fast()
    with (
        fastml.config_context(fallback="error"),
        pytest.raises(fastml.FallbackError, match=r"call of Fast\.fit: it needs an array.*FASTML_FALLBACK"),
    ):
        estimator.fit(X.tolist())
    assert not hasattr(estimator, "fitted_by_")
    assert recorded() == []


def test_nested_calls_belong_to_the_outermost():
    assert Fast().fit_predict(X) == "fastml"
    assert recorded() == [("Fast.fit_predict", None, 1)]


def test_an_outer_call_with_a_fallback_inside_did_not_run_on_fastml_alone():
    Fast().fit_predict(X.tolist())
    assert recorded() == [("Fast.fit_predict", "needs an array in Fast.fit", 1)]


def test_calls_of_other_threads_are_not_nested():
    class Threaded(Fast):
        @accelerated()
        def fit_predict(self, X, y=None):
            thread = threading.Thread(target=Fast().fit, args=(X,))
            thread.start()
            thread.join()

    Threaded().fit_predict(X)
    assert {name: count for name, _, count in recorded()} == {"Fast.fit": 1, "Threaded.fit_predict": 1}


def test_counts_of_many_threads_add_up():
    estimator = Fast()
    threads = [threading.Thread(target=lambda: [estimator.predict(X) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorded() == [("Fast.predict", None, 2000)]


def test_time_is_the_wall_time_of_the_calls():
    class Slow(Stock):
        @accelerated()
        def predict(self, X):
            threading.Event().wait(0.02)

    Slow().predict(X)
    Slow().predict(X)
    (call,) = dispatch.calls()
    assert 0.04 <= call.seconds < 2


def test_calls_of_elsewhere_can_be_added():
    Fast().predict(X)
    dispatch.add_calls([dispatch.Call("Fast.predict", None, 2, 1.0), dispatch.Call("Fast.fit", "needs luck", 1, 0.5)])
    assert recorded() == [("Fast.predict", None, 3), ("Fast.fit", "needs luck", 1)]


def test_functions_are_served_or_fall_back_as_methods_do():
    assert mean(X) == "fastml"
    assert mean(X, power=2) == "scikit-learn"
    assert recorded() == [("mean", None, 1), ("mean", "needs power 1", 1)]
    with fastml.config_context(fallback="error"), pytest.raises(fastml.FallbackError, match="call of mean"):
        mean(X, power=2)


@pytest.mark.parametrize("call", [lambda: Fast().fit(), lambda: Fast().predict(X, 1), lambda: mean(X, 2)])
def test_a_wrong_call_gets_pythons_own_error(call):
    with fastml.config_context(fallback="error"), pytest.raises(TypeError, match="positional argument"):
        call()


def test_a_condition_that_cannot_be_checked_is_not_met():
    class Fragile(Stock):
        @accelerated(Condition("few columns", lambda self, X: X.shape[1] < 10))
        def predict(self, X):
            return "fastml"

    assert Fragile().predict(X) == "fastml"
    assert Fragile().predict([[1.0]]) == "scikit-learn"
    with fastml.config_context(fallback="error"), pytest.raises(fastml.FallbackError, match="could not be checked"):
        Fragile().predict([[1.0]])


def test_names_signatures_and_docstrings():
    assert Fast.fit.__doc__ == "Fit, says scikit-learn."
    assert Fast.predict.__doc__ == "Predict, says fastml."
    assert mean.__doc__ == "Return scikit-learn's mean."
    assert Fast.fit.__qualname__ == "Fast.fit"
    assert inspect.isfunction(Fast.fit)
    assert inspect.signature(Fast.fit) == inspect.signature(Stock.fit)
    assert inspect.signature(mean) == inspect.signature(stock_mean)


def test_metadata_routing_and_set_output_see_the_methods():
    with sklearn_config_context(enable_metadata_routing=True):
        estimator = Fast().set_fit_request(sample_weight=True)
        assert estimator.get_metadata_routing().fit.requests == {"sample_weight": True}
    pd = pytest.importorskip("pandas")
    estimator.get_feature_names_out = lambda input_features=None: ["a"]
    assert isinstance(estimator.set_output(transform="pandas").transform(X), pd.DataFrame)


def test_fit_context_stands_inside():
    class Checked(Stock):
        @accelerated(dense)
        @_fit_context(prefer_skip_nested_validation=True)
        def fit(self, X, y=None):
            self.fitted_by_ = "fastml"
            return self

    assert Checked().fit(X).fitted_by_ == "fastml"
    with pytest.raises(ValueError, match="The 'shift' parameter of Checked must be"):
        Checked(shift="far").fit(X)


def test_other_decorators_may_stand_around():
    class Around(Stock):
        @available_if(lambda self: self.shift == 0)
        @accelerated(Condition("an array", lambda self, X: isinstance(X, np.ndarray)))
        def predict(self, X):
            return "fastml"

    assert Around().predict(X) == "fastml"
    assert Around().predict(X.tolist()) == "scikit-learn"
    assert not hasattr(Around(shift=1), "predict")


def test_the_fallback_is_that_of_the_defining_class():
    class Derived(Fast):
        def predict(self, X):
            return f"derived, {super().predict(X)}"

    assert Derived().predict(X) == "derived, fastml"
    assert Derived().predict(X.tolist()) == "derived, scikit-learn"
    assert Derived().fit(X.tolist()).fitted_by_ == "scikit-learn"


def test_accelerated_estimators_pickle():
    estimator = pickle.loads(pickle.dumps(Fast(shift=2).fit(X)))
    assert (estimator.shift, estimator.fitted_by_) == (2, "fastml")
    assert pickle.loads(pickle.dumps(mean)) is mean


class Failing(sklearn.cluster.KMeans):
    error = ValueError("no")

    @accelerated(Condition("an array", lambda self, X, *args: isinstance(X, np.ndarray)))
    def fit(self, X, y=None, sample_weight=None):
        self.cluster_centers_ = self.new_ = "half of a fit"
        if hasattr(self, "labels_"):
            del self.labels_
        raise self.error

    partial_fit = fit


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit()])
def test_a_failed_or_interrupted_fit_leaves_the_estimator_as_it_was(error):
    estimator = Failing(n_clusters=2, n_init=1)
    estimator.fit(X.tolist())  # falls back
    before = estimator.__dict__.copy()
    estimator.error = error
    with pytest.raises(type(error)):
        estimator.fit(X)
    del estimator.error
    assert estimator.__dict__ == before
    assert estimator.cluster_centers_ is before["cluster_centers_"]
    assert list(estimator.predict(X)) == list(before["labels_"])


def test_a_failed_first_fit_leaves_the_estimator_unfitted():
    estimator = Failing(n_clusters=2)
    with pytest.raises(ValueError, match="no"):
        estimator.fit(X)
    assert estimator.__dict__ == Failing(n_clusters=2).__dict__


def test_a_fit_that_fails_in_scikit_learn_leaves_the_estimator_as_it_was_too():
    estimator = Failing(n_clusters=2, n_init=1).fit(X.tolist())
    before = estimator.__dict__.copy()
    with pytest.raises(ValueError, match="n_samples=1 should be >= n_clusters=2"):
        estimator.fit([[0.0, 1.0]])
    assert estimator.__dict__ == before


def test_coverage_table_lists_what_the_families_serve():
    rows = dispatch.coverage_table()
    assert ("KMeans", "fit") in {(row.estimator, row.method) for row in rows}
    assert ("kmeans_plusplus", "") in {(row.estimator, row.method) for row in rows}
    assert not any(row.estimator in ("Fast", "Failing") for row in rows)
    assert all(condition and not condition.endswith(".") for row in rows for condition in row.conditions)


def test_a_call_adds_little_to_its_body():
    """Time is for benchmarks/test_dispatch.py; here, that no more code runs than needed."""
    model = fastml.cluster.KMeans(2, n_init=1).fit(X)
    model.predict(X)
    called = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_filename == dispatch.__file__:
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        model.predict(X)
    finally:
        sys.setprofile(None)
    assert called == ["method", "run", "name_for"]


def test_what_a_body_borrows_is_logged_and_reported(caplog):
    class Ours(Stock):
        @accelerated()
        def fit(self, X, y=None, sample_weight=None):
            dispatch.note_borrowed("its solver is scikit-learn's")
            return self

    dispatch.reset_calls()
    with caplog.at_level(logging.INFO, logger="fastml"):
        Ours().fit(X)
    assert caplog.messages == ["runs in part on scikit-learn: its solver is scikit-learn's"]
    assert [call.reason for call in dispatch.calls()] == ["its solver is scikit-learn's"]
