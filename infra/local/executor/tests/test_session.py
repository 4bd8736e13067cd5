"""A stack is a session of its own that ends as a whole."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import content, gone, until

from modstream_local_stack import session

SOURCES = str(Path(__file__).parent.parent / "src")
LEADER = """
import os, subprocess, sys, time
from modstream_local_stack import session
session.detach()
session.guard()
child = subprocess.Popen([sys.executable, "-SIc", "import time; time.sleep(600)"], process_group=0)
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {os.getsid(0)} {child.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
if sys.argv[2] == "wait": time.sleep(600)
"""


class Session(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.facts = Path(folder.name, "facts")

    def lead(self, how: str, **options: object) -> "subprocess.Popen[bytes]":
        leader = subprocess.Popen(
            [sys.executable, "-c", LEADER, str(self.facts), how],
            env=os.environ | {"PYTHONPATH": SOURCES},
            **options,  # type: ignore[call-overload]
        )
        self.addCleanup(session.end, leader.pid)
        self.addCleanup(leader.wait)
        self.addCleanup(leader.kill)
        return leader

    def test_nothing_outlives_a_leader_that_is_killed(self) -> None:
        leader = self.lead("wait")
        pid, sid, child = map(int, until(content(self.facts)).split())
        self.assertEqual((pid, sid), (leader.pid, leader.pid))
        before = set(session.members(sid))
        self.assertEqual(len(before), 3, "leader, guardian, child")
        for member in before - {pid, child}:
            os.kill(member, signal.SIGTERM)  # as one does who ends the whole session: the guardian stays
        self.assertFalse(gone(child))
        leader.kill()
        until(lambda: not list(session.members(sid)))
        self.assertTrue(gone(child))

    def test_nothing_outlives_a_leader_that_exits(self) -> None:
        leader = self.lead("exit")
        self.assertEqual(leader.wait(timeout=10), 0)
        until(lambda: not list(session.members(leader.pid)))

    def test_a_leader_of_a_group_begins_a_session_too(self) -> None:
        leader = self.lead("wait", process_group=0)
        _, sid, _ = map(int, until(content(self.facts)).split())
        self.assertEqual(sid, leader.pid)

    def test_the_callers_pipes_are_not_held(self) -> None:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.lead("wait", pass_fds=[writer], stdin=subprocess.DEVNULL)
        os.close(writer)
        until(content(self.facts))
        os.set_blocking(reader, False)
        self.assertEqual(os.read(reader, 1), b"")  # raises BlockingIOError while somebody holds the other end

    def test_programs_of_localstack_stay_in_the_session(self) -> None:
        script = """
import os
from modstream_local_stack.__main__ import keep_children
keep_children()
from localstack.utils.run import run
child = run(["sleep", "600"], asynchronous=True)
print(os.getsid(child.pid) == os.getsid(0), os.getpgid(child.pid) == child.pid)
child.kill()
"""
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONPATH": SOURCES},
            check=False,
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.stdout, "True True\n", done.stderr)


class Gateway(unittest.TestCase):
    SCRIPT = """
import psutil, sys
from localstack.config import HostAndPort
from modstream_local_stack.gateway import GatewayServer
from rolo.gateway import Gateway
GatewayServer().register(Gateway(), [HostAndPort("127.0.0.1", int(sys.argv[1]))])
print(sorted({c.laddr.ip for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN"}))
"""

    def listen(self, port: int) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", self.SCRIPT, str(port)],
            env=os.environ | {"PYTHONPATH": SOURCES},
            check=False,
            capture_output=True,
            text=True,
        )

    def test_it_listens_on_the_given_address_only(self) -> None:
        done = self.listen(0)
        self.assertEqual(done.stdout, "['127.0.0.1']\n", done.stderr)

    def test_it_refuses_a_port_that_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            done = self.listen(server.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr, "(?m)^error: can't listen on 127.0.0.1:[0-9]+: Address already in use; choose another"
        )
