"""Waits for the end of a session's leader, then ends what is left: also after a SIGKILL."""

import sys

from modstream_local_stack import session

if __name__ == "__main__":
    sys.stdin.buffer.read()
    session.end(int(sys.argv[1]))
