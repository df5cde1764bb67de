"""The capsules in which Cython solvers get kernels."""

import numpy as np
import pytest

from fastml import _core

TABLES = ["vector_kernels", "wide_kernels"]


@pytest.mark.parametrize("table", TABLES)
def test_each_dtype_has_a_capsule_of_its_own(table):
    # The name is what a solver asks for, so that it cannot take the kernels of the other type, or other kernels.
    for dtype in ("float32", "float64"):
        assert f'"fastml.{table}.{dtype}"' in repr(getattr(_core, table)(np.dtype(dtype)))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("dtype", [np.int64, np.float16, ">f8"])
def test_other_types_have_none(dtype, table):
    with pytest.raises(ValueError, match=f"{table}: expected float32 or float64"):
        getattr(_core, table)(np.dtype(dtype))
