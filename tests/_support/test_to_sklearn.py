"""The stock estimator has the same parameters and fitted state, and nothing of fastml is left in it."""

import pickle
import pickletools
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
import sklearn
import sklearn.cluster
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import fastml
from fastml._support.dispatch import accelerated
from fastml.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus

X = np.random.RandomState(0).standard_normal((40, 3))


def modules_in(pickled):
    """Return the modules that a pickle imports."""
    texts, modules = [], set()
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "GLOBAL":
            modules.add(argument.split()[0])
        elif opcode.name == "STACK_GLOBAL":
            modules.update(texts)
        if isinstance(argument, str):
            texts.append(argument)
    return modules


def assert_stock(estimator):
    """Assert that a pickle of the estimator has no word of fastml."""
    assert not {module for module in modules_in(pickle.dumps(estimator)) if module.startswith("fastml")}


def test_the_helper_sees_fastml():
    assert "fastml.cluster._kmeans" in modules_in(pickle.dumps(KMeans()))


def test_an_unfitted_estimator():
    stock = fastml.to_sklearn(KMeans(n_clusters=3, tol=0.5))
    assert type(stock) is sklearn.cluster.KMeans
    assert stock.get_params() == KMeans(n_clusters=3, tol=0.5).get_params()
    assert_stock(stock)


@pytest.mark.parametrize("cls", [KMeans, MiniBatchKMeans])
def test_a_fitted_estimator_keeps_its_state(cls):
    ours = cls(n_clusters=3, n_init=1, random_state=0).fit(X)
    stock = fastml.to_sklearn(ours)
    assert type(stock) is getattr(sklearn.cluster, cls.__name__)
    assert set(vars(stock)) == set(vars(ours))
    assert np.array_equal(stock.cluster_centers_, ours.cluster_centers_)
    assert np.array_equal(stock.labels_, ours.labels_)
    assert (stock.inertia_, stock.n_iter_, stock.n_features_in_) == (ours.inertia_, ours.n_iter_, 3)
    assert np.array_equal(stock.predict(X), ours.predict(X))
    assert_stock(stock)
    assert type(ours) is cls


def test_the_stock_estimator_goes_on_by_itself():
    ours = MiniBatchKMeans(n_clusters=3, n_init=1, random_state=0).partial_fit(X)
    centers = ours.cluster_centers_.copy()
    stock = fastml.to_sklearn(ours)
    stock.partial_fit(X)
    stock.set_params(n_clusters=4).fit(X)
    assert stock.cluster_centers_.shape == (4, 3)
    assert ours.n_clusters == 3
    assert ours.cluster_centers_.shape == centers.shape


def test_memory_is_shared():
    ours = KMeans(n_clusters=3, n_init=1).fit(X)
    assert np.shares_memory(fastml.to_sklearn(ours).labels_, ours.labels_)


def test_stock_estimators_and_other_things_come_back_equal():
    stock = sklearn.cluster.KMeans(n_clusters=2).fit(X)
    again = fastml.to_sklearn(stock)
    assert type(again) is sklearn.cluster.KMeans
    assert np.array_equal(again.labels_, stock.labels_)
    assert fastml.to_sklearn({"a": (1, "two", None)}) == {"a": (1, "two", None)}


def test_containers():
    Pair = namedtuple("Pair", "first second")
    globals()["Pair"] = Pair
    ours = KMeans(n_clusters=2)
    given = [ours, (ours, 1), {"model": ours}, Pair(ours, MiniBatchKMeans()), np.array([ours, None], dtype=object)]
    stock = fastml.to_sklearn(given)
    found = [stock[0], stock[1][0], stock[2]["model"], stock[3].first, stock[4][0]]
    assert all(each is stock[0] for each in found)
    assert type(stock[0]) is sklearn.cluster.KMeans
    assert type(stock[3]) is Pair
    assert type(stock[3].second) is sklearn.cluster.MiniBatchKMeans


@pytest.mark.parametrize(
    "meta",
    [
        make_pipeline(StandardScaler(), KMeans(n_clusters=2, n_init=1)),
        make_union(KMeans(n_clusters=2, n_init=1), MiniBatchKMeans(n_clusters=2, n_init=1)),
        ColumnTransformer([("k", KMeans(n_clusters=2, n_init=1), [0, 1])], remainder="passthrough"),
        GridSearchCV(KMeans(n_init=1), {"n_clusters": [2, 3]}, cv=2),
        GridSearchCV(
            make_pipeline("passthrough"),
            {"passthrough": [KMeans(n_clusters=2, n_init=1), MiniBatchKMeans(n_clusters=2, n_init=1)]},
            cv=2,
            error_score="raise",
        ),
        make_pipeline(GridSearchCV(make_pipeline(KMeans(n_init=1)), {"kmeans__n_clusters": [2]}, cv=2)),
    ],
    ids=["pipeline", "union", "columns", "search", "search over estimators", "nested"],
)
@pytest.mark.parametrize("fitted", [False, True])
def test_meta_estimators(meta, fitted):
    if "passthrough" in getattr(meta, "param_grid", {}):
        meta = GridSearchCV(make_pipeline(StandardScaler(), KMeans()), {"kmeans": meta.param_grid["passthrough"]}, cv=2)
    ours = clone(meta)
    if fitted:
        ours.fit(X)
    stock = fastml.to_sklearn(ours)
    assert type(stock) is type(ours)
    assert_stock(stock)
    if fitted and hasattr(ours, "predict"):
        assert np.array_equal(stock.predict(X), ours.predict(X))
    elif fitted:
        # Two ways to compute distances, equal up to rounding.
        np.testing.assert_allclose(stock.transform(X), ours.transform(X), rtol=1e-9)


def test_the_owner_of_metadata_requests():
    with sklearn.config_context(enable_metadata_routing=True):
        ours = KMeans().set_fit_request(sample_weight=True)
        stock = fastml.to_sklearn(ours)
        assert stock.get_metadata_routing().fit.requests == {"sample_weight": True}
    assert_stock(stock)


def test_classes_and_functions_as_parameters():
    def local(X):
        return X

    ours = make_pipeline(FunctionTransformer(local), KMeans(init=kmeans_plusplus))
    stock = fastml.to_sklearn(ours)
    assert stock[0].func is local
    assert stock[1].init is sklearn.cluster.kmeans_plusplus
    assert fastml.to_sklearn(MiniBatchKMeans) is sklearn.cluster.MiniBatchKMeans


def test_loads_without_fastml(tmp_path):
    pipeline = make_pipeline(StandardScaler(), KMeans(n_clusters=2, n_init=1, random_state=0)).fit(X)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(fastml.to_sklearn(pipeline)))
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, sys, warnings, numpy as np\n"
        "warnings.simplefilter('error')\n"
        "sys.modules['fastml'] = None\n"
        "model = pickle.load(open('model.pkl', 'rb'))\n"
        "print(type(model[-1]).__module__, *model.predict(np.load('X.npy')))\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["sklearn.cluster._kmeans", *map(str, pipeline.predict(X))]


class Lazy(sklearn.cluster.KMeans):
    """Builds ``labels_`` when it is asked for."""

    def __getattr__(self, name):
        if name == "labels_":
            return np.arange(3)
        raise AttributeError(name)

    def __fastml_to_sklearn__(self):
        return {**{name: value for name, value in vars(self).items() if name != "_secret"}, "labels_": self.labels_}


Lazy.__name__ = "KMeans"
Lazy.__module__ = "fastml.cluster"


def test_the_hook_gives_the_state():
    ours = Lazy(n_clusters=3)
    ours._secret = object()
    stock = fastml.to_sklearn(ours)
    assert type(stock) is sklearn.cluster.KMeans
    assert list(vars(stock)["labels_"]) == [0, 1, 2]
    assert not hasattr(stock, "_secret")


class Mine(KMeans):
    """A user's own estimator on top of one of fastml's."""


class OnlyOurs(BaseEstimator):
    @accelerated()
    def fit(self, X, y=None):
        return self


OnlyOurs.__module__ = "fastml.neural_network"


def test_what_has_no_counterpart_is_refused():
    with pytest.raises(TypeError, match=r"Mine derives from a class of fastml.*Derive it from scikit-learn's class"):
        fastml.to_sklearn([Mine()])
    with pytest.raises(TypeError, match=r"OnlyOurs has no counterpart in scikit-learn"):
        fastml.to_sklearn(make_pipeline(StandardScaler(), OnlyOurs()))


def test_cyclic_references():
    ours = KMeans()
    ours.itself_ = ours
    stock = fastml.to_sklearn(ours)
    assert stock.itself_ is stock


def test_estimators_of_other_packages_are_left_as_they_are():
    agglomeration = FeatureAgglomeration(n_clusters=2).fit(X)
    multi = fastml.to_sklearn(MultiOutputClassifier(agglomeration))
    assert np.array_equal(multi.estimator.labels_, agglomeration.labels_)
