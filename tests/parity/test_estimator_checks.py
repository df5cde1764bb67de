"""scikit-learn's own checks of what an estimator must do, on every estimator of fastml."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastml.cluster import KMeans, MiniBatchKMeans

REPEATS = (
    "seeds are drawn by row, so that weights and repeated rows get others: scikit-learn's own k-means fails it too"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": REPEATS,
    "check_sample_weight_equivalence_on_sparse_data": REPEATS,
}


@parametrize_with_checks(
    [
        KMeans(),
        KMeans(algorithm="elkan"),
        KMeans(n_clusters=3, init="random", n_init=2),
        MiniBatchKMeans(),
        MiniBatchKMeans(n_clusters=3, init="random", batch_size=20),
        MiniBatchKMeans(reassignment_ratio=0.3, batch_size=7),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:algorithm='elkan':RuntimeWarning")
def test_estimator_checks(estimator, check):
    check(estimator)
