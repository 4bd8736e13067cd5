"""A function that does not answer: the caller learns what happened, and the next invocation starts it anew."""

import json
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException
from support import ECHO, FunctionTest, content, gone, invoke, until

from modstream_local_stack import executor as executor_module
from modstream_local_stack.executor import ProcessExecutor


class Failures(FunctionTest):
    def assert_error(self, result: InvocationResult, error_type: str, message: str) -> None:
        self.assertTrue(result.is_error)
        report = json.loads(result.payload or b"")
        self.assertEqual(report["errorType"], error_type)
        self.assertIn(message, report["errorMessage"])
        self.assertIn(report["errorMessage"], result.logs or "")

    def test_a_crash_is_reported_and_the_next_invocation_works(self) -> None:
        executor = self.function("""
while True:
    request, event, _ = following()
    print("about to", event, flush=True)
    if event == "exit 0": os._exit(0)
    if event == "exit 7": os._exit(7)
    if event == "kill": os.kill(os.getpid(), 9)
    respond(request, os.getpid())
""")
        for event, message in [
            ("exit 7", "Runtime exited with error: exit status 7"),
            ("exit 0", "Runtime exited without providing a reason"),
            ("kill", "Runtime exited with error: signal: killed"),
        ]:
            with self.subTest(event):
                result = invoke(executor, json.dumps(event))
                self.assert_error(result, "Runtime.ExitError", f"RequestId: request-1 Error: {message}")
                self.assertIn(f"about to {event}\n", result.logs or "")
                self.assertEqual((result.logs or "").count("START"), 1)
                self.assertFalse(invoke(executor, '"work"', "request-2").is_error)

    def test_a_crash_between_invocations_costs_none(self) -> None:
        executor = self.function("""
request, _, _ = following()
respond(request, os.getpid())
""")
        first = int(invoke(executor).payload or b"")
        until(lambda: gone(first))
        until(lambda: executor._sandbox is not None and not executor._sandbox.alive)
        second = invoke(executor)
        self.assertFalse(second.is_error)
        self.assertNotEqual(int(second.payload or b""), first)

    def test_an_exit_at_the_start_is_reported_with_its_last_words(self) -> None:
        executor = self.function("""
if os.path.exists(os.environ["MARKS"] + "/model"):
    request, _, _ = following()
    respond(request, "works")
    following()
sys.stdout.write('{"error":"no model; push one"}')
sys.exit(3)
""")
        result = invoke(executor)
        self.assert_error(result, "Runtime.ExitError", "exit status 3")
        self.assertEqual((result.logs or "").splitlines()[0], '{"error":"no model; push one"}')
        (self.folder / "model").touch()
        self.assertEqual(invoke(executor).payload, b'"works"')

    def test_an_error_at_the_start_is_the_answer(self) -> None:
        report = '{"errorType":"Config","errorMessage":"no bucket"}'
        executor = self.function(f"""
call("POST", "/init/error", {report!r})
time.sleep(600)
""")
        result = invoke(executor)
        self.assertTrue(result.is_error)
        self.assertEqual(result.payload, report.encode())
        self.assertIn("no bucket", result.logs or "")

    def test_a_start_that_takes_too_long_ends(self) -> None:
        executor = self.function("""
mark(os.environ["MARKS"] + "/pid", os.getpid())
time.sleep(600)
""")
        with mock.patch.object(executor_module, "INIT_SECONDS", 0.5):
            self.assert_error(invoke(executor), "Sandbox.Timedout", "Init phase timed out after 0.50 seconds")
        pid = (self.folder / "pid").read_text()
        self.assertTrue(gone(int(pid)))

    def test_what_can_not_be_started_says_why(self) -> None:
        for name, body, mode, words in [
            ("missing", None, 0o755, "executable file bootstrap"),
            ("not executable", ECHO, 0o644, "make the file executable"),
            ("no program", b"\x00\x01\x02", 0o755, "build it for this machine"),
        ]:
            with self.subTest(name):
                self.assert_error(invoke(self.function(body, mode=mode)), "Runtime.InvalidEntrypoint", words)

    @unittest.skipUnless(sys.platform == "linux", "other systems start a file that is being written")
    def test_a_file_that_is_still_busy_is_waited_for(self) -> None:
        executor = self.function(ECHO)
        file = open(executor._code() / "bootstrap", "ab")
        with mock.patch("modstream_local_stack.sandbox.time.sleep", side_effect=lambda _: file.close()) as slept:
            result = invoke(executor)
        self.assertFalse(result.is_error)
        slept.assert_called()

    def test_a_time_out_ends_the_function_and_what_it_started(self) -> None:
        executor = self.function(
            """
child = subprocess.Popen(SLEEP)
request, event, _ = following()
if event == "hang":
    mark(os.environ["MARKS"] + "/pids", f"{os.getpid()} {child.pid}")
    time.sleep(600)
respond(request, "works")
following()
""",
            timeout=0.5,
        )
        result = invoke(executor, '"hang"')
        self.assert_error(result, "Sandbox.Timedout", "Task timed out after 0.50 seconds")
        for pid in (self.folder / "pids").read_text().split():
            until(lambda pid=pid: gone(int(pid)), limit=2)  # type: ignore[misc]
        self.assertEqual(invoke(executor, '"again"').payload, b'"works"')

    def test_stop_ends_an_invocation_that_runs(self) -> None:
        executor = self.function("""
request, _, _ = following()
mark(os.environ["MARKS"] + "/pid", os.getpid())
time.sleep(600)
""")
        results: list[InvocationResult] = []
        thread = threading.Thread(target=lambda: results.append(invoke(executor)))
        thread.start()
        pid = int(until(content(self.folder / "pid")))
        executor.stop()
        thread.join(timeout=5)
        self.assert_error(results[0], "Sandbox.Stopped", "stopped")
        self.assertTrue(gone(pid))
        self.assert_error(invoke(executor), "Sandbox.Stopped", "stopped")

    def test_a_closed_roster_ends_all_and_starts_none(self) -> None:
        running, idle = self.function(ECHO), self.function(ECHO)
        pid = json.loads(invoke(running).payload or b"")["pid"]
        self.roster.close()
        self.assertTrue(gone(pid))
        self.assert_error(invoke(idle), "Sandbox.Stopped", "the local stack is ending")

    def test_other_runtimes_are_refused(self) -> None:
        version: Any = self.function(ECHO).function_version
        version.config.runtime = "python3.13"
        with self.assertRaisesRegex(LambdaRuntimeException, r"provided\.\*, not python3\.13"):
            ProcessExecutor.prepare_version(version)
