"""Initial values: their distributions, gains and fans, and that a seed gives the same ones."""

import math

import numpy as np
import pytest

from fastml.nn import init
from fastml.nn._seeding import manual_seed
from fastml.nn.module import Parameter

SHAPE = (300, 200)  # 300 outputs of 200 inputs


def weights(dtype=np.float64, shape=SHAPE):
    return Parameter(np.full(shape, 7, dtype))


@pytest.mark.parametrize(
    ("fill", "options", "deviation", "bound"),
    [
        (init.uniform_, {"a": -1, "b": 1}, 1 / math.sqrt(3), 1),
        (init.normal_, {}, 1, None),
        (init.xavier_uniform_, {}, math.sqrt(2 / 500), math.sqrt(6 / 500)),
        (init.normal_, {"std": 0.5}, 0.5, None),
        (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(2 / 500), 2 * math.sqrt(6 / 500)),
        (init.xavier_normal_, {}, math.sqrt(2 / 500), None),
        (init.kaiming_uniform_, {}, math.sqrt(2 / 200), math.sqrt(6 / 200)),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, math.sqrt(1 / 600), math.sqrt(1 / 200)),
        (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 300), None),
        (init.kaiming_normal_, {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(200), None),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
def test_distributions(fill, options, deviation, bound, dtype):
    p = weights(dtype)
    before = p.data
    assert fill(p, **options, generator=0) is p
    assert p.data is before
    assert p.data.dtype == dtype
    # Of 60,000 draws: the standard error of the deviation is 0.3 % at most, that of the mean 0.4 % of it.
    assert p.data.std() == pytest.approx(deviation, rel=0.015)
    assert abs(p.data.mean()) < 0.02 * deviation
    if bound is not None:
        assert bound * 0.99 < abs(p.data).max() <= bound * (1 + 1e-6)


def test_uniform_numbers_are_from_0_to_1_by_default():
    values = init.uniform_(weights(), generator=0).data
    assert (values.min(), values.max()) == pytest.approx((0, 1), abs=1e-3)
    assert values.min() >= 0


def test_constants():
    assert (init.zeros_(weights()).data == 0).all()
    assert (init.ones_(weights()).data == 1).all()
    assert (init.constant_(weights(), 0.25).data == 0.25).all()


def test_seeds():
    def drawn(generator=None, dtype=np.float64):
        return init.normal_(weights(dtype), generator=generator).data

    np.testing.assert_array_equal(drawn(3), drawn(3))
    np.testing.assert_array_equal(drawn(3), drawn(np.random.default_rng(3)))
    np.testing.assert_array_equal(drawn(3).astype(np.float32), drawn(3, np.float32))
    assert (drawn(np.random.RandomState(3)) != drawn(3)).any()
    manual_seed(5)
    first = [drawn(), drawn()]
    manual_seed(5)
    np.testing.assert_array_equal(first, [drawn(), drawn()])
    assert (first[0] != first[1]).any()


def test_fans_of_shared_weights():
    assert init.fans(weights(shape=(8, 3, 5, 2))) == (30, 80)
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        init.xavier_uniform_(weights(shape=(4,)))


def test_gains_are_pytorchs():
    torch = pytest.importorskip("torch", reason="the other side of the comparison; two are tested above")
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="Unsupported nonlinearity swish"):
        init.calculate_gain("swish")
    with pytest.raises(ValueError, match="Mode fan_sideways not supported"):
        init.kaiming_normal_(weights(), mode="fan_sideways")
