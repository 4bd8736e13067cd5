"""A stack is a session: whatever it starts carries the session id of its first process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil


def detach() -> None:
    """Become the leader of a new session that holds nothing of the caller's but standard output and error."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # a build tool's pipes, say: it would wait for us to close them
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    if null > 2:
        os.close(null)
    if os.getsid(0) == os.getpid():
        return
    try:
        if os.getpgrp() == os.getpid():
            # Who leads a process group can't begin a session: join the caller's group first.
            os.setpgid(0, os.getpgid(os.getppid()))
        os.setsid()
    except OSError as e:
        raise SystemExit(
            "error: the local stack needs a session of its own and can't begin one here; "
            "start it in the background and not in a pipeline, with its output in a file"
        ) from e


def guard() -> None:
    """Start the process that ends the session once this process has ended, however that happens."""
    # Who ends a stack may send these to all of it. The guardian goes last, so it begins life ignoring them.
    handlers = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    # Nobody writes to the pipe. Its end comes when this process is gone, and no other holds it. The writing end is a number and no
    # object, so the system closes it, once this process has its exit status: an object's is closed while the interpreter still
    # ends, and the guardian would kill this process with a status of its own.
    reader, _ = os.pipe()
    guardian = subprocess.Popen(
        [sys.executable, "-m", "modstream_local_stack.guardian", str(os.getpid())],
        stdin=reader,
        stdout=subprocess.DEVNULL,
        process_group=0,
    )
    os.close(reader)
    for name, handler in handlers.items():
        signal.signal(name, handler)
    _kept.append(guardian)


_kept: list["subprocess.Popen[bytes]"] = []  # one that is collected while its process runs is warned of


def members(session_id: int) -> Iterator[int]:
    """The processes of a session that still run."""
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == session_id and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                yield pid
        except (OSError, psutil.Error):
            continue  # it has ended, or is somebody else's


def end(session_id: int, limit: float = 5.0) -> None:
    """Kill a session's processes, all but this one."""
    deadline = time.monotonic() + limit
    while others := [pid for pid in members(session_id) if pid != os.getpid()]:
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {others} of session {session_id} don't end; end them by hand")
        time.sleep(0.01)
