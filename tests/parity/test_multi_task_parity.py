"""The lasso and the elastic net of several tasks beside scikit-learn's: the same sweeps, to the same weights."""

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

import fastml.linear_model

N_CASES = 200
PACKAGES = (sklearn.linear_model, fastml.linear_model)


@dataclass
class Case:
    """A problem, drawn from its number."""

    number: int
    most_features: int = 500

    def __post_init__(self):
        rng = np.random.default_rng(self.number)
        n_samples, n_features = int(rng.choice([12, 40, 150, 400])), int(rng.choice([1, 3, 8, 30, 120, 500]))
        n_features = min(n_features, self.most_features)
        n_tasks = int(rng.choice([1, 2, 3, 7]))
        X = rng.standard_normal((n_samples, n_features))
        if rng.random() < 0.4:
            X = X @ (np.eye(n_features) + 0.3 * rng.random((n_features, n_features)))  # correlated features
        if rng.random() < 0.4:
            X += rng.normal(0, 5, n_features)  # means beyond the deviations
        chosen = rng.random((n_features, 1)) < 0.3
        coef = np.where(chosen, rng.normal(0, 3, (n_features, n_tasks)), 0)
        y = X @ coef + 0.5 * rng.standard_normal((n_samples, n_tasks)) + 3
        self.dtype = np.dtype(rng.choice(["float64", "float64", "float32"]))
        X = X.astype(self.dtype)
        form = rng.choice(["C", "F", "csc", "csr"])
        if form in ("C", "F"):
            self.X = np.asarray(X, order=form)
        else:
            self.X = sp.csr_array(X * (rng.random(X.shape) < 0.3)).asformat(form)
        self.y = np.asarray(y, order=rng.choice(["C", "F"]))
        self.weight = rng.random(n_samples) + 0.1 if rng.random() < 0.4 else None
        largest = np.linalg.norm(X.T @ (y - y.mean(axis=0)), axis=1).max() / n_samples
        self.parameters = {
            "alpha": float(largest * 10 ** rng.uniform(-3, 0.1)),
            "l1_ratio": float(rng.choice([1, 0.9, 0.5, 0.1, 0])),
            "fit_intercept": bool(rng.random() < 0.7),
            "selection": str(rng.choice(["cyclic", "cyclic", "random"])),
            "tol": float(10 ** rng.uniform(-9, -3)) if self.dtype == np.float64 else 1e-4,
            "random_state": int(rng.integers(100)),
            "max_iter": int(rng.choice([1000, 1000, 5])),
        }

    def samples(self):
        """Return samples of one's own: scikit-learn weighs them in place where there is no intercept."""
        return self.X.copy()


def told(entries):
    return [(entry.category, str(entry.message).split(" Duality gap")[0]) for entry in entries]


def fitted(case, package, **parameters):
    """Return the estimator of a package, fitted, and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as entries:
        warnings.simplefilter("always")
        model = package.MultiTaskElasticNet(**case.parameters | parameters)
        model.fit(case.samples(), case.y, sample_weight=case.weight)
    return model, told(entries)


def assert_same_fit(case, ours, stock):
    assert {name: type(value) for name, value in vars(ours).items()} == {
        name: type(value) for name, value in vars(stock).items()
    }
    assert ours.coef_.dtype == stock.coef_.dtype == case.dtype
    assert ours.coef_.flags.f_contiguous
    assert ours.coef_.shape == stock.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(stock.intercept_)
    if case.dtype == np.float64:
        scale = np.abs(stock.coef_).max()
        assert ours.n_iter_ == stock.n_iter_
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-7, atol=1e-9 * scale)
        assert_allclose(ours.intercept_, stock.intercept_, rtol=1e-7, atol=1e-9 * max(1, np.abs(case.y).max()))
        assert_allclose(ours.dual_gap_, stock.dual_gap_, rtol=1e-4, atol=1e-12 * (case.y**2).sum(axis=1).mean())
    assert_allclose(ours.eps_, stock.eps_, rtol=1e-9 if case.dtype == np.float64 else 1e-4)
    slack = 1e-12 if case.dtype == np.float64 else 1e-5 + 2 * case.parameters["tol"]
    assert objective(case, ours) <= objective(case, stock) + slack * (case.y**2).sum(axis=1).mean()


def objective(case, model):
    """Return the value that the fit makes small, with weights as they are."""
    X = (case.X.toarray() if sp.issparse(case.X) else case.X).astype(float)
    coef = model.coef_.astype(float)
    residues = case.y - X @ coef.T - model.intercept_
    penalty = model.l1_ratio * np.linalg.norm(coef, axis=0).sum() + 0.5 * (1 - model.l1_ratio) * (coef**2).sum()
    return 0.5 * np.average((residues**2).sum(axis=1), weights=case.weight) + model.alpha * penalty


@pytest.mark.parametrize("number", range(N_CASES))
def test_same_sweeps_and_weights(number):
    case = Case(number)
    (stock, stock_warnings), (ours, our_warnings) = (fitted(case, package) for package in PACKAGES)
    assert_same_fit(case, ours, stock)
    if case.dtype == np.float64:
        assert our_warnings == stock_warnings


@pytest.mark.parametrize("number", range(40))
def test_same_warm_starts(number):
    case = Case(number)
    models = []
    for package in PACKAGES:
        model, _ = fitted(case, package, warm_start=True)
        model.set_params(alpha=0.7 * case.parameters["alpha"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models.append(model.fit(case.samples(), case.y, sample_weight=case.weight))
    assert_same_fit(case, models[1], models[0])


def test_cases_vary():
    """What the cases above are to hold is there."""
    cases = [Case(number) for number in range(N_CASES)]
    models = [fitted(case, sklearn.linear_model) for case in cases[:100]]
    assert sum(bool(entries) for _, entries in models) > 5
    assert sum(model.n_iter_ > 20 for model, _ in models) > 10
    assert sum(0 < np.count_nonzero(model.coef_) < model.coef_.size for model, _ in models) > 30
    assert sum(sp.issparse(case.X) and case.parameters["fit_intercept"] for case in cases) > 40


@pytest.mark.parametrize("number", range(30))
@pytest.mark.parametrize("function", ["enet_path", "lasso_path"])
def test_same_paths(function, number):
    case = Case(number, most_features=120)
    rng = np.random.default_rng(number)
    arguments = {
        "eps": 1e-2,
        "alphas": rng.choice([20, 3]) if rng.random() < 0.7 else [0.1, 1.0, 0.4],
        "selection": case.parameters["selection"],
        "tol": case.parameters["tol"],
        "max_iter": 1000,
        "random_state": 0,
        "return_n_iter": True,
        "precompute": [True, False, "auto"][number % 3],
    }
    start = rng.standard_normal((case.y.shape[1], case.X.shape[1])) if rng.random() < 0.3 else None
    if function == "enet_path":
        arguments["l1_ratio"] = case.parameters["l1_ratio"] or 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        (alphas, coefs, gaps, n_iters), (our_alphas, our_coefs, our_gaps, our_n_iters) = (
            # A start of one's own: scikit-learn may write to it.
            getattr(package, function)(case.samples(), case.y, coef_init=copy.copy(start), **arguments)
            for package in PACKAGES
        )
    assert our_coefs.dtype == coefs.dtype
    assert our_coefs.shape == coefs.shape
    assert our_coefs.flags.c_contiguous
    assert_allclose(our_alphas, alphas, rtol=1e-12 if case.dtype == np.float64 else 1e-5)
    if case.dtype == np.float64:
        # At the first penalty of a grid a feature's size is the penalty itself, but for rounding: from weights that are
        # not zero, the sweeps that bring it there are a matter of rounding.
        first = 0 if start is None else 1
        assert our_n_iters[first:] == n_iters[first:]
        assert_allclose(our_coefs, coefs, rtol=1e-6, atol=1e-8 * max(np.abs(coefs).max(), 1e-300))
        assert_allclose(our_gaps, gaps, rtol=1e-3, atol=1e-11 * (case.y**2).sum(axis=1).mean())


@pytest.mark.parametrize("number", range(40))
def test_same_choice_of_penalty(number):
    case = Case(number, most_features=120)
    rng = np.random.default_rng(number)
    parameters = {name: case.parameters[name] for name in ("fit_intercept", "selection", "random_state", "tol")}
    parameters |= {
        "alphas": 15 if rng.random() < 0.7 else [0.5, 2.0, 0.1],
        "eps": 1e-2,
        "cv": int(rng.choice([2, 3, 5])),
        "max_iter": 1000,
        "n_jobs": [None, 2][number % 2],
    }
    name = "MultiTaskLassoCV"
    if rng.random() < 0.5:
        name = "MultiTaskElasticNetCV"
        parameters["l1_ratio"] = [0.7, [0.2, 0.9], [0.5]][number % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        stock, ours = (
            getattr(package, name)(**parameters).fit(case.samples(), case.y, sample_weight=case.weight)
            for package in PACKAGES
        )
    assert vars(ours).keys() == vars(stock).keys()
    for attribute in ("mse_path_", "alphas_", "alpha_", "coef_", "intercept_", "dual_gap_"):
        given, expected = getattr(ours, attribute), getattr(stock, attribute)
        assert type(given) is type(expected), attribute
        assert np.shape(given) == np.shape(expected), attribute
        assert getattr(given, "dtype", None) == getattr(expected, "dtype", None), attribute
    double = case.dtype == np.float64
    assert_allclose(ours.alphas_, stock.alphas_, rtol=1e-11 if double else 1e-4)
    assert_allclose(ours.mse_path_, stock.mse_path_, rtol=1e-6 if double else 0.05, atol=0 if double else 0.01)
    if double:
        assert ours.alpha_ == pytest.approx(stock.alpha_, rel=1e-11)
        assert ours.n_iter_ == stock.n_iter_
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-6, atol=1e-8 * max(np.abs(stock.coef_).max(), 1e-300))


@st.composite
def small_problems(draw):
    """Draw (X, y, parameters) of whole numbers: ties, repeated columns, columns of one value."""
    n_samples, n_features, n_tasks = draw(st.integers(2, 12)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    whole = st.integers(-3, 3).map(float)
    X = np.array(draw(st.lists(whole, min_size=n_samples * n_features, max_size=n_samples * n_features)))
    y = np.array(draw(st.lists(whole, min_size=n_samples * n_tasks, max_size=n_samples * n_tasks)))
    parameters = {
        "alpha": draw(st.sampled_from([1e-3, 0.1, 1.0])),
        "l1_ratio": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "fit_intercept": draw(st.booleans()),
        "selection": draw(st.sampled_from(["cyclic", "random"])),
        "random_state": 0,
    }
    return X.reshape(n_samples, n_features), y.reshape(n_samples, n_tasks), parameters


@settings(max_examples=150, deadline=None, derandomize=True)
@given(small_problems(), st.booleans())
def test_small_problems(problem, sparse):
    X, y, parameters = problem
    models = []
    for package in PACKAGES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            samples = sp.csc_array(X) if sparse else X.copy()
            models.append(package.MultiTaskElasticNet(**parameters).fit(samples, y))
    stock, ours = models
    y_norm2 = max(((y - y.mean(axis=0) * parameters["fit_intercept"]) ** 2).sum(), 1e-30)
    # Where a gap is rounding, either may make one sweep more.
    assert abs(ours.n_iter_ - stock.n_iter_) <= (stock.dual_gap_ * len(y) < 1e-12 * y_norm2)
    assert ours.dual_gap_ * len(y) <= max(stock.dual_gap_ * len(y), 1e-4 * y_norm2) + 1e-12 * y_norm2
    assert_allclose(ours.predict(X), stock.predict(X), atol=1e-6)
    assert_array_equal(ours.coef_[:, (X[0] == X).all(axis=0) & parameters["fit_intercept"]], 0)
