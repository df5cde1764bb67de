"""Restore handwritten digits from a few numbers: a deep autoencoder beside PCA of the same width.

    python autoencoder_digits.py                    # scikit-learn's digits, 8 x 8 pixels
    python autoencoder_digits.py --data DIR         # MNIST's 10,000 test images, 28 x 28 pixels, where DIR has them
    python autoencoder_digits.py --components 16 --plot restored.png

Both learn from the same images and are asked about others. PCA gives the best code that is linear; the autoencoder may
bend. A third one was taught to restore digits from noisy ones, and is shown noisy ones. The file of MNIST is
``t10k-images-idx3-ubyte.gz``, with or without ``mnist-`` in front.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from fastml.neural_network import Autoencoder

IMAGES = "t10k-images-idx3-ubyte.gz"
NOISE = 0.3
SHOWN = 10


def read_images(folder):
    """Return images as rows of numbers from 0 to 1: MNIST's where the folder has the file, scikit-learn's otherwise."""
    for name in (IMAGES, f"mnist-{IMAGES}"):
        if folder is not None and (folder / name).exists():
            with gzip.open(folder / name) as file:
                header = np.frombuffer(file.read(16), dtype=">u4")  # a magic number, images, rows, columns
                pixels = np.frombuffer(file.read(), dtype=np.uint8)
            return (pixels / 255).astype(np.float32).reshape(header[1], -1), "MNIST"
    return (load_digits().data / 16).astype(np.float32), "scikit-learn's digits"


def network(n_components, X, **options):
    """Return an autoencoder, larger for larger images and trained for more epochs where there are fewer."""
    large = X.shape[1] > 100
    return Autoencoder(
        n_components,
        hidden_layer_sizes=(256, 64) if large else (128, 64),
        activation="gelu",
        criterion="binary_cross_entropy",
        optimizer="adamw",
        optimizer__lr=0.003,
        schedule="cosine",
        batch_size=128 if large else 64,
        max_epochs=15 if large else 80,
        random_state=0,
        **options,
    )


def error(model, X):
    """Return the mean squared error of restored images."""
    return np.mean((model.inverse_transform(model.transform(X)) - X) ** 2)


def draw(rows, side, file):
    """Draw rows of images, each with its title."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(rows), figsize=(SHOWN * 0.7, len(rows) * 0.9), layout="constrained")
    for ax, (title, images) in zip(axes, rows.items()):
        ax.imshow(np.hstack([image.reshape(side, side) for image in images]), cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(title, loc="left", fontsize=8)
        ax.axis("off")
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", type=Path, help="a folder with MNIST's test images")
    parser.add_argument("--components", metavar="N", type=int, default=8, help="numbers in a code (default: 8)")
    parser.add_argument("--plot", metavar="FILE", default="autoencoder_digits.png", help="the picture (%(default)s)")
    options = parser.parse_args()

    images, origin = read_images(options.data)
    X, X_test = train_test_split(images, test_size=0.2, random_state=0)
    print(f"{origin}: {len(X)} images to learn from, {len(X_test)} others, {X.shape[1]} pixels, ", end="")
    print(f"restored from {options.components} numbers")

    models = {
        "principal components": PCA(options.components, random_state=0),
        "autoencoder": network(options.components, X),
        "denoising autoencoder": network(options.components, X, noise="gaussian", noise_level=NOISE),
    }
    print(f"\n{'':<24}{'seconds':>9}{'error':>10}{'of others':>12}{'of noisy ones':>16}")
    noisy = X_test + NOISE * np.random.default_rng(0).standard_normal(X_test.shape, dtype=np.float32)
    rows = {"images": X_test[:SHOWN]}
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(X)
        seconds = time.perf_counter() - start
        cleaned = model.inverse_transform(model.transform(noisy))
        of_noisy = np.mean((cleaned - X_test) ** 2)
        print(f"{name:<24}{seconds:>9.2f}{error(model, X):>10.5f}{error(model, X_test):>12.5f}{of_noisy:>16.5f}")
        if name != "denoising autoencoder":
            rows[f"restored by the {name}"] = model.inverse_transform(model.transform(X_test[:SHOWN]))
    rows["noisy images"] = noisy[:SHOWN]
    rows["restored by the denoising autoencoder"] = cleaned[:SHOWN]
    draw(rows, int(X.shape[1] ** 0.5), options.plot)
    print(f"\nwrote {options.plot}")


if __name__ == "__main__":
    main()
