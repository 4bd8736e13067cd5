"""What a function answers reaches the caller as it is."""

import json
import threading
import time

from support import ECHO, FunctionTest, invoke


class Answers(FunctionTest):
    def test_a_response_is_the_result(self) -> None:
        result = invoke(self.function(ECHO), '{"a": "ä"}')
        self.assertFalse(result.is_error)
        self.assertEqual(result.request_id, "request-1")
        self.assertEqual(json.loads(result.payload or b"")["event"], {"a": "ä"})

    def test_one_process_serves_invocations_in_a_row(self) -> None:
        executor = self.function(ECHO)
        pids = {json.loads(invoke(executor, request=f"r{i}").payload or b"")["pid"] for i in range(3)}
        self.assertEqual(len(pids), 1)

    def test_an_error_is_an_error_with_its_payload(self) -> None:
        report = '{"errorType":"Bad","errorMessage":"no"}'
        result = invoke(
            self.function(f"""
request, _, _ = following()
call("POST", "/invocation/" + request + "/error", {report!r})
following()
""")
        )
        self.assertTrue(result.is_error)
        self.assertEqual(result.payload, report.encode())

    def test_a_chunked_response_is_put_together(self) -> None:
        result = invoke(
            self.function("""
request, _, _ = following()
parts = (part for part in [b'{"a":', b'"' + b"x" * 100000 + b'"', b"}"])
chunked = {"Transfer-Encoding": "chunked"}
call("POST", "/invocation/" + request + "/response", parts, encode_chunked=True, headers=chunked)
following()
""")
        )
        self.assertEqual(json.loads(result.payload or b""), {"a": "x" * 100000})

    def test_a_streamed_response_that_fails_midway_is_an_error(self) -> None:
        result = invoke(
            self.function("""
import base64
request, _, _ = following()
connection.putrequest("POST", API + "/invocation/" + request + "/response")
connection.putheader("Transfer-Encoding", "chunked")
connection.endheaders()
connection.send(b"4\\r\\nhalf\\r\\n0\\r\\nLambda-Runtime-Function-Error-Type: Broken\\r\\n"
    b"Lambda-Runtime-Function-Error-Body: " + base64.b64encode(b'{"errorType":"Broken"}') + b"\\r\\n\\r\\n")
connection.getresponse().read()
following()
""")
        )
        self.assertTrue(result.is_error)
        self.assertEqual(result.payload, b'{"errorType":"Broken"}')

    def test_half_a_body_is_no_answer(self) -> None:
        result = invoke(
            self.function("""
request, _, _ = following()
connection.putrequest("POST", API + "/invocation/" + request + "/response")
connection.putheader("Content-Length", "100")
connection.endheaders(b"half")
""")
        )
        self.assertTrue(result.is_error)
        self.assertIn(b"Runtime.ExitError", result.payload or b"")

    def test_an_event_comes_with_its_headers(self) -> None:
        before = time.time() * 1000
        result = invoke(
            self.function(
                """
request, _, headers = following()
respond(request, dict(headers))
following()
""",
                timeout=7,
            )
        )
        headers = json.loads(result.payload or b"")
        self.assertEqual(headers["Lambda-Runtime-Invoked-Function-Arn"], "arn:f")
        self.assertEqual(headers["Lambda-Runtime-Trace-Id"], "Root=1")
        left = int(headers["Lambda-Runtime-Deadline-Ms"]) - before
        self.assertTrue(6900 < left < 10000, left)

    def test_an_answer_nobody_waits_for_is_refused(self) -> None:
        executor = self.function("""
first, _, _ = following()
statuses = [respond("another", 1), respond(first, "first")]
second, _, _ = following()
statuses += [respond(first, "late"), call("POST", "/invocation")[0], call("GET", "/else")[0]]
respond(second, statuses)
following()
""")
        self.assertEqual(invoke(executor, request="r1").payload, b'"first"')
        self.assertEqual(json.loads(invoke(executor, request="r2").payload or b""), [400, 202, 400, 404, 404])

    def test_executors_run_at_the_same_time(self) -> None:
        # Each answers only once all have begun.
        body = """
request, event, _ = following()
mark(os.environ["MARKS"] + "/begun-" + str(event))
while len([name for name in os.listdir(os.environ["MARKS"]) if name.startswith("begun-") and "part" not in name]) < 4:
    time.sleep(0.005)
respond(request, event)
following()
"""
        results: dict[int, bytes | None] = {}

        def run(i: int) -> None:
            results[i] = invoke(self.function(body), str(i), f"r{i}").payload

        threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, {i: str(i).encode() for i in range(4)})
