"""Cookies go through a function's URL."""

import unittest

from modstream_local_stack.function_urls import cookies_of, with_cookies


class FunctionUrls(unittest.TestCase):
    def test_cookies_go_in_as_a_list(self) -> None:
        event = with_cookies({"headers": {"cookie": "a=1; b=x=y;", "host": "h"}, "rawPath": "/"})
        self.assertEqual(event, {"headers": {"host": "h"}, "rawPath": "/", "cookies": ["a=1", "b=x=y"]})
        self.assertEqual(with_cookies({"headers": {}}), {"headers": {}})

    def test_an_answers_cookies_are_set_and_anything_else_sets_none(self) -> None:
        self.assertEqual(cookies_of(b'{"statusCode":303,"cookies":["a=1; HttpOnly",7]}'), ["a=1; HttpOnly"])
        for payload in (b"", None, b"no JSON", b"[]", b'"text"', b'{"statusCode":200}', b'{"cookies":null}'):
            self.assertEqual(cookies_of(payload), [])
