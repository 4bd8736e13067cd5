"""Other people's clients at the front door of a real server: what they were written for must work with one address changed.

`cargo xtask test clients` runs this with the packages of requirements.txt; MODSTREAM_TEST_COMMAND is the program, and
MODSTREAM_TEST_TOOLS the folder with the packages of npm."""

import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import openai
import perspective
from googleapiclient import discovery
from googleapiclient.errors import HttpError

HERE = pathlib.Path(__file__).parent
COMMAND = os.environ["MODSTREAM_TEST_COMMAND"]
VECTOR = json.loads((HERE / "../../shared/pages/gateway/tests/coral.json").read_text(encoding="utf-8"))


class Clients(unittest.TestCase):
    """One server with a key of each kind, which all tests ask."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.data = str(pathlib.Path(cls.folder.name) / "data")
        secret = pathlib.Path(cls.folder.name) / "secret"
        secret.write_text(VECTOR["secret"], encoding="utf-8")
        # Whoever tries a document suggests scores faster than any person.
        settings = pathlib.Path(cls.folder.name) / "front-door.toml"
        requests = '[requests]\nlanguages = ["en"]\nstore = "as_asked"\nfeedback_per_minute = 100_000\n'
        settings.write_text(requests, encoding="utf-8")
        cls.key = cls.make_key("check,feedback,send")
        cls.check_only = cls.make_key("check")
        cls.server = subprocess.Popen(
            [COMMAND, "serve", "--data", cls.data, "--listen", "127.0.0.1:0", "--json"]
            + ["--coral-secret-file", str(secret), "--front-door", str(settings)],
            stdout=subprocess.PIPE,
            text=True,
        )
        cls.addClassCleanup(cls.stop)
        cls.address = "http://" + json.loads(cls.server.stdout.readline())["listen"]

    @classmethod
    def stop(cls):
        cls.server.terminate()
        cls.server.wait(60)
        cls.server.stdout.close()

    @classmethod
    def make_key(cls, roles):
        made = subprocess.run(
            [COMMAND, "key", "create", "--role", roles, "--data", cls.data, "--json"], check=True, capture_output=True
        )
        return json.loads(made.stdout)["key"]

    def google(self, key):
        return discovery.build(
            "commentanalyzer",
            "v1alpha1",
            developerKey=key,
            discoveryServiceUrl=self.address + "/$discovery/rest?version=v1alpha1",
            static_discovery=False,
            cache_discovery=False,
        )

    def test_googles_client_finds_the_routes_and_is_answered(self):
        comments = self.google(self.key).comments()
        text = "What kind of idiot name is foo? Sorry, I like your name. \U0001f600 ok"
        body = {
            "comment": {"text": text},
            "requestedAttributes": {"TOXICITY": {}},
            "languages": ["en"],
            "spanAnnotations": True,
            "clientToken": "t-1",
            "doNotStore": True,
        }
        answer = comments.analyze(body=body).execute()
        self.assertEqual(answer["clientToken"], "t-1")
        scores = answer["attributeScores"]["TOXICITY"]
        self.assertGreater(scores["summaryScore"]["value"], 0.7)
        self.assertEqual([(span["begin"], span["end"]) for span in scores["spanScores"]], [(0, 31), (32, 56), (57, 62)])
        suggestion = {
            "comment": {"text": "x"},
            "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
            "communityId": "Coral:https://c.example",
            "clientToken": "comment:42",
            "languages": ["en"],
        }
        self.assertEqual(comments.suggestscore(body=suggestion).execute(), {"clientToken": "comment:42"})

    def test_googles_client_raises_perspectives_errors(self):
        def fails(body, status, part, key=self.key):
            with self.assertRaises(HttpError) as raised:
                self.google(key).comments().analyze(body=body).execute()
            self.assertEqual(raised.exception.resp.status, status)
            self.assertIn(part, raised.exception.content.decode())

        wanted = {"requestedAttributes": {"TOXICITY": {}}}
        fails({"comment": {"text": " "}, **wanted}, 400, "COMMENT_EMPTY")
        fails({"comment": {"text": "a" * 20481}, **wanted}, 400, "Value (20481) exceeded limit (20480)")
        fails({"comment": {"text": "a"}, "requestedAttributes": {}}, 400, "NO_REQUESTED_ATTRIBUTES")
        fails({"comment": {"text": "a"}, "requestedAttributes": {"SPAM": {}}}, 400, "Unknown requested attribute: SPAM")
        fails({"comment": {"text": "a"}, **wanted, "languages": ["sv"]}, 400, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE")
        fails({"comment": {"text": "a"}, **wanted}, 400, "API_KEY_INVALID", key="no-key")
        with self.assertRaises(HttpError) as raised:
            suggestion = {"comment": {"text": "x"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
            self.google(self.check_only).comments().suggestscore(body=suggestion).execute()
        self.assertEqual(raised.exception.resp.status, 403)

    def test_openais_client_is_answered(self):
        client = openai.OpenAI(base_url=self.address + "/v1", api_key=self.key)
        answer = client.moderations.create(input=["You are an idiot.", "Thank you, that helped."])
        self.assertEqual([result.flagged for result in answer.results], [True, False])
        self.assertTrue(answer.results[0].categories.harassment)
        self.assertEqual(answer.results[0].category_scores.sexual_minors, 0)
        self.assertTrue(answer.model.startswith("harm@"))
        raw = client.moderations.with_raw_response.create(input="so")
        self.assertIn("sexual", raw.headers["x-modstream-unmapped"])
        image = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
        with self.assertRaises(openai.BadRequestError):
            client.moderations.create(input=image)
        stranger = openai.OpenAI(base_url=self.address + "/v1", api_key="no-key", max_retries=0)
        with self.assertRaises(openai.AuthenticationError):
            stranger.moderations.create(input="so")

    def test_pypis_perspective_client_is_answered(self):
        client = perspective.PerspectiveAPI(self.key)
        client.api_client.url = self.address + "/v1alpha1/{endpoint}"
        self.assertGreater(client.score("You are an idiot.", tests=["TOXICITY", "INSULT"])["INSULT"], 0.7)
        self.assertLess(client.score("Thank you, that helped.")["TOXICITY"], 0.3)
        context = [{"text": "what it answers", "type": "PLAIN_TEXT"}]
        told = client.analyze_comment("so", context=context, languages=["en"], client_token="t", do_not_store=True)
        self.assertEqual(told["clientToken"], "t")
        scores = {"TOXICITY": {"summaryScore": {"value": 0.9, "type": "PROBABILITY"}}}
        self.assertEqual(client.suggest_score("so", scores, client_token="t"), {"clientToken": "t"})
        with self.assertRaises(urllib.error.HTTPError) as raised:
            client.score("so", tests=["SPAM"])
        with raised.exception as error:
            self.assertIn("Unknown requested attribute: SPAM", error.read().decode())

    def test_npms_perspective_client_is_answered(self):
        subprocess.run(["node", str(HERE / "perspective.js"), self.address, self.key], check=True)

    def test_coral_is_answered_by_its_own_vector_and_by_python_s_hmac(self):
        def ask(body, signature):
            headers = {"content-type": "application/json", "X-Coral-Signature": signature}
            request = urllib.request.Request(self.address + "/coral/moderate", body.encode(), headers)
            try:
                with urllib.request.urlopen(request) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()

        self.assertIn(ask(VECTOR["body"], VECTOR["X-Coral-Signature"])[0], (200, 204))
        insult = VECTOR["body"].replace("Here's a comment!", "You are an idiot.")
        signature = "sha256=" + hmac.new(VECTOR["secret"].encode(), insult.encode(), hashlib.sha256).hexdigest()
        status, told = ask(insult, signature)
        flag = {"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}
        self.assertEqual((status, json.loads(told)), (200, {"actions": [flag], "status": "SYSTEM_WITHHELD"}))
        self.assertEqual(ask(insult, VECTOR["X-Coral-Signature"])[0], 401)

    def test_schemathesis_finds_nothing_that_the_document_does_not_say(self):
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        subprocess.run(
            [
                str(pathlib.Path(sys.executable).with_name("schemathesis")),
                "run",
                self.address + "/openapi.json",
                "--header",
                f"authorization: Bearer {self.key}",
                "--checks",
                checks,
                "--max-examples",
                "40",
                "--seed",
                "21",
                "--generation-deterministic",
                "--no-color",
            ],
            check=True,
            cwd=self.folder.name,
        )


if __name__ == "__main__":
    unittest.main()
