"""Matrix products: the kernel beneath distances, against the BLAS libraries."""
