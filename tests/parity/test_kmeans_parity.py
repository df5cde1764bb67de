"""KMeans against scikit-learn's over random problems: the same labels in as many iterations, but for ties."""

from functools import cache

import numpy as np
import pytest
import sklearn.cluster
from clustering_cases import grid_case, random_case
from numpy.testing import assert_array_equal
from ties import explain_difference, explain_seeds, same_clusters

from fastml.cluster import KMeans, kmeans_plusplus

NUMBERS = range(400)
# Of the first 4000 numbers, those where the two have been seen to part: two dozen.
WHERE_THEY_PART = [
    *[273, 301, 628, 696, 935, 1172, 1185, 1231, 1384, 1761, 2177, 2283],
    *[2367, 2491, 2643, 2709, 2769, 2973, 3367, 3498, 3548, 3845, 3896, 3994],
]

pytestmark = pytest.mark.filterwarnings("ignore:Number of distinct clusters")


@cache
def fit_both(number):
    case = random_case(number)
    X, weights = case.samples(), case.sample_weight()
    return [cls(**case.parameters()).fit(X, sample_weight=weights) for cls in (KMeans, sklearn.cluster.KMeans)]


def assert_close(case, ours, stock):
    """Assert that centres and inertia of the same clusters agree."""
    X, weights = case.samples(), case.sample_weight()
    weights = np.ones(case.n_samples) if weights is None else weights
    eps = np.finfo(case.dtype).eps

    # scikit-learn adds up n rows in the dtype of X, ours in double: errors of n terms, most of which cancel. A float64
    # sum from which rows have been taken, as ours are, keeps the rounding of what it once was.
    terms = 2 * case.n_samples if case.dtype == "float64" else 4 * np.sqrt(case.n_samples)
    difference = np.abs(ours.cluster_centers_ - stock.cluster_centers_).max()
    assert difference <= terms * eps * abs(X).max()

    # Means minimise inertia, so that a difference between them counts squared. Squared distances to sparse rows are
    # |x|^2 - 2xc + |c|^2, whose terms cancel.
    off_centre = weights.sum() * case.n_features * difference**2
    cancelling = weights @ np.asarray(X.astype(float).multiply(X).sum(axis=1)).ravel() if case.is_sparse else 0
    bound = 4 * eps * (np.sqrt(case.n_samples) * stock.inertia_ + cancelling) + off_centre
    assert abs(ours.inertia_ - stock.inertia_) <= bound


@pytest.mark.parametrize("number", NUMBERS)
def test_same_model(number):
    case = random_case(number)
    ours, stock = fit_both(number)
    assert ours.cluster_centers_.dtype == stock.cluster_centers_.dtype
    if same_clusters(ours, stock):
        assert_close(case, ours, stock)
    else:
        print(case, "->", explain_difference(case))


def test_share_of_same_models():
    same = [same_clusters(*fit_both(number)) for number in NUMBERS]
    print(f"{sum(same)} of {len(same)} cases are equal")
    assert np.mean(same) >= 0.99


@pytest.mark.parametrize("number", WHERE_THEY_PART)
def test_where_they_part_there_is_a_tie(number):
    # With other compilers and BLAS libraries they part elsewhere.
    if not same_clusters(*fit_both(number)):
        case = random_case(number)
        print(case, "->", explain_difference(case))


@pytest.mark.parametrize("number", range(60))
def test_on_a_grid_they_part_at_ties_only(number):
    case = grid_case(number)
    X, weights = case.samples(), case.sample_weight()
    ours, stock = (cls(**case.parameters()).fit(X, sample_weight=weights) for cls in (KMeans, sklearn.cluster.KMeans))
    if same_clusters(ours, stock):
        assert_close(case, ours, stock)
    else:
        print(case, "->", explain_difference(case))


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_both_algorithms_are_one(algorithm):
    case = random_case(7)
    X, parameters = case.samples(), case.parameters()
    models = [KMeans(**{**parameters, "algorithm": name}).fit(X) for name in ("lloyd", algorithm)]
    assert_array_equal(models[0].labels_, models[1].labels_)
    assert_array_equal(models[0].cluster_centers_, models[1].cluster_centers_)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("number", range(200))
def test_kmeans_plusplus_chooses_the_same_rows(number, weighted):
    case = random_case(number)
    X = case.samples()
    weights = np.random.RandomState(number).uniform(size=case.n_samples) if weighted else None
    for seed in range(5):
        _, ours = kmeans_plusplus(X, case.n_clusters, random_state=seed, sample_weight=weights)
        _, stock = sklearn.cluster.kmeans_plusplus(X, case.n_clusters, random_state=seed, sample_weight=weights)
        if not np.array_equal(ours, stock):
            print(case, "->", explain_seeds(X, weights, seed, ours, stock))
