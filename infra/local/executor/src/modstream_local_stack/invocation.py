"""One event on its way through a function, and the ways it can end."""

import contextlib
import json
import time
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    payload: bytes
    is_error: bool


class Failure(Exception):
    """The function did not answer, or could not start: in the words Lambda has for it."""

    def __init__(self, error_type: str, message: str, said: bytes | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self._said = said  # the function's own report of an error at its start

    def answer(self, request_id: str) -> Answer:
        report = {"errorType": self.error_type, "errorMessage": f"RequestId: {request_id} Error: {self}"}
        return Answer(self._said or json.dumps(report).encode(), is_error=True)


@dataclass
class Invocation:
    request_id: str
    function_arn: str
    payload: bytes
    trace_id: str
    deadline_ms: int = 0
    _answer: Future[Answer] = field(default_factory=Future)

    def begin(self, seconds: float) -> None:
        """The function's time runs from now."""
        self.deadline_ms = int((time.time() + seconds) * 1000)

    def settle(self, answer: Answer) -> bool:
        """False where it has ended already: the first end counts."""
        try:
            self._answer.set_result(answer)
        except InvalidStateError:
            return False
        return True

    def fail(self, failure: Failure) -> None:
        with contextlib.suppress(InvalidStateError):
            self._answer.set_exception(failure)

    def wait(self, seconds: float) -> Answer:
        """The answer. Raises its Failure, or TimeoutError."""
        return self._answer.result(seconds)
