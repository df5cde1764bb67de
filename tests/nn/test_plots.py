"""Pictures of networks: what is drawn is what was computed, and nothing else changes."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from fastml import nn
from fastml.nn import plots

RNG = np.random.default_rng(0)
GREY = RNG.random((7, 8, 8))
COLOUR = RNG.random((7, 3, 8, 8))


draws = pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib draws the pictures")


def network(channels=1, outputs=4, dtype="float64"):
    """Return a smooth network with a BatchNorm whose statistics are those of data, and a dropout."""
    rng = np.random.default_rng(1)
    module = nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1, rng=rng),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Dropout(0.5, rng=rng),
        nn.Flatten(),
        nn.Linear(6 * 16, outputs, rng=rng),
    ).astype(dtype)
    images = rng.random((20, channels, 8, 8)).astype(dtype)
    module(images)
    module.eval()
    module[6].bias.data -= module(images).data.mean(axis=0)  # so that no class is highest everywhere
    return module


def drawn(figure):
    """Return the arrays of all images of a figure, in their order."""
    return [np.asarray(image.get_array()) for ax in figure.axes for image in ax.get_images()]


def titles(figure):
    return [ax.get_title() for ax in figure.axes]


HISTORY = nn.History(
    [
        {"epoch": 1, "loss": 2.0, "validation_loss": 3.0, "lr": 0.1, "accuracy": 0.5, "note": "first", "seconds": 1.0},
        {"epoch": 2, "loss": 1.0, "lr": [0.1, 0.2], "accuracy": 0.75, "seconds": 1.0},
    ]
)


@draws
def test_a_learning_curve_has_losses_on_the_left_and_scores_on_the_right():
    ax = plots.learning_curve(HISTORY)
    left, right = ax.figure.axes
    assert left is ax
    points = [{line.get_label(): line.get_xydata().tolist() for line in a.get_lines()} for a in (left, right)]
    assert points == [
        {"loss": [[1, 2], [2, 1]], "validation loss": [[1, 3]]},
        {"accuracy": [[1, 0.5], [2, 0.75]]},
    ]
    assert [a.get_ylabel() for a in (left, right)] == ["loss", "score"]
    assert ax.get_xlabel() == "epoch"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "validation loss", "accuracy"]
    lines = [*left.get_lines(), *right.get_lines()]
    assert len({line.get_color() for line in lines}) == 3
    assert left.get_zorder() > right.get_zorder(), "lines of the right axes would cross the legend"
    # One point makes no line.
    assert [line.get_marker() for line in lines] == ["None", "o", "None"]


@draws
def test_a_learning_curve_goes_where_it_is_told_to():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plots.learning_curve(nn.History([{"epoch": 1, "loss": 2.0}]), ax=ax) is ax
    assert len(ax.figure.axes) == 1  # no scores, no second scale
    assert len(ax.get_lines()) == 1


@draws
@pytest.mark.parametrize("channels", [1, 3])
def test_filters_of_the_first_convolution_are_scaled_one_by_one(channels):
    module = network(channels)
    module[0].weight.data[2] = 0.25  # a filter of a single value is no division by zero
    figure = plots.filters(nn.Sequential(nn.Identity(), module))
    pictures = drawn(figure)
    assert len(pictures) == len(figure.axes) == 6
    for number, (picture, weight) in enumerate(zip(pictures, module[0].weight.data)):
        expected = weight.transpose(1, 2, 0)[..., 0] if channels == 1 else weight.transpose(1, 2, 0)
        if number != 2:
            expected = (expected - weight.min()) / (weight.max() - weight.min())
            assert (picture.min(), picture.max()) == (0, 1)
        else:
            expected = np.zeros_like(expected)
        np.testing.assert_allclose(picture, expected, rtol=1e-12, atol=1e-15)
    assert all(len(ax.get_xticks()) == len(ax.get_yticks()) == 0 for ax in figure.axes)


@draws
def test_pictures_go_where_they_are_told_to():
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subfigures(1, 2)
    assert plots.filters(network(), figure=left) is left
    assert plots.misclassified(GREY, np.zeros(7), np.ones(7), figure=right) is right
    assert (len(left.axes), len(right.axes)) == (6, 7)


@draws
@pytest.mark.parametrize("X", [GREY, GREY[:, np.newaxis], COLOUR], ids=["flat", "grey", "colour"])
@pytest.mark.parametrize("count", [2, 25])
def test_the_first_misclassified_images_are_drawn_with_both_labels(X, count):
    y, predicted = np.array([0, 1, 2, 0, 1, 2, 0]), np.array([0, 2, 2, 1, 1, 0, 0])
    figure = plots.misclassified(X, y, predicted, classes=["cat", "dog", "owl"], count=count)
    assert titles(figure) == ["dog → owl", "cat → dog", "owl → cat"][:count]
    assert figure.get_suptitle() == "3 of 7 misclassified"
    for picture, i in zip(drawn(figure), [1, 3, 5][:count], strict=True):
        expected = X[i] if X.ndim == 3 else X[i].transpose(1, 2, 0).squeeze()
        np.testing.assert_array_equal(picture, expected)


@draws
def test_labels_may_be_of_any_type():
    figure = plots.misclassified(GREY, ["a"] * 7, ["a"] * 5 + ["b", "c"])
    assert titles(figure) == ["a → b", "a → c"]


@draws
def test_where_none_is_wrong_none_is_drawn():
    figure = plots.misclassified(GREY, np.zeros(7), np.zeros(7))
    assert drawn(figure) == []
    assert figure.get_suptitle() == "0 of 7 misclassified"


@draws
def test_images_on_other_scales_are_scaled_together():
    signed = GREY * 4 - 2
    pictures = drawn(plots.misclassified(signed, np.zeros(7), np.ones(7)))
    np.testing.assert_allclose(pictures, (signed - signed.min()) / (signed.max() - signed.min()), rtol=1e-12)
    bytes_ = (GREY * 200).astype(np.uint8)
    np.testing.assert_array_equal(drawn(plots.misclassified(bytes_, np.zeros(7), np.ones(7))), bytes_ / 255)


@pytest.mark.parametrize("target", [None, 2, np.array([3, 0, 1, 2, 0, 1, 3])], ids=["highest", "one", "each"])
@pytest.mark.parametrize("channels", [1, 3])
def test_saliency_is_what_differences_of_scores_say(channels, target):
    module, X = network(channels), COLOUR[:, :channels]
    scores = module(X).data
    classes = scores.argmax(axis=1) if target is None else np.broadcast_to(target, 7)
    assert len(set(classes)) > 1 or target is not None, "the test would not see whose score it is"
    step = 1e-5  # the error is of the order of its square, and of the rounding over it
    moved = np.zeros_like(X)
    expected = np.zeros(X.shape)
    for place in np.ndindex(X.shape[1:]):
        moved[:] = 0
        moved[(slice(None), *place)] = step
        difference = module(X + moved).data - module(X - moved).data
        expected[(slice(None), *place)] = difference[np.arange(7), classes] / (2 * step)
    found = plots.saliency(module, X, target)
    assert found.shape == (7, 8, 8)
    np.testing.assert_allclose(found, abs(expected).max(axis=1), atol=1e-9)


def test_saliency_of_a_single_score_and_of_images_without_channels():
    module = network(outputs=1)
    weight = nn.Tensor(GREY[:, np.newaxis], requires_grad=True)
    module(weight).sum().backward()
    for asked in (None, 0):
        np.testing.assert_allclose(plots.saliency(module, GREY, asked), abs(weight.grad[:, 0]), rtol=1e-12)


def test_saliency_of_many_images_is_that_of_each():
    module, X = network(), RNG.random((plots._SALIENCY_BATCH + 3, 8, 8))
    whole = plots.saliency(module, X, np.arange(len(X)) % 4)
    for i in (0, plots._SALIENCY_BATCH - 1, plots._SALIENCY_BATCH, len(X) - 1):
        np.testing.assert_allclose(whole[i], plots.saliency(module, X[i : i + 1], i % 4)[0], rtol=1e-10)


def test_saliency_leaves_the_module_as_it_was():
    module = network().train()
    module[1].eval()  # as of a network whose first layers are frozen
    module[0].requires_grad_(False)
    module[6].weight.grad = np.ones_like(module[6].weight.data)
    state = {name: array.copy() for name, array in module.state_dict().items()}
    with nn.no_grad():
        first = plots.saliency(module, GREY)
    np.testing.assert_array_equal(first, plots.saliency(module, GREY))  # dropout draws nothing
    assert [part.training for part in module.modules()] == [True, True, False, True, True, True, True, True]
    assert (module[6].weight.grad == 1).all()
    assert [p.grad is None for p in module.parameters()] == [True, True, True, True, False, True]
    assert [p.requires_grad for p in module.parameters()] == [False, False, True, True, True, True]
    for name, array in module.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    with pytest.raises(nn.ShapeError):
        plots.saliency(module, GREY[:, :5, :5])
    assert [part.training for part in module.modules()] == [True, True, False, True, True, True, True, True]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saliency_is_computed_in_the_module_s_type(dtype):
    assert plots.saliency(network(dtype=dtype), GREY).dtype == dtype
    reference = plots.saliency(network(), GREY, 0)
    np.testing.assert_allclose(plots.saliency(network(dtype=dtype), GREY, 0), reference, atol=1e-6)


@draws
def test_a_saliency_map_stands_beside_its_image():
    module = network(3)
    target = np.array([3, 0, 1, 2, 0, 1, 3])
    figure = plots.saliency_map(module, COLOUR, target, classes="abcd", count=5)
    pictures, maps = drawn(figure)[::2], drawn(figure)[1::2]
    assert (len(pictures), len(maps)) == (5, 5)
    assert titles(figure) == ["d", "", "a", "", "b", "", "c", "", "a", ""]
    expected = plots.saliency(module, COLOUR, target)
    for i in range(5):
        np.testing.assert_array_equal(pictures[i], COLOUR[i].transpose(1, 2, 0))
        np.testing.assert_allclose(maps[i], expected[i] / expected[i].max(), rtol=1e-10)
    rows = {ax.get_subplotspec().rowspan.start for ax in figure.axes}
    for left, right in zip(figure.axes[::2], figure.axes[1::2]):
        assert left.get_subplotspec().rowspan == right.get_subplotspec().rowspan
    assert len(rows) > 1
    highest = module(COLOUR).data.argmax(axis=1)
    assert titles(plots.saliency_map(module, COLOUR))[::2] == [str(k) for k in highest]


@draws
def test_figures_can_be_written_and_are_kept_nowhere(tmp_path):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    figures = {
        "curve": plots.learning_curve(HISTORY).figure,
        "filters": plots.filters(network()),
        "wrong": plots.misclassified(GREY, np.zeros(7), np.ones(7)),
        "none": plots.misclassified(GREY, np.zeros(7), np.zeros(7)),
        "map": plots.saliency_map(network(), GREY),
    }
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        pixels = pyplot.imread(tmp_path / f"{name}.png")
        assert pixels.shape[0] > 40
        assert pixels.std() > 0
    assert pyplot.get_fignums() == before


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.learning_curve([1.0]), TypeError, "expected a History, as nn.fit returns, got list"),
        (lambda: plots.learning_curve(nn.History()), ValueError, "no loss to draw; it has no epochs"),
        (lambda: plots.learning_curve(nn.History([{"epoch": 1}])), ValueError, "no loss to draw; it has epoch"),
        (lambda: plots.filters("lenet"), TypeError, r"expected a module \(of an estimator: its module_\), got str"),
        (lambda: plots.filters(nn.Linear(2, 2)), ValueError, "Linear has no Conv2d"),
        (lambda: plots.filters(nn.Conv2d(4, 2, 3)), ValueError, "sees 4 channels in a filter"),
        (lambda: plots.misclassified(GREY[0], [0], [1]), ValueError, r"X has shape \(8, 8\); expected images"),
        (lambda: plots.misclassified(GREY[:0], [], []), ValueError, r"X has shape \(0, 8, 8\); expected images"),
        (lambda: plots.misclassified(GREY + np.nan, [0] * 7, [1] * 7), ValueError, "not finite"),
        (lambda: plots.misclassified(GREY.astype(str), [0] * 7, [1] * 7), TypeError, "expected numbers"),
        (lambda: plots.misclassified(COLOUR[:, :2], [0] * 7, [1] * 7), ValueError, "images of 2 channels; 1"),
        (lambda: plots.misclassified(GREY, [0] * 6, [1] * 7), ValueError, r"y_true has shape \(6,\).* each of 7"),
        (lambda: plots.misclassified(GREY, [0] * 7, np.ones((7, 4))), ValueError, r"y_predicted has shape \(7, 4\)"),
        (lambda: plots.misclassified(GREY, [0] * 7, [1] * 7, count=0), ValueError, "count must be at least 1, got 0"),
        (lambda: plots.misclassified(GREY, [0] * 7, [3] * 7, "abc"), ValueError, "label 3 has no name among 3"),
        (lambda: plots.misclassified(GREY, ["a"] * 7, ["b"] * 7, "abc"), TypeError, "they must be integers"),
        (lambda: plots.saliency(network, GREY), TypeError, "expected a module .* got function"),
        (lambda: plots.saliency(network(), (GREY * 255).astype(np.uint8)), TypeError, "uint8; expected floats on"),
        (lambda: plots.saliency(network(), GREY, 4), ValueError, "target 4 is none of the module's 4 classes"),
        (lambda: plots.saliency(network(), GREY, -1), ValueError, "target -1 is none of"),
        (lambda: plots.saliency(network(), GREY, [0, 1]), ValueError, r"each of 7 images.* got shape \(2,\)"),
        (lambda: plots.saliency_map(network(), GREY, [0, 1], count=2), ValueError, r"each of 7 images"),
        (lambda: plots.saliency(network(), GREY, 0.5), ValueError, "of type float64"),
        (lambda: plots.saliency(nn.Conv2d(1, 2, 3), GREY), ValueError, r"gave shape \(7, 2, 6, 6\) for 7 images"),
        (lambda: plots.saliency(Constant(), GREY), ValueError, "do not depend on the images"),
    ],
)
def test_bad_input_is_an_error_that_says_what_is_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Constant(nn.Module):
    """Scores that have nothing to do with the images."""

    def __init__(self):
        self.score = nn.Parameter(np.zeros((1, 2)))

    def forward(self, x):
        return self.score * np.ones((len(x), 2))


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for name, call in {
        "learning_curve": lambda: plots.learning_curve(HISTORY),
        "filters": lambda: plots.filters(network()),
        "misclassified": lambda: plots.misclassified(GREY, [0] * 7, [1] * 7),
        "saliency_map": lambda: plots.saliency_map(network(), GREY),
    }.items():
        with pytest.raises(ImportError, match=rf"{name} needs matplotlib: pip install 'fastml\[plots\]'"):
            call()
    assert plots.saliency(network(), GREY).shape == (7, 8, 8)  # numbers need no pictures


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys; from fastml import nn; nn.plots.filters; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
