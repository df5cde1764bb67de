"""Images as estimators are given them: one network, whatever the form; and what is refused."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from digit_images import BYTES, DIGITS, FEW, IMAGES, QUICK, SMALL, colours
from neural_net_problem import assert_same_parameters

from fastml.neural_network import ConvAutoencoder, ConvNetClassifier, ConvNetRegressor

Y = DIGITS[FEW]
GREY = IMAGES[FEW]
RGB = colours(GREY)
LAST = np.ascontiguousarray(RGB.transpose(0, 2, 3, 1))


def net(**options):
    return ConvNetClassifier(SMALL, **{**QUICK, **options})


@pytest.mark.parametrize(
    ("X", "options"),
    [
        (GREY[:, np.newaxis], {}),
        (GREY.reshape(100, 64), {}),
        (GREY.reshape(100, 64), {"image_shape": (8, 8)}),
        (GREY.reshape(100, 64), {"image_shape": np.array([1, 8, 8])}),
        (GREY.reshape(100, 64), {"image_shape": (8, 8, 1), "channels": "last"}),
        (GREY[..., np.newaxis], {"channels": "last"}),
        (GREY, {"channels": "last", "image_shape": (8, 8)}),
        (np.asfortranarray(GREY), {}),
        (GREY[::-1][::-1], {}),
        (GREY.tolist(), {}),
    ],
    ids=["4", "rows", "rows-2", "rows-3", "rows-last", "4-last", "3-last", "fortran", "strided", "lists"],
)
def test_grey_images_in_any_form_are_the_same_images(X, options):
    given = GREY.astype(np.float64) if isinstance(X, list) else GREY
    expected, actual = net().fit(given, Y), net(**options).fit(X, Y)
    assert actual.image_shape_ == (1, 8, 8)
    assert actual.n_features_in_ == 64
    assert_same_parameters(actual, expected)
    for other in (X, given, given[:, np.newaxis] if options.get("channels") != "last" else given):
        np.testing.assert_array_equal(actual.predict_proba(other), expected.predict_proba(given))


@pytest.mark.parametrize(
    ("X", "options"),
    [
        (np.asfortranarray(RGB), {}),
        (LAST.transpose(0, 3, 1, 2), {}),
        (RGB.reshape(100, -1), {"image_shape": (3, 8, 8)}),
        (LAST, {"channels": "last"}),
        (LAST.reshape(100, -1), {"channels": "last", "image_shape": (8, 8, 3)}),
    ],
    ids=["fortran", "view", "rows", "last", "rows-last"],
)
def test_images_of_colours_in_any_form_are_the_same_images(X, options):
    expected, actual = net().fit(RGB, Y), net(**options).fit(X, Y)
    assert actual.image_shape_ == expected.image_shape_ == (3, 8, 8)
    assert_same_parameters(actual, expected)
    np.testing.assert_array_equal(actual.predict_proba(X), expected.predict_proba(RGB))
    scored = net(scoring="accuracy", validation_fraction=0.3, **options).fit(X, Y)
    assert (
        scored.history_["accuracy"] == net(scoring="accuracy", validation_fraction=0.3).fit(RGB, Y).history_["accuracy"]
    )


def test_bytes_are_divided_by_255():
    given = BYTES[FEW]
    floats = given * np.float32(1 / 255)
    for X in (given, given.reshape(100, 64), given[:, np.newaxis]):
        ours, expected = net().fit(X, Y), net().fit(floats, Y)
        assert ours.module_[0].weight.dtype == np.float32
        np.testing.assert_allclose(ours.predict_proba(X), expected.predict_proba(floats), rtol=1e-3, atol=1e-5)
        # A fit on floats up to 1 predicts bytes, and the other way round.
        np.testing.assert_allclose(expected.predict_proba(X), expected.predict_proba(floats), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(ours.predict_proba(X), ours.predict_proba(floats), rtol=1e-4, atol=1e-6)


def test_numbers_on_two_scales_are_refused():
    given = BYTES[FEW]
    with pytest.raises(ValueError, match="floats beyond 1, but ConvNetClassifier was fitted on images of uint8"):
        net().fit(given, Y).predict(given.astype(np.float32))
    with pytest.raises(ValueError, match=r"uint8 are divided by 255, but .* was fitted on floats beyond 1"):
        net().fit(given.astype(np.float32), Y).predict(given)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16])
@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (64,)])
def test_images_of_other_integers_are_refused(dtype, shape):
    X = (BYTES[FEW] // 3).astype(dtype).reshape(100, *shape)
    with pytest.raises(ValueError, match=rf"X: images of {np.dtype(dtype).name}; expected uint8, .* or floats"):
        net().fit(X, Y)
    with pytest.raises(ValueError, match="expected uint8"):
        net().fit(GREY.reshape(X.shape), Y).predict(X)


@pytest.mark.parametrize(
    ("dtype", "computed"),
    [(np.float64, np.float64), (np.float32, np.float32), (np.float16, np.float32), (bool, np.float32)],
)
def test_types(dtype, computed):
    classifier = net().fit((GREY > 0.5).astype(dtype), Y)
    assert {p.dtype for p in classifier.module_.parameters()} == {np.dtype(computed)}
    assert classifier.predict_proba((GREY > 0.5).astype(dtype)).dtype == computed


def test_rows_that_are_no_squares_are_features_of_one_pixel():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = (X @ [1.0, -1, 0.5, 0, 2] > 0).astype(int)
    classifier = ConvNetClassifier(max_epochs=40, random_state=0).fit(X, y)
    assert classifier.image_shape_ == (5, 1, 1)
    assert classifier.score(X, y) > 0.95
    whole = np.round(10 * X).astype(int)  # numbers, since they are no images
    assert ConvNetClassifier(max_epochs=40, random_state=0).fit(whole, y).score(whole, y) > 0.95
    assert ConvNetRegressor(max_epochs=1).fit(X[:, :4], y).image_shape_ == (4, 1, 1)  # 2 x 2 is too small a square
    assert ConvNetRegressor(max_epochs=1).fit(np.zeros((3, 16)), y[:3]).image_shape_ == (1, 4, 4)


def test_a_warning_where_channels_seem_to_be_last():
    with pytest.warns(UserWarning, match=r"8 channels and 8 x 3 pixels. If the channels are last, say channels='last'"):
        net(max_epochs=1).fit(LAST, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net(max_epochs=1, channels="last").fit(LAST, Y)
        net(max_epochs=1).fit(RGB, Y)
        net(max_epochs=1).fit(GREY, Y)


@pytest.mark.parametrize("estimator", [net(), ConvNetRegressor(**QUICK), ConvAutoencoder(**QUICK)], ids=["c", "r", "a"])
def test_what_is_no_image(estimator):
    for X, message in (
        (
            np.zeros((100, 2, 3, 4, 5)),
            r"expected images of shape \(n_samples, height, width\) or .*\(100, 2, 3, 4, 5\)",
        ),
        (np.zeros((100, 0, 8)), r"images of one pixel or more, got shape \(100, 0, 8\)"),
        (np.zeros((0, 8, 8)), r"Found array with 0 sample\(s\)"),
        (np.full((100, 8, 8), np.nan), "contains NaN"),
        (np.zeros((100, 8, 8), complex), "Complex data not supported"),
        (np.zeros(100), "Expected 2D array, got 1D array"),
    ):
        with pytest.raises(ValueError, match=message):
            estimator.fit(X, Y)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        estimator.fit(sp.csr_array(GREY.reshape(100, 64)), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net().fit(GREY, Y[:50])


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        ((8, 9), r"images of \(8, 9\) have 72 numbers; X has 64 features"),
        ((64,), r"expected \(height, width\) or \(channels, height, width\), got \(64,\)"),
        ((8.0, 8.0), "expected"),
        ((-8, -8), "expected"),
        ((1, 1, 8, 8), "expected"),
    ],
)
def test_shapes_that_do_not_fit(image_shape, message):
    with pytest.raises(ValueError, match="image_shape: " + message):
        net(image_shape=image_shape).fit(GREY.reshape(100, 64), Y)


def test_a_shape_that_is_not_that_of_the_images():
    with pytest.raises(ValueError, match=r"image_shape: \(4, 16\) is not that of X, which has shape \(100, 8, 8\)"):
        net(image_shape=(4, 16)).fit(GREY, Y)


def test_images_of_another_shape_than_those_of_the_fit():
    fitted = net().fit(GREY, Y)
    with pytest.raises(
        ValueError, match=r"= \(3, 8, 8\), ConvNetClassifier was fitted on \(1, 8, 8\); got shape \(100, 3"
    ):
        fitted.predict(RGB)
    with pytest.raises(ValueError, match="X has 63 features, but ConvNetClassifier is expecting 64 features"):
        fitted.predict(GREY.reshape(100, 64)[:, :63])
    with pytest.raises(ValueError, match=r"was fitted on \(1, 8, 8\)"):
        fitted.partial_fit(GREY[:, :7], Y)


def test_names_of_features_are_checked_on_tables():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(GREY.reshape(100, 64), columns=[f"pixel_{i}" for i in range(64)])
    fitted = net().fit(table, Y)
    assert list(fitted.feature_names_in_[:2]) == ["pixel_0", "pixel_1"]
    np.testing.assert_array_equal(fitted.predict(table), fitted.predict(GREY))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table.rename(columns={"pixel_0": "other"}))
    assert not hasattr(fitted.fit(GREY, Y), "feature_names_in_")
