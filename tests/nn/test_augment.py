"""Data augmentation: what it does to images, against NumPy; that a seed repeats it; what it refuses."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

import fastml
from fastml import nn
from fastml.nn import augment
from fastml.nn.augment import (
    Compose,
    Cutout,
    MixUp,
    RandomCrop,
    RandomHorizontalFlip,
    RandomRotation,
    RandomVerticalFlip,
)
from fastml.nn.training import fit

FLOATS = [np.float32, np.float64]
ALL = [
    RandomHorizontalFlip(),
    RandomVerticalFlip(),
    RandomCrop(2),
    RandomCrop((1, 2), size=(5, 4), padding_mode="reflect"),
    RandomRotation(30),
    Cutout(3, p=0.5),
    Compose([RandomCrop(1), RandomHorizontalFlip(), RandomRotation((5, 10)), Cutout((2, 3))]),
]
MOVES = ALL[:4]


def images(n=20, channels=3, height=7, width=6, dtype=np.float32, seed=0):
    values = np.random.default_rng(seed).integers(1, 200, (n, channels, height, width))
    return values.astype(dtype)


def parts(x, padding, size, mode):
    """Return all parts of an image with a margin, by where they begin."""
    margins = [(0, 0), (padding[0],) * 2, (padding[1],) * 2]
    padded = np.pad(x, margins, mode=mode)
    rows, columns = padded.shape[1] - size[0] + 1, padded.shape[2] - size[1] + 1
    return {(a, b): padded[:, a : a + size[0], b : b + size[1]] for a in range(rows) for b in range(columns)}


@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8])
@pytest.mark.parametrize(("flip", "axis"), [(RandomHorizontalFlip, 2), (RandomVerticalFlip, 1)])
def test_flips(flip, axis, dtype):
    x = images(200, dtype=dtype)
    result = flip(0.3)(x, rng=0)
    assert result.dtype == dtype
    flipped = [np.array_equal(image, np.flip(of, axis)) for image, of in zip(result, x)]
    same = [np.array_equal(image, of) for image, of in zip(result, x)]
    assert all(a != b for a, b in zip(flipped, same))
    assert 30 < sum(flipped) < 90  # of 200 with probability 0.3: six standard deviations
    np.testing.assert_array_equal(flip(0.0)(x, rng=0), x)
    np.testing.assert_array_equal(flip(1.0)(x, rng=0), np.flip(x, axis + 1))


@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8])
@pytest.mark.parametrize("mode", ["constant", "reflect"])
@pytest.mark.parametrize(
    ("padding", "size"), [(2, None), ((0, 3), None), (1, (4, 8)), (0, 3), (0, 1)], ids=["2", "0,3", "4x8", "3x3", "1x1"]
)
def test_crops(padding, size, mode, dtype):
    x = images(40, dtype=dtype)
    crop = RandomCrop(padding, size, padding_mode=mode)
    result = crop(x, rng=0)
    seen = set()
    for image, of in zip(result, x):
        all_parts = parts(of, crop.padding, crop.size or of.shape[1:], mode)
        places = [place for place, part in all_parts.items() if np.array_equal(image, part)]
        assert places
        seen.add(places[0])
    assert len(seen) > 1  # each image has a place of its own


def test_crops_show_every_part():
    x = images(1, 1, 4, 5)
    result = RandomCrop(1)(np.repeat(x, 400, axis=0), rng=0)
    expected = parts(x[0], (1, 1), (4, 5), "constant")
    assert {image.tobytes() for image in result} == {part.tobytes() for part in expected.values()}


def test_margins_are_of_fill():
    shown = RandomCrop(3, fill=5)(np.zeros((50, 1, 2, 2), np.uint8), rng=0)
    assert set(np.unique(shown)) == {0, 5}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1, 9, 9), (3, 6, 9), (2, 1, 5)])
def test_rotations(shape, dtype):
    """Against the same interpolation of SciPy's, which wants to be told the way back."""
    x = images(8, *shape, dtype=dtype)
    rng = np.random.default_rng(3)
    result = RandomRotation((-70, 200), fill=100)(x, rng)
    assert result.dtype == dtype
    angles = np.radians(np.random.default_rng(3).uniform(-70, 200, 8))
    for image, of, angle in zip(result, x, angles):
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = (np.array(of.shape[1:]) - 1) / 2
        for plane, plane_of in zip(image, of):
            # SciPy interpolates towards what is outside only with a margin to interpolate with.
            wide = np.pad(plane_of.astype(np.float64), 20, constant_values=100)
            offset = middle + 20 - back @ (middle + 20)
            expected = affine_transform(wide, back, offset, order=1, mode="constant", cval=100)[20:-20, 20:-20]
            np.testing.assert_allclose(plane, expected, rtol=1e-4 if dtype == np.float32 else 1e-9)


def test_the_sense_of_a_rotation():
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    np.testing.assert_allclose(RandomRotation((90, 90))(x)[0, 0], np.rot90(x[0, 0]), atol=1e-5)
    np.testing.assert_array_equal(RandomRotation(0)(x), x)


@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8])
def test_cutout(dtype):
    x = images(300, 2, 8, 8, dtype=dtype)
    result = Cutout((3, 4), fill=0, p=0.6)(x, rng=0)
    covered = result == 0
    np.testing.assert_array_equal(result[~covered], x[~covered])
    np.testing.assert_array_equal(covered[:, 0], covered[:, 1])
    extents = set()
    for of_image in covered[:, 0]:
        rows, columns = np.flatnonzero(of_image.any(axis=1)), np.flatnonzero(of_image.any(axis=0))
        assert of_image.sum() == len(rows) * len(columns)  # a rectangle
        extents.add((len(rows), len(columns)))
    assert extents == {(0, 0), (3, 4), (2, 4), (3, 3), (2, 3), (3, 2), (2, 2)}  # at edges part of it lies outside
    assert 100 < np.sum(covered.any(axis=(1, 2, 3))) < 260  # of 300 with probability 0.6
    assert np.all(Cutout(20)(x, rng=0) * 0 == 0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_mixup(dtype):
    x, y = images(30, dtype=dtype), np.arange(30) % 4
    weight = np.linspace(1, 2, 30).astype(dtype)
    mixed, targets, weights = MixUp(0.8, n_classes=4).batch(x, y, weight, rng=0)
    assert mixed.dtype == targets.dtype == weights.dtype == dtype
    rng = np.random.default_rng(0)
    partners, shares = rng.permutation(30), rng.beta(0.8, 0.8, 30)
    one_hot = np.eye(4)[y]
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for result, of in ((mixed, x), (targets, one_hot), (weights, weight)):
        share = shares.reshape(-1, *[1] * (of.ndim - 1))
        np.testing.assert_allclose(result, share * of + (1 - share) * of[partners], rtol=tolerance)
    values = MixUp().batch(x, y.astype(np.float64), rng=0)[1]
    assert values.shape == (30,)
    assert MixUp().batch(x, np.zeros((30, 2)), rng=0)[2] is None
    assert len(MixUp().batch(x[:0], np.zeros(0), rng=0)[0]) == 0
    with pytest.raises(TypeError, match="numbers of classes, which cannot be mixed; give n_classes"):
        MixUp().batch(x, y)
    with pytest.raises(ValueError, match="no class from 0 to 2"):
        MixUp(n_classes=3).batch(x, y)
    with pytest.raises(TypeError, match="mixes targets, too"):
        MixUp()(x)
    with pytest.raises(ValueError, match=r"30 images and targets of shape \(3,\)"):
        MixUp().batch(x, np.zeros(3))


@pytest.mark.parametrize("augmentation", [*ALL, MixUp()], ids=repr)
def test_a_seed_repeats_it_on_any_number_of_threads(augmentation):
    x, y = images(301, 3, 40, 40), np.random.default_rng(1).random(301)
    results = []
    for n_threads in (1, 2):
        with fastml.config_context(n_threads=n_threads):
            results.append(augmentation.batch(x, y, rng=7)[:2])
    for first, second in zip(*results):
        np.testing.assert_array_equal(first, second)
    other = augmentation.batch(x, y, rng=8)[0]
    assert not np.array_equal(results[0][0], other)
    nn.manual_seed(7)
    first = augmentation.batch(x, y)[0]
    np.testing.assert_array_equal(first, results[0][0])
    assert not np.array_equal(augmentation.batch(x, y)[0], first)
    augmentation.batch(x, y, rng=np.random.RandomState(0))


@pytest.mark.parametrize("augmentation", [*ALL, MixUp()], ids=repr)
def test_memory_is_channels_last_whatever_it_was(augmentation):
    x, y = images(), np.zeros(20)
    first = augmentation.batch(x, y, rng=0)[0]
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    before = x.copy()
    for given in (last, np.asfortranarray(x), x[::-1][::-1]):
        result = augmentation.batch(given, y, rng=0)[0]
        np.testing.assert_array_equal(result, first)
        assert result.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(x, before)
    assert augmentation.batch(x[:0], y[:0], rng=0)[0].shape[0] == 0


def test_one_after_the_other():
    x = images()
    rng = np.random.default_rng(5)
    expected = RandomCrop(2)(x, rng)
    expected = RandomHorizontalFlip()(expected, rng)
    both = Compose([RandomCrop(2), RandomHorizontalFlip()])
    np.testing.assert_array_equal(both(x, 5), expected)
    assert not both.mixes_targets
    mixing = Compose([RandomHorizontalFlip(), MixUp(n_classes=2)])
    assert mixing.mixes_targets
    mixed, targets, _ = mixing.batch(x, np.arange(20) % 2, rng=0)
    assert mixed.shape == x.shape
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert repr(both).startswith("Compose([RandomCrop(padding=(2, 2), size=None")


def test_bad_arguments():
    x = images()
    for build, message in (
        (lambda: RandomHorizontalFlip(1.5), "RandomHorizontalFlip: p must be a probability, got 1.5"),
        (lambda: RandomCrop(-1), "RandomCrop: padding must be a whole number from 0 on, or two of them, got -1"),
        (lambda: RandomCrop(0.5), "RandomCrop: padding must be a whole number"),
        (lambda: RandomCrop(2, size=0), "RandomCrop: size must be a whole number from 1 on"),
        (lambda: RandomCrop(2, size=(1, 2, 3)), "or two of them"),
        (lambda: RandomCrop(2, padding_mode="wrap"), "padding_mode must be 'constant' or 'reflect', got 'wrap'"),
        (lambda: RandomRotation(-3), "degrees must be a number from 0 on or an interval, got -3"),
        (lambda: RandomRotation(np.inf), "degrees must be"),
        (lambda: Cutout(0), "Cutout: size must be a whole number from 1 on"),
        (lambda: MixUp(0), "MixUp: alpha must be above 0, got 0"),
        (lambda: RandomCrop(1, size=10)(x), r"10 x 10 pixels is larger than images of 7 x 6"),
        (lambda: RandomCrop(1)(x[0]), r"expected images of shape .*, got shape \(3, 7, 6\)"),
        (lambda: RandomCrop(1, fill=300)(x.astype(np.uint8)), "take a fill from 0 to 255, got 300"),
    ):
        with pytest.raises(ValueError, match=message):
            build()
    for build, message in (
        (lambda: RandomRotation(3)(x.astype(np.uint8)), "expected images of float32 or float64, got uint8"),
        (lambda: RandomCrop(3)(x.astype(np.int64)), "expected images of float32, float64 or uint8, got int64"),
        (lambda: Compose([RandomCrop(3), "flip"]), "expected objects of fastml.nn.augment.Augmentation, got 'flip'"),
        (lambda: augment.as_augmentation(3), "augmentation: expected an object of fastml.nn.augment.* got 3"),
    ):
        with pytest.raises(TypeError, match=message):
            build()


def test_bindings_reject_what_leaves_an_array():
    x = np.zeros((2, 3, 4, 1), np.float32)
    windows, boxes = np.zeros((2, 4), np.int64), np.zeros((2, 4), np.int64)
    core = fastml._core
    with pytest.raises(ValueError, match="four numbers for each image"):
        core.nn_windows(x, windows[:1], 3, 4, False, 0.0, 1)
    with pytest.raises(ValueError, match="not negative"):
        core.nn_windows(x, windows, -1, 4, False, 0.0, 1)
    with pytest.raises(ValueError, match="too far away"):
        core.nn_windows(x, windows + 2**50, 3, 4, False, 0.0, 1)
    with pytest.raises(ValueError, match="pixels to reflect"):
        core.nn_windows(x[:, :0].copy(), windows, 3, 4, True, 0.0, 1)
    for box in ([-1, 2, 0, 1], [0, 4, 0, 1], [2, 1, 0, 1], [0, 1, 0, 5]):
        boxes[1] = box
        with pytest.raises(ValueError, match="boxes inside of the images"):
            core.nn_cover(x, boxes, 0.0, 1)
    with pytest.raises(ValueError, match="finite"):
        core.nn_rotate(x, np.array([0, np.nan]), 0.0, 1)
    with pytest.raises(ValueError, match="out of range"):
        core.nn_mix(x.reshape(2, -1), np.array([0, 2]), np.ones(2, np.float32), 1)


def problem(n=64):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    x = 0.1 * rng.random((n, 1, 6, 6))
    x[np.arange(n), 0, 2, 1 + 3 * y] = 1
    return x.astype(np.float32), y


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 2, rng=0))


def trained(x, y, epochs=5, module=None, **options):
    module = network() if module is None else module
    options.setdefault("seed", 0)
    optimizer = nn.optim.SGD(module.parameters(), lr=0.1)
    return module, fit(module, x, y, nn.cross_entropy, optimizer, epochs, 16, **options)


class TestFit:
    """``nn.fit(augmentation=..., scale=...)``."""

    def test_batches_are_augmented_and_validation_is_not(self):
        x, y = problem()
        seen = {True: [], False: []}

        class Watching(nn.Module):
            def __init__(self):
                self.inner = network()

            def forward(self, images):
                seen[self.training].append(images.data.copy())
                return self.inner(images)

        trained(x, y, 1, Watching(), augmentation=lambda images: images + 5, validation=(x, y), shuffle=False)
        np.testing.assert_array_equal(np.concatenate(seen[True]), x + 5)
        np.testing.assert_array_equal(np.concatenate(seen[False]), x)

    def test_it_repeats_with_a_seed_and_after_a_checkpoint(self, tmp_path):
        x, y = problem()
        path = tmp_path / "training.npz"
        options = {"augmentation": [RandomCrop(1), Cutout(2), MixUp(n_classes=2)]}
        whole, history = trained(x, y, 6, **options)
        again, _ = trained(x, y, 6, **options)
        other, _ = trained(x, y, 6, seed=1, **options)
        plain, _ = trained(x, y, 6)
        np.testing.assert_array_equal(whole[1].weight.data, again[1].weight.data)
        assert not np.array_equal(whole[1].weight.data, other[1].weight.data)
        assert not np.array_equal(whole[1].weight.data, plain[1].weight.data)
        trained(x, y, 3, callbacks=[nn.callbacks.Checkpoint(path)], **options)
        resumed, rest = trained(x, y, 6, callbacks=[nn.callbacks.Checkpoint(path)], resume=path, **options)
        np.testing.assert_array_equal(whole[1].weight.data, resumed[1].weight.data)
        assert rest["loss"] == history["loss"]

    def test_it_learns_what_augmentation_shows(self):
        """Mirrored images have the other class: a module that sees only left ones is told so by flips."""
        x, y = problem()
        left = y == 0
        module, _ = trained(x[left], y[left], 30, augmentation=None)
        assert np.mean(module(nn.Tensor(x)).data.argmax(axis=1) == 0) > 0.9

        def flipped(images):
            return np.concatenate([images[:8], images[8:, :, :, ::-1]])

        labels = np.tile(np.repeat([0, 1], 8), 2)
        module, _ = trained(x[left], labels, 100, augmentation=flipped, shuffle=False)
        assert np.mean(module(nn.Tensor(x)).data.argmax(axis=1) == y) > 0.95

    def test_weights_of_samples_go_along(self):
        x, y = problem()
        module = network()
        loss = nn.CrossEntropyLoss(reduction="none")
        optimizer = nn.optim.SGD(module.parameters(), lr=0.1)
        nothing = np.zeros(64)
        before = module[1].weight.data.copy()
        fit(module, x, y, loss, optimizer, 2, 16, sample_weight=nothing, augmentation=MixUp(n_classes=2), seed=0)
        np.testing.assert_array_equal(module[1].weight.data, before)

    @pytest.mark.parametrize("layout", ["first", "last"])
    def test_bytes_are_scaled_batch_by_batch(self, layout):
        x, y = problem()
        numbers = np.round(255 * x).astype(np.uint8)
        if layout == "last":
            numbers = np.ascontiguousarray(numbers.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        scaled, history = trained(numbers, y, scale=1 / 255, validation=(numbers, y), augmentation=RandomCrop(1))
        floats, expected = trained(
            numbers * np.float32(1 / 255), y, validation=(numbers * np.float32(1 / 255), y), augmentation=RandomCrop(1)
        )
        np.testing.assert_allclose(scaled[1].weight.data, floats[1].weight.data, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(history["validation_loss"], expected["validation_loss"], rtol=1e-5)

    def test_what_is_no_augmentation(self):
        x, y = problem()
        with pytest.raises(TypeError, match=r"augmentation: expected an object of fastml.nn.augment"):
            trained(x, y, augmentation=3)
        with pytest.raises(ValueError, match=r"as many images of the same type; .* returned float32 of shape \(3, 1"):
            trained(x, y, augmentation=lambda images: images[:3])
