"""Convolutions by an explicit im2col: what the kernels compute without writing that matrix."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Geometry:
    """Sizes of a convolution, each down and across."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    def out_size(self, height, width):
        """Return the height and width of the result."""
        return tuple(
            (size + 2 * self.padding[i] - self.dilation[i] * (self.kernel[i] - 1) - 1) // self.stride[i] + 1
            for i, size in enumerate((height, width))
        )

    def met_by(self, a, b, height, width):
        """Return which pixels of an image with margins place (a, b) of the kernel meets, one for each result."""
        out = self.out_size(height, width)
        starts = a * self.dilation[0], b * self.dilation[1]
        return tuple(slice(start, start + (n - 1) * step + 1, step) for start, n, step in zip(starts, out, self.stride))


def im2col(x, geometry):
    """Copy what each result meets into a column.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)

    Returns
    -------
    columns : ndarray of shape (N, C, kernel height, kernel width, out height, out width)
    """
    height, width = x.shape[2:]
    (top, left), (kernel_h, kernel_w) = geometry.padding, geometry.kernel
    framed = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    columns = np.empty((*x.shape[:2], kernel_h, kernel_w, *geometry.out_size(height, width)), x.dtype)
    for a in range(kernel_h):
        for b in range(kernel_w):
            down, across = geometry.met_by(a, b, height, width)
            columns[:, :, a, b] = framed[:, :, down, across]
    return columns


def col2im(columns, height, width, geometry):
    """Add each element of the columns to the pixel that it was copied from."""
    (top, left), (kernel_h, kernel_w) = geometry.padding, geometry.kernel
    framed = np.zeros((*columns.shape[:2], height + 2 * top, width + 2 * left), columns.dtype)
    for a in range(kernel_h):
        for b in range(kernel_w):
            down, across = geometry.met_by(a, b, height, width)
            framed[:, :, down, across] += columns[:, :, a, b]
    return framed[:, :, top : top + height, left : left + width]


def _grouped(x, weight, geometry):
    """Return columns and weights as matrices, one for each group."""
    columns = im2col(x, geometry)  # (N, C, kh, kw, oh, ow)
    n, g = len(x), geometry.groups
    matrices = columns.reshape(n, g, -1, columns.shape[4] * columns.shape[5])  # (N, g, C/g kh kw, oh ow)
    return columns.shape, matrices, weight.reshape(g, len(weight) // g, -1)  # (g, F/g, C/g kh kw)


def conv2d(x, weight, bias, geometry):
    """Convolve images (N, C, H, W) with weights (F, C / groups, kernel height, kernel width)."""
    shape, columns, matrices = _grouped(x, weight, geometry)
    y = matrices @ columns  # (N, g, F/g, oh ow)
    return y.reshape(len(x), len(weight), *shape[4:]) + bias[:, np.newaxis, np.newaxis]


def conv2d_backward(x, weight, dy, geometry):
    """Return the derivatives by x, weight and bias."""
    shape, columns, matrices = _grouped(x, weight, geometry)
    dz = dy.reshape(len(x), geometry.groups, -1, shape[4] * shape[5])  # (N, g, F/g, oh ow)
    dcolumns = matrices.transpose(0, 2, 1) @ dz  # (N, g, C/g kh kw, oh ow)
    dx = col2im(dcolumns.reshape(shape), *x.shape[2:], geometry)
    dweight = (dz @ columns.transpose(0, 1, 3, 2)).sum(axis=0)  # (g, F/g, C/g kh kw)
    return dx, dweight.reshape(weight.shape), dy.sum(axis=(0, 2, 3))
