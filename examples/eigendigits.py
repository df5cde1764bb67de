"""Handwritten digits as sums of a few pictures: the principal components of their pixels.

    python eigendigits.py                     # scikit-learn's digits, 8 x 8 pixels
    python eigendigits.py --data DIR          # MNIST's 10,000 test images, 28 x 28 pixels, where DIR has them
    python -m fastml eigendigits.py --pictures pictures

Every image is the mean image and so much of each component. The first of them say most: one picture shows the mean and
the first components, one some digits restored from the first 1, 5, 10, ... of them, and one how far off the restored
images are by how many are used, for the images learnt from and for others. The file of MNIST is
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

IMAGES = "t10k-images-idx3-ubyte.gz"
NUMBERS = (1, 2, 5, 10, 20, 50, 100, 200, 400)
SHOWN = 12
COMPONENTS_SHOWN = 23  # with the mean, two rows of twelve


def read_images(folder):
    """Return images as rows of numbers from 0 to 1: MNIST's where the folder has the file, scikit-learn's otherwise."""
    for name in (IMAGES, f"mnist-{IMAGES}"):
        if folder is not None and (folder / name).exists():
            with gzip.open(folder / name) as file:
                header = np.frombuffer(file.read(16), dtype=">u4")  # a magic number, images, rows, columns
                pixels = np.frombuffer(file.read(), dtype=np.uint8)
            return (pixels / 255).astype(np.float32).reshape(header[1], -1), "MNIST"
    return (load_digits().data / 16).astype(np.float32), "scikit-learn's digits"


def restore(model, X, number):
    """Return images made of the mean and the first components: what ``inverse_transform`` does with all of them."""
    components = model.components_[:number]
    return model.mean_ + (X - model.mean_) @ components.T @ components


def error(model, X, number):
    """Return the root of the mean squared error of a pixel."""
    return float(np.sqrt(np.mean((restore(model, X, number) - X) ** 2)))


def draw_components(model, side, file):
    """Draw the mean image and the first components; red adds ink and blue takes it away."""
    pyplot = import_pyplot()
    images = [model.mean_, *model.components_[:COMPONENTS_SHOWN]]
    figure, axes = pyplot.subplots(2, 12, figsize=(12, 2.6), layout="constrained")
    for number, (ax, image) in enumerate(zip(axes.flat, images)):
        most = np.abs(image).max()
        colours = {"cmap": "RdBu_r", "vmin": -most, "vmax": most} if number else {"cmap": "gray_r"}
        ax.imshow(image.reshape(side, side), **colours)
        share = f"{model.explained_variance_ratio_[number - 1]:.1%}" if number else ""
        ax.set_title(f"{number}: {share}" if number else "mean", fontsize=8)
    for ax in axes.flat:
        ax.axis("off")
    save(figure, file)


def draw_restored(model, X, numbers, side, file):
    """Draw images, and a row of them for each number of components they are restored from."""
    pyplot = import_pyplot()
    rows = {f"from {number}": restore(model, X, number) for number in numbers} | {"images": X}
    figure, axes = pyplot.subplots(len(rows), figsize=(SHOWN * 0.7, len(rows) * 0.9), layout="constrained")
    for ax, (title, images) in zip(axes, rows.items()):
        ax.imshow(np.hstack([image.reshape(side, side) for image in images]), cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(title, loc="left", fontsize=8)
        ax.axis("off")
    save(figure, file)


def draw_errors(numbers, errors, file):
    """Draw the error by the number of components."""
    pyplot = import_pyplot()
    figure, ax = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    for title, values in errors.items():
        ax.plot(numbers, values, marker="o", markersize=4, label=title)
    ax.set(xscale="log", xlabel="components", ylabel="error of a pixel (root mean square)", ylim=(0, None))
    ax.set_xticks(numbers, [str(number) for number in numbers])
    ax.minorticks_off()
    ax.legend()
    save(figure, file)


def import_pyplot():
    """Return matplotlib's pyplot, drawing into files only."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def save(figure, file):
    figure.savefig(file, dpi=120)
    import_pyplot().close(figure)
    print(f"wrote {file}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", type=Path, help="a folder with MNIST's test images")
    parser.add_argument("--pictures", metavar="DIR", type=Path, default=Path(), help="a folder for the pictures (.)")
    options = parser.parse_args()

    images, origin = read_images(options.data)
    X, X_test = train_test_split(images, test_size=0.2, random_state=0)
    side = int(X.shape[1] ** 0.5)
    numbers = [number for number in NUMBERS if number < X.shape[1]]
    print(f"{origin}: {len(X)} images to learn from, {len(X_test)} others, {side} x {side} pixels")

    start = time.perf_counter()
    model = PCA(numbers[-1]).fit(X)
    print(f"{numbers[-1]} components in {time.perf_counter() - start:.3f} s ({type(model).__module__})")

    errors = {
        "learnt from": [error(model, X, n) for n in numbers],
        "others": [error(model, X_test, n) for n in numbers],
    }
    print(f"\n{'components':>10}{'variance explained':>20}{'error':>10}{'of others':>12}")
    for number, learnt, others in zip(numbers, *errors.values()):
        explained = model.explained_variance_ratio_[:number].sum()
        print(f"{number:>10}{explained:>20.1%}{learnt:>10.4f}{others:>12.4f}")
    print()

    options.pictures.mkdir(parents=True, exist_ok=True)
    draw_components(model, side, options.pictures / "eigendigits.png")
    draw_restored(model, X_test[:SHOWN], numbers, side, options.pictures / "restored_digits.png")
    draw_errors(numbers, errors, options.pictures / "error_by_components.png")


if __name__ == "__main__":
    main()
