"""Neighbours, radii, votes and means against scikit-learn's."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn.neighbors
from hypothesis import given, settings, strategies as st
from neighbor_cases import CASES, case_name, lattice, samples
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import pairwise_distances

import fastml
import fastml.metrics
import fastml.neighbors

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_name)
EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
# scikit-learn's products of float32 numbers are rounded; ours are exact, so that the difference is its rounding.
TOLERANCE = {np.float32: {"rtol": 2e-5, "atol": 2e-6}, np.float64: {"rtol": 1e-10, "atol": 1e-7}}


def both(name, case, *fit, **more):
    ours = getattr(fastml.neighbors, name)(**case, **more)
    stock = getattr(sklearn.neighbors, name)(**case, **more)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mind that for 0 < p < 1")
        return ours.fit(*fit), stock.fit(*fit)


def assert_same_state(ours, stock):
    state = fastml.to_sklearn(ours).__dict__
    assert state.keys() == stock.__dict__.keys()
    for name in ("_fit_method", "effective_metric_", "n_samples_fit_", "n_features_in_"):
        assert state[name] == stock.__dict__[name], name
    assert type(state["_tree"]) is type(stock._tree)


def assert_same_neighbors(indices, expected, distances):
    """Assert that neighbours differ among those as far away only, whose order scikit-learn leaves open."""
    for query, place in np.argwhere(indices != expected):
        as_far = np.isclose(distances[query], distances[query, place], rtol=1e-9)
        assert as_far.sum() > 1 or as_far[-1]


@EVERY_DTYPE
@EVERY_CASE
def test_neighbors(case, dtype):
    X, queries = samples(300, dtype=dtype), samples(70, seed=1, dtype=dtype)
    ours, stock = both("NearestNeighbors", case, X)
    assert_same_state(ours, stock)
    for Q in (queries, None):
        for k in (1, 5, 60):
            distances, indices = ours.kneighbors(Q, k)
            expected, expected_indices = stock.kneighbors(Q, k)
            assert_allclose(distances, expected, **TOLERANCE[dtype])
            assert_same_neighbors(indices, expected_indices, expected)
            assert (distances.dtype, indices.dtype) == (expected.dtype, expected_indices.dtype)
            assert_array_equal(ours.kneighbors(Q, k, return_distance=False), indices)
            for mode in ("connectivity", "distance"):
                graph, expected_graph = (model.kneighbors_graph(Q, k, mode) for model in (ours, stock))
                assert type(graph) is type(expected_graph)
                assert_array_equal(graph.indptr, expected_graph.indptr)
                assert_array_equal(graph.indices, indices.ravel())
                assert_allclose(graph.data, expected_graph.data, **TOLERANCE[dtype])


@EVERY_DTYPE
@EVERY_CASE
def test_radius(case, dtype):
    X, queries = samples(300, dtype=dtype), samples(70, seed=1, dtype=dtype)
    ours, stock = both("NearestNeighbors", case, X)
    # Half way between two distances: no rounding decides.
    all_distances = np.sort(stock.kneighbors(queries, 300)[0].ravel())
    gap = 500 + np.diff(all_distances[500:4000]).argmax()
    radius = float(all_distances[gap : gap + 2].mean())
    for Q in (queries, None):
        for sort_results in (False, True):
            distances, indices = ours.radius_neighbors(Q, radius, sort_results=sort_results)
            expected, expected_indices = stock.radius_neighbors(Q, radius, sort_results=sort_results)
            assert (distances.dtype, indices.dtype, indices.shape) == (object, object, expected_indices.shape)
            for i in range(len(indices)):
                order = np.arange(len(indices[i])) if sort_results else np.argsort(expected_indices[i])
                if Q is not None or sort_results:
                    assert_array_equal(indices[i], expected_indices[i][order])
                assert_allclose(distances[i], expected[i][order], **TOLERANCE[dtype])
                assert (distances[i].dtype, indices[i].dtype) == (expected[i].dtype, expected_indices[i].dtype)
        for mode in ("connectivity", "distance"):
            graph, expected_graph = (model.radius_neighbors_graph(Q, radius, mode) for model in (ours, stock))
            assert type(graph) is type(expected_graph)
            assert_allclose(graph.toarray(), expected_graph.toarray(), **TOLERANCE[dtype])


@pytest.mark.parametrize("n_outputs", [None, 1, 3])
@pytest.mark.parametrize("weights", ["uniform", "distance", None, lambda distances: 1 / (1 + distances)])
@pytest.mark.parametrize("n_features", [3, 20])
def test_classification(n_features, weights, n_outputs):
    X, queries = samples(300, n_features), np.vstack([samples(100, n_features, seed=1), samples(5, n_features)])
    y = np.random.RandomState(2).randint(0, 4, 300 if n_outputs is None else (300, n_outputs)) * 10 + 7
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A column-vector y")
        ours, stock = both("KNeighborsClassifier", {}, X, y, weights=weights, n_neighbors=7)
    assert_same_state(ours, stock)
    for Q in (queries, None):
        prediction, expected = ours.predict(Q), stock.predict(Q)
        assert_array_equal(prediction, expected)
        assert prediction.dtype == expected.dtype
        shares, expected_shares = ours.predict_proba(Q), stock.predict_proba(Q)
        assert type(shares) is type(expected_shares)
        assert_allclose(np.asarray(shares), np.asarray(expected_shares), rtol=1e-12)
    if n_outputs is None:
        assert ours.score(queries, y[: len(queries)]) == stock.score(queries, y[: len(queries)])


@pytest.mark.parametrize("n_outputs", [None, 1, 3])
@pytest.mark.parametrize("weights", ["uniform", "distance", lambda distances: 1 / (1 + distances)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_regression(dtype, weights, n_outputs):
    X, queries = samples(300), np.vstack([samples(100, seed=1), samples(5)])
    y = (np.random.RandomState(2).standard_normal(300 if n_outputs is None else (300, n_outputs)) * 9).astype(dtype)
    ours, stock = both("KNeighborsRegressor", {}, X, y, weights=weights, n_neighbors=7)
    assert_same_state(ours, stock)
    for Q in (queries, None):
        prediction, expected = ours.predict(Q), stock.predict(Q)
        assert (prediction.dtype, prediction.shape) == (expected.dtype, expected.shape)
        assert_allclose(prediction, expected, rtol=1e-5 if dtype == np.float32 else 1e-11, atol=1e-6)


@pytest.mark.parametrize("algorithm", ["auto", "brute"])
@pytest.mark.parametrize("n_outputs", [None, 2])
@pytest.mark.parametrize("weights", ["uniform", "distance", lambda rows: np.array([1 / (1 + r) for r in rows], object)])
def test_radius_classification(weights, n_outputs, algorithm):
    X, queries = samples(300), np.vstack([samples(50, seed=1), samples(5)])
    y = np.random.RandomState(2).randint(0, 3, 300 if n_outputs is None else (300, n_outputs))
    case = {"weights": weights, "radius": 1.5, "algorithm": algorithm}
    for outlier_label in (1, "most_frequent", 9):
        ours, stock = both("RadiusNeighborsClassifier", case, X, y, outlier_label=outlier_label)
        for Q in (queries, None):
            with warnings.catch_warnings(record=True) as ours_said:
                warnings.simplefilter("always")
                prediction, shares = ours.predict(Q), ours.predict_proba(Q)
            with warnings.catch_warnings(record=True) as stock_said:
                warnings.simplefilter("always")
                expected, expected_shares = stock.predict(Q), stock.predict_proba(Q)
            if algorithm == "brute" and outlier_label == "most_frequent":
                continue  # scikit-learn's route for brute force takes the word for a label, which no class has
            assert {str(w.message) for w in ours_said} == {str(w.message) for w in stock_said}
            assert_array_equal(prediction, expected)
            assert_allclose(np.asarray(shares), np.asarray(expected_shares), rtol=1e-12)
    ours, stock = both("RadiusNeighborsClassifier", case, X, y)
    far = np.full((2, 3), 50.0)
    for model in (ours, stock):
        with pytest.raises(ValueError, match=r"No neighbors found for test samples array\(\[0, 1\]\)"):
            model.predict(far)


@pytest.mark.parametrize("n_outputs", [None, 2])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_radius_regression(dtype, weights, n_outputs):
    X, queries = samples(300), np.vstack([samples(50, seed=1), samples(5), np.full((1, 3), 50.0)])
    y = (np.random.RandomState(2).standard_normal(300 if n_outputs is None else (300, n_outputs)) * 9).astype(dtype)
    ours, stock = both("RadiusNeighborsRegressor", {"weights": weights}, X, y)
    predictions = []
    for model in (ours, stock):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            predictions.append((model.predict(queries), {str(w.message) for w in said}))
    (prediction, said), (expected, expected_said) = predictions
    assert said == expected_said
    assert_allclose(prediction, expected, rtol=1e-5 if dtype == np.float32 else 1e-11, atol=1e-6)
    assert (prediction.dtype, prediction.shape) == (expected.dtype, expected.shape)


@EVERY_DTYPE
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "cosine"])
def test_equal_distances_come_by_index(metric, dtype):
    X = lattice(400, dtype=dtype) + (metric == "cosine")
    queries = lattice(60, seed=1, dtype=dtype) + (metric == "cosine")
    exact = pairwise_distances(queries.astype(np.longdouble), X.astype(np.longdouble), metric=metric)
    exact = np.round(exact.astype(np.float64), 12)
    order = np.argsort(exact, axis=1, kind="stable")
    # By cosine, distances that are equal differ by their rounding.
    for k in (1, 8, 150, 400):
        distances, indices = fastml.neighbors.NearestNeighbors(metric=metric).fit(X).kneighbors(queries, k)
        if metric != "cosine":
            assert_array_equal(indices, order[:, :k])
        assert_allclose(distances, np.take_along_axis(exact, order[:, :k], axis=1), atol=1e-7)


@pytest.mark.parametrize("copies", [2, 9])
@pytest.mark.parametrize("algorithm", ["kd_tree", "brute"])
def test_a_sample_is_not_its_own_neighbour(algorithm, copies):
    X = np.repeat(lattice(40, seed=3), copies, axis=0)
    ours = fastml.neighbors.NearestNeighbors(n_neighbors=4, algorithm=algorithm).fit(X)
    distances, indices = ours.kneighbors()
    if copies > 5:
        # Which of the equal ones is left out, scikit-learn does not say: its answer has the sample in it at times.
        assert (distances == 0).all()
    else:
        assert (indices != np.arange(len(X))[:, None]).all()
    expected, _ = sklearn.neighbors.NearestNeighbors(n_neighbors=4, algorithm=algorithm).fit(X).kneighbors()
    assert_allclose(distances, expected, atol=1e-7)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_any_samples(data):
    n, d = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 20))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    seed, scale = data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from([1e-3, 1.0, 1e8]))
    rng = np.random.RandomState(seed)
    shift = data.draw(st.sampled_from([0.0, 1e3, 1e8]))
    X = (rng.randint(0, data.draw(st.sampled_from([2, 5, 1000])), (n, d)) * scale + shift).astype(dtype)
    queries = np.vstack([X[: n // 2], (rng.standard_normal((4, d)) * scale + shift).astype(dtype)])
    k = data.draw(st.integers(1, n))
    name = data.draw(st.sampled_from(["euclidean", "manhattan", "chebyshev"]))
    wide = X.astype(np.longdouble)[None] - queries.astype(np.longdouble)[:, None]
    exact = {
        "euclidean": lambda: np.sqrt((wide**2).sum(axis=2)),
        "manhattan": lambda: np.abs(wide).sum(axis=2),
        "chebyshev": lambda: np.abs(wide).max(axis=2),
    }[name]()
    distances, indices = fastml.neighbors.NearestNeighbors(metric=name).fit(X).kneighbors(queries, k)
    found = np.take_along_axis(exact, indices, axis=1)
    assert (np.sort(indices, axis=1)[:, 1:] != np.sort(indices, axis=1)[:, :-1]).all()
    # To two units in the last place, of the distance and of the order.
    assert_allclose(distances, found.astype(np.float64), rtol=5e-16)
    assert_allclose(found.astype(np.float64), np.sort(exact, axis=1)[:, :k].astype(np.float64), rtol=5e-16)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine", "sqeuclidean", "chebyshev"])
@pytest.mark.parametrize("axis", [0, 1])
@EVERY_DTYPE
def test_closest_pairs(dtype, axis, metric):
    X, Y = samples(80, dtype=dtype), samples(90, seed=1, dtype=dtype)
    ours = fastml.metrics.pairwise_distances_argmin_min(X, Y, axis=axis, metric=metric)
    stock = sklearn.metrics.pairwise_distances_argmin_min(X, Y, axis=axis, metric=metric)
    assert_array_equal(ours[0], stock[0])
    assert_allclose(ours[1], stock[1], **TOLERANCE[dtype])
    assert [part.dtype for part in ours] == [part.dtype for part in stock]
    only = fastml.metrics.pairwise_distances_argmin(X, Y, axis=axis, metric=metric)
    assert_array_equal(only, sklearn.metrics.pairwise_distances_argmin(X, Y, axis=axis, metric=metric))


@pytest.mark.parametrize("include_self", [True, False, "auto"])
@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graph_functions(mode, include_self):
    X = samples(100)
    for name, size in (("kneighbors_graph", 4), ("radius_neighbors_graph", 0.7)):
        for given_X in (X, fastml.neighbors.NearestNeighbors().fit(X)):
            ours = getattr(fastml.neighbors, name)(given_X, size, mode=mode, include_self=include_self)
            stock = getattr(sklearn.neighbors, name)(X, size, mode=mode, include_self=include_self)
            assert type(ours) is type(stock)
            assert_allclose(ours.toarray(), stock.toarray(), atol=1e-7)


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("name", ["KNeighborsTransformer", "RadiusNeighborsTransformer"])
def test_transformers(name, mode):
    X, queries = samples(100), samples(30, seed=1)
    ours, stock = both(name, {"mode": mode}, X)
    assert_same_state(ours, stock)
    assert_allclose(ours.transform(queries).toarray(), stock.transform(queries).toarray(), rtol=1e-12)
    assert_allclose(ours.fit_transform(X).toarray(), stock.fit_transform(X).toarray(), atol=1e-7)
    assert_array_equal(ours.get_feature_names_out(), stock.get_feature_names_out())


@EVERY_DTYPE
@pytest.mark.parametrize("n_neighbors", [5, 500])
def test_outlier_factors(n_neighbors, dtype):
    X, queries = samples(200, dtype=dtype), samples(30, seed=1, dtype=dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_neighbors .* is greater")
        ours, stock = both("LocalOutlierFactor", {"novelty": True}, X, n_neighbors=n_neighbors)
    assert_allclose(ours.negative_outlier_factor_, stock.negative_outlier_factor_, **TOLERANCE[dtype])
    assert_allclose(ours.score_samples(queries), stock.score_samples(queries), **TOLERANCE[dtype])
    assert_array_equal(ours.predict(queries), stock.predict(queries))


@pytest.mark.parametrize("mode", ["dense", "graph", "float32", "integers"])
def test_given_distances(mode):
    X, queries = samples(120), samples(30, seed=1)
    given, asked = pairwise_distances(X), pairwise_distances(queries, X)
    if mode == "float32":
        given, asked = given.astype(np.float32), asked.astype(np.float32)
    elif mode == "integers":
        given, asked = (1000 * given).astype(np.int64), (1000 * asked).astype(np.int64)
    elif mode == "graph":
        searched = sklearn.neighbors.NearestNeighbors().fit(X)
        given = searched.kneighbors_graph(X, 40, mode="distance")
        asked = searched.kneighbors_graph(queries, 40, mode="distance")
    ours, stock = both("NearestNeighbors", {"metric": "precomputed"}, given)
    assert_same_state(ours, stock)
    radius = 700 if mode == "integers" else 0.7
    for Q in (asked, None):
        distances, indices = ours.kneighbors(Q, 7)
        expected, expected_indices = stock.kneighbors(Q, 7)
        assert_array_equal(distances, expected)
        assert_same_neighbors(indices, expected_indices, expected)
        assert (distances.dtype, indices.dtype) == (expected.dtype, np.int64)
        for sort_results in (False, True):
            found = ours.radius_neighbors(Q, radius, sort_results=sort_results)
            expected_found = stock.radius_neighbors(Q, radius, sort_results=sort_results)
            for seen, wanted in zip(found[0], expected_found[0], strict=True):
                assert_array_equal(seen, wanted)
    for wrong in (asked[:, :50], -asked, np.zeros((2, 3, 4))):
        errors = []
        for model in (ours, stock):
            with pytest.raises((ValueError, TypeError)) as raised:
                model.kneighbors(wrong, 60)
            errors.append(str(raised.value))
        assert errors[0] == errors[1]


def test_nan_euclidean():
    rng = np.random.RandomState(0)
    X, queries = samples(200, 6), samples(40, 6, seed=1)
    X[rng.uniform(size=X.shape) < 0.3] = np.nan
    queries[rng.uniform(size=queries.shape) < 0.3] = np.nan
    X[5] = np.nan
    case = {"metric": "nan_euclidean"}
    ours, stock = both("NearestNeighbors", case, X)
    distances, indices = ours.kneighbors(queries, 20)
    expected, expected_indices = stock.kneighbors(queries, 20)
    assert_allclose(distances, expected, atol=1e-7)
    assert_same_neighbors(indices, expected_indices, expected)
    y = rng.randint(0, 3, 200)
    ours, stock = both("KNeighborsClassifier", case, X, y)
    assert_array_equal(ours.predict(queries), stock.predict(queries))


@pytest.mark.parametrize("name", ["haversine", "hamming"])
def test_metrics_of_their_own(name):
    X, queries = (
        (samples(200, 2), samples(40, 2, seed=1)) if name == "haversine" else (lattice(200, 9), lattice(40, 9, 1))
    )
    for algorithm in ("auto", "ball_tree", "brute"):
        ours, stock = both("NearestNeighbors", {"metric": name, "algorithm": algorithm}, X)
        distances, indices = ours.kneighbors(queries, 5)
        expected, expected_indices = stock.kneighbors(queries, 5)
        assert_allclose(distances, expected, rtol=1e-9)
        assert_same_neighbors(indices, expected_indices, expected)


@pytest.mark.parametrize("priors", ["uniform", "empirical", [0.1, 0.2, 0.3, 0.4]])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@EVERY_DTYPE
def test_nearest_centroids(dtype, metric, priors):
    X, queries = samples(300, 5, dtype=dtype), samples(100, 5, seed=1, dtype=dtype)
    y = np.array(list("abcd"))[np.random.RandomState(2).randint(0, 4, 300)]
    ours, stock = both("NearestCentroid", {"metric": metric, "priors": priors}, X, y)
    for Q in (queries, scipy.sparse.csr_array(queries)):
        prediction = ours.predict(Q)
        assert_array_equal(prediction, stock.predict(Q))
        assert prediction.dtype == y.dtype
    assert_array_equal(ours.centroids_, stock.centroids_)
