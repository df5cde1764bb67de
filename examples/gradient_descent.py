"""Four ways to the same least squares: the normal equation, batch, mini-batch and stochastic gradient descent.

    python gradient_descent.py                       # a table
    python gradient_descent.py --plot descent.png    # and a picture of the way each took

A plain scikit-learn script. The normal equation solves for the coefficients at once: ``LinearRegression``. The others
walk down the gradient of the mean squared error, and differ in how much data a step looks at:

* batch: all samples, always downhill, a step for each pass over the data;
* mini-batch: some samples, drawn anew for each pass, with steps that shrink like 1 / sqrt(t);
* stochastic: one sample, as ``SGDRegressor`` does; ``learning_rate="invscaling", power_t=0.5`` is the same schedule.

The first two are written out in NumPy, a line for each line of the method. ``SGDRegressor`` runs epoch by epoch
through ``partial_fit``, so that its way can be seen too.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.preprocessing import StandardScaler

EPOCHS = 25


def normal_equation(X, y):
    """Return the coefficients and the intercept, as a way of one step."""
    model = LinearRegression().fit(X, y)
    return [(model.coef_, model.intercept_)]


def batch(X, y, rate=0.2):
    """Step against the gradient of the error over all samples, once an epoch."""
    coef, intercept = np.zeros(X.shape[1]), 0.0
    way = []
    for _ in range(EPOCHS):
        error = X @ coef + intercept - y
        coef = coef - rate * (X.T @ error) / len(y)
        intercept = intercept - rate * error.mean()
        way.append((coef, intercept))
    return way


def mini_batch(X, y, size=100, rate=0.3, seed=0):
    """Step against the gradient over a batch of samples, with steps that shrink like 1 / sqrt(t)."""
    rng = np.random.default_rng(seed)
    coef, intercept, t = np.zeros(X.shape[1]), 0.0, 0
    way = []
    for _ in range(EPOCHS):
        order = rng.permutation(len(y))
        for begin in range(0, len(y), size):
            t += 1
            rows = order[begin : begin + size]
            error = X[rows] @ coef + intercept - y[rows]
            step = rate / np.sqrt(t)
            coef = coef - step * (X[rows].T @ error) / len(rows)
            intercept = intercept - step * error.mean()
        way.append((coef, intercept))
    return way


def stochastic(X, y, rate=0.02, seed=0):
    """Step against the gradient at one sample after the other."""
    model = SGDRegressor(penalty=None, learning_rate="invscaling", eta0=rate, power_t=0.5, random_state=seed)
    way = []
    for _ in range(EPOCHS):
        model.partial_fit(X, y)
        way.append((model.coef_.copy(), model.intercept_[0]))
    return way


METHODS = {
    "normal equation": normal_equation,
    "batch": batch,
    "mini-batch": mini_batch,
    "stochastic": stochastic,
}


def compare(n_samples=20_000, n_features=20):
    """Return for each method how long it took, its errors by epoch, and how far it ended from the best coefficients."""
    X, y = make_regression(n_samples, n_features, noise=25, bias=10, random_state=0)
    X, y = StandardScaler().fit_transform(X), y / y.std()
    results, best = {}, None
    for name, method in METHODS.items():
        start = time.perf_counter()
        way = method(X, y)
        seconds = time.perf_counter() - start
        best = way[-1][0] if best is None else best
        errors = [np.mean((X @ coef + intercept - y) ** 2) for coef, intercept in way]
        results[name] = {"seconds": seconds, "errors": errors, "distance": np.linalg.norm(way[-1][0] - best)}
    return results


def draw(results, file):
    """Draw how far above the least error each method is, by epoch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    least = results["normal equation"]["errors"][-1]
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for name in list(METHODS)[1:]:
        above = np.maximum(np.array(results[name]["errors"]) - least, 1e-16)
        axes.semilogy(np.arange(1, len(above) + 1), above, marker=".", label=name)
    axes.set(xlabel="epochs", ylabel="mean squared error above the least", title="Ways to the same least squares")
    axes.legend()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", metavar="FILE", help="write a picture (needs matplotlib)")
    options = parser.parse_args()

    results = compare()
    print(f"{'method':<18}{'seconds':>9}{'error':>12}{'from the best coefficients':>30}")
    for name, result in results.items():
        print(f"{name:<18}{result['seconds']:>9.3f}{result['errors'][-1]:>12.6f}{result['distance']:>30.2e}")
    if options.plot:
        draw(results, options.plot)
        print(f"wrote {options.plot}")


if __name__ == "__main__":
    main()
