"""Convolutions beside an explicit im2col, over random sizes.

Arrays hold small integers: sums of their products are exact in float32, whatever their order, so results are equal.
"""

import numpy as np
import pytest
from conv_reference import Geometry, col2im, conv2d, conv2d_backward, im2col
from hypothesis import assume, given, settings, strategies as st
from numpy.testing import assert_array_equal

from fastml import nn
from fastml.nn import functional as F


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def convolutions(draw, depthwise=False):
    """Draw sizes, most of them ones that real networks have: the kernels have loops of their own for these."""
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (5, 5)]) | pairs(1, 5))
    stride = draw(st.sampled_from([(1, 1), (2, 2)]) | pairs(1, 4))
    dilation = draw(st.just((1, 1)) | pairs(1, 3))
    groups = draw(st.integers(1, 40)) if depthwise else draw(st.sampled_from([1, 1, 2, 3]))
    channels, outputs = (groups, groups) if depthwise else (groups * draw(st.integers(1, c)) for c in (9, 20))
    geometry = Geometry(kernel, stride, draw(pairs(0, 4)), dilation, groups)
    n, height, width = draw(st.integers(1, 3)), draw(st.integers(1, 12)), draw(st.integers(1, 20))
    assume(min(geometry.out_size(height, width)) > 0)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))

    def integers(*shape):
        return rng.integers(-3, 4, shape).astype(dtype)

    x, weight, bias = (
        integers(n, channels, height, width),
        integers(outputs, channels // groups, *kernel),
        integers(outputs),
    )
    return geometry, x, weight, bias, integers(n, outputs, *geometry.out_size(height, width))


def check(geometry, x, weight, bias, dy):
    tensors = [nn.Tensor(array, requires_grad=True) for array in (x, weight, bias)]
    y = F.conv2d(*tensors, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)
    y.backward(dy)
    assert y.dtype == x.dtype
    assert_array_equal(y.data, conv2d(x, weight, bias, geometry))
    for tensor, expected in zip(tensors, conv2d_backward(x, weight, dy, geometry)):
        assert_array_equal(tensor.grad, expected)


@settings(max_examples=200, deadline=None)
@given(convolutions())
def test_convolutions(case):
    check(*case)


@settings(max_examples=200, deadline=None)
@given(convolutions(depthwise=True))
def test_depthwise_convolutions(case):
    check(*case)


@settings(max_examples=50, deadline=None)
@given(convolutions())
def test_an_activation_is_fused(case):
    geometry, x, weight, bias, dy = case
    tensors = [nn.Tensor(array, requires_grad=True) for array in (x, weight, bias)]
    y = F.conv2d(*tensors, geometry.stride, geometry.padding, geometry.dilation, geometry.groups, activation="relu")
    y.backward(dy)
    z = conv2d(x, weight, bias, geometry)
    assert_array_equal(y.data, np.maximum(z, 0))
    for tensor, expected in zip(tensors, conv2d_backward(x, weight, dy * (z > 0), geometry)):
        assert_array_equal(tensor.grad, expected)


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_im2col_and_col2im_are_adjoint(stride):
    geometry = Geometry((3, 2), stride, (1, 2), (2, 1), 1)
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, (2, 3, 7, 6))
    columns = im2col(x, geometry)
    y = rng.integers(-3, 4, columns.shape)
    assert (columns * y).sum() == (x * col2im(y, 7, 6, geometry)).sum()


def test_the_reference_by_hand():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    weight = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
    y = conv2d(x, weight, np.array([0.5]), Geometry((2, 2), (1, 1), (0, 0), (1, 1), 1))
    assert_array_equal(y, [[[[4310.5, 5421.5], [7643.5, 8754.5]]]])
