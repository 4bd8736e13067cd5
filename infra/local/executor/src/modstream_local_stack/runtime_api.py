"""The Lambda Runtime API, version 2018-06-01, for one run of one function."""

import base64
import json
import queue
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modstream_local_stack.invocation import Answer, Failure, Invocation

HOST = "127.0.0.1"
PREFIX = "/2018-06-01/runtime"


class RuntimeApi(ThreadingHTTPServer):
    """Hands invocations to the function and takes its answers."""

    daemon_threads = True

    def __init__(self, on_ready: Callable[[], None], on_init_error: Callable[[Failure], None]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.on_init_error = on_init_error
        self._on_ready = on_ready
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current: Invocation | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server_port}"

    def offer(self, invocation: Invocation) -> None:
        self._current = invocation
        self._waiting.put(invocation)

    def next(self) -> Invocation | None:
        """The next invocation; None where the API closes."""
        self._on_ready()
        invocation = self._waiting.get()
        if invocation is None:
            self._waiting.put(None)  # for another that waits
        return invocation

    def answer(self, request_id: str, answer: Answer) -> bool:
        """False where this id is not being waited for."""
        current = self._current
        return current is not None and current.request_id == request_id and current.settle(answer)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._waiting.put(None)
        try:
            socket.create_connection((HOST, self.server_port), timeout=1).close()  # ends the wait for a connection
        except OSError:
            pass
        self._thread.join(timeout=1)
        self.server_close()

    def _serve(self) -> None:
        # serve_forever would wake up again and again to see whether it shall stop
        while not self._closed:
            self.handle_request()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a function that ends in the middle of a call: its end is reported, not the call


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body in one packet: else Nagle's algorithm and delayed acknowledgements cost 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            self._not_found()
            return
        invocation = self.server.next()
        if invocation is None:
            self.close_connection = True
            return
        self._reply(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body, trailers = self._body()
        if self.path == f"{PREFIX}/init/error":
            self.server.on_init_error(_init_failure(body))
            self._accepted()
            return
        match self.path.removeprefix(f"{PREFIX}/invocation/").split("/"):
            case [request_id, "response"]:
                answer = _streamed(body, trailers)
            case [request_id, "error"]:
                answer = Answer(body, is_error=True)
            case _:
                self._not_found()
                return
        if self.server.answer(request_id, answer):
            self._accepted()
        else:
            self._refuse(400, "InvalidRequestID", "no invocation with this request id waits for an answer")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _body(self) -> tuple[bytes, dict[str, str]]:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self._exactly(int(self.headers.get("Content-Length") or 0)), {}
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self._exactly(size))
            self.rfile.readline()
        trailers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            trailers[name.strip().lower()] = value.strip()
        return b"".join(parts), trailers

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the function closed the connection within a body")
        return data

    def _accepted(self) -> None:
        self._reply(202, b'{"status":"OK"}')

    def _not_found(self) -> None:
        self._refuse(404, "NotFound", f"the Runtime API has no {self.command} {self.path}")

    def _refuse(self, status: int, error_type: str, message: str) -> None:
        self._reply(status, json.dumps({"errorType": error_type, "errorMessage": message}).encode())

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _streamed(body: bytes, trailers: dict[str, str]) -> Answer:
    """A response; an error where the function says behind a streamed one that it failed midway."""
    if "lambda-runtime-function-error-type" not in trailers:
        return Answer(body, is_error=False)
    return Answer(base64.b64decode(trailers.get("lambda-runtime-function-error-body", "")), is_error=True)


def _init_failure(body: bytes) -> Failure:
    try:
        said = json.loads(body)
        return Failure(str(said["errorType"]), str(said["errorMessage"]), body)
    except (ValueError, TypeError, KeyError):
        return Failure("Runtime.Unknown", "the function reported an error at its start and not which", body)
