"""scikit-learn's own checks of what an estimator must do, on every estimator of fastml."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastml.cluster import KMeans, MiniBatchKMeans

# scikit-learn's own classes, under the same parameters, fail the same two. The check compares a fit on weighted rows
# with one on the rows repeated; the random draws of the initial centres (and of batches) depend on the number of rows.
DRAWS_DEPEND_ON_THE_NUMBER_OF_ROWS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "initial centres are drawn among the rows as they are given"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [
        KMeans(),
        KMeans(algorithm="elkan"),
        KMeans(n_clusters=3, init="random", n_init=2),
        MiniBatchKMeans(),
        MiniBatchKMeans(n_clusters=3, init="random", batch_size=20),
        MiniBatchKMeans(compute_labels=True, reassignment_ratio=0.3, batch_size=7),
    ],
    expected_failed_checks=lambda estimator: DRAWS_DEPEND_ON_THE_NUMBER_OF_ROWS,
)
def test_estimator_checks(estimator, check):
    check(estimator)
