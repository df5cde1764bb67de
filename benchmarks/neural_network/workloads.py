"""What is measured for neural networks, as a table."""

from __future__ import annotations

from benchmarks.workload import Goal, Named, Workload

OURS_AND_SKLEARN = ("scikit-learn", "fastml")
ALL = ("scikit-learn", "torch", "fastml")

IMAGES = Named("benchmarks.neural_network.data_mlp:images")
FRAMED_IMAGES = Named("benchmarks.neural_network.data_mlp:images", {"side": 32})
DIGITS = Named("benchmarks.neural_network.data_mlp:small_digits")
HOUSES = Named("benchmarks.neural_network.data_mlp:houses")


def _fit(
    name: str, data: Named, goals: tuple[Goal, ...], contenders: tuple[str, ...], dtype: str, **parameters: object
) -> Workload:
    return Workload(
        name=f"neural_network/{name}",
        data=data,
        dtype=dtype,
        task=Named("benchmarks.neural_network.tasks_mlp:fit", parameters),
        check=Named("benchmarks.neural_network.answers_mlp:same_training"),
        contenders=contenders,
        baseline="scikit-learn",
        goals=goals,
    )


def _predict(name: str, rows: int | None, *goals: Goal) -> Workload:
    return Workload(
        name=f"neural_network/{name}",
        data=IMAGES,
        dtype="float32",
        task=Named(
            "benchmarks.neural_network.tasks_mlp:predict_proba",
            {"rows": rows, "hidden_layer_sizes": (256, 128), "max_iter": 1},
        ),
        check=Named("benchmarks.neural_network.answers_mlp:same_probabilities"),
        contenders=ALL,
        baseline="scikit-learn",
        goals=(Goal(1.2, "torch"), *goals),
    )


def _both(torch: float, sklearn: float) -> tuple[Goal, ...]:
    return Goal(torch, "torch"), Goal(sklearn, "scikit-learn")


WORKLOADS: tuple[Workload, ...] = (
    _fit(
        "mlp-fit-f32-784-256-128-10-batch200",
        IMAGES,
        _both(1.5, 2.0),
        ALL,
        "float32",
        hidden_layer_sizes=(256, 128),
        max_iter=5,
    ),
    _fit(
        "mlp-fit-f32-784-64-10-batch32",
        IMAGES,
        _both(3.0, 4.0),
        ALL,
        "float32",
        hidden_layer_sizes=(64,),
        batch_size=32,
        max_iter=3,
    ),
    _fit(
        "mlp-fit-f32-1024-1024-1024-10-batch512",
        FRAMED_IMAGES,
        (Goal(1.0, "torch"),),
        ALL,
        "float32",
        hidden_layer_sizes=(1024, 1024),
        batch_size=512,
        max_iter=2,
    ),
    _fit("mlp-fit-defaults-f64-digits", DIGITS, (Goal(5.0, "scikit-learn"),), OURS_AND_SKLEARN, "float64", max_iter=50),
    _fit(
        "mlp-fit-regressor-defaults-f64-california",
        HOUSES,
        (Goal(4.0, "scikit-learn"),),
        OURS_AND_SKLEARN,
        "float64",
        estimator="MLPRegressor",
        max_iter=20,
    ),
    _predict("mlp-predict_proba-f32-10000x784", None),
    _predict("mlp-predict_proba-f32-one-row", 1, Goal(3.0, "scikit-learn")),
)
