"""Patching reaches every scikit-learn module and no other, in whatever order of imports, and leaves no trace."""

import copy
import importlib
import pickle
import subprocess
import sys
import types

import joblib
import numpy as np
import pytest
import sklearn.cluster
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans as StockKMeans, MiniBatchKMeans as StockMiniBatchKMeans, SpectralClustering
from sklearn.utils.discovery import all_estimators

import fastml
import fastml.cluster
from fastml._registry import ENTRIES, OWN_ENTRIES
from fastml._support import dispatch

X = np.random.RandomState(0).standard_normal((30, 2))
STOCK_K_MEANS = sklearn.cluster.k_means


@pytest.fixture(autouse=True)
def _unpatched():
    yield
    fastml.unpatch_sklearn()


def holders(thing):
    """Return the places in scikit-learn's modules that hold an object."""
    return {
        (module_name, name)
        for module_name, module in list(sys.modules.items())
        if module_name.partition(".")[0] == "sklearn"
        for name, value in list(vars(module).items())
        if value is thing
    }


def run(code, *arguments):
    """Run a program in a fresh interpreter and return the lines that it prints."""
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_public_and_private_modules_are_patched_and_restored():
    before = holders(StockKMeans)
    assert {("sklearn.cluster", "KMeans"), ("sklearn.cluster._kmeans", "KMeans")} <= before
    fastml.patch_sklearn()
    assert holders(StockKMeans) == set()
    assert holders(fastml.cluster.KMeans) == before
    fastml.unpatch_sklearn()
    assert holders(StockKMeans) == before
    assert holders(fastml.cluster.KMeans) == set()


def test_everything_in_the_registry_is_patched():
    originals = {entry.name: getattr(importlib.import_module(entry.sklearn_module), entry.name) for entry in ENTRIES}
    with fastml.patched():
        for entry in ENTRIES:
            ours = getattr(importlib.import_module(entry.family), entry.name)
            assert getattr(sys.modules[entry.sklearn_module], entry.name) is ours
            assert holders(originals[entry.name]) == set()
    for entry in ENTRIES:
        assert getattr(sys.modules[entry.sklearn_module], entry.name) is originals[entry.name]


def test_the_registry_is_what_the_families_export():
    for family in {entry.family for entry in ENTRIES}:
        stock = importlib.import_module(family.replace("fastml", "sklearn", 1))
        names = {name for name in importlib.import_module(family).__all__ if hasattr(stock, name)}
        assert names == {entry.name for entry in ENTRIES if entry.family == family}


def test_estimators_that_scikit_learn_does_not_have_are_in_a_list_of_their_own():
    own = {
        (name, entry.family)
        for entry in ENTRIES
        for name, thing in vars(importlib.import_module(entry.family)).items()
        if isinstance(thing, type)
        and issubclass(thing, BaseEstimator)
        and not hasattr(importlib.import_module(entry.sklearn_module), name)
    }
    assert own == {(entry.name, entry.family) for entry in OWN_ENTRIES}
    with fastml.patched():
        for entry in OWN_ENTRIES:
            assert not hasattr(importlib.import_module(entry.family.replace("fastml", "sklearn", 1)), entry.name)


def test_names_that_modules_gave_it_are_patched(monkeypatch):
    module = types.ModuleType("sklearn.made_up")
    module.Renamed = StockKMeans
    monkeypatch.setitem(sys.modules, "sklearn.made_up", module)
    with fastml.patched():
        assert module.Renamed is fastml.cluster.KMeans
    assert module.Renamed is StockKMeans


def test_modules_outside_scikit_learn_are_left_alone(monkeypatch):
    module = types.ModuleType("sklearn_extra.made_up")
    module.KMeans = StockKMeans
    monkeypatch.setitem(sys.modules, "sklearn_extra.made_up", module)
    parent = fastml.cluster.KMeans.__mro__
    with fastml.patched():
        assert module.KMeans is StockKMeans
        assert fastml.cluster.KMeans.__mro__ == parent
        assert StockKMeans in parent


def test_names_choose():
    with fastml.patched("KMeans"):
        assert sklearn.cluster.KMeans is fastml.cluster.KMeans
        assert sklearn.cluster.MiniBatchKMeans is StockMiniBatchKMeans
    fastml.patch_sklearn(["KMeans", "MiniBatchKMeans"])
    fastml.unpatch_sklearn(["KMeans"])
    assert sklearn.cluster.KMeans is StockKMeans
    assert sklearn.cluster.MiniBatchKMeans is fastml.cluster.MiniBatchKMeans


@pytest.mark.parametrize("function", [fastml.patch_sklearn, fastml.unpatch_sklearn])
def test_unknown_names_are_refused(function):
    with pytest.raises(ValueError, match=r"fastml replaces no Other\. It replaces DBSCAN, KMeans, MiniBatchKMeans"):
        function(["KMeans", "Other"])
    assert sklearn.cluster.KMeans is StockKMeans


def test_a_context_undoes_its_own_patch_only():
    with fastml.patch_sklearn("KMeans") as patch:
        assert repr(patch) == "<scikit-learn patched by fastml: KMeans>"
        with fastml.patched():
            assert sklearn.cluster.MiniBatchKMeans is fastml.cluster.MiniBatchKMeans
        assert sklearn.cluster.MiniBatchKMeans is StockMiniBatchKMeans
        assert sklearn.cluster.KMeans is fastml.cluster.KMeans
    assert sklearn.cluster.KMeans is StockKMeans


def test_a_context_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), fastml.patched():
        1 / 0  # noqa: B018
    assert sklearn.cluster.KMeans is StockKMeans


def test_patching_twice_and_unpatching_what_is_not_patched_is_harmless():
    fastml.unpatch_sklearn()
    fastml.patch_sklearn()
    assert repr(fastml.patch_sklearn()) == "<scikit-learn patched by fastml: nothing new>"
    fastml.unpatch_sklearn()
    fastml.unpatch_sklearn()
    assert sklearn.cluster.KMeans is StockKMeans


def test_scikit_learns_own_code_uses_the_replacements():
    dispatch.reset_calls()
    with fastml.patched():
        # SpectralClustering calls k_means, which its module had imported long before.
        SpectralClustering(n_clusters=2, random_state=0).fit(X)
    assert {call.name for call in dispatch.calls()} == {"k_means"}


def test_all_estimators_lists_the_replacements_once():
    with fastml.patched():
        found = [cls for name, cls in all_estimators() if name in ("KMeans", "MiniBatchKMeans")]
        assert found == [fastml.cluster.KMeans, fastml.cluster.MiniBatchKMeans]
    assert [cls for name, cls in all_estimators() if name == "KMeans"] == [StockKMeans]


@pytest.mark.parametrize("dumps", [pickle.dumps, lambda model: pickle._dumps(model, 2)])
def test_estimators_pickle_while_patched(dumps):
    with fastml.patched():
        ours = sklearn.cluster.KMeans(n_clusters=2, n_init=1).fit(X)
        pickled = dumps(ours)
        assert type(pickle.loads(pickled)) is fastml.cluster.KMeans
    again = pickle.loads(pickled)
    assert type(again) is fastml.cluster.KMeans
    assert np.array_equal(again.labels_, ours.labels_)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_stock_estimators_pickle_while_patched(protocol, tmp_path):
    stock = StockKMeans(n_clusters=2, n_init=1).fit(X)
    with fastml.patched():
        pickled = pickle.dumps([stock, stock], protocol)
        joblib.dump(stock, tmp_path / "stock.joblib", protocol=protocol)
        ours = pickle.loads(pickled)[0]
        # By its name it is ours here, and works.
        assert type(ours) is fastml.cluster.KMeans
        assert np.array_equal(ours.predict(X), stock.labels_)
    first, second = pickle.loads(pickled)
    assert first is second
    for again in (first, joblib.load(tmp_path / "stock.joblib")):
        assert type(again) is StockKMeans
        assert np.array_equal(again.labels_, stock.labels_)
        assert set(vars(again)) == set(vars(stock))


def test_stock_estimators_can_be_copied_while_patched():
    stock = StockKMeans(n_clusters=2, n_init=1).fit(X)
    with fastml.patched():
        for again in (copy.copy(stock), copy.deepcopy(stock), clone(stock)):
            assert type(again) is StockKMeans
            assert again.n_clusters == 2
        assert np.array_equal(copy.deepcopy(stock).labels_, stock.labels_)
        assert copy.deepcopy(stock).labels_ is not stock.labels_


def test_to_sklearn_gives_stock_estimators_while_patched():
    with fastml.patched():
        stock = fastml.to_sklearn([sklearn.cluster.KMeans(n_clusters=2), StockMiniBatchKMeans()])
        assert [type(each) for each in stock] == [StockKMeans, StockMiniBatchKMeans]
        pickled = pickle.dumps(stock)
        assert b"fastml" not in pickled
    assert [type(each) for each in pickle.loads(pickled)] == [StockKMeans, StockMiniBatchKMeans]


def test_functions_are_replaced():
    with fastml.patched():
        assert sklearn.cluster._kmeans.k_means is fastml.cluster.k_means
        assert pickle.loads(pickle.dumps(sklearn.cluster.k_means)) is fastml.cluster.k_means
    assert sklearn.cluster._kmeans.k_means is STOCK_K_MEANS


ORDERS = {
    "scikit-learn first": "import sklearn.cluster, sklearn.pipeline; import fastml; fastml.patch_sklearn()",
    "scikit-learn's family later": "import sklearn; import fastml; fastml.patch_sklearn()",
    "scikit-learn later": "import fastml; fastml.patch_sklearn()",
    "fastml's family first": "import fastml.cluster; fastml.patch_sklearn()",
    "fastml's family later": "import fastml; fastml.patch_sklearn(); import fastml.cluster",
    "a private module later": "import fastml; fastml.patch_sklearn(); from sklearn.cluster._kmeans import KMeans",
    "a package around it later": "import fastml; fastml.patch_sklearn(); import sklearn.manifold, sklearn.pipeline",
    "as a context": "import fastml; context = fastml.patched(); context.__enter__()",
}


# A module outside of the family that holds KMeans. It imports all of scikit-learn: one order of each kind does, and the
# others, which differ within the family, another module that holds KMeans.
LATE = dict.fromkeys(
    ["scikit-learn first", "fastml's family first", "as a context"], "sklearn.utils._test_common.instance_generator"
)


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_imports_does_not_matter(order):
    late = LATE.get(order, "sklearn.cluster._bicluster")
    code = (
        f"{ORDERS[order]}\n"
        "import fastml.cluster, sklearn.cluster, sklearn.cluster._kmeans, sklearn.cluster._bisect_k_means\n"
        f"import {late} as late\n"
        "from sklearn.cluster import KMeans, BisectingKMeans\n"
        "places = [KMeans, sklearn.cluster._kmeans.KMeans, late.KMeans]\n"
        "assert all(place is fastml.cluster.KMeans for place in places), places\n"
        "fastml.unpatch_sklearn()\n"
        "places = [sklearn.cluster.KMeans, sklearn.cluster._kmeans.KMeans, late.KMeans]\n"
        "assert len(set(places)) == 1, places\n"
        "assert places[0].__module__ == 'sklearn.cluster._kmeans' and places[0] in KMeans.__mro__\n"
        "print('done')\n"
    )
    assert run(code) == ["done"]


def test_patching_imports_nothing_by_itself():
    code = (
        "import fastml, sys\n"
        "fastml.patch_sklearn()\n"
        "print({'sklearn', 'joblib', 'numpy', 'fastml.cluster'} & set(sys.modules))\n"
        "import sklearn.pipeline\n"
        "print({'fastml.cluster', 'sklearn.cluster'} & set(sys.modules))"
    )
    assert run(code) == ["set()", "set()"]


def test_what_is_unpatched_before_it_is_imported_is_never_patched():
    code = (
        "import sys; finders = list(sys.meta_path)\n"
        "import fastml; fastml.patch_sklearn(); fastml.unpatch_sklearn()\n"
        "import fastml.cluster, sklearn.cluster, joblib, multiprocessing.spawn\n"
        "import joblib.externals.loky.backend.spawn\n"
        "print(sklearn.cluster.KMeans.__module__, sys.meta_path == finders)"
    )
    assert run(code) == ["sklearn.cluster._kmeans True"]
