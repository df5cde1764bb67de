"""Whether other programs used the CPU while a contender ran, from the kernel's own accounts.

On two cores a compiler in the next window makes a threaded run several times slower: its threads wait for one another.
Such a sample says nothing about the contender, so it is taken again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")
# Fields of the first line of /proc/stat that count as busy: all but idle and iowait; guest time is in user time.
BUSY_FIELDS = (0, 1, 2, 5, 6, 7)
# CPU time is kept in ticks (10 ms as a rule), rounded apart for the system and for the process.
ROUNDING_TICKS = 3
OTHERS_SHARE = 0.1
# Time that threads waited for a CPU is kept in nanoseconds. On a quiet machine (2 CPUs, 2 threads) it was seen to stay
# below 2.1% of the run.
WAITED_SECONDS = 0.002
WAITED_SHARE = 0.03


class Watch:
    """Follows one process and everything else from the moment it is made.

    Parameters
    ----------
    process_id : int
        The process whose CPU time is its own business.
    """

    def __init__(self, process_id: int) -> None:
        self.process = PROC / str(process_id)
        self.ticks_per_second = os.sysconf("SC_CLK_TCK")
        self.others = self._others_ticks()
        self.waited = self._waited_seconds()
        self.start = time.monotonic()

    def disturbed(self) -> bool:
        """Tell whether others took much CPU time, or made the process wait; never, where the system keeps no accounts.

        A process with more busy threads than CPUs waits for itself: that counts only if others ran as well.
        """
        elapsed = time.monotonic() - self.start
        others = self._others_ticks() - self.others
        waited = self._waited_seconds() - self.waited
        busy = others > ROUNDING_TICKS + OTHERS_SHARE * elapsed * self.ticks_per_second
        return busy or (others > 0 and waited > WAITED_SECONDS + WAITED_SHARE * elapsed)

    def _others_ticks(self) -> int:
        try:
            system = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
            own = (self.process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0
        user_and_system = int(own[11]) + int(own[12])
        return sum(int(system[field]) for field in BUSY_FIELDS) - user_and_system

    def _waited_seconds(self) -> float:
        nanoseconds = 0
        for account in self.process.glob("task/*/schedstat"):
            try:
                nanoseconds += int(account.read_text().split()[1])
            except OSError:  # the thread has ended since
                continue
        return nanoseconds / 1e9
