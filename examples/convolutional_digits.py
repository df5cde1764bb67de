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
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from fastml import nn
from fastml.nn.predictor import outputs

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


def network(side):
    """Return two convolutions and two dense layers, for images of one channel."""
    rng = np.random.default_rng(0)
    kernel = 5 if side > 10 else 3
    return nn.Sequential(
        nn.Conv2d(1, 24, kernel, padding="same", bias=False, rng=rng),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding="same", bias=False, rng=rng),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(48 * (side // 4) ** 2, 96, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.3, rng=rng),
        nn.Linear(96, 10, rng=rng),
    )


def train(module, X, y, epochs):
    """Train a network, and return the numbers of each epoch."""
    optimizer = nn.optim.AdamW(module.parameters(), lr=0.003, weight_decay=0.05)
    schedule = nn.schedules.CosineAnnealingLR(optimizer, T_max=epochs)
    callbacks = [
        nn.callbacks.LRSchedule(schedule),
        nn.callbacks.EpochScoring(get_scorer("accuracy"), "validation accuracy"),
    ]
    return nn.fit(module, X, y, nn.cross_entropy, optimizer, epochs, 64, validation=0.1, callbacks=callbacks, seed=0)


def draw(folder, module, history, X, y, predicted):
    """Write what there is to see."""
    folder.mkdir(parents=True, exist_ok=True)
    # Those that were misread come first.
    shown = np.argsort(predicted == y, kind="stable")[:12]
    figures = {
        "learning_curve": nn.plots.learning_curve(history).figure,
        "filters": nn.plots.filters(module),
        "misclassified": nn.plots.misclassified(X[:, 0], y, predicted),
        "saliency": nn.plots.saliency_map(module, X[shown], count=12),
    }
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=120)
        print(f"wrote {folder / name}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", type=Path, help="a folder with MNIST's test images")
    parser.add_argument("--epochs", metavar="N", type=int, default=12, help="passes over the images (%(default)s)")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder for pictures (default: none)")
    options = parser.parse_args()

    images, labels, origin = read_digits(options.data)
    X, X_test, y, y_test = train_test_split(
        images[:, np.newaxis], labels, test_size=0.2, stratify=labels, random_state=0
    )
    height, width = X.shape[2:]
    print(f"{origin}: {len(X)} images to learn from, {len(X_test)} others, {height} x {width} pixels")

    module = network(height)
    start = time.perf_counter()
    history = train(module, X, y, options.epochs)
    seconds = time.perf_counter() - start
    predicted = outputs(module, X_test).argmax(axis=1)
    print(f"accuracy on the others: {(predicted == y_test).mean():.2%}, after {seconds:.1f} seconds", flush=True)
    if options.pictures is not None:
        draw(options.pictures, module, history, X_test, y_test, predicted)


if __name__ == "__main__":
    main()
