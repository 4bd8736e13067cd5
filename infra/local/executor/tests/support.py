"""Bootstraps and functions for the tests, which test the sources beside them, not an installed copy."""

import logging
import stat
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

import psutil  # noqa: E402
from localstack.services.lambda_.invocation.lambda_models import InvocationResult  # noqa: E402

from modstream_local_stack.executor import ProcessExecutor, Roster  # noqa: E402

logging.disable()  # failures are what is tested here

# Not in the first line of the Python file: that line may neither be long nor hold a space.
BOOTSTRAP = f"""#!/bin/sh
exec '{sys.executable}' -SI "$LAMBDA_TASK_ROOT/main.py"
"""

PREAMBLE = """
import http.client, json, os, subprocess, sys, time
API = "/2018-06-01/runtime"
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def call(method, path, body=None, **options):
    connection.request(method, API + path, body, **options)
    response = connection.getresponse()
    return response.status, response.headers, response.read()

def following():
    status, headers, body = call("GET", "/invocation/next")
    return headers["Lambda-Runtime-Aws-Request-Id"], json.loads(body), headers

def respond(request, value):
    return call("POST", "/invocation/" + request + "/response", json.dumps(value))[0]

def mark(name, text="x"):
    with open(name + ".part", "w") as file:
        file.write(str(text))
    os.rename(name + ".part", name)

SLEEP = [sys.executable, "-SIc", "import time; time.sleep(600)"]
"""

ECHO = """
while True:
    request, event, _ = following()
    respond(request, {"event": event, "pid": os.getpid()})
"""


def until(condition: Callable[[], Any], limit: float = 10.0) -> Any:
    """What the condition gives once it holds."""
    end = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("gave up waiting")
        time.sleep(0.005)
    return value


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def content(path: Path) -> Callable[[], str | None]:
    return lambda: path.read_text() if path.exists() else None


class FunctionTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.roster = Roster()
        self.addCleanup(self.roster.close)
        self._functions = 0

    def function(self, body: str | bytes | None, timeout: float = 10, mode: int = 0o755, **env: str) -> ProcessExecutor:
        """An executor of a function with this bootstrap: Python after the preamble, or a whole file as bytes."""
        self._functions += 1
        code = self.folder / f"code-{self._functions}"
        code.mkdir()
        if body is not None:
            (code / "main.py").write_text(PREAMBLE + str(body))
            bootstrap = code / "bootstrap"
            bootstrap.write_bytes(body if isinstance(body, bytes) else BOOTSTRAP.encode())
            bootstrap.chmod(stat.S_IFREG | mode)
        version: Any = SimpleNamespace(
            id=SimpleNamespace(function_name="f", qualifier="$LATEST"),
            config=SimpleNamespace(
                runtime="provided.al2023",
                timeout=timeout,
                memory_size=128,
                code=SimpleNamespace(get_unzipped_code_location=lambda: code, prepare_for_execution=lambda: None),
            ),
        )
        executor = ProcessExecutor(f"executor-{self._functions}", version, self.roster)
        executor.start({"MARKS": str(self.folder), **env})
        self.addCleanup(executor.stop)
        return executor


def invoke(executor: ProcessExecutor, payload: str = "{}", request: str = "request-1") -> InvocationResult:
    return executor.invoke(
        {"invoke-id": request, "invoked-function-arn": "arn:f", "payload": payload, "trace-id": "Root=1"}
    )
