# The random numbers of LIBLINEAR as scikit-learn has it: 32-bit words of the Mersenne twister (Matsumoto and Nishimura,
# 1998), brought below a limit by Lemire's method (2019).
#
# A state is 1249 words: those of the twister, how many of them have been taken, and what they are as random numbers. It
# goes from one fit of a problem to the next, whose draws so depend on how many there were before.
from libc.stdint cimport uint32_t, uint64_t


cdef enum:
    WORDS = 624
    DISTANCE = 397


cdef inline uint32_t twist(uint32_t upper, uint32_t lower, uint32_t other) noexcept nogil:
    cdef uint32_t word = (upper & <uint32_t> 0x80000000) | (lower & <uint32_t> 0x7FFFFFFF)
    return other ^ (word >> 1) ^ (<uint32_t> 0x9908B0DF if word & 1 else <uint32_t> 0)


cdef inline uint32_t temper(uint32_t word) noexcept nogil:
    word ^= word >> 11
    word ^= (word << 7) & <uint32_t> 0x9D2C5680
    word ^= (word << 15) & <uint32_t> 0xEFC60000
    return word ^ (word >> 18)


cdef inline void renew(uint32_t* state) noexcept nogil:
    cdef int i
    for i in range(WORDS - DISTANCE):
        state[i] = twist(state[i], state[i + 1], state[i + DISTANCE])
    for i in range(WORDS - DISTANCE, WORDS - 1):
        state[i] = twist(state[i], state[i + 1], state[i + DISTANCE - WORDS])
    state[WORDS - 1] = twist(state[WORDS - 1], state[0], state[DISTANCE - 1])
    # All at once, which compilers do in vectors.
    for i in range(WORDS):
        state[WORDS + 1 + i] = temper(state[i])
    state[WORDS] = 0


cdef inline uint32_t draw(uint32_t* state) noexcept nogil:
    if state[WORDS] >= WORDS:
        renew(state)
    state[WORDS] += 1
    return state[WORDS + state[WORDS]]


cdef inline uint32_t draw_below(uint32_t* state, uint32_t limit) noexcept nogil:
    cdef:
        uint64_t product = <uint64_t> draw(state) * limit
        uint32_t least
    if <uint32_t> product < limit:
        # Products that are this small would make some numbers more likely than others.
        least = <uint32_t> (<uint64_t> 0x100000000 % limit)
        while <uint32_t> product < least:
            product = <uint64_t> draw(state) * limit
    return <uint32_t> (product >> 32)


cdef inline void shuffle(uint32_t* state, int* index, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(n):
        j = i + draw_below(state, <uint32_t> (n - i))
        index[i], index[j] = index[j], index[i]
