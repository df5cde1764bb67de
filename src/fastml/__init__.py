"""fastml: scikit-learn's estimators, the same models, many times sooner on CPUs.

Import the estimators from ``fastml.<family>`` (``from fastml.cluster import KMeans``), or let scikit-learn's own names
stand for them with :func:`patch_sklearn` or ``python -m fastml script.py``.

Nothing is imported before it is asked for: ``import fastml`` costs a millisecond or two.
"""

from importlib import import_module

# What type checkers take for typing.TYPE_CHECKING, without the import of typing: it takes longer than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastml import (
        cluster,
        decomposition,
        ensemble,
        linear_model,
        metrics,
        naive_bayes,
        neighbors,
        neural_network,
        nn,
        svm,
        tree,
    )
    from fastml._patch import patch_sklearn, patched, unpatch_sklearn
    from fastml._support.config import config_context, get_config, set_config
    from fastml._support.dispatch import FallbackError, FallbackWarning
    from fastml._support.to_sklearn import to_sklearn
    from fastml._versions import show_versions

__version__ = "0.1.0"

__all__ = [
    "FallbackError",
    "FallbackWarning",
    "__version__",
    "cluster",
    "config_context",
    "decomposition",
    "ensemble",
    "get_config",
    "linear_model",
    "metrics",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "nn",
    "patch_sklearn",
    "patched",
    "set_config",
    "show_versions",
    "svm",
    "to_sklearn",
    "tree",
    "unpatch_sklearn",
]

_FAMILIES = (
    "cluster",
    "decomposition",
    "ensemble",
    "linear_model",
    "metrics",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "nn",
    "svm",
    "tree",
)
_HOME = {
    "FallbackError": "fastml._support.dispatch",
    "FallbackWarning": "fastml._support.dispatch",
    "config_context": "fastml._support.config",
    "get_config": "fastml._support.config",
    "patch_sklearn": "fastml._patch",
    "patched": "fastml._patch",
    "set_config": "fastml._support.config",
    "show_versions": "fastml._versions",
    "to_sklearn": "fastml._support.to_sklearn",
    "unpatch_sklearn": "fastml._patch",
}


def __getattr__(name: str) -> object:
    if name in _FAMILIES:
        return import_module(f"fastml.{name}")
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'fastml' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
