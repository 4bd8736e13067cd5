"""DynamoDB as moto has it. LocalStack's own is a Java program, which it would download."""

import threading
import time
from collections.abc import Callable
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext, handler
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.services.moto import MotoFallbackDispatcher, call_moto
from localstack.services.plugins import Service
from moto.dynamodb import comparisons

TOKEN_SECONDS = 600.0  # how long a transaction's token is remembered


class Provider(DynamodbApi):
    """What moto leaves out; moto gets the rest."""

    def __init__(self) -> None:
        self.done: dict[str, tuple[float, dict[str, Any]]] = {}

    @handler("TransactWriteItems", expand=False)
    def transact_write_items(self, context: RequestContext, request: dict[str, Any]) -> Any:
        """moto makes a transaction again that comes under the same token."""
        token = request.get("ClientRequestToken")
        if not token:
            return call_moto(context)
        key = f"{context.account_id}/{context.region}/{token}"
        now = time.monotonic()
        self.done = {done: made for done, made in self.done.items() if now - made[0] < TOKEN_SECONDS}
        if key in self.done:
            if self.done[key][1] != request["TransactItems"]:
                raise CommonServiceException(
                    "IdempotentParameterMismatchException", "the token was used for another transaction"
                )
            return {}
        answer = call_moto(context)
        self.done[key] = (now, request["TransactItems"])
        return answer


def one_at_a_time(provider: Provider) -> dict[str, Callable[..., Any]]:
    """moto reads, asks the condition and writes, and nothing keeps another thread from coming between."""
    lock = threading.Lock()

    def locked(call: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*args: Any) -> Any:
            with lock:
                return call(*args)

        return answer

    return {operation: locked(call) for operation, call in MotoFallbackDispatcher(provider).items()}


def compare_like_with_like() -> None:
    """To DynamoDB a text is neither more nor less than a number; moto fails over the question."""
    for comparison in (
        comparisons.OpLessThan,
        comparisons.OpLessThanOrEqual,
        comparisons.OpGreaterThan,
        comparisons.OpGreaterThanOrEqual,
    ):

        def expr(self: Any, item: Any, compare: Callable[..., bool] = comparison.expr) -> bool:
            try:
                return compare(self, item)
            except TypeError:
                return False

        comparison.expr = expr


def service() -> Service:
    compare_like_with_like()
    return Service.for_provider(Provider(), dispatch_table_factory=one_at_a_time)
