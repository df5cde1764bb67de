"""A BatchNorm in use is a factor and a shift of each channel: those of the convolution in front of it take them in.

Weights are folded at every call, which costs what passing over them costs, and so cannot be out of date.
"""

from typing import Any

import numpy as np

from fastml.nn._layout import channels_first
from fastml.nn._primitives_conv import conv_size, convolve
from fastml.nn._recording import mode
from fastml.nn.conv_layers import Conv2d
from fastml.nn.norm_layers import BatchNorm2d
from fastml.nn.tensor import Tensor


def can_fold(module: Any, after: Any) -> bool:
    """Tell whether a module is a convolution whose BatchNorm is constant, and nothing is to be differentiated."""
    return (
        type(after) is BatchNorm2d
        and type(module) is Conv2d
        and not mode.recording
        and not after.training
        and after.running_mean is not None
    )


def folded(conv: Any, norm: Any, x: Any, more: Tensor | None, relu: bool) -> Tensor:
    """Return what both layers give, plus more where that is given, through a ReLU if asked for."""
    x = conv.checked(x)
    if x.ndim != 4 or norm.num_features != conv.out_channels:
        return norm.continued(conv(x), more, relu)  # which says what is wrong
    x, padding = conv.with_margins(x)
    margins = conv.margins if padding is conv.padding else (0, 0, 0, 0)
    if more is not None:
        size = conv_size(x.shape[2:], conv.kernel_size, conv.stride, conv.dilation, margins)
        norm.check_more(more, (x.shape[0], conv.out_channels, *size))
    scale = np.sqrt(norm.running_var.data + norm.running_var.dtype.type(norm.eps))
    scale = 1 / scale if norm.weight is None else norm.weight.data / scale
    shift = norm.running_mean.data if conv.bias is None else norm.running_mean.data - conv.bias.data
    shift = -shift * scale if norm.bias is None else norm.bias.data - shift * scale
    _, y, _ = convolve(
        x.data,
        conv.weight.data * scale[:, np.newaxis, np.newaxis, np.newaxis],
        shift,
        "relu" if relu else "identity",
        0.0,
        conv.stride,
        conv.dilation,
        margins,
        conv.groups,
        None if more is None else more.data,
    )
    return Tensor._of(channels_first(y))
