"""KMeans: parameters, attributes and methods, held against scikit-learn's."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from against_sklearn import assert_same_model, assert_same_outcome, blobs, tolerance
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import euclidean_distances

from fastml.cluster import KMeans

X64 = blobs()
WEIGHTS = np.random.RandomState(1).uniform(0, 3, size=len(X64))
WEIGHTS[::7] = 0
FORMATS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "csr": lambda X: sp.csr_matrix(np.where(np.abs(X) < 3, 0, X)),
    "csr float32": lambda X: sp.csr_array(np.where(np.abs(X) < 3, 0, X).astype(np.float32)),
}


def first_rows(X, n_clusters, random_state):
    rows = X[random_state.permutation(X.shape[0])[:n_clusters]]
    return rows.toarray() if sp.issparse(rows) else rows


def fit_both(X, sample_weight=None, **parameters):
    ours = KMeans(**parameters).fit(X, sample_weight=sample_weight)
    stock = sklearn.cluster.KMeans(**parameters).fit(X, sample_weight=sample_weight)
    return ours, stock


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("storage", FORMATS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"init": "random"},
        {"init": "random", "n_init": 2},
        {"init": first_rows},
        {"init": X64[:8], "n_init": 1},
        {"init": X64[:8].tolist()},
        {"n_clusters": 1},
        {"n_clusters": 3, "n_init": 4},
        {"n_clusters": 40},
        {"algorithm": "elkan"},
        {"algorithm": "elkan", "n_clusters": 20, "init": "random"},
        {"max_iter": 1},
        {"max_iter": 2},
        {"tol": 0},
        {"tol": 0.05},
        {"copy_x": False},
    ],
    ids=lambda parameters: (
        ",".join(
            f"{k}={getattr(v, '__name__', type(v).__name__ if isinstance(v, np.ndarray | list) else v)}"
            for k, v in parameters.items()
        )
        or "default"
    ),
)
def test_every_parameter(parameters, storage, weighted):
    X = FORMATS[storage](X64)
    weights = WEIGHTS if weighted else None
    ours = KMeans(**{"random_state": 3, **parameters}).fit(X, sample_weight=weights)
    stock = sklearn.cluster.KMeans(**{"random_state": 3, **parameters}).fit(X, sample_weight=weights)
    assert_same_model(ours, stock)


@pytest.mark.parametrize("init", ["k-means++", "random", first_rows])
def test_a_random_state_is_drawn_from_as_scikit_learn_does(init):
    states = []
    for cls in KMeans, sklearn.cluster.KMeans:
        random_state = np.random.RandomState(5)
        cls(4, init=init, n_init=3, random_state=random_state).fit(X64)
        states.append(random_state.uniform(size=3))
    assert_array_equal(*states)


def test_no_random_state_draws_from_numpy_s_own():
    labels = []
    for cls in KMeans, sklearn.cluster.KMeans:
        np.random.seed(11)
        labels.append([cls(6).fit(X64).labels_ for _ in range(2)])
    assert_array_equal(*labels)


def numbers(text):
    return [float(number) for number in re.findall(NUMBER, text)]


NUMBER = r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?"


@pytest.mark.parametrize("verbose", [1, 2, True])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("tol", [0, 0.02])
@pytest.mark.parametrize("max_iter", [3, 300])
def test_verbose_prints_scikit_learn_s_lines(capsys, algorithm, tol, max_iter, verbose):
    printed = []
    for cls in KMeans, sklearn.cluster.KMeans:
        cls(7, n_init=2, random_state=0, algorithm=algorithm, tol=tol, max_iter=max_iter, verbose=verbose).fit(X64)
        printed.append(capsys.readouterr().out)
    ours, stock = printed
    assert "Iteration 2, inertia" in stock
    assert re.sub(NUMBER, "#", ours).splitlines() == re.sub(NUMBER, "#", stock).splitlines()
    assert_allclose(numbers(ours), numbers(stock), rtol=1e-9)


def test_silent_by_default(capsys):
    KMeans(3, random_state=0).fit(X64)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("copy_x", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_and_initial_centers_are_left_as_they_are(copy_x, dtype):
    X = X64.astype(dtype)
    init = X[:5].copy()
    KMeans(5, init=init, copy_x=copy_x).fit(X)
    assert_array_equal(X, X64.astype(dtype))
    assert_array_equal(init, X[:5])


def test_the_best_of_several_runs_is_kept():
    state = np.random.RandomState(0)
    single = [KMeans(8, init="random", n_init=1, random_state=state).fit(X64) for _ in range(6)]
    best = KMeans(8, init="random", n_init=6, random_state=0).fit(X64)
    assert len({model.inertia_ for model in single}) > 1
    winner = min(single, key=lambda model: model.inertia_)
    assert best.inertia_ == winner.inertia_
    assert best.n_iter_ == winner.n_iter_
    assert_array_equal(best.labels_, winner.labels_)


@pytest.mark.parametrize("max_iter", [1, 2, 300])
@pytest.mark.parametrize("storage", FORMATS)
def test_labels_are_those_of_predict(storage, max_iter):
    X = FORMATS[storage](X64)
    model = KMeans(9, random_state=0, max_iter=max_iter)
    labels = model.fit_predict(X)
    assert labels is model.labels_
    assert_array_equal(model.predict(X), labels)


def test_after_strict_convergence_centers_are_means():
    model = KMeans(9, random_state=0, tol=0).fit(X64, sample_weight=WEIGHTS)
    for label, center in enumerate(model.cluster_centers_):
        rows = model.labels_ == label
        assert_allclose(center, np.average(X64[rows], axis=0, weights=WEIGHTS[rows]), rtol=1e-12)
    squared = ((X64 - model.cluster_centers_[model.labels_]) ** 2).sum(axis=1)
    assert_allclose(model.inertia_, squared @ WEIGHTS, rtol=1e-12)


@pytest.mark.parametrize("storage", FORMATS)
def test_methods_of_a_fitted_model(storage):
    X = FORMATS[storage](X64)
    unseen = FORMATS[storage](blobs(seed=1))
    ours, stock = fit_both(X, n_clusters=6, random_state=0)
    rtol = tolerance(X.dtype)
    assert ours.fit(X) is ours
    assert_array_equal(ours.predict(unseen), stock.predict(unseen))
    assert ours.predict(unseen).dtype == np.int32
    assert_allclose(ours.transform(unseen), stock.transform(unseen), rtol=rtol)
    assert ours.transform(unseen).dtype == stock.transform(unseen).dtype
    assert_allclose(ours.fit_transform(X), stock.fit_transform(X), rtol=20 * rtol)
    assert_allclose(ours.score(unseen), stock.score(unseen), rtol=rtol)
    assert_allclose(ours.score(unseen, sample_weight=WEIGHTS), stock.score(unseen, sample_weight=WEIGHTS), rtol=rtol)
    assert_array_equal(ours.fit_predict(X, sample_weight=WEIGHTS), stock.fit_predict(X, sample_weight=WEIGHTS))


def test_float32_distances_do_not_cancel():
    # |x|^2 - 2xc + |c|^2 in float32 would lose all digits here.
    X = (X64 * 1e-3 + 100).astype(np.float32)
    model = KMeans(5, random_state=0).fit(X)
    differences = X.astype(np.float64)[:, None] - model.cluster_centers_.astype(np.float64)
    exact = np.sqrt((differences**2).sum(axis=2))
    assert_allclose(model.transform(X), exact, rtol=1e-4)
    assert_allclose(np.take_along_axis(exact, model.labels_[:, None], axis=1)[:, 0], exact.min(axis=1), rtol=1e-4)
    assert_allclose(model.inertia_, np.square(exact.min(axis=1)).sum(), rtol=1e-3)


@pytest.mark.parametrize("storage", FORMATS)
def test_a_single_row(storage):
    X = FORMATS[storage](X64)
    model = KMeans(6, random_state=0).fit(X)
    labels = np.array([model.predict(X[i : i + 1])[0] for i in range(40)])
    assert_array_equal(labels, model.labels_[:40])


@pytest.mark.parametrize("fitted", [np.float32, np.float64])
def test_samples_of_another_float_type_than_the_model_s(fitted):
    other = np.float64 if fitted is np.float32 else np.float32
    model = KMeans(6, random_state=0).fit(X64.astype(fitted))
    X = blobs(seed=4).astype(other)
    distances = euclidean_distances(X.astype(np.float64), model.cluster_centers_.astype(np.float64))
    assert_array_equal(model.predict(X), distances.argmin(axis=1))
    assert_allclose(model.transform(X), distances, rtol=1e-6)
    assert_allclose(model.score(X), -np.square(distances.min(axis=1)).sum(), rtol=1e-6)
    assert_array_equal(model.predict(sp.csr_matrix(X)), distances.argmin(axis=1))


def test_weights_count_rows():
    repeats = np.random.RandomState(2).randint(0, 4, size=len(X64))
    weighted = KMeans(6, init=X64[:6]).fit(X64, sample_weight=repeats)
    repeated = KMeans(6, init=X64[:6]).fit(np.repeat(X64, repeats, axis=0))
    assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-12)
    assert_array_equal(np.repeat(weighted.labels_, repeats), repeated.labels_)
    assert_allclose(weighted.inertia_, repeated.inertia_, rtol=1e-12)
    assert weighted.n_iter_ == repeated.n_iter_


class TestEmptyClusters:
    """Initial centres far from all rows, or one on top of another, leave clusters without rows."""

    @pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
    @pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
    @pytest.mark.parametrize("storage", FORMATS)
    @pytest.mark.parametrize("max_iter", [1, 2, 300])
    @pytest.mark.filterwarnings("ignore:Number of distinct clusters")
    def test_they_go_to_the_farthest_rows(self, storage, weighted, algorithm, max_iter):
        X = FORMATS[storage](X64)
        init = np.vstack([X64[:3], np.full((3, 4), 1e3), X64[:1]])
        ours, stock = fit_both(
            X, WEIGHTS if weighted else None, n_clusters=7, init=init, algorithm=algorithm, max_iter=max_iter
        )
        assert_same_model(ours, stock)
        if max_iter == 300:
            assert len(np.unique(ours.labels_)) == 7

    @pytest.mark.parametrize("counts", [[5, 2], [2, 5]])
    def test_with_nowhere_to_go_they_are_put_at_the_heaviest_cluster(self, counts):
        # scikit-learn takes the place of the heaviest cluster before or after its sum is divided by its weight,
        # whichever comes first.
        X = np.repeat([[-16.0], [40.0]], counts, axis=0)
        init = np.array([[-16.0], [-16.0], [40.0], [40.0]])
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(4\)"):
            ours = KMeans(4, init=init, max_iter=1).fit(X)
        with pytest.warns(ConvergenceWarning):
            stock = sklearn.cluster.KMeans(4, init=init, max_iter=1).fit(X)
        assert_same_model(ours, stock)

    def test_rows_of_no_weight_do_not_fill_a_cluster(self):
        X = np.array([[0.0], [1.0], [10.0], [11.0], [50.0]])
        init = [[0.5], [10.5], [50.0]]
        weights = [1, 1, 1, 1, 0]
        ours, stock = fit_both(X, weights, n_clusters=3, init=init)
        assert_same_model(ours, stock)


class TestDegenerateData:
    """Right answers, equal to scikit-learn's, where clusters are not what one expects of them."""

    @pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("value", [0, 1, -2.5, 1e6])
    def test_constant(self, value, dtype, algorithm):
        X = np.full((50, 3), value, dtype=dtype)
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(4, random_state=0, algorithm=algorithm).fit(X))
        assert_same_model(ours.value, stock.value)
        assert_array_equal(ours.value.cluster_centers_, X[:4])
        assert ours.value.inertia_ == 0
        assert ours.warnings[0][0] is ConvergenceWarning

    @pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_as_many_clusters_as_rows(self, dtype, algorithm):
        X = X64[:30].astype(dtype)
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(30, random_state=0, algorithm=algorithm).fit(X))
        assert_array_equal(ours.value.labels_, stock.value.labels_)
        assert ours.value.n_iter_ == stock.value.n_iter_
        assert_array_equal(np.sort(ours.value.labels_), np.arange(30))
        assert_allclose(ours.value.cluster_centers_[ours.value.labels_], X, rtol=1e-6)
        assert ours.value.inertia_ == pytest.approx(0, abs=1e-10)

    @pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
    @pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
    def test_more_clusters_than_distinct_rows(self, sparse, algorithm):
        # Small integers, each 16 times: all sums and means are exact, whatever their order.
        X = np.repeat(np.random.RandomState(0).randint(-50, 50, size=(8, 3)).astype(float), 16, axis=0)
        X = sp.csr_matrix(X) if sparse else X
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(12, random_state=0, algorithm=algorithm).fit(X))
        assert ours.warnings[0][0] is ConvergenceWarning
        assert ours.value.inertia_ == 0
        assert_same_model(ours.value, stock.value)

    @pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
    def test_more_clusters_than_distinct_rows_whose_means_are_rounded(self, sparse):
        distinct = X64[:6]
        X = np.repeat(distinct, 20, axis=0)
        X = sp.csr_matrix(X) if sparse else X
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(9, random_state=0).fit(X))
        assert ours.warnings[0][0] is ConvergenceWarning
        assert_array_equal(ours.value.labels_, stock.value.labels_)
        used = np.unique(ours.value.labels_)
        assert len(used) == 6
        assert_allclose(ours.value.cluster_centers_[used], stock.value.cluster_centers_[used], rtol=1e-12)
        # Where clusters without rows are put is left to rounding: scikit-learn itself puts them elsewhere with other
        # numbers of threads. They stand on some row all the same.
        from_rows = np.abs(ours.value.cluster_centers_[:, None] - distinct).max(axis=2)
        assert_allclose(from_rows.min(axis=1), 0, atol=1e-13)

    def test_empty_clusters_moved_in_the_last_step(self):
        # 1/3 is rounded, so that rows seem to lie off their centres, and the empty clusters take all rows of one. It
        # goes to the heaviest cluster then, but nothing is labelled anew after a step that changed no label.
        X = np.repeat([[1.0], [0.0]], [3, 6], axis=0)
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(5, random_state=0).fit(X))
        assert_same_model(ours.value, stock.value)
        assert_array_equal(ours.value.predict(X), stock.value.predict(X))

    @pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_one_feature(self, dtype, algorithm):
        X = X64[:, :1].astype(dtype)
        assert_same_model(*fit_both(X, n_clusters=5, random_state=1, algorithm=algorithm))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 1)])
    def test_one_cluster_of_few_rows(self, shape):
        X = np.arange(6.0).reshape(3, 2)[: shape[0], :1].repeat(shape[1], axis=1)
        ours, stock = fit_both(X, n_clusters=1, random_state=0)
        assert_same_model(ours, stock)
        assert_array_equal(ours.cluster_centers_, X.mean(axis=0, keepdims=True))

    def test_one_cluster_is_the_mean(self):
        model = KMeans(1, random_state=0).fit(X64, sample_weight=WEIGHTS)
        assert_allclose(model.cluster_centers_[0], np.average(X64, axis=0, weights=WEIGHTS), rtol=1e-12)
        assert not model.labels_.any()

    def test_a_cluster_far_from_the_origin(self):
        X = X64 + 1e8
        assert_same_model(*fit_both(X, n_clusters=5, random_state=0))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_columns_of_very_different_scale(self, dtype):
        X = (X64 * [1e-12, 1, 1e6, 1e12]).astype(dtype)
        assert_same_model(*fit_both(X, n_clusters=5, random_state=0))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_an_outlier(self, dtype):
        X = X64.astype(dtype)
        X[17] = 1e4 if dtype is np.float32 else 1e8
        assert_same_model(*fit_both(X, n_clusters=5, random_state=0))

    def test_a_mostly_empty_sparse_matrix(self):
        X = sp.random(400, 1000, density=0.002, format="csr", random_state=0)
        assert (np.diff(X.indptr) == 0).any()
        assert_same_model(*fit_both(X, n_clusters=10, random_state=0))

    def test_a_sparse_matrix_without_stored_values(self):
        X = sp.csr_matrix((20, 3))
        ours, stock = assert_same_outcome(KMeans, lambda cls: cls(2, random_state=0).fit(X))
        assert_same_model(ours.value, stock.value)
