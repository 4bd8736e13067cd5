"""What a function prints goes with the invocation it was printed in."""

import os
import signal

from support import FunctionTest, gone, invoke

from modstream_local_stack.logs import LogPipe, Logs


class FunctionLogs(FunctionTest):
    def test_lines_are_in_order_and_come_once(self) -> None:
        executor = self.function("""
print("at the start", flush=True)
while True:
    request, event, _ = following()
    for i in range(2000):
        os.write(1 + i % 2, f"{event} {i}\\n".encode())
    respond(request, None)
""")
        first = (invoke(executor, "1", "r1").logs or "").splitlines()
        second = (invoke(executor, "2", "r2").logs or "").splitlines()
        self.assertEqual(first[:2], ["at the start", "START RequestId: r1 Version: $LATEST"])
        self.assertEqual(first[2:2002], [f"1 {i}" for i in range(2000)])
        self.assertEqual(first[2002], "END RequestId: r1")
        self.assertIn("Init Duration", first[2003])
        self.assertEqual(len(first), 2004)
        self.assertEqual(second[1:2001], [f"2 {i}" for i in range(2000)])
        self.assertNotIn("Init Duration", second[-1])

    def test_a_function_that_prints_more_than_a_pipe_holds_goes_on(self) -> None:
        executor = self.function("""
request, _, _ = following()
sys.stdout.write("x" * 1_000_000 + "\\n")
sys.stdout.flush()
respond(request, None)
following()
""")
        self.assertIn("x" * 1_000_000, invoke(executor).logs or "")

    def test_a_process_that_got_away_keeps_no_lines(self) -> None:
        executor = self.function("""
child = subprocess.Popen(SLEEP, start_new_session=True)
sys.stdout.write(f"{child.pid}")
sys.stdout.flush()
sys.exit(3)
""")
        pid = int((invoke(executor).logs or "").splitlines()[0])
        self.assertFalse(gone(pid), "it holds the pipe")
        os.kill(pid, signal.SIGKILL)

    def test_logs_can_be_looked_at_without_taking_them(self) -> None:
        logs = Logs()
        logs.add("a")
        logs.add("b")
        self.assertEqual(logs.peek(), "a\nb")
        self.assertEqual(logs.take(), "a\nb\n")
        self.assertEqual(logs.take(), "")

    def test_a_line_is_whole(self) -> None:
        logs = Logs()
        pipe = LogPipe(logs)
        os.write(pipe.writer, b"hal")
        pipe.drain()
        self.assertEqual(logs.peek(), "")
        os.write(pipe.writer, b"f\r\nrest \xff")
        pipe.drain()
        self.assertEqual(logs.peek(), "half")
        pipe.close()
        self.assertEqual(logs.take(), "half\nrest \ufffd\n")
        pipe.discard()
