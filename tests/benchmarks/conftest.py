"""Contenders and workloads made up for the tests of the harness, which is in the source tree and not in the package."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))  # `benchmarks` and `examples` stand beside `src`, not in the package

from benchmarks.contenders import Contender  # noqa: E402
from benchmarks.workload import Named, Workload  # noqa: E402


@pytest.fixture
def contender() -> Callable[..., Contender]:
    """Make a contender whose worker can import this folder's made_up_tasks."""

    def make(name: str, module: str = "numpy", **more) -> Contender:
        return Contender(name, module, "numpy", {"PYTHONPATH": str(HERE)}, **more)

    return make


@pytest.fixture
def workload() -> Callable[..., Workload]:
    """Make a workload around a task of made_up_tasks; the answer is right when it is 42."""

    def make(task: str, *, contenders: tuple[str, ...] = ("first", "second"), **more) -> Workload:
        arguments = more.pop("arguments", {})
        settings = {"baseline": contenders[0], "dtype": "float64", **more}
        return Workload(
            name=f"made-up/{task}",
            data=Named("made_up_tasks:data"),
            task=Named(f"made_up_tasks:{task}", arguments),
            check=Named("made_up_tasks:is_42"),
            contenders=contenders,
            **settings,
        )

    return make
