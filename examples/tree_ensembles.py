"""Trees and forests with scikit-learn: grid search, pruning, out-of-bag estimates, boosting, regression, completion.

A plain scikit-learn script on bundled data (handwritten digits, breast cancer, wine). Each step prints how long it
took and how good it is; ``--output FILE`` writes the same, with the predictions, as JSON.

    python tree_ensembles.py
    python tree_ensembles.py --only RandomForestClassifier --output results.json
    python tree_ensembles.py --plot tree.png
"""

import argparse
import json
import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, plot_tree

DIGITS = load_digits()
CANCER = load_breast_cancer()
WINE = load_wine()

STEPS = []


def step(estimator, title):
    """Add a function to the steps; it returns a score and the predictions."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


def split(data):
    return train_test_split(data.data, data.target, test_size=0.3, random_state=0, stratify=data.target)


@step("RandomForestClassifier", "selection, forest: grid search")
def grid_search():
    train, test, y_train, y_test = split(DIGITS)
    pipeline = make_pipeline(
        StandardScaler(),
        SelectFromModel(RandomForestClassifier(n_estimators=50, random_state=0), threshold="0.5*mean"),
        RandomForestClassifier(n_estimators=60, random_state=0),
    )
    grid = {
        "randomforestclassifier__max_features": ["sqrt", 0.3],
        "randomforestclassifier__min_samples_leaf": [1, 3],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(train, y_train)
    return {"score": search.score(test, y_test), "labels": search.predict(test)}


@step("RandomForestClassifier", "out-of-bag score, 20 to 200 trees")
def out_of_bag():
    model = RandomForestClassifier(warm_start=True, oob_score=True, random_state=0)
    for n_estimators in range(20, 201, 20):
        model.set_params(n_estimators=n_estimators).fit(DIGITS.data, DIGITS.target)
    return {"score": model.oob_score_, "labels": model.oob_decision_function_.argmax(axis=1)}


@step("RandomForestClassifier", "one row at a time, 150 rows")
def one_row_at_a_time():
    train, test, y_train, y_test = split(DIGITS)
    model = RandomForestClassifier(random_state=0).fit(train, y_train)
    labels = np.array([model.predict(row.reshape(1, -1))[0] for row in test[:150]])
    return {"score": np.mean(labels == y_test[:150]), "labels": labels}


@step("DecisionTreeClassifier", "pruning: cross-validation along the path")
def pruning():
    train, test, y_train, y_test = split(DIGITS)
    alphas = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(train, y_train).ccp_alphas
    alphas = np.unique(alphas[:-1])[::3]
    scores = [
        cross_val_score(DecisionTreeClassifier(ccp_alpha=alpha, random_state=0), train, y_train, cv=5).mean()
        for alpha in alphas
    ]
    model = DecisionTreeClassifier(ccp_alpha=alphas[np.argmax(scores)], random_state=0).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


@step("DecisionTreeClassifier", "information gain: 1,000 small trees")
def small_trees():
    labels, truth = [], []
    for seed, (train, test) in enumerate(StratifiedShuffleSplit(1000, random_state=0).split(WINE.data, WINE.target)):
        model = DecisionTreeClassifier(criterion="entropy", random_state=seed).fit(WINE.data[train], WINE.target[train])
        labels.append(model.predict(WINE.data[test]))
        truth.append(WINE.target[test])
    return {"score": np.mean(np.equal(labels, truth)), "labels": np.concatenate(labels)}


@step("ExtraTreesClassifier", "5-fold predictions of 200 trees")
def extra_trees():
    model = ExtraTreesClassifier(n_estimators=200, random_state=0)
    labels = cross_val_predict(model, DIGITS.data, DIGITS.target, cv=5)
    return {"score": np.mean(labels == DIGITS.target), "labels": labels}


@step("GradientBoostingClassifier", "one digit from the others, 150 stages")
def boosting():
    train, test, y_train, y_test = split(DIGITS)
    model = GradientBoostingClassifier(n_estimators=150, random_state=0).fit(train, y_train == 8)
    staged = [np.mean(labels == (y_test == 8)) for labels in model.staged_predict(test)]
    return {"score": max(staged), "labels": model.predict(test).astype(int)}


@step("GradientBoostingClassifier", "all ten digits, 30 stages")
def boosting_of_ten():
    train, test, y_train, y_test = split(DIGITS)
    model = GradientBoostingClassifier(n_estimators=30, subsample=0.7, max_features="sqrt", random_state=0)
    model.fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


@step("AdaBoostClassifier", "200 stumps, 5 folds")
def stumps():
    model = AdaBoostClassifier(n_estimators=200, random_state=0)
    labels = cross_val_predict(model, CANCER.data, CANCER.target, cv=5)
    return {"score": np.mean(labels == CANCER.target), "labels": labels}


@step("BaggingClassifier", "100 trees on half of the features")
def bagging():
    train, test, y_train, y_test = split(DIGITS)
    model = BaggingClassifier(n_estimators=100, max_features=0.5, random_state=0).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


@step("RandomForestRegressor", "how much ink the lower half holds")
def ink():
    upper, lower = DIGITS.data[:, :32], DIGITS.data[:, 32:]
    train, test, y_train, y_test = train_test_split(upper, lower.sum(axis=1), test_size=0.3, random_state=0)
    model = RandomForestRegressor(n_estimators=100, random_state=0).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": np.round(model.predict(test)).astype(int)}


@step("RandomForestRegressor", "completion of digits, 32 outputs")
def completion():
    upper, lower = DIGITS.data[:, :32], DIGITS.data[:, 32:]
    train, test, y_train, y_test = train_test_split(upper, lower, test_size=0.3, random_state=0)
    completed = RandomForestRegressor(n_estimators=40, random_state=0).fit(train, y_train).predict(test)
    return {"score": r2_score(y_test, completed), "labels": np.round(completed).astype(int).ravel()}


@step("RandomTreesEmbedding", "leaves as features of a linear model")
def embedding():
    train, test, y_train, y_test = split(DIGITS)
    model = make_pipeline(
        RandomTreesEmbedding(n_estimators=200, max_depth=4, random_state=0), LogisticRegression(max_iter=1000)
    ).fit(train, y_train)
    return {"score": model.score(test, y_test), "labels": model.predict(test)}


def draw_tree(path):
    """Draw a small tree: what the trees of scikit-learn can do, these can."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(CANCER.data, CANCER.target)
    figure, axis = plt.subplots(figsize=(14, 7), layout="constrained")
    plot_tree(
        model, ax=axis, feature_names=list(CANCER.feature_names), class_names=list(CANCER.target_names), filled=True
    )
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="run the steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write the results as JSON")
    parser.add_argument("--plot", metavar="FILE", help="draw a tree into this file (needs matplotlib)")
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
    if options.plot:
        draw_tree(options.plot)


if __name__ == "__main__":
    main()
