"""One run of a bootstrap and the Runtime API it talks to: they begin and end together."""

import contextlib
import errno
import os
import platform
import signal
import subprocess
import threading
import time
from concurrent.futures import Future, InvalidStateError
from pathlib import Path

from modstream_local_stack.invocation import Answer, Failure, Invocation
from modstream_local_stack.logs import LogPipe, Logs
from modstream_local_stack.runtime_api import RuntimeApi

BUSY_SECONDS = 2.0


class Sandbox:
    def __init__(self, bootstrap: Path, environment: dict[str, str], logs: Logs) -> None:
        self._ready: Future[None] = Future()
        self._lock = threading.Lock()
        self._failure: Failure | None = None
        self._current: Invocation | None = None
        self._api = RuntimeApi(self._is_ready, self._fail)
        self._pipe = LogPipe(logs)
        try:
            self._process = self._start(bootstrap, environment)
        except OSError as e:
            self._pipe.discard()
            self._api.close()
            raise _invalid_entrypoint(e) from e
        self._pipe.follow()
        self._end = threading.Thread(target=self._await_end, daemon=True)
        self._end.start()

    @property
    def alive(self) -> bool:
        return self._failure is None

    def wait_ready(self, seconds: float) -> None:
        """Until the function asks for its first event. Raises a Failure where it doesn't."""
        try:
            self._ready.result(seconds)
        except TimeoutError:
            failure = Failure("Sandbox.Timedout", f"Init phase timed out after {seconds:.2f} seconds")
            self.close(failure)
            raise failure from None
        finally:
            self._pipe.drain()

    def invoke(self, invocation: Invocation, seconds: float) -> Answer:
        """Raises a Failure where the function ends, or its time does, before it answers."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._current = invocation
        invocation.begin(seconds)
        self._api.offer(invocation)
        try:
            return invocation.wait(seconds)
        except TimeoutError:
            failure = Failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
            self.close(failure)
            raise failure from None
        finally:
            self._pipe.drain()

    def close(self, failure: Failure) -> None:
        """End the function and what it started; an invocation that runs ends with this failure."""
        self._fail(failure)
        if self._process.returncode is None:
            self._kill_group()
        self._end.join()

    def _start(self, bootstrap: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return subprocess.Popen(
                    [bootstrap],
                    cwd=bootstrap.parent,
                    env=environment | {"AWS_LAMBDA_RUNTIME_API": self._api.address},
                    stdin=subprocess.DEVNULL,
                    stdout=self._pipe.writer,
                    stderr=subprocess.STDOUT,
                    process_group=0,  # ended together with what it starts; the session stays the stack's
                )
            except OSError as e:
                # A program that another thread was just starting still holds the file we have just unpacked.
                if e.errno != errno.ETXTBSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _is_ready(self) -> None:
        try:
            self._ready.set_result(None)
        except InvalidStateError:
            pass  # every event after the first

    def _fail(self, failure: Failure) -> None:
        with self._lock:
            if self._failure is not None:
                return
            self._failure = failure
            current = self._current
        with contextlib.suppress(InvalidStateError):
            self._ready.set_exception(failure)
        if current is not None:
            current.fail(failure)

    def _await_end(self) -> None:
        status = self._process.wait()
        self._kill_group()  # what it started does not outlive it
        self._pipe.close()  # its last words, before anyone is told
        self._fail(Failure("Runtime.ExitError", _how_it_ended(status)))
        self._api.close()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            pass


def _how_it_ended(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"


def _invalid_entrypoint(e: OSError) -> Failure:
    advice = {
        errno.ENOENT: "a package needs the executable file bootstrap at its top",
        errno.EACCES: "make the file executable before you zip it",
        errno.ENOEXEC: f"build it for this machine, which is {platform.machine()}",
    }.get(e.errno or 0, "see its permissions and what it is")
    return Failure("Runtime.InvalidEntrypoint", f"Couldn't start bootstrap: {e.strerror}; {advice}")
