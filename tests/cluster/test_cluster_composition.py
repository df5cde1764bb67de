"""The estimators inside scikit-learn's tools: clones, pickles, searches, pipelines, metadata routing."""

import copy
import io
import pickle
import pickletools
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn.cluster
from against_sklearn import ESTIMATORS, STOCK, assert_same_model, blobs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_clusterer
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

import fastml
from fastml.cluster import KMeans, MiniBatchKMeans

X = blobs(300, 5, 4)
WEIGHTS = np.random.RandomState(0).uniform(size=300)


def fitted(cls, **parameters):
    return cls(4, random_state=0, n_init=1, **parameters).fit(X)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_it_is_scikit_learn_s_estimator(cls):
    stock = STOCK[cls]
    model = cls(3, tol=0.1)
    assert isinstance(model, stock)
    assert is_clusterer(model)
    assert model.get_params() == stock(3, tol=0.1).get_params()
    assert repr(model) == repr(stock(3, tol=0.1))
    assert get_tags(model) == get_tags(stock())
    assert cls.__doc__ == stock.__doc__
    for name in ("fit", "predict", "transform", "fit_predict", "fit_transform", "score"):
        assert getattr(cls, name).__doc__ == getattr(stock, name).__doc__
    assert "sk-top-container" in model._repr_html_()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_clone(cls):
    model = fitted(cls, init=X[:4])
    twin = clone(model)
    assert type(twin) is cls
    assert not hasattr(twin, "cluster_centers_")
    assert_array_equal(twin.init, X[:4])
    assert_same_model(twin.fit(X), model)


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model):
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    return joblib.load(stream)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("passage", [through_pickle, through_joblib, copy.deepcopy, copy.copy])
def test_copies_predict_alike(passage, cls):
    model = fitted(cls)
    twin = passage(model)
    assert type(twin) is cls
    assert_same_model(twin, model)
    assert_array_equal(twin.predict(X), model.predict(X))
    assert_array_equal(twin.transform(X), model.transform(X))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_pickle_loads_in_another_process(cls, tmp_path):
    model = fitted(cls)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "X.npy", X)
    script = (
        "import numpy as np, pickle\n"
        "model = pickle.load(open('model.pickle', 'rb'))\n"
        "print(model.predict(np.load('X.npy')).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(model.labels_.tolist())


def test_a_copied_model_goes_on_by_itself():
    model = MiniBatchKMeans(4, random_state=0).partial_fit(X[:100])
    twin = through_pickle(model)
    before = twin.cluster_centers_.copy()
    model.partial_fit(X[100:200])
    assert_array_equal(twin.cluster_centers_, before)
    assert_same_model(twin.partial_fit(X[100:200]), model)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_to_sklearn(cls):
    model = fitted(cls)
    stock = fastml.to_sklearn(model)
    assert type(stock) is STOCK[cls]
    assert_same_model(stock, model)
    assert_array_equal(stock.predict(X), model.predict(X))
    assert_allclose(stock.transform(X), model.transform(X), rtol=1e-12)
    names = {str(argument) for _, argument, _ in pickletools.genops(pickle.dumps(stock))}
    assert not [name for name in names if "fastml" in name]
    assert_same_model(stock.fit(X), model)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_grid_search(cls, n_jobs):
    grid = {"kmeans__n_clusters": [2, 4], "kmeans__init": ["k-means++", "random"], "pca__n_components": [2, 3]}
    results = []
    for candidate in cls, STOCK[cls]:
        pipeline = make_pipeline(StandardScaler(), PCA(random_state=0), candidate(n_init=1, random_state=0))
        pipeline.steps[-1] = "kmeans", pipeline.steps[-1][1]
        results.append(GridSearchCV(pipeline, grid, n_jobs=n_jobs, cv=3, error_score="raise").fit(X))
    ours, stock = results
    assert ours.best_params_ == stock.best_params_
    assert_allclose(ours.cv_results_["mean_test_score"], stock.cv_results_["mean_test_score"], rtol=1e-9)
    assert type(ours.best_estimator_[-1]) is cls
    assert_array_equal(ours.predict(X), stock.predict(X))
    assert_same_model(ours.best_estimator_[-1], stock.best_estimator_[-1])


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_as_a_transformer(cls):
    y = X[:, 0] > 0
    scores = [
        cross_val_score(
            make_pipeline(
                ColumnTransformer([("distances", candidate(6, random_state=0), slice(0, 3))], remainder="passthrough"),
                LogisticRegression(),
            ),
            X,
            y,
        )
        for candidate in (cls, STOCK[cls])
    ]
    assert_allclose(*scores, rtol=1e-9)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_weights_through_a_pipeline(cls):
    name = cls.__name__.lower()
    pipeline = make_pipeline(StandardScaler(), cls(4, random_state=0))
    pipeline.fit(X, **{f"{name}__sample_weight": WEIGHTS})
    assert_same_model(
        pipeline[-1], cls(4, random_state=0).fit(StandardScaler().fit_transform(X), sample_weight=WEIGHTS)
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_metadata_routing(cls):
    with sklearn.config_context(enable_metadata_routing=True):
        assert str(get_routing_for_object(cls(3))) == str(get_routing_for_object(STOCK[cls](3)))
        results = []
        for candidate in cls, STOCK[cls]:
            model = candidate(random_state=0, n_init=1)
            model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            search = GridSearchCV(model, {"n_clusters": [3, 5]}, cv=3, error_score="raise")
            results.append(search.fit(X, sample_weight=WEIGHTS))
        ours, stock = results
        assert_allclose(ours.cv_results_["mean_test_score"], stock.cv_results_["mean_test_score"], rtol=1e-9)
        unweighted = GridSearchCV(cls(random_state=0, n_init=1), {"n_clusters": [3, 5]}, cv=3).fit(X)
        assert not np.allclose(ours.cv_results_["mean_test_score"], unweighted.cv_results_["mean_test_score"])
        undecided = GridSearchCV(cls(random_state=0, n_init=1), {"n_clusters": [3, 5]}, cv=3)
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
            undecided.fit(X, sample_weight=WEIGHTS)


def test_a_subclass_with_a_method_of_its_own():
    class Rounded(KMeans):
        def transform(self, X):
            return np.round(super().transform(X))

    model = Rounded(4, random_state=0).fit(X)
    assert_same_model(model, fitted(KMeans))
    assert_array_equal(model.transform(X), np.round(fitted(KMeans).transform(X)))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_changed_centers_are_used(cls):
    model, stock = fitted(cls), STOCK[cls](4, random_state=0, n_init=1).fit(X)
    for centers in X[:4].copy(), np.asfortranarray(X[:4]), X[:8:2]:
        model.cluster_centers_ = centers
        stock.cluster_centers_ = np.ascontiguousarray(centers)
        assert_array_equal(model.predict(X), stock.predict(X))
        assert_allclose(model.transform(X), stock.transform(X), rtol=1e-9, atol=1e-6)
