"""The families of workloads, in the order they are measured. A new family is one line here."""

from benchmarks.cluster.workloads import WORKLOADS as CLUSTER
from benchmarks.decomposition.workloads import WORKLOADS as DECOMPOSITION
from benchmarks.gemm.workloads import WORKLOADS as GEMM
from benchmarks.linear_model.workloads import WORKLOADS as LINEAR_MODEL
from benchmarks.naive_bayes.workloads import WORKLOADS as NAIVE_BAYES
from benchmarks.neighbors.workloads import WORKLOADS as NEIGHBORS
from benchmarks.neural_network.workloads import WORKLOADS as NEURAL_NETWORK
from benchmarks.nn.workloads import WORKLOADS as NN
from benchmarks.svm.workloads import WORKLOADS as SVM
from benchmarks.tree.workloads import WORKLOADS as TREE
from benchmarks.workload import Workload

FAMILIES: dict[str, tuple[Workload, ...]] = {
    "gemm": GEMM,
    "cluster": CLUSTER,
    "linear_model": LINEAR_MODEL,
    "neighbors": NEIGHBORS,
    "nn": NN,
    "neural_network": NEURAL_NETWORK,
    "svm": SVM,
    "naive_bayes": NAIVE_BAYES,
    "decomposition": DECOMPOSITION,
    "tree": TREE,
}
