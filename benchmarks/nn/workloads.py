"""What is measured for steps of optimizers, for training through autograd and for networks on images, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

MILLION = [900, 800, 300, 120, 10]  # 998,430 parameters
DIGITS = [784, 64, 10]


def _steps(
    name: str, optimizer: str, sizes: list[int], dtype: str, count: int, goal: float, **options: Any
) -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.data:dense_layers", {"sizes": sizes}),
        dtype=dtype,
        task=Named("benchmarks.nn.tasks:steps", {"optimizer": optimizer, "count": count, **options}),
        check=Named("benchmarks.nn.answers:same_parameters"),
        contenders=("torch", "fastml"),
        baseline="torch",
        goals=(Goal(goal, "torch"),),
    )


def _training(name: str, sizes: list[int], batch: int, count: int, goal: float) -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.data:dense_layers", {"sizes": sizes}),
        dtype="float32",
        task=Named("benchmarks.nn.tasks:training", {"batch": batch, "count": count}),
        check=Named("benchmarks.nn.answers:same_losses"),
        contenders=("torch", "fastml"),
        baseline="torch",
        goals=(Goal(goal, "torch"),),
    )


# PyTorch with images of either layout; what counts is the better of the two.
ON_IMAGES = ("torch", "torch-nhwc", "fastml")


def _image_training(name: str, network: str, batch: int, count: int, goal: float, dtype: str = "float32") -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.image_networks:noise", {"network": network, "count": batch}),
        dtype=dtype,
        task=Named("benchmarks.nn.image_tasks:training", {"count": count}),
        # In float32 the losses of PyTorch's own two layouts are up to 6e-4 apart (ResNet-20).
        check=Named("benchmarks.nn.answers:same_losses", {"rtol": 3e-3 if dtype == "float32" else 1e-9}),
        contenders=ON_IMAGES,
        baseline="torch",
        memory=True,
        goals=(Goal(goal),),
    )


def _image_inference(name: str, network: str, batch: int, goal: float) -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.image_networks:noise", {"network": network, "count": batch}),
        dtype="float32",
        task=Named("benchmarks.nn.image_tasks:inference"),
        check=Named("benchmarks.nn.answers:same_logits"),
        contenders=ON_IMAGES,
        baseline="torch",
        goals=(Goal(goal),),
    )


WORKLOADS: tuple[Workload, ...] = (
    _steps("adam-f32-1e6", "Adam", MILLION, "float32", 50, 1.0),
    _steps("adam-f64-1e6", "Adam", MILLION, "float64", 50, 1.0),
    _steps("adamw-amsgrad-f32-1e6", "AdamW", MILLION, "float32", 50, 1.0, amsgrad=True),
    _steps("sgd-momentum-f32-1e6", "SGD", MILLION, "float32", 50, 1.0, momentum=0.9, nesterov=True),
    # A small network: what a call costs.
    _steps("adam-f32-784-64-10", "Adam", DIGITS, "float32", 500, 1.0),
    # Forward, cross entropy, backward and Adam: what many small operations cost.
    _training("training-64-64-10", [64, 64, 10], 32, 500, 1.5),
    _training("training-784-256-128-10", [784, 256, 128, 10], 200, 20, 1.0),
    # Convolutional networks: a step of training, and logits of many images and of one.
    _image_training("lenet-training-32", "lenet", 32, 4, 1.3),
    _image_training("lenet-training-128", "lenet", 128, 1, 1.3),
    _image_training("lenet-training-f64-32", "lenet", 32, 2, 1.5, dtype="float64"),
    _image_training("resnet20-training-64", "resnet20", 64, 1, 1.1),
    _image_training("mobilenet-training-64", "mobilenet", 64, 1, 1.2),
    _image_inference("lenet-inference-256", "lenet", 256, 1.2),
    _image_inference("lenet-inference-1", "lenet", 1, 1.2),
    _image_inference("resnet20-inference-256", "resnet20", 256, 1.2),
    _image_inference("resnet20-inference-1", "resnet20", 1, 1.2),
    _image_inference("mobilenet-inference-256", "mobilenet", 256, 1.2),
    _image_inference("mobilenet-inference-1", "mobilenet", 1, 1.2),
)
