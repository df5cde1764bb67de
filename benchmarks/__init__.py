"""Benchmarks of fastml against its peers: every contender in a process of its own, taking turns.

``python -m benchmarks --only REGEX`` measures; ``pytest benchmarks`` times the kernels alone.

::

    __main__      command line: pick the workloads, measure, print, write
    families      the list of families; each is a package with the same three modules
    <family>/     workloads   the table of what is measured, as data
                  tasks       how each contender does that work
                  answers     how an answer is told right from wrong
    workload      the vocabulary of those tables
    contenders    who takes part, and how to start them
    datasets      what they are given
    worker        the process a contender lives in: prepare once, run when told
    turns         the parent's end: start workers, let them run one at a time, A B A B ...
    disturbance   whether other programs used the CPU meanwhile
    measure       one workload from start to finish: turns, answers, memory
    memory        the most memory a call needs beyond its input
    machine       what the numbers were measured on
    table, record, plot      the terminal, JSON and PNG forms of the results

Imports point down this list. Nothing a contender does not need is imported in its process.
"""
