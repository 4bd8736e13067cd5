"""What a function finds around it, and what is left of it."""

import json
import os
from pathlib import Path
from unittest import mock

from support import FunctionTest, gone, invoke, until


class Environment(FunctionTest):
    def test_only_what_is_meant_for_it(self) -> None:
        with mock.patch.dict(os.environ, {"GITHUB_TOKEN": "secret", "GATEWAY_LISTEN": "x", "SSL_CERT_DIR": "/certs"}):
            executor = self.function(
                """
request, _, _ = following()
respond(request, dict(os.environ))
following()
""",
                AWS_REGION="eu-west-1",
                TMPDIR="/elsewhere",
            )
            env = json.loads(invoke(executor).payload or b"")
        # what LocalStack gives, what the executor sets, and four names of its own environment
        own = {"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "TMPDIR", "HOME"}
        given = {"AWS_REGION", "MARKS"}
        inherited = {name for name in ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}
        set_by_the_bootstrap = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}  # by sh and Python
        self.assertEqual(set(env) - set_by_the_bootstrap, own | given | inherited | {"SSL_CERT_DIR"})
        self.assertEqual(env["AWS_REGION"], "eu-west-1")
        self.assertNotEqual(env["TMPDIR"], "/elsewhere")

    def test_a_folder_of_its_own_until_it_is_stopped(self) -> None:
        body = """
while True:
    request, _, _ = following()
    with open(os.environ["TMPDIR"] + "/file", "a+") as file:
        file.write("x")
        file.seek(0)
        respond(request, [os.environ["TMPDIR"], file.read(), os.getcwd()])
"""
        one, other = self.function(body), self.function(body)
        folder, text, code = json.loads(invoke(one).payload or b"")
        self.assertEqual(text, "x")
        self.assertTrue(os.path.exists(os.path.join(code, "bootstrap")))
        self.assertEqual(json.loads(invoke(one).payload or b"")[1], "xx")
        self.assertNotEqual(json.loads(invoke(other).payload or b"")[0], folder)
        one.stop()
        self.assertFalse(Path(folder).exists())

    def test_a_group_of_its_own_in_the_session_of_the_stack(self) -> None:
        executor = self.function("""
request, _, _ = following()
respond(request, [os.getpid(), os.getpgid(0), os.getsid(0)])
following()
""")
        pid, group, session = json.loads(invoke(executor).payload or b"")
        self.assertEqual(group, pid)
        self.assertEqual(session, os.getsid(0))

    def test_what_it_started_ends_with_it(self) -> None:
        body = """
child = subprocess.Popen(SLEEP)
request, event, _ = following()
respond(request, [os.getpid(), child.pid])
if event == "exit": os._exit(0)
following()
"""
        for event in ("stay", "exit"):
            with self.subTest(event):
                executor = self.function(body)
                pids = json.loads(invoke(executor, json.dumps(event)).payload or b"")
                if event == "stay":
                    self.assertFalse(any(map(gone, pids)))
                    executor.stop()
                for pid in pids:
                    until(lambda pid=pid: gone(pid), limit=2)  # type: ignore[misc]
