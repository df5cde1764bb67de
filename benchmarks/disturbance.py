"""Whether other programs used the CPU while a contender ran, from the kernel's own accounts.

On two cores a compiler in the next window makes a threaded run several times slower: its threads wait for one another.
Such a sample says nothing about the contender, so it is taken again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
# Fields of the first line of /proc/stat that count as busy: all but idle and iowait; guest time is in user time already.
BUSY_FIELDS = (0, 1, 2, 5, 6, 7)
# Accounts are kept in ticks (10 ms as a rule), rounded apart for the system and for the process.
ROUNDING_TICKS = 3
ALLOWED_SHARE = 0.1


class Watch:
    """Follows one process and everything else from the moment it is made.

    Parameters
    ----------
    process_id : int
        The process whose CPU time is its own business.
    """

    def __init__(self, process_id: int) -> None:
        self.process_id = process_id
        self.start = time.monotonic()
        self.busy = self._others_ticks()

    def disturbed(self) -> bool:
        """Tell whether others used more than a tenth of a CPU so far; never, where the system keeps no accounts."""
        elapsed = (time.monotonic() - self.start) * _ticks_per_second()
        return self._others_ticks() - self.busy > ROUNDING_TICKS + ALLOWED_SHARE * elapsed

    def _others_ticks(self) -> int:
        try:
            system = STAT.read_text().split("\n", 1)[0].split()[1:]
            own = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0
        user_and_system = int(own[11]) + int(own[12])
        return sum(int(system[field]) for field in BUSY_FIELDS) - user_and_system


def _ticks_per_second() -> int:
    return os.sysconf("SC_CLK_TCK")
