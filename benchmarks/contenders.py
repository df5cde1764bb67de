"""Who takes part, and how each is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "fastml"


@dataclass(frozen=True)
class Contender:
    """A library under measurement.

    Parameters
    ----------
    name : str
        As shown.
    module : str
        What must import; a contender without it is reported as not installed.
    distribution : str
        Whose version is reported.
    environment : mapping, default={}
        Added to the worker's environment before anything is imported.
    fallback_logger : str or None
        Logger on which the library says that it handed the work to scikit-learn. A result borrowed so is marked.
    facts : str or None
        Dotted path of a function that returns facts about the build, for the record.
    """

    name: str
    module: str
    distribution: str
    environment: Mapping[str, str] = field(default_factory=dict)
    fallback_logger: str | None = None
    facts: str | None = None


CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("scikit-learn", "sklearn", "scikit-learn"),
        Contender("sklearnex", "sklearnex", "scikit-learn-intelex", fallback_logger="sklearnex"),
        Contender("faiss", "faiss", "faiss-cpu"),
        Contender("pykdtree", "pykdtree", "pykdtree"),
        Contender("numpy", "numpy", "numpy"),
        Contender("scipy", "scipy", "scipy"),
        Contender("torch", "torch", "torch"),
        Contender("torch-nhwc", "torch", "torch"),  # images with their channels last
        # An error instead of a fallback: no result is borrowed from scikit-learn unseen.
        Contender(OURS, "fastml", "fastml", {"FASTML_FALLBACK": "error"}, facts="fastml._core:build_info"),
    )
}

# Read when a library loads, so they must be set before that. sklearnex takes its limit from the OpenMP runtime's.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "FASTML_NUM_THREADS",
)


def environment(contender: Contender, threads: int) -> dict[str, str]:
    """Give the variables a contender's process is started with, beside those of the parent."""
    return {**dict.fromkeys(THREAD_VARIABLES, str(threads)), **contender.environment}
