"""What a function prints, in the order it was printed."""

import os
import select
import threading


class Logs:
    """Lines that wait for the invocation that will carry them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def add(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)

    def take(self) -> str:
        """All lines so far, which are then no longer here."""
        with self._lock:
            lines, self._lines = self._lines, []
        return "".join(f"{line}\n" for line in lines)

    def peek(self) -> str:
        with self._lock:
            return "\n".join(self._lines)


class LogPipe:
    """A pipe that a process writes to and whose lines end in ``Logs``."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._rest = b""
        self._lock = threading.Lock()
        self._open = True
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def follow(self) -> None:
        """Read from now on. The process has its end of the pipe: close ours."""
        os.close(self.writer)
        self._thread.start()

    def discard(self) -> None:
        """For a process that did not start."""
        os.close(self.writer)
        os.close(self._reader)

    def drain(self) -> None:
        """Read what has been written up to now: what a function prints before it answers is there already."""
        with self._lock:
            while self._open:
                try:
                    data = os.read(self._reader, 65536)
                except BlockingIOError:
                    return
                if not data:
                    self._end()
                    return
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._add(line)

    def close(self) -> None:
        """Read what is there and stop, though something that left the process's group may still write."""
        self.drain()
        with self._lock:
            if self._open:
                self._end()

    def _end(self) -> None:
        self._open = False
        if self._rest:
            self._add(self._rest)
            self._rest = b""

    def _add(self, line: bytes) -> None:
        self._logs.add(line.decode(errors="replace").rstrip("\r"))

    def _follow(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while self._open:
            # Who closes the pipe kills its writers, which ends the wait; the limit is for one that got away.
            poll.poll(1000)
            self.drain()
        os.close(self._reader)
