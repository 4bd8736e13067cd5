"""LocalStack's runtime executor: an execution environment of a function, as a process."""

import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from modstream_local_stack.invocation import Answer, Failure, Invocation
from modstream_local_stack.logs import Logs
from modstream_local_stack.sandbox import Sandbox

LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"  # not a name: the AWS SDKs address buckets by path at an IP address
INIT_SECONDS = 10.0  # Lambda's limit from the start to the first `next`
INHERITED = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")  # of LocalStack's own environment


class Roster:
    """The executors that may run functions. Closed once, when the stack ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executors: set[ProcessExecutor] = set()
        self._closed = False

    def enter(self, executor: "ProcessExecutor") -> None:
        with self._lock:
            if self._closed:
                # An event source mapping would otherwise start what has just been ended.
                raise Failure("Sandbox.Stopped", "the local stack is ending")
            self._executors.add(executor)

    def leave(self, executor: "ProcessExecutor") -> None:
        with self._lock:
            self._executors.discard(executor)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            executors = list(self._executors)
        for executor in executors:
            executor.stop()


ROSTER = Roster()


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion, roster: Roster = ROSTER) -> None:
        super().__init__(id, function_version)
        self._roster = roster
        self._logs = Logs()
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._stopped = False
        self._environment: dict[str, str] = {}
        self._tmp = ""

    def start(self, env_vars: dict[str, str]) -> None:
        # The process starts with the first invocation: LocalStack keeps no logs of a start that fails.
        name = self.function_version.id.function_name
        self._tmp = tempfile.mkdtemp(prefix=f"lambda-{name}-")
        code = str(self._code())
        self._environment = (
            {name: os.environ[name] for name in INHERITED if name in os.environ}
            | {name: str(value) for name, value in env_vars.items()}
            | {"LAMBDA_TASK_ROOT": code, "LAMBDA_RUNTIME_DIR": code, "TMPDIR": self._tmp, "HOME": self._tmp}
        )

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        invocation = Invocation(
            request_id=payload["invoke-id"],
            function_arn=payload["invoked-function-arn"],
            payload=payload["payload"].encode(),
            trace_id=payload.get("trace-id") or "",
        )
        function = self.function_version
        request_id = invocation.request_id
        init_ms = began = 0.0
        try:
            try:
                sandbox, init_ms = self._ready_sandbox()
            finally:
                # behind what the function printed at its start, also where it did not start
                self._logs.add(f"START RequestId: {request_id} Version: {function.id.qualifier}")
                began = time.monotonic()
            answer = sandbox.invoke(invocation, function.config.timeout)
        except Failure as failure:
            answer = self._failed(invocation, failure)
        ms = (time.monotonic() - began) * 1000
        self._logs.add(f"END RequestId: {request_id}")
        self._logs.add(
            f"REPORT RequestId: {request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {int(ms) + 1} ms\t"
            f"Memory Size: {function.config.memory_size} MB" + (f"\tInit Duration: {init_ms:.2f} ms" if init_ms else "")
        )
        return InvocationResult(request_id, answer.payload, is_error=answer.is_error, logs=self._logs.take())

    def stop(self) -> None:
        self._roster.leave(self)
        with self._lock:
            self._stopped = True
            sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close(Failure("Sandbox.Stopped", "the execution environment was stopped"))
        if self._tmp:
            shutil.rmtree(self._tmp, ignore_errors=True)

    def get_logs(self) -> str:
        return self._logs.peek()

    def get_address(self) -> str:
        return HOST

    def get_endpoint_from_executor(self) -> str:
        return HOST

    def get_runtime_endpoint(self) -> str:
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        runtime = function_version.config.runtime or "a container image"
        if not runtime.startswith("provided"):
            raise LambdaRuntimeException(f"the local stack runs functions of runtime provided.*, not {runtime}")
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass  # the code is LocalStack's

    def _code(self) -> Path:
        return Path(self.function_version.config.code.get_unzipped_code_location())

    def _ready_sandbox(self) -> tuple[Sandbox, float]:
        """One that waits for an event, and how many milliseconds its start took if it was started for this."""
        began = time.monotonic()
        with self._lock:
            if self._stopped:
                raise Failure("Sandbox.Stopped", "the execution environment was stopped")
            if self._sandbox is not None and self._sandbox.alive:
                return self._sandbox, 0.0
            self._roster.enter(self)
            sandbox = self._sandbox = Sandbox(self._code() / "bootstrap", self._environment, self._logs)
        sandbox.wait_ready(INIT_SECONDS)
        return sandbox, (time.monotonic() - began) * 1000

    def _failed(self, invocation: Invocation, failure: Failure) -> Answer:
        with self._lock:
            sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close(failure)
        self._logs.add(f"RequestId: {invocation.request_id} Error: {failure}")
        self._logs.add(failure.error_type)
        LOG.warning("%s: %s: %s", self.function_version.id.function_name, failure.error_type, failure)
        return failure.answer(invocation.request_id)
