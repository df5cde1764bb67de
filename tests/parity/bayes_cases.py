"""Two naive Bayes classifiers of one name, stock and ours, that are asked for the same; how their answers compare."""

import warnings
from functools import partial

import numpy as np
import pytest
import sklearn.naive_bayes as stock

import fastml.naive_bayes as ours

COUNTS = ("MultinomialNB", "ComplementNB", "BernoulliNB")
DISCRETE = (*COUNTS, "CategoricalNB")
METHODS = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba")

# Sums are of the same doubles in another order, and logarithms of them are taken by the same functions.
CLOSE = {"rtol": 1e-10, "atol": 1e-12}
# A score is a sum of many terms, which may cancel.
CLOSE_SCORES = {"rtol": 1e-9, "atol": 1e-9}


def attempt(call):
    """Return what a call returns or raises, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            result = error
    return result, sorted({(warning.category.__name__, str(warning.message)) for warning in caught})


def assert_alike(actual, expected, where, close=CLOSE):
    """Compare two attributes or results: types, shapes, values, texts of errors."""
    assert type(actual) is type(expected), where
    if isinstance(expected, np.ndarray):
        assert actual.dtype == expected.dtype, where
        assert actual.shape == expected.shape, where
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(actual, expected, err_msg=where, **close)
        else:
            np.testing.assert_array_equal(actual, expected, err_msg=where)
    elif isinstance(expected, list):
        assert len(actual) == len(expected), where
        for i, (one, other) in enumerate(zip(actual, expected, strict=True)):
            assert_alike(one, other, f"{where}[{i}]", close)
    elif isinstance(expected, Exception):
        assert str(actual) == str(expected), where
    else:
        assert actual == pytest.approx(expected, rel=1e-12, nan_ok=True), where


def assert_same_models(mine, theirs):
    """Compare all attributes of two models."""
    actual, expected = vars(mine), vars(theirs)
    assert actual.keys() == expected.keys()
    for name in expected:
        if name in mine.get_params():
            continue
        assert_alike(actual[name], expected[name], name)


def assert_same_predictions(mine, theirs, X):
    """Compare what two models say of samples; labels where no two classes have nearly the same score."""
    for name in METHODS:
        actual, expected = (attempt(partial(getattr(model, name), X)) for model in (mine, theirs))
        # NumPy's warnings of values that are no numbers name the operation, which need not be ours.
        assert [text for text in actual[1] if text[0] != "RuntimeWarning"] == [
            text for text in expected[1] if text[0] != "RuntimeWarning"
        ]
        if name != "predict" or isinstance(expected[0], Exception):
            assert_alike(actual[0], expected[0], name, CLOSE_SCORES)
            continue
        assert actual[0].dtype == expected[0].dtype
        scores, _ = attempt(lambda: np.sort(theirs.predict_joint_log_proba(X), axis=1))
        with np.errstate(invalid="ignore"):
            tied = (scores[:, 1:] - scores[:, :-1])[:, -1:] <= 1e-9 * (1 + np.abs(scores[:, 1:][:, -1:]))
        clear = ~tied.any(axis=1)
        np.testing.assert_array_equal(actual[0][clear], expected[0][clear])


def compare(name, X, y, asked=None, sample_weight=None, batches=None, **parameters):
    """Fit both classes of a name, and compare attributes, warnings, errors and predictions.

    Parameters
    ----------
    name : str
        The class.
    X, y, sample_weight : array-like
        As for ``fit``.
    asked : array-like, optional
        Samples to predict; X if not given.
    batches : list of slice, optional
        Rows for one ``partial_fit`` after the other, in place of ``fit``. The first is told all classes.
    **parameters
        Those of the estimator.

    Returns
    -------
    mine, theirs : estimators
    """
    models = [getattr(module, name)(**parameters) for module in (ours, stock)]

    def fit(model):
        if batches is None:
            return model.fit(X, y, sample_weight=sample_weight)
        for i, rows in enumerate(batches):
            model.partial_fit(
                X[rows],
                y[rows],
                classes=np.unique(y) if i == 0 else None,
                sample_weight=None if sample_weight is None else sample_weight[rows],
            )
        return model

    actual, expected = ([*attempt(lambda model=model: fit(model))] for model in models)
    assert actual[1] == expected[1]
    if isinstance(expected[0], Exception):
        assert_alike(actual[0], expected[0], "fit")
        return models
    assert actual[0] is models[0], actual[0]
    assert_same_models(*models)
    assert_same_predictions(*models, X if asked is None else asked)
    return models
