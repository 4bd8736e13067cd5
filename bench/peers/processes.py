"""What a process takes, and what a pass over comments takes inside one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

# A clock that counts in hundredths of a second is then right to a per cent.
LEAST_SECONDS = 1.0


def peak_memory(pid: int) -> int | None:
    """The most memory that a process has had, in bytes, where Linux tells it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return int(found) * 1024 if found else None


def watch(command: Sequence[str], output: IO[bytes]) -> dict[str, float | int]:
    """Runs a command, its standard output into a file: CPU time, peak memory, and seconds from its start to its first line."""
    started = time.perf_counter()
    peak = None
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        first = process.stdout.readline()
        first_line = time.perf_counter() - started
        output.write(first)
        # What a child's rusage says of memory includes this process, from before its program began.
        while chunk := process.stdout.read1(1 << 16):
            output.write(chunk)
            peak = peak_memory(process.pid) or peak
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {
        "first_line_seconds": first_line,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory": peak or usage.ru_maxrss * 1024,
    }


def rate(comments: int, work: Callable[[], object]) -> float:
    """Comments a CPU-second, over as many passes as a steady number needs."""
    passes, started = 0, time.process_time()
    while (spent := time.process_time() - started) < LEAST_SECONDS:
        work()
        passes += 1
    return passes * comments / spent
