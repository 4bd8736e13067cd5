#!/usr/bin/env python3
"""The steps of the comparison that `cargo xtask bench-peers` runs; each prints one line of JSON.

Where a file can't be used, the line is {"error": "..."} and the status 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import comments
import pipelines
import processes

SEED = 20
RESAMPLES = 1000


def prepare(args: argparse.Namespace) -> dict[str, Any]:
    """Writes cleaned comments as OUTPUT/FOLD/train.csv, test.csv and one.csv: one comment, to load a model for."""
    if args.input:
        all_comments, without_text = comments.read(args.input)
        parts = comments.folds(all_comments, args.folds, SEED)
        splits = [(sum(parts[:fold] + parts[fold + 1 :], []), parts[fold]) for fold in range(args.folds)]
    else:
        train, without_train = comments.read(args.train)
        test, without_test = comments.read(args.test)
        without_text = without_train + without_test
        splits = [(train, test)]
    for fold, (train, test) in enumerate(splits):
        folder = args.output / str(fold)
        comments.write(folder / "train.csv", train)
        comments.write(folder / "test.csv", test)
        comments.write(folder / "one.csv", test[:1])
    trained = {comment.body for comment in splits[0][0]}
    return {
        "train": [len(train) for train, _ in splits],
        "test": [len(test) for _, test in splits],
        "removed": [sum(comment.removed for comment in test) for _, test in splits],
        "without_text": without_text,
        "in_train_and_test": sum(comment.body in trained for comment in splits[0][1]),
    }


def repeat(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the comments of a file many times over."""
    repeated = comments.load(args.input) * args.times
    comments.write(args.output, repeated)
    return {"comments": len(repeated)}


def train(args: argparse.Namespace) -> None:
    """Trains a peer and writes its model."""
    rows = comments.load(args.input)
    peer = pipelines.pipeline(args.peer)
    peer.train([row.body for row in rows], [row.removed for row in rows])
    args.model.mkdir(parents=True, exist_ok=True)
    peer.save(args.model)


def score(args: argparse.Namespace) -> None:
    """Scores a file; a line of JSON a comment, as `modstream score` has it."""
    peer = pipelines.pipeline(args.peer)
    peer.load(args.model)
    bodies = [row.body for row in comments.load(args.input)]
    for start in range(0, len(bodies), 256):
        for probability in peer.score(bodies[start : start + 256]):
            print(json.dumps({"probability": probability}))
        sys.stdout.flush()


def speed(args: argparse.Namespace) -> dict[str, Any]:
    """Comments a CPU-second inside a process that holds model and texts."""
    peer = pipelines.pipeline(args.peer)
    peer.load(args.model)
    bodies = [row.body for row in comments.load(args.input)]
    peer.score(bodies)

    def one_by_one() -> None:
        for body in bodies:
            peer.score_one(body)

    return {
        "one_by_one": processes.rate(len(bodies), one_by_one),
        "batched": processes.rate(len(bodies), lambda: peer.score(bodies)),
    }


def watch(args: argparse.Namespace) -> dict[str, Any]:
    """Runs a command: its CPU time, its peak memory, the time to its first line."""
    with args.output.open("wb") as output:
        return processes.watch(args.command, output)


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Metrics of FOLDER/FOLD/PEER.jsonl, and intervals of their differences to the first peer's."""
    import numpy as np

    import metrics

    folders = [args.folder / str(fold) for fold in range(args.folds)]
    truth = [np.array([float(row.removed) for row in comments.load(folder / "test.csv")]) for folder in folders]
    probabilities = {
        peer: [
            np.array([json.loads(line)["probability"] for line in (folder / f"{peer}.jsonl").read_text().splitlines()])
            for folder in folders
        ]
        for peer in args.peers
    }
    return metrics.compare(truth, probabilities, args.peers[0], RESAMPLES, SEED)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True, metavar="STEP")

    def step(run: Any, *paths: str) -> argparse.ArgumentParser:
        added = steps.add_parser(run.__name__, help=run.__doc__)
        added.set_defaults(run=run)
        for path in paths:
            added.add_argument(f"--{path}", type=Path, required=True)
        return added

    split = step(prepare, "output")
    split.add_argument("--train", type=Path)
    split.add_argument("--test", type=Path)
    split.add_argument("--input", type=Path)
    split.add_argument("--folds", type=int, default=5)
    step(repeat, "input", "output").add_argument("--times", type=int, required=True)
    for run in (train, score, speed):
        step(run, "model", "input").add_argument("--peer", choices=pipelines.NAMES, required=True)
    step(watch, "output").add_argument("command", nargs="+")
    against = step(compare, "folder")
    against.add_argument("--folds", type=int, required=True)
    against.add_argument("peers", nargs="+")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    try:
        result = args.run(args)
    except comments.InputError as error:
        print(json.dumps({"error": str(error)}))
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{Path(error.cmd[0]).name} ended with status {error.returncode}", file=sys.stderr)
        return 1
    if result is not None:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
