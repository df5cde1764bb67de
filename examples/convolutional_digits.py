"""Read handwritten digits with a small convolutional network, and look at what it has learnt.

    python convolutional_digits.py                      # scikit-learn's digits, 8 x 8 pixels
    python convolutional_digits.py --data DIR           # MNIST's 10,000 test images, 28 x 28 pixels, from DIR
    python convolutional_digits.py --pictures DIR       # writes PNGs: `pip install 'fastml[plots]'`

The pictures are the learning curve, the filters of the first layer, the digits that were misread, and the pixels that
decided about some. The files of MNIST are ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz``, with or
without ``mnist-`` in front.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastml.neural_network import ConvNetClassifier
from fastml.nn import plots

FILES = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


def find(folder, name):
    """Return the path of one of MNIST's files."""
    for path in (folder / name, folder / f"mnist-{name}"):
        if path.exists():
            return path
    raise SystemExit(f"{folder} has neither {name} nor mnist-{name}")


def read_digits(folder):
    """Return images of numbers from 0 to 1, what they show, and where they are from."""
    if folder is None:
        digits = load_digits()
        return (digits.images / 16).astype(np.float32), digits.target, "scikit-learn's digits"
    with gzip.open(find(folder, FILES[0])) as file:
        header = np.frombuffer(file.read(16), dtype=">u4")  # a magic number, images, rows, columns
        images = np.frombuffer(file.read(), dtype=np.uint8).reshape(header[1:])
    with gzip.open(find(folder, FILES[1])) as file:
        labels = np.frombuffer(file.read()[8:], dtype=np.uint8)
    return (images / 255).astype(np.float32), labels.astype(np.int64), "MNIST"


def draw(folder, model, X, y):
    """Write what there is to see."""
    folder.mkdir(parents=True, exist_ok=True)
    predicted = model.predict(X)
    # Those that were misread come first.
    shown = np.argsort(predicted == y, kind="stable")[:12]
    figures = {
        "learning_curve": plots.learning_curve(model.history_).figure,
        "filters": plots.filters(model.module_),
        "misclassified": plots.misclassified(X, y, predicted),
        "saliency": plots.saliency_map(model.module_, X[shown], classes=model.classes_, count=12),
    }
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=120)
        print(f"wrote {folder / name}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", type=Path, help="a folder with MNIST's test images")
    parser.add_argument("--epochs", metavar="N", type=int, help="passes over the images (default: the estimator's)")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder for pictures (default: none)")
    options = parser.parse_args()

    images, labels, origin = read_digits(options.data)
    X, X_test, y, y_test = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    height, width = X.shape[1:]
    print(f"{origin}: {len(X)} images to learn from, {len(X_test)} others, {height} x {width} pixels", flush=True)

    model = ConvNetClassifier(max_epochs=options.epochs, scoring="accuracy", validation_fraction=0.1, random_state=0)
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    print(f"accuracy on the others: {model.score(X_test, y_test):.2%}, after {seconds:.1f} seconds", flush=True)
    if options.pictures is not None:
        draw(options.pictures, model, X_test, y_test)


if __name__ == "__main__":
    main()
