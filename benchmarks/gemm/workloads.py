"""What is measured for matrix products, as a table. C = A B, all C-contiguous, C given and overwritten."""

from __future__ import annotations

from benchmarks.workload import Goal, Named, Workload

CONTENDERS = ("numpy", "scipy", "torch", "fastml")  # OpenBLAS of NumPy's and SciPy's wheels, MKL of PyTorch's
SKINNY = (60_000, 128, 48)  # m, n, k of k-means' assignment step: 60000 rows x 48 features by 48 x 128 clusters


def _product(m: int, n: int, k: int, dtype: str, threads: int, ratio: float, name: str | None = None) -> Workload:
    short = {"float32": "f32", "float64": "f64"}[dtype]
    return Workload(
        name=f"gemm/{short}-{name or m}-{threads}thread",
        data=Named("benchmarks.datasets:factors", {"m": m, "n": n, "k": k}),
        dtype=dtype,
        task=Named("benchmarks.gemm.tasks:product"),
        check=Named("benchmarks.gemm.answers:small_error", {"inner": k, "dtype": dtype}),
        contenders=CONTENDERS,
        baseline="numpy",
        threads=threads,
        flops=2.0 * m * n * k,
        goals=(Goal(ratio, "numpy"),),
    )


WORKLOADS: tuple[Workload, ...] = (
    *(_product(size, size, size, dtype, 1, 1.1) for dtype in ("float32", "float64") for size in (32, 64, 128)),
    *(
        _product(size, size, size, dtype, threads, ratio)
        for dtype, ratio in (("float32", 1.05), ("float64", 1.1))
        for size in (512, 1024, 2048)
        for threads in (1, 2)
    ),
    *(
        _product(*SKINNY, dtype, threads, 1.2, name="60000x48x128")
        for dtype in ("float32", "float64")
        for threads in (1, 2)
    ),
)
