# cython: boundscheck=False, wraparound=False, cdivision=True
"""Coordinate descent on blocks of columns of X as it is: not copied, not centred, by all threads.

See csrc/linear/column_blocks.hpp. A block is entered by a pass over its columns; from then on its products with the
residual are kept up to date by the products of its columns with each other. What its weights have moved by is taken off
the residual in the pass that enters the next block. A block is not entered at all where bounds say for each of its
columns that a weight of zero stays zero.
"""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport INFINITY, fabs

from fastml.linear_model._coordinate_descent cimport Residual

from fastml._core import column_blocks
from fastml.linear_model._elastic_net_sums import inner_product

# Columns of a block: runs of some cache lines in each row, all of which fit the last cache until they are read again to
# move the residual, and products with each other that cost little.
cdef enum:
    BLOCK = 32


cdef extern from "linear/column_blocks.hpp" nogil:
    cdef struct FastmlColumnPass:
        const void* x
        long long row_stride, col_stride, rows
        const double* shift
        double* residual
        long long old_first, old_count
        const double* steps
        long long new_first, new_count
        double* products
        double* gram
        int threads
        void* workspace

    cdef struct FastmlColumnBlocks:
        void (*run "pass")(const FastmlColumnPass*) noexcept nogil
        long long (*workspace)(const FastmlColumnPass*) noexcept nogil


cdef class BlockResidual(Residual):
    """Columns of dense samples, centred on the way.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        C- or Fortran-contiguous.
    offset : ndarray of shape (n_features,), float64
        What is taken off the columns.
    y : ndarray of shape (n_samples,), float64
        Centred.
    Xy : ndarray of shape (n_features,), float64
        Products of the centred columns with y.
    norms2 : ndarray of shape (n_features,), float64
        Squared lengths of the centred columns.
    n_threads : int
        At most as many.
    patience : float
        Passes over a column after which the Gram matrix should take over.
    by_gram : callable
        Returns the residual by the Gram matrix.
    """

    cdef:
        object X, y, r, by_gram
        const FastmlColumnBlocks* blocks
        FastmlColumnPass task
        double[::1] offset, Xy, residual, target
        double[::1] norms  # lengths of the columns
        double[::1] known  # products when they were computed last; those of the block that was entered are up to date
        double[::1] way_of_block  # the way the residual had gone by then
        double[:, :, ::1] grams  # of each block
        unsigned char[::1] workspace
        unsigned char[::1] has_gram
        double[::1] steps  # of the block, since it was entered
        double way
        Py_ssize_t block  # the one that was entered, or -1
        bint moved  # whether it has steps

    def __init__(self, X, offset, y, Xy, norms2, int n_threads, double patience, by_gram):
        n_samples, n_features = X.shape
        if not X.flags.forc or any(len(array) != n_features for array in (offset, Xy, norms2)) or len(y) != n_samples:
            raise ValueError(f"BlockResidual: expected contiguous X and arrays that fit, given {X.shape}.")
        n_blocks = -(-n_features // BLOCK)
        self.X = X
        self.by_gram = by_gram
        self.blocks = <const FastmlColumnBlocks*> PyCapsule_GetPointer(column_blocks(X.dtype), "fastml.column_blocks")
        self.n_features = n_features
        self.work = n_samples
        self.patience = patience
        self.norms2 = norms2
        self.norms = np.sqrt(norms2)
        self.offset = offset
        self.Xy = Xy
        self.target = y
        self.y_norm2 = inner_product(y, y)
        self.residual = np.empty(n_samples)
        self.known = np.empty(n_features)
        self.way_of_block = np.full(n_blocks, -INFINITY)
        self.grams = np.empty((n_blocks, BLOCK, BLOCK))
        self.has_gram = np.zeros(n_blocks, dtype=np.uint8)
        self.steps = np.zeros(BLOCK)
        self.block = -1
        self.task.x = <const void*> <size_t> X.ctypes.data
        self.task.row_stride = X.strides[0] // X.itemsize
        self.task.col_stride = X.strides[1] // X.itemsize
        self.task.rows = n_samples
        self.task.shift = &self.offset[0]
        self.task.residual = &self.residual[0]
        self.task.steps = &self.steps[0]
        self.task.threads = n_threads
        # Of the two passes that need most: one that makes a Gram matrix, and one of all columns.
        self.task.new_count = BLOCK
        self.task.gram = &self.grams[0, 0, 0]
        cdef long long size = self.blocks.workspace(&self.task)
        self.task.new_count = n_features
        self.task.gram = NULL
        self.workspace = np.empty(max(size, self.blocks.workspace(&self.task)), dtype=np.uint8)
        self.task.workspace = <void*> &self.workspace[0]

    cdef Residual successor(self):
        return self.by_gram()

    cdef int restart(self, const double* w) except -1 nogil:
        cdef:
            Py_ssize_t j, block
            bint zero = True
        self.residual[:] = self.target
        self.steps[:] = 0
        self.block = -1
        self.moved = False
        self.way_of_block[:] = -INFINITY
        for j in range(self.n_features):
            zero = zero and w[j] == 0
        if zero:
            self.known[:] = self.Xy
            self.way_of_block[:] = self.way
            return 0
        for block in range(self.has_gram.shape[0]):
            self.block = block
            for j in range(block * BLOCK, min((block + 1) * BLOCK, self.n_features)):
                self.steps[j - block * BLOCK] = w[j]
                self.moved = self.moved or w[j] != 0
            self.leave()
        self.block = -1
        return 0

    cdef bint is_below(self, Py_ssize_t j, bint positive) noexcept nogil:
        cdef double change = 0
        if j // BLOCK != self.block:
            change = self.norms[j] * (self.way - self.way_of_block[j // BLOCK])
        return (self.known[j] if positive else fabs(self.known[j])) + change < self.threshold

    cdef double product(self, Py_ssize_t j) noexcept nogil:
        if j // BLOCK != self.block:
            self.enter(j // BLOCK, False)
        return self.known[j]

    cdef int move(self, Py_ssize_t j, double step) except -1 nogil:
        cdef:
            Py_ssize_t block = j // BLOCK, first = block * BLOCK, k, count
            const double* gram
        if block != self.block or not self.has_gram[block]:
            self.enter(block, True)
        count = min(BLOCK, self.n_features - first)
        gram = &self.grams[block, 0, 0] + (j - first) * count
        for k in range(count):
            self.known[first + k] -= gram[k] * step
        self.steps[j - first] += step
        self.moved = True
        self.way += fabs(step) * self.norms[j]
        self.way_of_block[block] = self.way
        return 0

    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil:
        cdef:
            Py_ssize_t i, j
            bint known = not self.moved
        for i in range(self.way_of_block.shape[0]):
            known = known and self.way_of_block[i] == self.way
        if not known:
            self.run(0, self.n_features, &self.known[0], NULL)
            self.way_of_block[:] = self.way
        for j in range(self.n_features):
            out[j] = self.known[j]
        sums[0] = 0
        sums[1] = 0
        for i in range(self.residual.shape[0]):
            sums[0] += self.residual[i] * self.residual[i]
            sums[1] += self.residual[i] * self.target[i]
        return 0

    cdef void enter(self, Py_ssize_t block, bint will_move) noexcept nogil:
        """Make a block the current one, with products that are up to date, and with a Gram matrix."""
        cdef:
            Py_ssize_t first = block * BLOCK, count = min(BLOCK, self.n_features - first)
            double* gram = NULL if self.has_gram[block] else &self.grams[block, 0, 0]
        if self.way_of_block[block] == self.way and not will_move:
            # Nothing has moved: the products are known, and so it stays until a weight of this block moves.
            self.leave()
        else:
            self.run(first, count, &self.known[first], gram)
            self.has_gram[block] = True
        self.way_of_block[block] = self.way
        self.block = block

    cdef void leave(self) noexcept nogil:
        """Take what the block's weights have moved by off the residual."""
        if self.moved:
            self.run(0, 0, NULL, NULL)

    cdef void run(self, Py_ssize_t first, Py_ssize_t count, double* products, double* gram) noexcept nogil:
        self.task.old_first = max(self.block, 0) * BLOCK
        self.task.old_count = min(BLOCK, self.n_features - self.task.old_first) if self.moved else 0
        self.task.new_first = first
        self.task.new_count = count
        self.task.products = products
        self.task.gram = gram
        self.blocks.run(&self.task)
        self.patience -= count
        self.steps[:] = 0
        self.moved = False
