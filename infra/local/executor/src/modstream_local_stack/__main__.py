"""``python -m modstream_local_stack``: LocalStack as the leader of a session of its own."""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from modstream_local_stack import session


def forget_the_user() -> None:
    """The user's profiles, endpoints and caches are not the stack's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    if root := os.environ.get("FILESYSTEM_ROOT"):
        os.environ["HOME"] = root
        os.environ.pop("XDG_CACHE_HOME", None)


def keep_children() -> None:
    """LocalStack gives a program it starts, Kinesis say, a session of its own: it would outlive the stack."""
    from localstack.utils import run

    def popen(*args: Any, start_new_session: bool = False, **kwargs: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(*args, process_group=0 if start_new_session else None, **kwargs)

    os.environ["NODE_OPTIONS"] = f"--require {json.dumps(str(Path(__file__).with_name('loopback.cjs')))}"
    run.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": popen})


def main() -> None:
    session.detach()
    forget_the_user()
    session.guard()
    # after all of the above: the import reads the environment
    from localstack.runtime.main import main as localstack

    keep_children()
    localstack()


def run() -> int:
    try:
        main()
    except SystemExit as e:
        if not isinstance(e.code, str):
            return e.code or 0
        print(e.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    status = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # LocalStack has ended what it had to end; Python would wait for its other threads
