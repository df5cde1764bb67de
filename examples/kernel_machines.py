"""Support vector machines with scikit-learn: grid search, many classes, one row at a time, regression, novelties.

A plain scikit-learn script on bundled data (handwritten digits, also enlarged by shifted copies; breast cancer). Each
step prints how long it took and how good it is; ``--output FILE`` writes the same, with the predictions, as JSON.

    python kernel_machines.py
    python kernel_machines.py --only SVR --output results.json
"""

import argparse
import json
import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, OneClassSVM

DIGITS = load_digits()
CANCER = load_breast_cancer()
STEPS = []


def step(estimator, title):
    """Add a function to the steps; it returns a score and the predictions."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


def split(X, y):
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


def shifted_digits():
    """Return the digits and copies moved by one pixel to each side: 8985 images of 64 pixels."""
    moved = [DIGITS.images] + [np.roll(DIGITS.images, shift, axis) for axis in (1, 2) for shift in (-1, 1)]
    return np.concatenate(moved).reshape(-1, 64) / 16, np.tile(DIGITS.target, 5)


@step("SVC", "digits: scaling and a grid of 12, 3 folds")
def grid_search():
    train, test, y_train, y_test = split(DIGITS.data, DIGITS.target)
    grid = {"svc__C": [1, 10, 100], "svc__gamma": ["scale", 0.003, 0.01, 0.03]}
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=3).fit(train, y_train)
    return {"score": search.score(test, y_test), "labels": search.predict(test)}


@step("SVC", "8,985 shifted digits, 10 classes")
def many_images():
    train, test, y_train, y_test = split(*shifted_digits())
    model = SVC(C=5).fit(train, y_train)
    labels = model.predict(test)
    return {"score": np.mean(labels == y_test), "labels": labels}


@step("SVC", "one row at a time, 300 rows")
def one_row_at_a_time():
    train, test, y_train, y_test = split(DIGITS.data, DIGITS.target)
    model = SVC().fit(train, y_train)
    labels = np.array([model.predict(row.reshape(1, -1))[0] for row in test[:300]])
    return {"score": np.mean(labels == y_test[:300]), "labels": labels}


@step("SVC", "small fits: breast cancer, 50 folds, polynomials")
def many_folds():
    model = make_pipeline(StandardScaler(), SVC(kernel="poly", degree=2, coef0=1))
    labels = cross_val_predict(model, CANCER.data, CANCER.target, cv=50)
    return {"score": np.mean(labels == CANCER.target), "labels": labels}


@step("NuSVC", "digits in classes of unequal weight")
def weighted():
    train, test, y_train, y_test = split(DIGITS.data, DIGITS.target)
    model = NuSVC(nu=0.05, class_weight={8: 1.5, 1: 1.5}).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


@step("SVR", "how much ink the lower half holds: grid of 6")
def ink():
    upper, lower = DIGITS.data[:, :32], DIGITS.data[:, 32:].sum(axis=1)
    train, test, y_train, y_test = train_test_split(upper, lower, test_size=0.3, random_state=0)
    search = GridSearchCV(SVR(), {"C": [10, 100, 1000], "epsilon": [1, 5]}, cv=3).fit(train, y_train)
    return {"score": search.score(test, y_test), "labels": np.round(search.predict(test)).astype(int)}


@step("OneClassSVM", "digits that are no eights")
def novelties():
    X, y = shifted_digits()
    train = X[y == 8][::2]
    labels = OneClassSVM(gamma=0.3, nu=0.05).fit(train).predict(X)
    return {"score": np.mean((labels == 1) == (y == 8)), "labels": labels}


@step("LinearSVC", "digits, one class against the others")
def linear():
    train, test, y_train, y_test = split(DIGITS.data / 16, DIGITS.target)
    model = LinearSVC(random_state=0).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="run the steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write the results as JSON")
    options = parser.parse_args()
    results = []
    for estimator, title, run in STEPS:
        if options.only not in (None, estimator):
            continue
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
        print(f"{estimator}, {title}: {seconds:.2f} s, score {result['score']:.4f}", flush=True)
        result["labels"] = result["labels"].tolist()
        results.append({"estimator": estimator, "title": title, "seconds": seconds, **result})
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main()
