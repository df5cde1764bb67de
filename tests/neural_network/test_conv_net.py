"""ConvNetClassifier and ConvNetRegressor: what they learn, of which networks, and how they go on from others."""

import pickle

import numpy as np
import pytest
from digit_images import BYTES, DIGITS, FEW, IMAGES, QUICK, SMALL, TEST, TRAIN, colours
from neural_net_problem import assert_same_parameters, parameters
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.class_weight import compute_sample_weight

from fastml import nn
from fastml.neural_network import ConvNetClassifier, ConvNetRegressor, conv_network
from fastml.nn.augment import Compose, Cutout, MixUp, RandomCrop, RandomRotation

X, Y = IMAGES[FEW], DIGITS[FEW]


def names_of(module):
    return [type(layer).__name__ for layer in module]


def test_digits():
    net = ConvNetClassifier(max_epochs=10, random_state=0).fit(IMAGES[TRAIN], DIGITS[TRAIN])
    assert net.score(IMAGES[TEST], DIGITS[TEST]) > 0.95
    probabilities = net.predict_proba(IMAGES[TEST])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(net.predict(IMAGES[TEST]), net.classes_[probabilities.argmax(axis=1)])
    assert net.n_outputs_ == 10
    assert len(net.loss_curve_) == 10


def test_values():
    """The ink of an image, and how far right it is."""
    ink = IMAGES.mean(axis=(1, 2))
    right = (IMAGES * np.arange(8)).sum(axis=(1, 2)) / IMAGES.sum(axis=(1, 2))
    for y in (ink, np.stack([ink, right], axis=1)):
        scaled = (y - y.mean(axis=0)) / y.std(axis=0)
        net = ConvNetRegressor(max_epochs=10, random_state=0).fit(IMAGES[TRAIN], scaled[TRAIN])
        assert net.predict(IMAGES[TEST]).shape == scaled[TEST].shape
        assert net.score(IMAGES[TEST], scaled[TEST]) > 0.9


@pytest.mark.parametrize("criterion", ["bce_with_logits", "hinge"])
def test_labels_of_any_kind(criterion):
    names = np.array(["low", "high"])[(Y > 4).astype(int)]
    flags = np.stack([Y > 4, Y % 2 == 1], axis=1).astype(int)
    for y in (names, flags):
        net = ConvNetClassifier(
            SMALL, criterion=criterion, batch_size=16, optimizer__lr=0.01, max_epochs=30, random_state=0
        ).fit(X, y)
        assert net.score(X, y) > 0.9
    assert net.decision_function(X).shape == (100, 2)


def test_weights_of_samples_and_classes():
    options = {**QUICK, "module": SMALL}
    weight = np.where(Y == 3, 5.0, 1.0)
    by_class = ConvNetClassifier(class_weight={3: 5.0}, **options).fit(X, Y)
    assert_same_parameters(by_class, ConvNetClassifier(**options).fit(X, Y, sample_weight=weight))
    balanced = ConvNetClassifier(class_weight="balanced", **options).fit(X, Y)
    weight = compute_sample_weight("balanced", Y)
    assert_same_parameters(balanced, ConvNetClassifier(**options).fit(X, Y, sample_weight=weight))
    ConvNetRegressor(**options).fit(BYTES[FEW], Y, sample_weight=weight)


class TestNetworks:
    """Which network is trained."""

    def test_blocks(self):
        blocks = [8, (4, 1), (6, 5, 2), "avgpool", ("dropout", 0.1), nn.Conv2d(6, 5, 1), "global", ("dense", 7)]
        net = ConvNetClassifier(blocks, **QUICK).fit(X, Y)
        unit = ["Conv2d", "BatchNorm2d", "ReLU"]
        expected = [
            *unit * 3,
            "AvgPool2d",
            "Dropout",
            "Conv2d",
            "AdaptiveAvgPool2d",
            "Flatten",
            "Linear",
            "ReLU",
            "Linear",
        ]
        assert names_of(net.module_) == expected
        shapes = [layer.weight.shape for layer in net.module_ if isinstance(layer, (nn.Conv2d, nn.Linear))]
        assert shapes == [(8, 1, 3, 3), (4, 8, 1, 1), (6, 4, 5, 5), (5, 6, 1, 1), (7, 5), (10, 7)]
        assert net.module_[6].stride == (2, 2)

    def test_arguments_of_blocks(self):
        net = ConvNetClassifier(
            [4, "pool", ("dense", 5)],
            module__batch_norm=False,
            module__activation="tanh",
            module__dropout=0.2,
            **QUICK,
        ).fit(X, Y)
        assert names_of(net.module_) == [
            "Conv2d",
            "Tanh",
            "MaxPool2d",
            "Flatten",
            "Linear",
            "Tanh",
            "Dropout",
            "Linear",
        ]
        assert net.module_[0].bias is not None

    def test_the_network_by_default_pools_what_is_large_enough(self):
        def pools(shape):
            return names_of(conv_network(shape, 2)).count("MaxPool2d")

        assert [pools((1, size, size)) for size in (2, 7, 8, 15, 16, 28, 100)] == [0, 0, 1, 1, 2, 2, 2]
        assert names_of(conv_network((5, 1, 1), 3)) == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
        for shape in ((1, 1, 40), (2, 40, 1), (3, 2, 3)):
            assert conv_network(shape, 4)(nn.Tensor(np.zeros((2, *shape), np.float32))).shape == (2, 4)

    @pytest.mark.parametrize("name", ["densenet", "lenet", "mobilenet", "resnet18", "resnet20", "vgg"])
    def test_names(self, name):
        net = ConvNetClassifier(name, max_epochs=1, batch_size=20, random_state=0)
        few = slice(0, 20)
        assert net.fit(X[few], Y[few]).predict_proba(X[few]).shape == (20, len(np.unique(Y[few])))
        if name != "resnet18":
            wide = ConvNetRegressor(name, max_epochs=1, batch_size=20).fit(colours(X[few]).astype(np.float64), Y[few])
            assert wide.predict(colours(X[few])).dtype == np.float64

    def test_arguments_of_names(self):
        net = ConvNetClassifier("vgg", module__widths=(4, 6), **QUICK).fit(X, Y)
        assert [layer.out_channels for layer in net.module_ if isinstance(layer, nn.Conv2d)] == [4, 4, 6, 6]
        with pytest.raises(
            ValueError, match="module__width: vgg has no argument 'width'; it has n_classes, in_channels"
        ):
            ConvNetClassifier("vgg", module__width=3).fit(X, Y)

    def test_modules_and_functions(self):
        def build(image_shape, out_features, kernel=3):
            channels, height, width = image_shape
            convolution = nn.Conv2d(channels, 4, kernel)
            size = 4 * (height - kernel + 1) * (width - kernel + 1)
            return nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(size, out_features))

        net = ConvNetClassifier(build, module__kernel=5, **QUICK).fit(X, Y)
        assert net.module_[0].kernel_size == (5, 5)
        module = build((1, 8, 8), 10)
        before = module[0].weight.data.copy()
        trained = ConvNetClassifier(module, **QUICK).fit(X, Y)
        np.testing.assert_array_equal(module[0].weight.data, before)
        assert not np.array_equal(trained.module_[0].weight.data, before)

    @pytest.mark.parametrize(
        ("blocks", "message"),
        [
            (["pol"], r"blocks\[0\] = 'pol': expected a number of channels"),
            ([8, 0], r"blocks\[1\] = 0: expected a number of channels"),
            ([8.5], r"blocks\[0\] = 8.5: expected"),
            ([(8, 4)], r"blocks\[0\] = \(8, 4\): expected an odd kernel"),
            ([(8, 3, 1, 1)], r"blocks\[0\] = .*: expected"),
            ([("dense", 4), 8], r"blocks\[1\] = 8: behind a dense layer there are no images; it got shape \(4,\)"),
            ([("dense", 4), "pool"], r"blocks\[1\] = 'pool': behind a dense layer"),
            ([4, "pool", "pool", "pool", "pool"], r"blocks\[4\] = 'pool': MaxPool2d"),
            (
                [nn.Conv2d(3, 4, 3)],
                r"blocks\[0\] = .*: Conv2d\(3, 4.*the input has shape \(1, 1, 8, 8\); .* 3 channels",
            ),
        ],
        ids=["word", "0", "half", "even", "four", "flat", "flat-pool", "pools", "module"],
    )
    def test_blocks_that_do_not_fit(self, blocks, message):
        with pytest.raises(ValueError, match=message):
            ConvNetClassifier(blocks).fit(X, Y)

    def test_modules_that_do_not_fit(self):
        with pytest.raises(
            ValueError, match=r"Conv2d\(3, 4.*\) '0': the input has shape \(2, 1, 8, 8\); .* 3 channels"
        ):
            ConvNetClassifier(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())).fit(X, Y)
        with pytest.raises(
            ValueError, match=r"gives 3 output\(s\) for a sample; expected one for each of the 10 classes"
        ):
            ConvNetClassifier(nn.Sequential(nn.Flatten(), nn.Linear(64, 3))).fit(X, Y)
        with pytest.raises(
            ValueError, match=r"expected Conv2d to give a number or a row of them .* shape \(2, 4, 6, 6\)"
        ):
            ConvNetClassifier(nn.Conv2d(1, 4, 3)).fit(X, Y)
        with pytest.raises(ValueError, match="The 'module' parameter of ConvNetClassifier must be"):
            ConvNetClassifier("resnet").fit(X, Y)


class TestAugmentation:
    @pytest.mark.parametrize("form", ["first", "last"])
    def test_it_gets_images_from_0_to_1(self, form):
        seen = []

        def look(images):
            seen.append((images.shape, images.dtype, images.min(), images.max()))
            return images

        given = colours(BYTES[FEW])
        given = given if form == "first" else np.ascontiguousarray(given.transpose(0, 2, 3, 1))
        ConvNetClassifier(SMALL, augmentation=look, channels=form, **{**QUICK, "max_epochs": 1}).fit(given, Y)
        assert [shape for shape, *_ in seen] == [(64, 3, 8, 8), (36, 3, 8, 8)]
        assert {dtype for _, dtype, *_ in seen} == {np.dtype(np.float32)}
        assert min(low for *_, low, _ in seen) == 0
        assert max(high for *_, high in seen) == pytest.approx(1)

    def test_a_seed_repeats_it(self):
        options = {**QUICK, "augmentation": [RandomCrop(1), RandomRotation(10), Cutout(2)]}
        first, second = (ConvNetClassifier(SMALL, **options).fit(X, Y) for _ in range(2))
        assert_same_parameters(first, second)
        assert first.loss_curve_ != ConvNetClassifier(SMALL, **QUICK).fit(X, Y).loss_curve_

    def test_mixing(self):
        mixing = Compose([RandomCrop(1), MixUp(0.4)])
        net = ConvNetClassifier(augmentation=mixing, max_epochs=10, random_state=0, validation_fraction=0.1)
        assert net.fit(IMAGES[TRAIN], DIGITS[TRAIN]).score(IMAGES[TEST], DIGITS[TEST]) > 0.93
        plain = ConvNetClassifier(SMALL, augmentation=MixUp(), **QUICK)
        plain.fit(X, Y, sample_weight=np.linspace(1, 2, 100))
        ConvNetClassifier(SMALL, augmentation=MixUp(), criterion="bce_with_logits", **QUICK).fit(X, Y > 4)
        ConvNetRegressor(SMALL, augmentation=MixUp(), **QUICK).fit(X, Y.astype(float))
        plain.partial_fit(X, Y)


class TestTransfer:
    """Networks that begin with what others have learnt."""

    def first(self):
        return ConvNetClassifier(SMALL, **{**QUICK, "max_epochs": 5}).fit(IMAGES[TRAIN], DIGITS[TRAIN])

    @pytest.mark.parametrize("form", ["module", "state", "safetensors", "checkpoint"])
    def test_from(self, form, tmp_path):
        given = tmp_path / form
        if form == "checkpoint":
            net = ConvNetClassifier(SMALL, checkpoint=given, **{**QUICK, "max_epochs": 5})
            source = net.fit(IMAGES[TRAIN], DIGITS[TRAIN]).module_
        else:
            source = self.first().module_
        if form == "safetensors":
            pytest.importorskip("safetensors")
            nn.save(source, given)
        elif form != "checkpoint":
            given = source if form == "module" else source.state_dict()
        odd = Y % 2
        net = ConvNetClassifier(SMALL, pretrained=given, optimizer__lr=0.0, **QUICK).fit(X, odd)
        ours, theirs = parameters(net), source.state_dict()
        last = [name for name in ours if name.startswith("8.")]
        assert net.pretrained_ == [name for name in ours if name not in last]
        for name in net.pretrained_:
            if "running" not in name and "num_batches" not in name:
                np.testing.assert_array_equal(ours[name], theirs[name])
        assert net.n_outputs_ == 2
        assert not hasattr(net.set_params(pretrained=None).fit(X, odd), "pretrained_")

    def test_frozen_layers(self):
        source = self.first().module_
        before = {name: array.copy() for name, array in source.state_dict().items()}
        odd = DIGITS % 2
        frozen = ["0", "1.*", "4"]
        net = ConvNetClassifier(
            SMALL, pretrained=source, frozen=frozen, optimizer__lr=0.01, max_epochs=8, random_state=0
        )
        net.fit(IMAGES[TRAIN], odd[TRAIN])
        moved = {name for name, array in parameters(net).items() if name in before and name in net.pretrained_
                 and not np.array_equal(array, before[name])}  # fmt: skip
        moved = {name.split(".")[0] for name in moved}
        assert moved <= {"4", "5"}  # the convolutions of 0 and 4 and their averages stay
        assert not any(p.requires_grad for name, p in net.module_.named_parameters() if name.split(".")[0] in "01")
        assert net.score(IMAGES[TEST], odd[TEST]) > 0.85

    def test_frozen_layers_thaw(self):
        net = ConvNetClassifier(SMALL, frozen="0", warm_start=True, **QUICK).fit(X, Y)
        first = parameters(net)
        net.fit(X, Y)
        np.testing.assert_array_equal(parameters(net)["0.weight"], first["0.weight"])
        net.set_params(frozen=None).fit(X, Y)
        assert not np.array_equal(parameters(net)["0.weight"], first["0.weight"])
        assert all(p.requires_grad for p in net.module_.parameters())

    def test_what_cannot_be_taken_over(self, tmp_path):
        source = self.first().module_
        with pytest.raises(ValueError, match=r"frozen: no parameter has the name 'body\.\*'; there are 0\.weight"):
            ConvNetClassifier(SMALL, frozen="body.*").fit(X, Y)
        with pytest.raises(ValueError, match="no parameters to train"):
            ConvNetClassifier(SMALL, frozen="*").fit(X, Y)
        with pytest.raises(ValueError, match="pretrained: nothing has the name and shape of a parameter"):
            ConvNetClassifier([7], pretrained={"0.weight": np.zeros(3)}).fit(X, Y)
        with pytest.raises(ValueError, match=r"frozen: 8\.bias, 8\.weight would stay random"):
            ConvNetClassifier(SMALL, pretrained=source, frozen="8").fit(X, Y % 2)
        with pytest.raises(FileNotFoundError, match="pretrained: there is no file"):
            ConvNetClassifier(SMALL, pretrained=tmp_path / "none").fit(X, Y)


class TestTraining:
    """What estimators over modules can do, on images."""

    def test_early_stopping_scores_and_schedules(self):
        net = ConvNetClassifier(
            SMALL, early_stopping=True, early_stopping__patience=2, scoring="accuracy", schedule="cosine",
            validation_fraction=0.2, max_epochs=15, random_state=0,
        )  # fmt: skip
        net.fit(colours(BYTES), DIGITS)
        scores = net.history_["accuracy"]
        assert scores[net.best_epoch_ - 1] == max(scores)
        assert scores[-1] > 0.8
        assert net.history_["lr"][-1] < 1e-3

    def test_a_resumed_training_ends_the_same(self, tmp_path):
        options = {"module": SMALL, "augmentation": RandomCrop(1), "schedule": None, "random_state": 0}
        whole = ConvNetClassifier(max_epochs=4, **options).fit(BYTES[FEW], Y)
        path = tmp_path / "net.npz"
        ConvNetClassifier(max_epochs=2, checkpoint=path, **options).fit(BYTES[FEW], Y)
        resumed = ConvNetClassifier(max_epochs=4, checkpoint=path, resume=True, **options).fit(BYTES[FEW], Y)
        assert_same_parameters(whole, resumed)

    def test_partial_fit(self):
        net = ConvNetClassifier(SMALL, batch_size=32, random_state=0)
        for _ in range(4):
            for part in np.array_split(np.arange(1200), 3):
                net.partial_fit(BYTES[part], DIGITS[part], classes=np.arange(10))
        assert net.score(BYTES[TEST], DIGITS[TEST]) > 0.85
        values = ConvNetRegressor(SMALL, random_state=0).partial_fit(X, Y.astype(float)).partial_fit(X, Y.astype(float))
        assert len(values.loss_curve_) == 2

    def test_progress(self, capsys):
        ConvNetClassifier(SMALL, verbose=True, **QUICK).fit(X, Y)
        assert "2/2" in capsys.readouterr().err

    def test_in_searches_and_pipelines(self):
        as_images = FunctionTransformer(lambda rows: np.asarray(rows).reshape(-1, 8, 8))
        pipe = make_pipeline(as_images, ConvNetClassifier(SMALL, optimizer__lr=0.01, random_state=0))
        grid = {"convnetclassifier__max_epochs": [1, 8], "convnetclassifier__module": [SMALL]}
        rows = IMAGES.reshape(-1, 64)
        search = GridSearchCV(pipe, grid, cv=3).fit(rows[:600], DIGITS[:600])
        assert search.best_params_["convnetclassifier__max_epochs"] == 8
        assert search.score(rows[TEST], DIGITS[TEST]) > 0.8
        net = ConvNetClassifier(SMALL, optimizer__lr=0.01, max_epochs=10, random_state=0)
        for given in (IMAGES[:600], BYTES[:600], colours(IMAGES[:600])):
            assert cross_val_score(net, given, DIGITS[:600], cv=3).mean() > 0.75

    def test_clones_and_pickles(self):
        net = ConvNetClassifier(
            [4, (4, 1), nn.Conv2d(4, 4, 1)], augmentation=[RandomCrop(1), MixUp()], frozen=["0"], image_shape=(8, 8),
            optimizer__lr=0.01, **QUICK,
        )  # fmt: skip
        copied = clone(net)
        assert copied.get_params().keys() == net.get_params().keys()
        net.fit(X, Y)
        assert_same_parameters(net, copied.fit(X, Y))
        again = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
        assert_same_parameters(again.partial_fit(X, Y), net.partial_fit(X, Y))
        assert "augmentation=[RandomCrop(" in repr(net)
