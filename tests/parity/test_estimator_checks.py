"""scikit-learn's own checks of what an estimator must do, on every estimator of fastml."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastml.cluster import DBSCAN, KMeans, MiniBatchKMeans
from fastml.decomposition import PCA, IncrementalPCA, TruncatedSVD
from fastml.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from fastml.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from fastml.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestCentroid,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from fastml.neural_network import MLPClassifier, MLPRegressor
from fastml.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

REPEATS = (
    "seeds are drawn by row, so that weights and repeated rows get others: scikit-learn's own k-means fails it too"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": REPEATS,
    "check_sample_weight_equivalence_on_sparse_data": REPEATS,
}


DRAWS = "samples are drawn by row, so that weights and repeated rows get others: scikit-learn's own class fails it too"
SPLITS = "scikit-learn's own class fails it too"
WEIGHT_CHECKS = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)
TREE_FAILURES = {
    name: dict.fromkeys(WEIGHT_CHECKS, reason)
    for name, reason in {
        "RandomForestClassifier": DRAWS,
        "RandomForestRegressor": DRAWS,
        "RandomTreesEmbedding": DRAWS,
        "BaggingClassifier": DRAWS,
        "BaggingRegressor": DRAWS,
        "GradientBoostingClassifier": SPLITS,
        "GradientBoostingRegressor": SPLITS,
    }.items()
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


@parametrize_with_checks([DBSCAN(), DBSCAN(metric="manhattan", algorithm="ball_tree")])
def test_dbscan_checks(estimator, check):
    check(estimator)


WORDS = "the message does not say so in the words expected: scikit-learn's own does not either"
COMPONENT_FAILURES = {
    "covariance_eigh": {"check_fit2d_1sample": WORDS},
    "arpack": {"check_fit2d_1sample": WORDS, "check_fit2d_1feature": WORDS},
    "arpack of TruncatedSVD": {"check_fit2d_1sample": WORDS},
}


def component_failures(estimator):
    if isinstance(estimator, TruncatedSVD):
        return COMPONENT_FAILURES.get(f"{estimator.algorithm} of TruncatedSVD", {})
    return COMPONENT_FAILURES.get(estimator.svd_solver, {}) if isinstance(estimator, PCA) else {}


@parametrize_with_checks(
    [
        PCA(),
        PCA(2, svd_solver="covariance_eigh", whiten=True),
        PCA(1, svd_solver="arpack"),
        PCA(0.5, svd_solver="full"),
        PCA(1, svd_solver="randomized", random_state=0),
        IncrementalPCA(),
        IncrementalPCA(batch_size=7, whiten=True),
        TruncatedSVD(1, random_state=0),
        TruncatedSVD(1, algorithm="arpack", random_state=0),
    ],
    expected_failed_checks=component_failures,
)
def test_component_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        DecisionTreeClassifier(),
        DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=10),
        DecisionTreeRegressor(),
        DecisionTreeRegressor(criterion="absolute_error"),
        ExtraTreeClassifier(),
        ExtraTreeRegressor(),
        RandomForestClassifier(n_estimators=5),
        RandomForestClassifier(n_estimators=3, class_weight="balanced_subsample", oob_score=True),
        RandomForestRegressor(n_estimators=5),
        ExtraTreesClassifier(n_estimators=5),
        ExtraTreesRegressor(n_estimators=5, n_jobs=2),
        RandomTreesEmbedding(n_estimators=5),
        GradientBoostingClassifier(n_estimators=5),
        GradientBoostingRegressor(n_estimators=30, loss="huber"),
        AdaBoostClassifier(n_estimators=5),
        AdaBoostRegressor(n_estimators=5),
        BaggingClassifier(n_estimators=5),
        BaggingRegressor(n_estimators=5),
    ],
    expected_failed_checks=lambda estimator: TREE_FAILURES.get(type(estimator).__name__, {}),
)
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores", "ignore:divide by zero:RuntimeWarning")
def test_tree_checks(estimator, check):
    check(estimator)


SHUFFLES = (
    "samples are shuffled by row, so that repeated rows come at other times: scikit-learn's own class fails it too"
)


@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPClassifier(solver="lbfgs", max_iter=100),
        MLPRegressor(max_iter=100),
        MLPRegressor(solver="lbfgs", max_iter=100),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_perceptrons(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        SGDClassifier(),
        SGDClassifier(loss="log_loss", penalty="elasticnet", average=True, max_iter=5),
        SGDRegressor(),
        SGDRegressor(loss="huber", learning_rate="adaptive", max_iter=5),
        SGDOneClassSVM(),
        Perceptron(),
        *(cls() for cls in (PassiveAggressiveClassifier, PassiveAggressiveRegressor)),
    ],
    expected_failed_checks=lambda estimator: dict.fromkeys(WEIGHT_CHECKS, SHUFFLES),
)
@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Class PassiveAggressive:FutureWarning"
)
def test_sgd_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        KNeighborsClassifier(),
        KNeighborsClassifier(weights="distance", metric="manhattan", algorithm="brute"),
        KNeighborsRegressor(),
        KNeighborsRegressor(weights="distance", metric="cosine"),
        KNeighborsTransformer(),
        LocalOutlierFactor(),
        LocalOutlierFactor(novelty=True),
        NearestCentroid(),
        NearestCentroid(metric="manhattan"),
        NearestNeighbors(),
        NearestNeighbors(algorithm="kd_tree", n_neighbors=2),
        RadiusNeighborsClassifier(),
        RadiusNeighborsRegressor(),
        RadiusNeighborsTransformer(),
    ]
)
def test_neighbor_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        ElasticNet(),
        ElasticNet(positive=True, selection="random", random_state=0),
        ElasticNetCV(cv=3, alphas=20, max_iter=2000),
        Lasso(),
        Lasso(precompute=True, fit_intercept=False),
        LassoCV(cv=3, alphas=20, max_iter=2000),
        MultiTaskElasticNet(),
        MultiTaskElasticNetCV(cv=3, alphas=20, max_iter=2000),
        MultiTaskLasso(selection="random", random_state=0),
        MultiTaskLassoCV(cv=3, alphas=20, max_iter=2000),
    ]
)
def test_coordinate_descent_checks(estimator, check):
    check(estimator)


def least_squares_failures(estimator):
    """Return what scikit-learn's own classes fail as well."""
    if getattr(estimator, "cv", None):
        return {"check_requires_y_none": "the search for a penalty says that all its fits failed"}
    if isinstance(estimator, (Ridge, RidgeClassifier)):
        return {"check_non_transformer_estimators_n_iter": "most solvers have no iterations to tell"}
    return {}


@parametrize_with_checks(
    [
        LinearRegression(),
        LinearRegression(fit_intercept=False),
        LinearRegression(positive=True),
        Ridge(),
        Ridge(solver="svd"),
        Ridge(positive=True),
        RidgeClassifier(),
        RidgeClassifierCV(),
        RidgeCV(),
        RidgeCV(gcv_mode="svd"),
        RidgeCV(cv=3),
    ],
    expected_failed_checks=least_squares_failures,
)
@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore::sklearn.exceptions.FitFailedWarning")
def test_least_squares_checks(estimator, check):
    check(estimator)


def logistic_failures(estimator):
    """Return what scikit-learn's own classes fail as well."""
    if estimator.solver == "liblinear":
        reason = "all numbers of classes but two get the message about too many"
        return dict.fromkeys(("check_classifier_not_supporting_multiclass", "check_fit2d_1sample"), reason)
    if estimator.solver == "saga":
        reason = "it draws rows: repeated ones come up in another order than one with a weight"
        return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}
    return {}


@parametrize_with_checks(
    [
        LogisticRegression(),
        LogisticRegression(solver="newton-cg", C=10.0),
        LogisticRegression(solver="newton-cholesky", class_weight="balanced"),
        LogisticRegression(solver="liblinear", l1_ratio=1, tol=1e-12, max_iter=5000),
        LogisticRegression(solver="saga", l1_ratio=0.5),
        LogisticRegressionCV(Cs=2, cv=3, l1_ratios=(0,), scoring="accuracy", use_legacy_attributes=False),
    ],
    expected_failed_checks=logistic_failures,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_logistic_checks(estimator, check):
    check(estimator)


def kernel_machine_failures(estimator):
    """Return what scikit-learn's own classes fail as well."""
    if estimator.kernel == "linear":
        return {}
    expected = dict.fromkeys(WEIGHT_CHECKS, "of many solutions that are the same to tol, LIBSVM's steps find another")
    if isinstance(estimator, NuSVC):
        expected["check_class_weight_classifiers"] = "nu-SVC has no penalty that a class could weigh"
        expected["check_classifiers_one_label_sample_weights"] = "weights of one class make nu infeasible"
    return expected


@parametrize_with_checks(
    [
        SVC(),
        SVC(kernel="linear", class_weight="balanced", break_ties=True, tol=1e-10),
        NuSVC(),
        SVR(),
        NuSVR(),
        OneClassSVM(),
    ],
    expected_failed_checks=kernel_machine_failures,
)
def test_kernel_machines(estimator, check):
    check(estimator)
