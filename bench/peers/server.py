"""An HTTP server around scikit-learn's classifier, as one is written in an afternoon: FastAPI and uvicorn, a process.

`cargo xtask load --http --peer` asks it what it asks `modstream serve`. It trains on the comments it is given, prints a line of JSON
that says where it listens, and answers `POST /score` with a probability until it is ended.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pipelines.scikit_learn_pipeline import Peer
from pydantic import BaseModel


class Asked(BaseModel):
    text: str


class Answer(BaseModel):
    probability: float


def app(peer: Peer) -> FastAPI:
    app = FastAPI()

    # On the event loop: a thread a request costs more than the score.
    @app.post("/score")
    async def score(asked: Asked) -> Answer:
        return Answer(probability=peer.score_one(asked.text))

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, type=Path, help="JSON Lines with `body` and `removed`, to be trained on")
    args = parser.parse_args()
    with args.input.open(encoding="utf-8") as lines:
        comments = [json.loads(line) for line in lines]
    peer = Peer()
    peer.train([comment["body"] for comment in comments], [bool(comment["removed"]) for comment in comments])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    # The port is open from here on: who comes early waits.
    listener.listen()
    print(json.dumps({"listen": f"{host}:{port}"}), flush=True)
    # uvicorn ends what it has begun, and raises the signal again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(app(peer), access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
