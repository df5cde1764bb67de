"""The capsules in which Cython solvers get vector kernels."""

import numpy as np
import pytest

from fastml import _core


def test_each_dtype_has_a_capsule_of_its_own():
    # The name is what a solver asks for, so that it cannot take the kernels of the other type.
    for dtype in ("float32", "float64"):
        assert f'"fastml.vector_kernels.{dtype}"' in repr(_core.vector_kernels(np.dtype(dtype)))


@pytest.mark.parametrize("dtype", [np.int64, np.float16, ">f8"])
def test_other_types_have_none(dtype):
    with pytest.raises(ValueError, match="expected float32 or float64"):
        _core.vector_kernels(np.dtype(dtype))
