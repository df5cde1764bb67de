"""Draw what support vector machines decide in the plane: regions, margins and support vectors, for three kernels.

A plain scikit-learn script on bundled data (two half moons; two measurements of iris):

    python support_vectors.py
    python -m fastml support_vectors.py --pictures DIR  # writes PNGs (needs matplotlib)

A picture has a row for each penalty C and a column for each kernel. Lines are where the decision value is -1, 0 and 1;
support vectors lie on a dashed line or on its wrong side, and all other samples could be left out without a change. The
smaller C, the wider the margin, and the more of them lie within.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris, make_moons
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

KERNELS = {
    "linear": {"kernel": "linear"},
    "poly": {"kernel": "poly", "degree": 3, "coef0": 1.0},
    "rbf": {"kernel": "rbf"},
}
PENALTIES = (0.1, 10.0)
PIXELS = 200  # a side


def moons():
    """Return two half moons, with noise."""
    X, y = make_moons(300, noise=0.2, random_state=0)
    return X, y, ("first coordinate", "second coordinate")


def iris():
    """Return the petals of two kinds of iris that overlap."""
    data = load_iris()
    rows = data.target > 0
    return data.data[rows, 2:], data.target[rows], data.feature_names[2:]


DATA = {"moons": moons, "iris": iris}


def fit(X, y, kernel, C):
    """Return a machine over scaled samples, fitted."""
    return make_pipeline(StandardScaler(), SVC(C=C, **KERNELS[kernel])).fit(X, y)


def pixels(X):
    """Return the corners of a picture around samples, and where its pixels are."""
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
    grid = np.meshgrid(*(np.linspace(low[axis], high[axis], PIXELS) for axis in range(2)))
    return low, high, np.stack([axis.ravel() for axis in grid], axis=1)


def draw(axes, model, X, y):
    """Draw the regions of a machine, its margins, and its support vectors as circles."""
    low, high, points = pixels(X)
    values = model.decision_function(points).reshape(PIXELS, PIXELS)
    extent = (low[0], high[0], low[1], high[1])
    axes.imshow(values > 0, extent=extent, origin="lower", aspect="auto", cmap="coolwarm", alpha=0.25)
    axes.contour(
        values, levels=[-1, 0, 1], extent=extent, colors="k", linestyles=["--", "-", "--"], linewidths=[0.8, 1.5, 0.8]
    )
    axes.scatter(*X.T, c=y, cmap="coolwarm", s=12)
    vectors = X[model[-1].support_]
    axes.scatter(*vectors.T, s=50, facecolors="none", edgecolors="k", linewidths=0.8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(DATA), help="these data only (default: all)")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder for pictures (default: none)")
    options = parser.parse_args()

    for name in [options.only] if options.only else DATA:
        samples, classes, features = DATA[name]()
        X, X_test, y, y_test = train_test_split(samples, classes, test_size=0.4, stratify=classes, random_state=0)
        print(f"{name}: {len(X)} samples to learn from, {len(X_test)} others", flush=True)
        models = {}
        for C in PENALTIES:
            for kernel in KERNELS:
                start = time.perf_counter()
                model = models[C, kernel] = fit(X, y, kernel, C)
                machine, seconds = model[-1], time.perf_counter() - start
                margins = np.abs(model.decision_function(X[machine.support_]))
                print(
                    f"  {kernel}, C={C:g}: {len(machine.support_)} support vectors ({machine.n_support_[0]} + "
                    f"{machine.n_support_[1]}), {np.sum(margins < 0.999)} of them within the margin; "
                    f"accuracy {model.score(X, y):.1%}, on the others {model.score(X_test, y_test):.1%}; "
                    f"{1000 * seconds:.1f} ms",
                    flush=True,
                )
        if options.pictures is not None:
            options.pictures.mkdir(parents=True, exist_ok=True)
            path = options.pictures / f"support_vectors_{name}.png"
            draw_all(path, models, X, y, features)
            print(f"wrote {path}")


def draw_all(path, models, X, y, features):
    """Write a picture of machines by penalty and kernel."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, table = plt.subplots(
        len(PENALTIES), len(KERNELS), figsize=(13, 8), sharex=True, sharey=True, layout="constrained"
    )
    for (C, kernel), axes in zip(models, table.ravel()):
        model = models[C, kernel]
        draw(axes, model, X, y)
        axes.set_title(f"{kernel}, C={C:g}: {len(model[-1].support_)} support vectors")
    for axes in table[-1]:
        axes.set_xlabel(features[0])
    for axes in table[:, 0]:
        axes.set_ylabel(features[1])
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
