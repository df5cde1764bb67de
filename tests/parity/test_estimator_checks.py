"""scikit-learn's own checks of what an estimator must do, on every estimator of fastml."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastml.cluster import KMeans, MiniBatchKMeans


@parametrize_with_checks(
    [
        KMeans(),
        KMeans(algorithm="elkan"),
        KMeans(n_clusters=3, init="random", n_init=2),
        MiniBatchKMeans(),
        MiniBatchKMeans(n_clusters=3, init="random", batch_size=20),
        MiniBatchKMeans(compute_labels=True, reassignment_ratio=0.3, batch_size=7),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)
