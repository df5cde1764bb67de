"""NeuralNetClassifier and NeuralNetRegressor: what they predict, of which types, and what they refuse."""

import numpy as np
import pytest
import scipy.sparse as sp
from neural_net_problem import FLAGS, PAIRS, THREE, TWO, VALUES, X, assert_same_parameters, parameters
from sklearn.utils.class_weight import compute_sample_weight

import fastml
from fastml import nn
from fastml.neural_network import NeuralNetClassifier, NeuralNetRegressor, dense_network

QUICK = {"optimizer__lr": 0.01, "batch_size": 16, "max_epochs": 30, "random_state": 0}


class Affine(nn.Module):
    """A module of a user's own: outputs for two classes or values, whatever it is told."""

    def __init__(self, in_features, out_features):
        self.layer = nn.Linear(in_features, out_features)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize(("y", "n_outputs"), [(THREE, 3), (TWO, 2), (FLAGS, 3)], ids=["three", "two", "labels"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_classes(y, n_outputs, dtype):
    net = NeuralNetClassifier(**QUICK).fit(X.astype(dtype), y)
    assert net.score(X, y) > 0.8
    assert net.n_outputs_ == n_outputs
    np.testing.assert_array_equal(net.classes_, np.unique(y) if y.ndim == 1 else np.arange(3))
    probabilities, scores = net.predict_proba(X), net.decision_function(X)
    assert probabilities.dtype == scores.dtype == dtype
    assert {a.dtype for a in parameters(net).values()} == {np.dtype(dtype)}
    assert scores.shape == (len(X),) if n_outputs == 2 else (len(X), 3)
    np.testing.assert_allclose(net.predict_log_proba(X), np.log(probabilities))
    predicted = net.predict(X)
    if y.ndim == 2:
        np.testing.assert_array_equal(predicted, probabilities > 0.5)
    else:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(predicted, net.classes_[probabilities.argmax(axis=1)])


def test_probabilities_are_those_of_the_loss_that_was_minimised():
    """A linear module without penalty is logistic regression; so its mean probabilities are the shares."""
    y = (X[:, 0] + np.random.default_rng(1).normal(size=len(X)) > 0).astype(int)
    for criterion, outputs in (("cross_entropy", 2), ("bce_with_logits", 1)):
        net = NeuralNetClassifier(
            nn.Linear, criterion=criterion, optimizer__lr=0.1, batch_size=len(X), max_epochs=300, random_state=0
        ).fit(X, y)
        assert net.n_outputs_ == outputs
        np.testing.assert_allclose(net.predict_proba(X).mean(axis=0), [1 - y.mean(), y.mean()], atol=1e-3)


@pytest.mark.parametrize("criterion", ["bce_with_logits", "hinge"])
@pytest.mark.parametrize("y", [THREE, TWO, FLAGS], ids=["three", "two", "labels"])
def test_losses_of_classes(criterion, y):
    net = NeuralNetClassifier(criterion=criterion, **QUICK).fit(X, y)
    assert net.score(X, y) > 0.8
    assert net.n_outputs_ == (1 if y is TWO else 3)
    if criterion == "hinge":
        assert not hasattr(net, "predict_proba")
    elif y is not FLAGS:
        np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)


def test_a_single_output_stands_for_two_classes():
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    net = NeuralNetClassifier(module, **QUICK).fit(X, TWO)
    assert net.score(X, TWO) > 0.9
    probabilities = net.predict_proba(X)
    assert probabilities.shape == (120, 2)
    np.testing.assert_array_equal(net.decision_function(X) > 0, probabilities[:, 1] > 0.5)


def test_a_function_as_criterion_gets_outputs_and_targets():
    seen = []

    def loss(outputs, targets, strength):
        seen.append((outputs.shape, targets.dtype.kind))
        return nn.cross_entropy(outputs, targets) * strength

    NeuralNetClassifier(criterion=loss, criterion__strength=2.0, **{**QUICK, "max_epochs": 1}).fit(X, THREE)
    assert set(seen) == {((16, 3), "i"), ((8, 3), "i")}
    doubled = NeuralNetClassifier(criterion=loss, criterion__strength=2.0, **{**QUICK, "max_epochs": 1}).fit(X, THREE)
    plain = NeuralNetClassifier(**{**QUICK, "max_epochs": 1}).fit(X, THREE)
    assert doubled.loss_curve_[0] == pytest.approx(2 * plain.loss_curve_[0], rel=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("y", [VALUES, PAIRS], ids=["one", "two"])
def test_values(y, dtype):
    net = NeuralNetRegressor(**{**QUICK, "max_epochs": 60}).fit(X.astype(dtype), y)
    predicted = net.predict(X.astype(dtype))
    assert predicted.shape == y.shape
    assert predicted.dtype == dtype
    assert net.score(X, y) > 0.8


@pytest.mark.parametrize("criterion", ["absolute_error", "huber", "squared_error"])
def test_losses_of_values(criterion):
    net = NeuralNetRegressor(criterion=criterion, **{**QUICK, "max_epochs": 60}).fit(X, VALUES)
    assert net.score(X, VALUES) > 0.9


def test_a_poisson_loss_predicts_expected_counts():
    counts = np.random.default_rng(0).poisson(np.exp(0.5 + 0.8 * X[:, 0]))
    net = NeuralNetRegressor(nn.Linear, criterion="poisson", **{**QUICK, "max_epochs": 200}).fit(X, counts)
    predicted = net.predict(X)
    assert np.all(predicted > 0)
    np.testing.assert_allclose(predicted.mean(), counts.mean(), rtol=0.05)
    with pytest.raises(ValueError, match="counts, none of them negative"):
        net.fit(X, counts - 1)


def test_a_linear_module_finds_least_squares():
    net = NeuralNetRegressor(
        nn.Linear, optimizer="sgd", optimizer__lr=0.1, batch_size=len(X), max_epochs=500, random_state=0
    ).fit(X, VALUES)
    best, *_ = np.linalg.lstsq(np.c_[X, np.ones(len(X))], VALUES, rcond=None)
    np.testing.assert_allclose(net.module_.weight.data.ravel(), best[:4], atol=1e-8)
    np.testing.assert_allclose(net.module_.bias.data, best[4:], atol=1e-8)


def test_weights_count_as_repetitions():
    """In full batches; small ones are drawn from rows, so that repeated rows come at other times."""
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    repeated = np.repeat(np.arange(len(X)), weight)
    options = {**QUICK, "batch_size": 1000}
    weighted = NeuralNetClassifier(**options).fit(X, THREE, sample_weight=weight)
    plain = NeuralNetClassifier(**options).fit(X[repeated], THREE[repeated])
    np.testing.assert_allclose(weighted.predict_proba(X), plain.predict_proba(X), rtol=1e-6)
    np.testing.assert_allclose(weighted.loss_curve_, plain.loss_curve_)
    assert not np.allclose(weighted.predict_proba(X), NeuralNetClassifier(**options).fit(X, THREE).predict_proba(X))
    weighted = NeuralNetRegressor(**options).fit(X, PAIRS, sample_weight=weight)
    plain = NeuralNetRegressor(**options).fit(X[repeated], PAIRS[repeated])
    np.testing.assert_allclose(weighted.predict(X), plain.predict(X), rtol=1e-6)


def test_weights_of_classes_are_weights_of_samples():
    for class_weight in ("balanced", {"ant": 1, "bee": 5, "cat": 0.5}):
        by_class = NeuralNetClassifier(class_weight=class_weight, **QUICK).fit(X, THREE)
        weight = compute_sample_weight(class_weight, THREE)
        assert_same_parameters(by_class, NeuralNetClassifier(**QUICK).fit(X, THREE, sample_weight=weight))
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        NeuralNetClassifier(class_weight="balanced").partial_fit(X, THREE, classes=["ant", "bee", "cat"])


def test_a_loss_without_losses_of_samples_takes_no_weights():
    for criterion in (lambda outputs, targets: nn.cross_entropy(outputs, targets), nn.Module()):
        with pytest.raises(ValueError, match=r"needs? the losses of single samples"):
            NeuralNetClassifier(criterion=criterion).fit(X, THREE, sample_weight=np.ones(len(X)))


def test_modules_of_any_kind():
    def build(in_features, out_features, width=8):
        return nn.Sequential(nn.Linear(in_features, width), nn.ReLU(), nn.Linear(width, out_features))

    for module, nested in ((Affine, {}), (build, {"module__width": 5}), (nn.Linear, {"module__bias": False})):
        net = NeuralNetClassifier(module, **nested, **QUICK).fit(X, THREE)
        assert net.score(X, THREE) > 0.8
        assert {p.dtype for p in net.module_.parameters()} == {np.dtype(np.float64)}
    assert net.module_.bias is None
    assert NeuralNetClassifier(build, module__width=5, **QUICK).fit(X, THREE).module_[0].out_features == 5


def test_a_module_that_is_given_is_not_trained_itself():
    module = nn.Linear(4, 3)
    before = {name: array.copy() for name, array in module.state_dict().items()}
    net = NeuralNetClassifier(module, optimizer__lr=0.0, max_epochs=1).fit(X.astype(np.float32), THREE)
    for name, array in before.items():
        np.testing.assert_array_equal(net.module_.state_dict()[name], array)  # it begins where the module is
    net.set_params(optimizer__lr=0.1).fit(X, THREE)
    for name, array in before.items():
        np.testing.assert_array_equal(module.state_dict()[name], array)
        assert not np.array_equal(net.module_.state_dict()[name], array)


def test_the_module_by_default():
    net = NeuralNetClassifier(
        module__hidden_layer_sizes=(9, 7),
        module__activation="gelu",
        module__dropout=0.1,
        module__batch_norm=True,
        max_epochs=2,
    ).fit(X, THREE)
    kinds = [type(layer).__name__ for layer in net.module_]
    assert kinds == ["Linear", "BatchNorm1d", "GELU", "Dropout"] * 2 + ["Linear"]
    assert [layer.out_features for layer in net.module_ if isinstance(layer, nn.Linear)] == [9, 7, 3]
    widths = [layer.out_features for layer in dense_network(784, 10) if isinstance(layer, nn.Linear)]
    assert widths == [256, 128, 10]
    assert len(dense_network(5, 2, hidden_layer_sizes=())) == 1
    with pytest.raises(ValueError, match=r"activation: expected one of .*gelu.*; got 'glue'"):
        dense_network(5, 2, activation="glue")
    with pytest.raises(ValueError, match="widths of at least 1"):
        dense_network(5, 2, hidden_layer_sizes=(3, 0))


@pytest.mark.parametrize("form", [sp.csr_array, sp.csr_matrix, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_sparse_samples_are_dense_ones_to_the_module(form, activation):
    """One native call an epoch with "relu", batch by batch with "gelu"."""
    thin = np.where(np.abs(X) > 0.7, X, 0)
    options = {"module__activation": activation, "early_stopping": True, "scoring": "accuracy", **QUICK}
    dense = NeuralNetClassifier(**options).fit(thin, THREE)
    sparse = NeuralNetClassifier(**options).fit(form(thin), THREE)
    np.testing.assert_allclose(sparse.predict_proba(form(thin)), dense.predict_proba(thin), rtol=1e-6)
    np.testing.assert_allclose(sparse.history_["validation_loss"], dense.history_["validation_loss"], rtol=1e-9)
    assert sparse.predict_proba(form(thin.astype(np.float32))).dtype == np.float64
    weighted = [
        NeuralNetRegressor(**QUICK).fit(samples, VALUES, sample_weight=np.arange(120)).predict(samples)
        for samples in (thin, form(thin))
    ]
    np.testing.assert_allclose(*weighted, rtol=1e-6)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(5, 3), r"Linear\(in_features=5.*\): the input has shape \(2, 4\), .* 5 long"),
        (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(7, 3)), r"Linear\(.*\) '2': the input has shape \(2, 6\)"),
        (nn.Linear(4, 2), r"Linear gives 2 output\(s\) for a sample; expected one for each of the 3 classes"),
        (nn.Flatten(), "Flatten gives 4 output"),
        (nn.Identity(), "Identity gives 4 output"),
        (nn.Sequential(nn.Linear(4, 3), nn.Flatten(0)), r"for samples of shape \(2, 4\) it gave shape \(6,\)"),
    ],
    ids=["input", "layer", "classes", "flatten", "identity", "samples"],
)
def test_a_module_that_does_not_fit_is_named_with_its_shapes(module, message):
    with pytest.raises(ValueError, match=message):
        NeuralNetClassifier(module).fit(X, THREE)


def test_bad_arguments():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'max_epoch'.*begin with module__"):
        NeuralNetClassifier(max_epoch=3)
    with pytest.raises(ValueError, match="Invalid parameter 'max_epoch'"):
        NeuralNetClassifier().set_params(max_epoch=3)
    for nested, message in {
        "optimizer__speed": "optimizer__speed: Adam has no argument 'speed'; it has lr, betas, eps",
        "module__width": "module__width: dense_network has no argument 'width'; it has in_features",
        "criterion__delta": "criterion__delta: CrossEntropyLoss has no argument 'delta'",
    }.items():
        with pytest.raises(ValueError, match=message):
            NeuralNetClassifier(**{nested: 1}).fit(X, THREE)
    with pytest.raises(ValueError, match="schedule__T_max: StepLR has no argument 'T_max'; it has step_size, gamma"):
        NeuralNetClassifier(schedule="step", schedule__T_max=3).fit(X, THREE)
    with pytest.raises(ValueError, match="module__in_features: the module is built already"):
        NeuralNetClassifier(nn.Linear(4, 3), module__in_features=4).fit(X, THREE)
    with pytest.raises(ValueError, match="criterion__label_smoothing: the criterion is built already"):
        NeuralNetClassifier(criterion=nn.CrossEntropyLoss(), criterion__label_smoothing=0.1).fit(X, THREE)
    with pytest.raises(TypeError, match=r"expected .* to return a Module of fastml.nn, got int"):
        NeuralNetClassifier(lambda: 3).fit(X, THREE)
    with pytest.raises(ValueError, match="no parameters to train"):
        NeuralNetRegressor(nn.Identity()).fit(X[:, :1], VALUES)
    with pytest.raises(TypeError, match=r"expected objects of fastml.nn.callbacks.Callback, got 'print'"):
        NeuralNetClassifier(callbacks=["print"]).fit(X, THREE)
    with pytest.raises(ValueError, match=r"The 'optimizer' parameter of NeuralNetClassifier must be .*Got 'adamm'"):
        NeuralNetClassifier(optimizer="adamm").fit(X, THREE)
    with pytest.raises(ValueError, match="cross_entropy is not for several labels a sample; bce_with_logits is"):
        NeuralNetClassifier(criterion="cross_entropy").fit(X, FLAGS)
    with pytest.raises(ValueError, match=r"gives 1 output.* y has 2 value"):
        NeuralNetRegressor(nn.Linear(4, 1)).fit(X, PAIRS)


def test_bad_labels():
    net = NeuralNetClassifier(max_epochs=1).partial_fit(X, THREE, classes=["ant", "bee", "cat"])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`.*'y' has \['dog'\]"):
        net.partial_fit(X, np.where(THREE == "bee", "dog", THREE))
    with pytest.raises(ValueError, match="labels as in the fit before"):
        net.partial_fit(X, FLAGS)
    with pytest.raises(ValueError, match="an indicator matrix"):
        net.fit(X, FLAGS + np.arange(3))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        net.fit(X, VALUES)


def test_calls_are_counted_and_never_fall_back():
    fastml._support.dispatch.reset_calls()
    NeuralNetRegressor(max_epochs=1).fit(X, VALUES).predict(X)
    names = {(call.name, call.reason) for call in fastml._support.dispatch.calls()}
    assert names == {("NeuralNetRegressor.fit", None), ("NeuralNetRegressor.predict", None)}


def test_there_is_no_equal_in_scikit_learn():
    with pytest.raises(TypeError, match="NeuralNetRegressor has no counterpart in scikit-learn"):
        fastml.to_sklearn(NeuralNetRegressor())
    with pytest.raises(ValueError, match="fastml replaces no NeuralNetRegressor"):
        fastml.patch_sklearn(["NeuralNetRegressor"])


def test_probabilities_of_classes_against_all_others_are_never_nan():
    far = nn.Linear(4, 3)
    far.weight.data[...], far.bias.data[...] = 0, [-300, -200, -250]
    net = NeuralNetClassifier(far, criterion="bce_with_logits", max_epochs=1, optimizer__lr=1e-8)
    net.fit(X.astype(np.float32), THREE)
    # All three sigmoids are 0 in float32.
    np.testing.assert_allclose(net.predict_proba(X.astype(np.float32))[:2], [[0, 1, 0]] * 2, atol=1e-20)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_of_classes_are_not_negative(weight):
    with pytest.raises(ValueError, match="class_weight: expected finite numbers from 0 on"):
        NeuralNetClassifier(class_weight={"no": weight, "yes": 1.0}).fit(X, TWO)


@pytest.mark.parametrize("widths", [(2.5,), (0,), [[3]], ["a"]])
def test_widths_are_whole_numbers(widths):
    with pytest.raises(ValueError, match="expected whole widths of at least 1"):
        NeuralNetRegressor(module__hidden_layer_sizes=widths).fit(X, VALUES)


def test_widths_may_be_of_any_type_that_holds_whole_numbers():
    assert [layer.out_features for layer in dense_network(4, 1, np.array([8.0, 3.0]))[::2]] == [8, 3, 1]


def test_a_part_that_lacks_an_argument_says_which():
    with pytest.raises(ValueError, match="schedule__step_size: StepLR needs it"):
        NeuralNetRegressor(schedule="step").fit(X, VALUES)


def test_the_cosine_ends_with_the_training_behind_a_warm_up():
    net = NeuralNetRegressor(schedule="cosine", schedule__warmup_steps=2, max_epochs=6, batch_size=60, random_state=0)
    rates = net.fit(X, VALUES).history_["lr"]
    share = np.array([1 / 3, 2 / 3, 1, *((1 + np.cos(np.pi * np.arange(1, 4) / 4)) / 2)])
    np.testing.assert_allclose(rates, 1e-3 * share)


@pytest.mark.parametrize("net", [NeuralNetRegressor, lambda **given: NeuralNetRegressor(module__dropout=0.1, **given)])
def test_a_step_into_infinity_leaves_the_estimator_as_it_was(net):
    model = net(optimizer="sgd", max_epochs=1, batch_size=120, random_state=0).fit(X, VALUES)
    before = parameters(model)
    model.set_params(optimizer__lr=1e308)
    with pytest.raises(nn.NonFiniteLossError, match="after this batch"):
        model.fit(X * 1e3, VALUES)
    for name, array in parameters(model).items():
        np.testing.assert_array_equal(array, before[name])
