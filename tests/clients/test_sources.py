"""A second client of a Jetstream: what `modstream ingest bluesky` makes of frames is what Bluesky's own SDK for Python reads in them.

`cargo xtask test clients` runs this with the packages of requirements.txt; MODSTREAM_TEST_COMMAND is the program. The frames are
written by hand after the lexicons; both read them from one server."""

import contextlib
import json
import os
import pathlib
import subprocess
import threading
import unittest

from atproto import AtUri, models
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

HERE = pathlib.Path(__file__).parent
COMMAND = os.environ["MODSTREAM_TEST_COMMAND"]
FRAMES = (HERE / "jetstream.jsonl").read_text(encoding="utf-8").splitlines()


class Jetstream:
    """A server that says all frames to whoever comes, and then waits."""

    def __enter__(self):
        self.server = serve(self.say, "127.0.0.1", 0)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/subscribe"
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    @staticmethod
    def say(connection):
        for frame in FRAMES:
            connection.send(frame)
        # Whoever has read enough breaks off.
        with contextlib.suppress(ConnectionClosed):
            for _ in connection:
                pass


def read_by_sdk(url):
    """What the SDK's models say of each post: its address, what happened to it, and its record where there is one."""
    posts = []
    with connect(url) as connection:
        for _ in FRAMES:
            commit = json.loads(frame := connection.recv()).get("commit")
            if commit is None:
                continue
            uri = AtUri.make(json.loads(frame)["did"], commit["collection"], commit["rkey"])
            record = None
            if "record" in commit:
                # Strict: it is a post by the lexicon, or an error.
                record = models.get_or_create(commit["record"], models.AppBskyFeedPost.Record)
            posts.append((str(uri), commit["operation"], record))
    return posts


class Sources(unittest.TestCase):
    def test_bluesky_is_read_as_its_own_sdk_reads_it(self):
        with Jetstream() as jetstream:
            posts = read_by_sdk(jetstream.url)
            command = [COMMAND, "ingest", "bluesky", "--url", jetstream.url, "--allow-private", "127.0.0.1"]
            command += ["--print", "--limit", str(len(posts))]
            run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        events = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(len(events), len(posts), run.stderr)
        kinds = {"create": "comment", "update": "comment-edited", "delete": "comment-deleted"}
        for event, (uri, operation, record) in zip(events, posts):
            self.assertEqual(event["type"], f"modstream.{kinds[operation]}.v1")
            data = event["data"]
            comment = data["comment"] if operation == "update" else data
            self.assertEqual(comment["id"], uri)
            if record is None:
                continue
            self.assertTrue(comment["body"].startswith(record.text), comment["body"])
            links = [
                feature.uri
                for facet in record.facets or []
                for feature in facet.features
                if isinstance(feature, models.AppBskyRichtextFacet.Link)
            ]
            for link in links:
                self.assertIn(link, comment["body"])
            self.assertEqual(comment["author"], AtUri.from_str(uri).hostname)
            self.assertEqual(comment.get("subreddit"), record.langs[0] if record.langs else None)
            self.assertEqual(comment.get("parent_id"), record.reply.parent.uri if record.reply else None)
        counts = "skipped: 1 account_gone, 1 identity"
        self.assertIn(counts, run.stderr)


if __name__ == "__main__":
    unittest.main()
