"""The lasso and the elastic net beside scikit-learn's: the same sweeps, to the same weights."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal

import fastml.linear_model

N_CASES = 300


@dataclass
class Case:
    """A problem, drawn from its number."""

    number: int

    def __post_init__(self):
        rng = np.random.default_rng(self.number)
        n_samples, n_features = int(rng.choice([12, 40, 150, 400])), int(rng.choice([1, 3, 8, 30, 120, 500]))
        X = rng.standard_normal((n_samples, n_features))
        if rng.random() < 0.4:
            X = X @ (np.eye(n_features) + 0.3 * rng.random((n_features, n_features)))  # correlated features
        if rng.random() < 0.4:
            X += rng.normal(0, 5, n_features)  # means beyond the deviations
        coef = np.where(rng.random(n_features) < 0.3, rng.normal(0, 3, n_features), 0)
        y = X @ coef + 0.5 * rng.standard_normal(n_samples) + 3
        if rng.random() < 0.25:
            y = np.stack([y, y + rng.standard_normal(n_samples), rng.standard_normal(n_samples)], axis=1)
        self.dtype = np.dtype(rng.choice(["float64", "float64", "float32"]))
        X = X.astype(self.dtype)
        form = rng.choice(["C", "F", "csc", "csr"])
        if form in ("C", "F"):
            self.X = np.asarray(X, order=form)
        else:
            self.X = sp.csr_array(X * (rng.random(X.shape) < 0.3)).asformat(form)
        self.y = y
        self.weight = rng.random(n_samples) + 0.1 if rng.random() < 0.4 else None
        largest = np.abs(X.T @ (y - y.mean(axis=0))).max() / n_samples
        self.parameters = {
            "alpha": float(largest * 10 ** rng.uniform(-3, 0.1)),
            "l1_ratio": float(rng.choice([1, 0.9, 0.5, 0.1])),
            "fit_intercept": bool(rng.random() < 0.7),
            "positive": bool(rng.random() < 0.25),
            "selection": str(rng.choice(["cyclic", "cyclic", "random"])),
            "tol": float(10 ** rng.uniform(-9, -3)) if self.dtype == np.float64 else 1e-4,
            "random_state": int(rng.integers(100)),
            "max_iter": int(rng.choice([1000, 1000, 5])),
            "precompute": bool(rng.random() < 0.3),
        }

    def fit(self, package):
        """Return the estimator of a package, fitted, and the warnings that it gave."""
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            model = package.ElasticNet(**self.parameters).fit(self.X, self.y, sample_weight=self.weight)
        return model, [(entry.category, str(entry.message).split(" Duality gap")[0]) for entry in given]


def objective(case, model):
    """Return the value that each target's fit makes small, with weights as they are."""
    X = (case.X.toarray() if sp.issparse(case.X) else case.X).astype(float)
    coef = np.atleast_2d(model.coef_).astype(float)
    residues = case.y.reshape(len(case.y), -1) - X @ coef.T - model.intercept_
    l1_ratio = model.l1_ratio
    penalty = l1_ratio * np.abs(coef).sum(axis=1) + 0.5 * (1 - l1_ratio) * (coef**2).sum(axis=1)
    return 0.5 * np.average(residues**2, axis=0, weights=case.weight) + model.alpha * penalty


@pytest.mark.parametrize("number", range(N_CASES))
def test_same_sweeps_and_weights(number):
    case = Case(number)
    (stock, stock_warnings), (ours, our_warnings) = case.fit(sklearn.linear_model), case.fit(fastml.linear_model)
    for name in ("coef_", "intercept_", "dual_gap_", "n_iter_"):
        given, expected = getattr(ours, name), getattr(stock, name)
        assert type(given) is type(expected), name
        assert np.shape(given) == np.shape(expected), name
        assert getattr(given, "dtype", None) == getattr(expected, "dtype", None), name
    scale = np.abs(stock.coef_).max()
    y_norm2 = (case.y**2).mean(axis=0)
    if case.dtype == np.float64:
        assert_array_equal(ours.n_iter_, stock.n_iter_)
        assert our_warnings == stock_warnings
        # The same steps, rounded otherwise: what remains is rounding, as it was carried through some hundred sweeps.
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-7, atol=1e-9 * scale)
        assert_allclose(ours.intercept_, stock.intercept_, rtol=1e-7, atol=1e-9 * max(1, np.abs(case.y).max()))
        assert_allclose(ours.dual_gap_, stock.dual_gap_, rtol=1e-4, atol=1e-12 * y_norm2.max())
    # The gap bounds what an objective can be off by; float32 rounds it at a millionth.
    slack = (1e-12 if case.dtype == np.float64 else 1e-5 + 2 * case.parameters["tol"]) * y_norm2
    assert (objective(case, ours) <= objective(case, stock) + slack).all()


def test_cases_vary():
    """What the cases above are to hold is there."""
    cases = [Case(number) for number in range(N_CASES)]
    fitted = [case.fit(sklearn.linear_model) for case in cases[:100]]
    assert sum(bool(given) for _, given in fitted) > 5
    assert sum(np.max(model.n_iter_) > 20 for model, _ in fitted) > 10
    assert sum(0 < np.count_nonzero(model.coef_) < model.coef_.size for model, _ in fitted) > 30
    assert sum(sp.issparse(case.X) and case.parameters["fit_intercept"] for case in cases) > 50


@pytest.mark.parametrize("number", range(60))
@pytest.mark.parametrize("function", ["enet_path", "lasso_path"])
def test_same_paths(function, number):
    case = Case(number)
    y = case.y if case.y.ndim == 1 else case.y[:, 0]
    rng = np.random.default_rng(number)
    arguments = {
        "eps": 1e-2,
        "alphas": rng.choice([20, 3]) if rng.random() < 0.7 else [0.1, 1.0, 0.4],
        "positive": case.parameters["positive"],
        "selection": case.parameters["selection"],
        "tol": case.parameters["tol"],
        "max_iter": 3000,
        "random_state": 0,
        "return_n_iter": True,
        "precompute": bool(rng.random() < 0.5),
    }
    if function == "enet_path":
        arguments["l1_ratio"] = case.parameters["l1_ratio"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        alphas, coefs, gaps, n_iters = getattr(sklearn.linear_model, function)(case.X, y, **arguments)
        our_alphas, our_coefs, our_gaps, our_n_iters = getattr(fastml.linear_model, function)(case.X, y, **arguments)
    assert our_coefs.dtype == coefs.dtype
    assert_allclose(our_alphas, alphas, rtol=1e-12 if case.dtype == np.float64 else 1e-5)
    if case.dtype == np.float64:
        assert our_n_iters == n_iters
        assert_allclose(our_coefs, coefs, rtol=1e-6, atol=1e-8 * max(np.abs(coefs).max(), 1e-300))
        assert_allclose(our_gaps, gaps, rtol=1e-3, atol=1e-11 * (y @ y) / len(y))


@pytest.mark.parametrize("number", range(40))
def test_same_choice_of_penalty(number):
    case = Case(number)
    if case.X.shape[0] < 40:
        case.parameters["max_iter"] = 1000  # some fits converge, however short the folds
    y = case.y if case.y.ndim == 1 else case.y[:, 0]
    rng = np.random.default_rng(number)
    names = ("fit_intercept", "positive", "selection", "random_state", "tol")
    parameters = {name: case.parameters[name] for name in names}
    parameters |= {
        "alphas": 15 if rng.random() < 0.7 else [0.5, 2.0, 0.1],
        "eps": 1e-2,
        "cv": int(rng.choice([2, 3, 5])),
        "max_iter": 3000,
        "precompute": [True, False, "auto"][number % 3],
    }
    name = "LassoCV"
    if rng.random() < 0.5:
        name = "ElasticNetCV"
        parameters["l1_ratio"] = [0.7, [0.2, 0.9], [0.5]][number % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        stock, ours = (
            getattr(package, name)(**parameters).fit(case.X.copy(), y, sample_weight=case.weight)
            for package in (sklearn.linear_model, fastml.linear_model)
        )  # copies, since scikit-learn's weighs X in place where there is no intercept
    assert vars(ours).keys() == vars(stock).keys()
    for attribute in ("mse_path_", "alphas_", "alpha_", "coef_", "intercept_", "dual_gap_"):
        given, expected = getattr(ours, attribute), getattr(stock, attribute)
        assert np.shape(given) == np.shape(expected), attribute
        assert getattr(given, "dtype", None) == getattr(expected, "dtype", None), attribute
    double = case.dtype == np.float64
    assert_allclose(ours.alphas_, stock.alphas_, rtol=1e-11 if double else 1e-4)
    assert_allclose(ours.mse_path_, stock.mse_path_, rtol=1e-6 if double else 0.05, atol=0 if double else 0.01)
    if double:
        assert ours.alpha_ == pytest.approx(stock.alpha_, rel=1e-11)
        assert ours.n_iter_ == stock.n_iter_
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-6, atol=1e-8 * max(np.abs(stock.coef_).max(), 1e-300))
