"""Networks of the benchmark are the same for every contender, and its checks catch wrong answers."""

import numpy as np
import pytest

from benchmarks.nn.answers import same_logits, same_losses
from benchmarks.nn.image_networks import IMAGES, STAGES, drawn, fastml_network, noise, torch_network
from benchmarks.nn.image_tasks import inference, training


def test_values_follow_from_names_and_shapes():
    shapes = {"0.weight": (4, 3, 3, 3), "0.bias": (4,), "1.weight": (4,), "1.running_var": (4,), "1.running_mean": (4,)}
    first, second = drawn(shapes), drawn(dict(reversed(shapes.items())))
    for name, shape in shapes.items():
        assert first[name].shape == shape
        np.testing.assert_array_equal(first[name], second[name])
    assert not np.array_equal(first["0.bias"], first["1.running_mean"])
    assert (first["1.running_var"] > 0).all()


@pytest.mark.parametrize("network", IMAGES)
def test_each_step_changes_the_network(network):
    losses = training("fastml", noise(network, 8, "float32"), count=1).answer(None)["losses"]
    assert np.isfinite(losses).all()
    assert len(np.unique(losses)) == len(losses) > 1


@pytest.mark.parametrize("network", IMAGES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_contenders_build_the_same_network(network, dtype):
    pytest.importorskip("torch", reason="PyTorch, a contender, is not installed")
    ours, theirs = fastml_network(network, dtype), torch_network(network, dtype)
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    assert ours.state_dict().keys() == state.keys()
    for name, value in ours.state_dict().items():
        assert value.dtype == state[name].dtype
        np.testing.assert_array_equal(value, state[name])
    assert {value.dtype for value in ours.parameters()} == {np.dtype(dtype)}


@pytest.mark.parametrize("network", IMAGES)
def test_contenders_compute_the_same(network):
    pytest.importorskip("torch", reason="PyTorch, a contender, is not installed")
    # In float32 Adam soon makes large differences of small ones.
    data = noise(network, 2, "float64")
    answers = {}
    for contender in ("torch", "torch-nhwc", "fastml"):
        steps, logits = training(contender, data, count=1), inference(contender, data)
        answers[contender] = steps.answer(steps.call()), logits.answer(logits.call())
    for losses, logits in answers.values():
        assert same_losses(losses, answers["torch"][0], rtol=1e-9).right
        assert same_logits(logits, answers["torch"][1]).right


def test_the_mobilenet_is_that_of_the_models():
    from fastml import nn

    convolutions = [m for m in nn.models.mobilenet().modules() if isinstance(m, nn.Conv2d)]
    pairs = list(zip(convolutions[1::2], convolutions[2::2]))
    assert [(last.out_channels, first.stride[0]) for first, last in pairs] == list(STAGES)


def test_other_logits_are_wrong():
    logits = np.linspace(-1, 1, 20, dtype=np.float32).reshape(2, 10)
    reference = {"logits": logits}
    assert same_logits({"logits": logits + np.float32(1e-6)}, reference).right
    assert not same_logits({"logits": logits + np.float32(1e-4)}, reference).right
    assert not same_logits({"logits": logits[:1]}, reference).right
    assert not same_logits({"logits": logits.astype(np.float64)}, reference).right
    assert same_logits(reference, None) is None


def test_losses_are_held_to_the_tolerance_asked_for():
    reference = {"losses": np.array([2.3, 2.0])}
    other = {"losses": np.array([2.3, 2.001])}
    assert same_losses(other, reference, rtol=1e-3).right
    assert not same_losses(other, reference).right
