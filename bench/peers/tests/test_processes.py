import io
import subprocess
import sys
import unittest

from processes import rate, watch


class Watching(unittest.TestCase):
    def test_a_process_is_watched_from_its_start_to_its_end(self) -> None:
        script = "import time; print('first', flush=True); x = b'x' * 50_000_000; time.sleep(0.3); print('last')"
        output = io.BytesIO()
        found = watch([sys.executable, "-c", script], output)
        self.assertEqual(output.getvalue(), b"first\nlast\n")
        self.assertTrue(0 < found["first_line_seconds"] and 0 < found["cpu_seconds"] < 5)
        self.assertTrue(50_000_000 < found["peak_memory"] < 150_000_000)

    def test_a_failure_is_one(self) -> None:
        with self.assertRaises(subprocess.CalledProcessError):
            watch([sys.executable, "-c", "raise SystemExit(3)"], io.BytesIO())

    def test_a_rate_counts_every_pass(self) -> None:
        self.assertGreater(rate(10, lambda: sum(range(1000))), 10)


if __name__ == "__main__":
    unittest.main()
