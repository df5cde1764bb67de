"""Search the learning rate and the layers of a network in a pipeline, with scikit-learn's own tools.

    python neural_net_grid_search.py                           # a table
    python neural_net_grid_search.py --plot learning.png       # and how the best network learnt, epoch by epoch

``optimizer__lr`` and ``module__hidden_layer_sizes`` are parameters of ``NeuralNetClassifier`` like any other, so that a
grid search, here over a pipeline, varies them as it would vary the depth of a tree.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastml.neural_network import NeuralNetClassifier

GRID = {
    "neuralnetclassifier__optimizer__lr": [0.0003, 0.003, 0.03],
    "neuralnetclassifier__module__hidden_layer_sizes": [(32,), (128,), (128, 64)],
    "neuralnetclassifier__module__dropout": [0.0, 0.3],
}


def search(X, y):
    """Return the search, fitted. Its best network has been trained again on all of X."""
    net = NeuralNetClassifier(
        max_epochs=20,
        early_stopping=True,
        early_stopping__patience=5,
        scoring="accuracy",
        random_state=0,
    )
    return GridSearchCV(make_pipeline(StandardScaler(), net), GRID, cv=3).fit(X, y)


def draw(history, file):
    """Draw the loss and the accuracy of each epoch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    history.plot(ax=axes[0])
    history.plot(["accuracy"], ax=axes[1])
    axes[0].set_title("loss")
    axes[1].set_title("accuracy on samples kept back")
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", metavar="FILE", help="write a picture (needs matplotlib)")
    options = parser.parse_args()

    X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.3, random_state=0)
    found = search(X, y)
    print(f"{'learning rate':<16}{'layers':<14}{'dropout':>8}{'accuracy':>11}")
    results = found.cv_results_
    for i in results["mean_test_score"].argsort()[::-1]:
        dropout, layers, rate = (results["params"][i][name] for name in sorted(GRID))
        print(f"{rate:<16}{layers!s:<14}{dropout:>8}{results['mean_test_score'][i]:>11.4f}")
    print(f"\nthe best of them on other samples: {found.score(X_test, y_test):.4f}")
    net = found.best_estimator_[-1]
    print(f"it stopped after epoch {net.n_iter_} and kept epoch {net.best_epoch_}")
    if options.plot:
        draw(net.history_, options.plot)
        print(f"wrote {options.plot}")


if __name__ == "__main__":
    main()
