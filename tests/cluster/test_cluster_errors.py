"""Bad input and bad parameters: scikit-learn's exceptions, messages and warnings. A failed call changes nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from against_sklearn import ESTIMATORS, STOCK, assert_same_outcome, blobs
from numpy.testing import assert_array_equal

import fastml
from fastml.cluster import KMeans, MiniBatchKMeans

X = blobs(60, 3)


def with_value(value, dtype=np.float64):
    spoilt = X.astype(dtype)
    spoilt[7, 1] = value
    return spoilt


BAD_SAMPLES = {
    "fewer rows than clusters": X[:2],
    "nan": with_value(np.nan),
    "inf": with_value(np.inf),
    "-inf": with_value(-np.inf),
    "nan in float32": with_value(np.nan, np.float32),
    "too large for float64": X.astype(np.longdouble) * np.longdouble(10) ** 4000,
    "nan in csr": sp.csr_matrix(with_value(np.nan)),
    "inf in csc": sp.csc_matrix(with_value(np.inf)),
    "nan in pandas": pd.DataFrame(with_value(np.nan)),
    "None among objects": with_value(None, object),
    "one dimension": X[:, 0],
    "three dimensions": X[:, :, None],
    "a number": 3.5,
    "no rows": X[:0],
    "no columns": X[:, :0],
    "empty list": [],
    "ragged": [[1.0, 2.0], [3.0]],
    "words": np.array([["a", "b", "c"]] * 10, dtype=object),
    "word strings": np.array([["a", "b", "c"]] * 10),
    "complex": X.astype(complex),
    "records": np.zeros(5, dtype=[("a", float)]),
    "None": None,
    "a word": "rows",
    "a dictionary": {"a": [1.0, 2.0]},
    "no rows in csr": sp.csr_matrix((0, 3)),
}
BAD_WEIGHTS = {
    "too few": np.ones(5),
    "too many": np.ones(61),
    "two columns": np.ones((60, 2)),
    "nan": np.where(np.arange(60) == 3, np.nan, 1),
    "inf": np.where(np.arange(60) == 3, np.inf, 1),
    "negative": np.where(np.arange(60) < 3, -1.0, 1),
    "all negative": -np.ones(60),
    "all zero": np.zeros(60),
    "words": ["a"] * 60,
    "a word": "balanced",
}
BAD_PARAMETERS = [
    {"n_clusters": 0},
    {"n_clusters": -3},
    {"n_clusters": 2.0},
    {"n_clusters": "3"},
    {"n_clusters": None},
    {"n_clusters": 61},
    {"init": "kmeans++"},
    {"init": 3},
    {"init": None},
    {"init": X[:2]},
    {"init": X[:3, :2]},
    {"init": X[0]},
    {"init": X[:3] * np.nan},
    {"init": [["a", "b", "c"]] * 3},
    {"init": lambda X, n_clusters, random_state: X[:2]},
    {"init": lambda X, n_clusters, random_state: X[:3, :1]},
    {"init": lambda X, n_clusters, random_state: X[:3] * np.nan},
    {"init": lambda X, n_clusters, random_state: None},
    {"init": lambda X, n_clusters: X[:3]},
    {"n_init": 0},
    {"n_init": "many"},
    {"n_init": None},
    {"n_init": 1.5},
    {"max_iter": 0},
    {"max_iter": 2.5},
    {"tol": -1},
    {"tol": "small"},
    {"verbose": -1},
    {"verbose": "yes"},
    {"random_state": -1},
    {"random_state": "seed"},
    {"random_state": 0.5},
]
WARNED_OF = [
    {"init": X[:3], "n_init": 4},
    {"init": X[:3].tolist(), "n_init": 2},
    {"n_clusters": 1, "algorithm": "elkan"},
]


def one_line(parameters):
    return ",".join(
        f"{name}={'array' + str(np.shape(value)) if np.ndim(value) else getattr(value, '__name__', value)}"
        for name, value in parameters.items()
    )


def estimator(cls, **parameters):
    return cls(**{"n_clusters": 3, "random_state": 0, **parameters})


FITS = [
    (cls, name)
    for cls in ESTIMATORS
    for name in ("fit", "fit_predict", "fit_transform", "partial_fit")
    if hasattr(cls, name)
]


@pytest.mark.parametrize(("cls", "method"), FITS)
@pytest.mark.parametrize("samples", BAD_SAMPLES)
def test_samples_in_fit(samples, cls, method):
    ours, _ = assert_same_outcome(cls, lambda cls: getattr(estimator(cls), method)(BAD_SAMPLES[samples]))
    assert ours.error is not None


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "transform", "score"])
@pytest.mark.parametrize("samples", sorted(set(BAD_SAMPLES) - {"fewer rows than clusters"}))
def test_samples_after_fit(samples, method, cls):
    ours, _ = assert_same_outcome(cls, lambda cls: getattr(estimator(cls).fit(X), method)(BAD_SAMPLES[samples]))
    assert ours.error is not None


@pytest.mark.parametrize(
    ("cls", "method"), [(KMeans, "fit"), (KMeans, "score"), (MiniBatchKMeans, "fit"), (MiniBatchKMeans, "partial_fit")]
)
@pytest.mark.parametrize("init", ["k-means++", "random", "array"])
@pytest.mark.parametrize("weights", BAD_WEIGHTS)
def test_bad_weights(weights, init, cls, method):
    def action(cls):
        model = estimator(cls, init=X[:3] if init == "array" else init)
        if method == "score":
            model.fit(X)
        return getattr(model, method)(X, sample_weight=BAD_WEIGHTS[weights])

    assert_same_outcome(cls, action)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("parameters", BAD_PARAMETERS, ids=one_line)
def test_parameters(parameters, cls):
    ours, _ = assert_same_outcome(cls, lambda cls: estimator(cls, **parameters).fit(X))
    assert ours.error is not None


@pytest.mark.parametrize(
    "parameters",
    [{"copy_x": "yes"}, {"copy_x": None}, {"algorithm": "full"}, {"algorithm": "auto"}, {"algorithm": None}],
)
def test_parameters_of_kmeans(parameters):
    ours, _ = assert_same_outcome(KMeans, lambda cls: estimator(cls, **parameters).fit(X))
    assert ours.error is not None


@pytest.mark.parametrize(
    "parameters",
    [
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"compute_labels": "yes"},
        {"max_no_improvement": -1},
        {"init_size": 0},
        {"init_size": 2.5},
        {"reassignment_ratio": -1},
        {"reassignment_ratio": "little"},
    ],
)
def test_parameters_of_minibatch_kmeans(parameters):
    ours, _ = assert_same_outcome(MiniBatchKMeans, lambda cls: estimator(cls, **parameters).fit(X))
    assert ours.error is not None


@pytest.mark.parametrize("parameters", WARNED_OF, ids=one_line)
def test_warnings(parameters):
    ours, _ = assert_same_outcome(KMeans, lambda cls: estimator(cls, **parameters).fit(X))
    assert len(ours.warnings) == 1
    if "algorithm" not in parameters:
        assert_same_outcome(MiniBatchKMeans, lambda cls: estimator(cls, **parameters).fit(X))
    assert_same_outcome(
        MiniBatchKMeans, lambda cls: estimator(cls, init_size=2, init=parameters.get("init", "random")).fit(X)
    )


@pytest.mark.parametrize(
    "parameters", [{"init": X[:3], "n_init": 4}, {"n_clusters": 1, "algorithm": "elkan"}], ids=one_line
)
def test_warnings_point_at_fastml_or_the_caller(parameters):
    with pytest.warns(RuntimeWarning) as caught:
        estimator(KMeans, **parameters).fit(X)
    assert len(caught) == 1
    assert "site-packages/sklearn/cluster" not in caught[0].filename


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "transform", "score", "get_feature_names_out"])
def test_unfitted(method, cls):
    def action(cls):
        model = estimator(cls)
        return model.get_feature_names_out() if method == "get_feature_names_out" else getattr(model, method)(X)

    ours, _ = assert_same_outcome(cls, action)
    if method != "get_feature_names_out":
        assert ours.error[0] is sklearn.exceptions.NotFittedError


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "transform", "score"])
@pytest.mark.parametrize("samples", [X[:, :2], np.hstack([X, X]), sp.csr_matrix(X[:, :2]), X[:, :1].tolist()])
def test_wrong_number_of_features(samples, method, cls):
    ours, _ = assert_same_outcome(cls, lambda cls: getattr(estimator(cls).fit(X), method)(samples))
    assert "features" in ours.error[1]


def test_wrong_number_of_features_in_a_further_partial_fit():
    ours, _ = assert_same_outcome(MiniBatchKMeans, lambda cls: estimator(cls).partial_fit(X).partial_fit(X[:, :2]))
    assert "expecting 3 features" in ours.error[1]


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("columns", [["b", "a", "c"], ["a", "b", "x"], ["a", "b"], None], ids=str)
def test_wrong_feature_names(columns, cls):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    other = X if columns is None else pd.DataFrame(X[:, : len(columns)], columns=columns)
    ours, _ = assert_same_outcome(cls, lambda cls: estimator(cls).fit(frame).predict(other))
    assert ours.error is not None or ours.warnings


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_names_where_there_were_none(cls):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    ours, _ = assert_same_outcome(cls, lambda cls: estimator(cls).fit(X).predict(frame))
    assert "feature names" in ours.warnings[0][1]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_unexpected_arguments(cls):
    for call in (
        lambda cls: cls(3, 4),
        lambda cls: cls(clusters=3),
        lambda cls: estimator(cls).fit(),
        lambda cls: estimator(cls).fit(X, None, None, 3),
        lambda cls: estimator(cls).fit(X, weights=None),
    ):
        ours, _ = assert_same_outcome(cls, call)
        assert ours.error[0] is TypeError


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_finite_checks_can_be_turned_off(cls):
    model = estimator(cls).fit(X)
    spoilt = with_value(np.nan)[:8]
    with sklearn.config_context(assume_finite=True):
        assert len(model.predict(spoilt)) == 8


FAILURES = {
    "samples": lambda model: model.fit(with_value(np.nan)),
    "too few rows": lambda model: model.fit(X[:2]),
    "weights": lambda model: model.fit(X, sample_weight=np.ones(4)),
    "other weights": lambda model: model.fit(X, sample_weight=np.zeros(60)),
    "parameter": lambda model: model.set_params(n_clusters=-1).fit(X),
    "initial centres": lambda model: model.set_params(init=X[:2]).fit(X),
    "callable": lambda model: model.set_params(init=lambda *_, random_state: 1 / 0).fit(X),
    "other features": lambda model: model.fit(pd.DataFrame({"a": [1.0, np.inf, 2.0]})),
    "fit_predict": lambda model: model.fit_predict(with_value(np.nan)),
    "fit_transform": lambda model: model.fit_transform(with_value(np.nan)),
}


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_failed_fit_leaves_the_model_as_it_was(failure, cls):
    model = estimator(cls).fit(pd.DataFrame(X, columns=["a", "b", "c"]))
    before = vars(model).copy()
    copies = {name: np.copy(value) for name, value in before.items() if isinstance(value, np.ndarray)}
    with pytest.raises((ValueError, TypeError, ZeroDivisionError)):
        FAILURES[failure](model)
    parameters = set(model.get_params())
    after = vars(model)
    assert set(after) == set(before)
    assert all(after[name] is before[name] for name in before if name not in parameters)
    for name, value in copies.items():
        assert_array_equal(before[name], value)


@pytest.mark.parametrize(
    "failure",
    [
        lambda model: model.partial_fit(with_value(np.nan)),
        lambda model: model.partial_fit(X[:, :2]),
        lambda model: model.partial_fit(X, sample_weight=np.ones(4)),
    ],
    ids=["samples", "features", "weights"],
)
def test_a_failed_partial_fit_leaves_the_model_as_it_was(failure):
    model = estimator(MiniBatchKMeans).partial_fit(X)
    before = vars(model).copy()
    copies = {name: np.copy(value) for name, value in before.items() if isinstance(value, np.ndarray)}
    drawn = model._random_state.get_state()[2]
    with pytest.raises(ValueError):
        failure(model)
    assert set(vars(model)) == set(before)
    assert all(vars(model)[name] is before[name] for name in before)
    for name, value in copies.items():
        assert_array_equal(before[name], value)
    assert model._random_state.get_state()[2] == drawn


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_failed_first_fit_leaves_the_model_unfitted(cls):
    model = estimator(cls)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(with_value(np.nan))
    assert vars(model) == vars(estimator(cls))


def test_nothing_is_warned_of_in_an_ordinary_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cls in ESTIMATORS:
            estimator(cls).fit(X).predict(X)
    assert fastml.get_config()["fallback"] == "error"
    assert set(STOCK) == set(ESTIMATORS)
