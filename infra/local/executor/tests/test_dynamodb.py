"""What the plugin adds to moto's DynamoDB."""

import threading
import unittest
from types import SimpleNamespace
from typing import Any
from unittest import mock

import support  # noqa: F401  the sources beside the tests, not an installed copy
from localstack.aws.api import CommonServiceException
from moto.dynamodb import comparisons

from modstream_local_stack import dynamodb

CONTEXT: Any = SimpleNamespace(account_id="000000000000", region="us-east-1")


class Tokens(unittest.TestCase):
    def transact(self, provider: dynamodb.Provider, token: str, items: list[str]) -> Any:
        return provider.transact_write_items(CONTEXT, {"ClientRequestToken": token, "TransactItems": items})

    def test_a_transaction_is_made_once(self) -> None:
        provider = dynamodb.Provider()
        with mock.patch.object(dynamodb, "call_moto", return_value={}) as moto:
            for _ in range(3):
                self.assertEqual(self.transact(provider, "a", ["x"]), {})
            self.assertEqual(moto.call_count, 1)
            self.transact(provider, "b", ["x"])
            self.assertEqual(moto.call_count, 2)
            with self.assertRaises(CommonServiceException) as raised:
                self.transact(provider, "a", ["y"])
            self.assertEqual(raised.exception.code, "IdempotentParameterMismatchException")

    def test_one_that_was_cancelled_is_made_again(self) -> None:
        provider = dynamodb.Provider()
        with mock.patch.object(dynamodb, "call_moto", side_effect=[ValueError("cancelled"), {}]) as moto:
            with self.assertRaises(ValueError):
                self.transact(provider, "a", ["x"])
            self.transact(provider, "a", ["y"])
            self.assertEqual(moto.call_count, 2)


class Calls(unittest.TestCase):
    def test_come_one_at_a_time(self) -> None:
        inside = threading.Semaphore(1)
        crowded = []

        def call(*_: Any) -> None:
            if not inside.acquire(blocking=False):
                crowded.append(True)
                return
            threading.Event().wait(0.002)
            inside.release()

        with mock.patch.object(dynamodb, "MotoFallbackDispatcher", return_value={"PutItem": call, "GetItem": call}):
            calls = list(dynamodb.one_at_a_time(dynamodb.Provider()).values())
        threads = [threading.Thread(target=calls[n % 2]) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(crowded, [])

    def test_compare_no_text_with_a_number(self) -> None:
        dynamodb.compare_like_with_like()
        side: Any = lambda value: SimpleNamespace(expr=lambda _: value)  # noqa: E731
        self.assertTrue(comparisons.OpLessThan(side(1), side(2)).expr(None))
        self.assertFalse(comparisons.OpLessThan(side("1"), side(2)).expr(None))
        self.assertFalse(comparisons.OpGreaterThanOrEqual(side("1"), side(2)).expr(None))


if __name__ == "__main__":
    unittest.main()
