"""LassoCV and ElasticNetCV: folds, grids, what they take and what they say."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

import fastml
from fastml.linear_model import ElasticNetCV, Lasso, LassoCV


def problem(n_samples=120, n_features=10, seed=0):
    """Return X, with means that matter, and y."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features)) + rng.normal(0, 3, n_features)
    return X, X[:, :3] @ np.array([3.0, -2, 1]) + rng.standard_normal(n_samples) + 7


def assert_same_choice(ours, stock, rtol=1e-7):
    assert_allclose(ours.alphas_, stock.alphas_, rtol=1e-11)
    assert_allclose(ours.mse_path_, stock.mse_path_, rtol=rtol)
    assert ours.alpha_ == pytest.approx(stock.alpha_, rel=1e-11)
    assert getattr(ours, "l1_ratio_", None) == getattr(stock, "l1_ratio_", None)
    assert ours.n_iter_ == stock.n_iter_
    assert_allclose(ours.coef_, stock.coef_, rtol=rtol, atol=1e-9)
    assert_allclose(ours.intercept_, stock.intercept_, rtol=rtol)


@pytest.mark.parametrize(
    "cv",
    [
        None,
        3,
        KFold(4, shuffle=True, random_state=0),
        LeaveOneOut(),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=0.3, random_state=0),
        ShuffleSplit(3, test_size=0.2, train_size=0.3, random_state=0),
        TimeSeriesSplit(3),
        PredefinedSplit(np.arange(120) % 3),
        [(np.arange(0, 100), np.arange(50, 120)), (np.arange(20, 120), np.arange(20))],
        [(np.arange(120) >= 30, np.arange(120) < 30), (np.arange(120) < 90, np.arange(120) >= 90)],
    ],
    ids=lambda cv: type(cv).__name__,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_any_splits(cv, weighted):
    X, y = problem()
    weight = np.random.default_rng(1).random(120) if weighted else None
    models = [
        package.LassoCV(cv=cv, alphas=20).fit(X, y, sample_weight=weight)
        for package in (sklearn.linear_model, fastml.linear_model)
    ]
    assert_same_choice(models[1], models[0])


def test_a_fold_that_leaves_out_nearly_all_of_a_feature():
    """Taking the rest off the whole would leave no digits: 1e16 of it are the outlier's."""
    X, y = problem()
    X[3, 4] = 1e8
    models = [
        package.LassoCV(cv=4, alphas=[0.5, 0.1, 0.01], fit_intercept=False).fit(X, y)
        for package in (sklearn.linear_model, fastml.linear_model)
    ]
    assert_same_choice(models[1], models[0], rtol=1e-5)


@pytest.mark.parametrize("shape", [(120, 10), (40, 90)], ids=str)
@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
@pytest.mark.parametrize("n_jobs", [None, 2, -1])
def test_shapes_and_threads(shape, kind, n_jobs):
    X, y = problem(*shape)
    if kind == "sparse":
        X = sp.csr_matrix(np.where(np.abs(X) > 3, X, 0))
    elif kind == "float32":
        X, y = X.astype(np.float32), y.astype(np.float32)
    models = [
        package.ElasticNetCV(l1_ratio=[0.3, 0.9], cv=3, alphas=15, eps=1e-2, n_jobs=n_jobs).fit(X, y)
        for package in (sklearn.linear_model, fastml.linear_model)
    ]
    assert models[1].mse_path_.shape == models[0].mse_path_.shape == (2, 15, 3)
    for name in ("coef_", "mse_path_", "alphas_"):
        assert getattr(models[1], name).dtype == getattr(models[0], name).dtype
    if kind == "float32":
        assert_allclose(models[1].mse_path_, models[0].mse_path_, rtol=1e-3)
    else:
        assert_same_choice(models[1], models[0], rtol=1e-6)


def test_many_threads_choose_as_one():
    X, y = problem(3000, 40)
    with fastml.config_context(n_threads=1):
        one = LassoCV(cv=5).fit(X, y)
    many = LassoCV(cv=5, n_jobs=2).fit(X, y)
    assert_allclose(many.mse_path_, one.mse_path_, rtol=1e-10)
    assert many.alpha_ == one.alpha_


def test_refit_is_the_lasso():
    X, y = problem(500, 30)
    model = LassoCV(cv=3).fit(X, y)
    lasso = Lasso(alpha=model.alpha_).fit(X, y)
    assert_allclose(model.coef_, lasso.coef_, rtol=1e-9)
    assert (model.n_iter_, model.dual_gap_) == (lasso.n_iter_, pytest.approx(lasso.dual_gap_, rel=1e-4))
    assert not hasattr(model, "l1_ratio_")
    assert_allclose(model.predict(X[:1]), lasso.predict(X[:1]))


def test_no_convergence_is_told_once_a_solution():
    X, y = problem()
    counts = []
    for package in (sklearn.linear_model, fastml.linear_model):
        with pytest.warns(ConvergenceWarning) as given:
            package.LassoCV(cv=3, alphas=[1e-4, 1e-3], max_iter=1, tol=1e-9).fit(X, y)
        counts.append([str(entry.message).split(" Duality gap")[0] for entry in given])
    assert counts[0] == counts[1]
    assert len(counts[1]) == 7


def test_errors_are_scikit_learns():
    X, y = problem(30, 4)
    for package in (sklearn.linear_model, fastml.linear_model):
        with pytest.raises(ValueError, match="MultiTaskLassoCV"):
            package.LassoCV().fit(X, np.stack([y, y], axis=1))
        with pytest.raises(ValueError, match="NaN"):
            package.LassoCV().fit(np.where(X > 3, np.nan, X), y)
        with pytest.raises(ValueError, match="inconsistent numbers"):
            package.ElasticNetCV().fit(X, y[1:])
        with pytest.raises(ValueError, match="'eps' parameter"):
            package.ElasticNetCV(eps=-1).fit(X, y)
        with pytest.raises(ValueError, match=r"alphas\[1\] == -1"):
            package.ElasticNetCV(alphas=[1, -1]).fit(X, y)
        with pytest.raises(TypeError, match=r"alphas\[0\] must be an instance"):
            package.LassoCV(alphas=["a"]).fit(X, y)
        with pytest.raises(ValueError, match="l1_ratio=0"):
            package.ElasticNetCV(l1_ratio=0).fit(X, y)
        with pytest.raises(ValueError, match="Cannot have number of splits"):
            package.LassoCV(cv=50).fit(X, y)
        with pytest.raises(ValueError, match="For mono-task outputs, use LassoCVCV"):
            package.MultiTaskLassoCV().fit(X, y)
        with pytest.raises(ValueError, match="l1_ratio=0"):
            package.MultiTaskElasticNetCV(l1_ratio=0).fit(X, np.stack([y, y], axis=1))


def test_alpha_zero_is_warned_of():
    X, y = problem(50, 3)
    for package in (sklearn.linear_model, fastml.linear_model):
        with pytest.warns(UserWarning, match="With alpha=0"):
            package.LassoCV(alphas=[0.0]).fit(X, y)


@pytest.mark.parametrize("name", ["ElasticNetCV", "MultiTaskElasticNetCV"])
@pytest.mark.parametrize("verbose", [1, 2])
def test_verbose_fits_print(capsys, name, verbose):
    X, y = problem(60, 4)
    targets = y if name == "ElasticNetCV" else np.stack([y, X[:, 0]], axis=1)
    printed, models = [], []
    for package in (sklearn.linear_model, fastml.linear_model):
        estimator = getattr(package, name)(l1_ratio=[0.5, 0.9], alphas=4, cv=3, n_jobs=1, verbose=verbose)
        models.append(estimator.fit(X, targets))
        # What joblib prints has the time that it took.
        printed.append([re.sub(r"[\d.]+s\b", "", text) for text in capsys.readouterr()])
    assert printed[1] == printed[0]
    assert "Path: 000 out of 004" in printed[1][0] or "...." in printed[1][1]
    assert_same_choice(models[1], models[0])


@pytest.mark.parametrize("name", ["LassoCV", "MultiTaskLassoCV"])
def test_groups_are_routed_to_the_splitter(name):
    X, y = problem(60, 4)
    targets = y if name == "LassoCV" else np.stack([y, X[:, 0]], axis=1)
    groups = np.arange(60) % 3
    weight = np.random.default_rng(0).random(60)
    with sklearn.config_context(enable_metadata_routing=True):
        models = [
            getattr(package, name)(cv=GroupKFold(3)).fit(X, targets, groups=groups, sample_weight=weight)
            for package in (sklearn.linear_model, fastml.linear_model)
        ]
        with pytest.raises(TypeError, match="unexpected argument"):
            getattr(fastml.linear_model, name)(cv=3).fit(X, targets, groups=groups)
    assert_same_choice(models[1], models[0])
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
        getattr(fastml.linear_model, name)(cv=GroupKFold(3)).fit(X, targets, groups=groups)


def test_gram_matrices_of_other_kinds_are_left_to_scikit_learn():
    X, y = problem(60, 4)
    with pytest.raises(fastml.FallbackError, match="precompute=True"):
        LassoCV(precompute=(X.T @ X).tolist()).fit(X, y)


def test_read_only_samples(tmp_path):
    X, y = problem()
    np.save(tmp_path / "x.npy", X)
    read_only = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_allclose(LassoCV(copy_X=False).fit(read_only, y).coef_, LassoCV().fit(X, y).coef_)


INTERRUPTED = """
import numpy as np
from fastml.linear_model import {cls}
X = np.random.default_rng(0).standard_normal({shape})
y = X @ np.ones((X.shape[1], 3) if {cls!r}.startswith("MultiTask") else X.shape[1])
model = {cls}(tol=1e-300, max_iter=10**9, {parameters})
print("started", flush=True)
try:
    model.fit(X, y)
except KeyboardInterrupt:
    print("interrupted", hasattr(model, "coef_"))
"""


@pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")
@pytest.mark.parametrize(
    ("cls", "shape", "parameters"),
    [
        ("Lasso", (300, 400), "alpha=1e-9"),
        ("Lasso", (3000, 300), "alpha=1e-9"),
        ("LassoCV", (600, 300), "alphas=[1e-9], n_jobs=2"),
        ("LassoCV", (600, 300), "alphas=[1e-9], n_jobs=1"),
        ("MultiTaskLasso", (300, 400), "alpha=1e-9"),
        ("MultiTaskLassoCV", (600, 300), "alphas=[1e-9], n_jobs=2"),
    ],
)
def test_ctrl_c(cls, shape, parameters):
    script = INTERRUPTED.format(cls=cls, shape=shape, parameters=parameters)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=1.5)  # it would go on for days
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out == "interrupted False\n"
    assert process.returncode == 0


def test_ratios_are_compared():
    X, y = problem(200, 6)
    model = ElasticNetCV(l1_ratio=[0.1, 0.99], cv=4).fit(X, y)
    means = model.mse_path_.mean(axis=2)
    ratio, penalty = np.unravel_index(means.argmin(), means.shape)
    assert model.l1_ratio_ == [0.1, 0.99][ratio]
    assert model.alpha_ == model.alphas_[ratio, penalty]
