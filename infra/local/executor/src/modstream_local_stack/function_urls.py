"""Function URLs hand cookies over as Lambda does: a list in the event, a list in the answer. LocalStack has neither.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import json
from typing import Any

from localstack.services.lambda_ import urlrouter


def with_cookies(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the header `cookie` as a list."""
    header = event["headers"].pop("cookie", "")
    cookies = [cookie.strip() for cookie in header.split(";") if cookie.strip()]
    return event | ({"cookies": cookies} if cookies else {})


def cookies_of(payload: bytes | str | None) -> list[str]:
    """What an answer sets."""
    try:
        answer = json.loads(payload or "null")
    except ValueError:
        return []
    cookies = answer.get("cookies") if isinstance(answer, dict) else None
    return [cookie for cookie in cookies or [] if isinstance(cookie, str)]


def install() -> None:
    event_for, response_to = urlrouter.event_for_lambda_url, urlrouter.lambda_result_to_response

    def event_for_lambda_url(api_id: str, request: Any) -> dict[str, Any]:
        return with_cookies(event_for(api_id, request))

    def lambda_result_to_response(result: Any) -> Any:
        response = response_to(result)
        for cookie in cookies_of(result.payload):
            response.headers.add("Set-Cookie", cookie)
        return response

    urlrouter.event_for_lambda_url = event_for_lambda_url
    urlrouter.lambda_result_to_response = lambda_result_to_response
