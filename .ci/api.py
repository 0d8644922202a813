"""The HTTP service against its own document: whatever is asked, each answer is one that /openapi.json describes.

`.ci/api` runs this file under pytest. It starts `bnn serve` twice, without tokens and with one, and has schemathesis make requests of the
document: some that fit it and some that do not, of a fixed seed. The same operations are then asked about things that exist: a model that ships,
a cloud key, and jobs that have ended or not.
"""

import atexit
import json
import os
import subprocess
import tempfile
from pathlib import Path

import hypothesis
import requests
import schemathesis
from schemathesis import checks

BNN = os.environ["BNN"]
DIGIT = Path(__file__).parent.parent / "models/digits/7.png"
MODEL = "perceptron"
FOLDER = tempfile.TemporaryDirectory()

# Whether data that fit the document are taken is asked only about what exists: a body that is drawn fits, as bytes, and is no key and no image.
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.ignored_auth,
]
# The same examples each time, and no deadline: the machine may be busy.
FIXED = {"derandomize": True, "deadline": None, "database": None}
MANY, FEW = hypothesis.settings(max_examples=20, **FIXED), hypothesis.settings(max_examples=2, **FIXED)


def bnn(line, *files):
    """Runs the command in the folder, and gives its JSON object."""
    done = subprocess.run([BNN, *line.split(), *files, "--json"], cwd=FOLDER.name, check=True, capture_output=True)
    return json.loads(done.stdout)


class Client:
    """A key of an engine, with its cloud key and a picture that is encrypted under it."""

    def __init__(self, engine):
        self.id = bnn(f"keygen --engine {engine} --out {engine}")["key_id"]
        bnn(f"encrypt --model {MODEL} --key {engine}/secret.key --out {engine}.enc", DIGIT)
        self.cloud_key = (Path(FOLDER.name) / engine / "cloud.key").read_bytes()
        self.picture = (Path(FOLDER.name) / f"{engine}.enc").read_bytes()


class Service:
    """A service with a key and a job that has ended."""

    def __init__(self, data, token=None):
        line = [BNN, "serve", "--listen", "127.0.0.1:0", "--json", "--data", data, "--model", MODEL]
        log = open(Path(FOLDER.name) / f"{data}.log", "wb")
        self.process = subprocess.Popen(line, cwd=FOLDER.name, stdout=subprocess.PIPE, stderr=log)
        atexit.register(self.process.kill)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.upload(QUICK)
        self.ended = self.submit(QUICK)
        state = self.ask("GET", f"/v2/jobs/{self.ended}?wait=60").json()
        assert state["state"] == "done", state

    def ask(self, method, path, **body):
        answer = requests.request(method, self.url + path, headers=self.headers, timeout=120, **body)
        answer.raise_for_status()
        return answer

    def upload(self, client):
        self.ask("PUT", f"/v2/keys/{client.id}", data=client.cloud_key)

    def submit(self, client):
        return self.ask("POST", f"/v2/models/{MODEL}/jobs", data=client.picture).json()["id"]

    def document(self, mode):
        """The operations of the document, to be asked with data that fit it or not."""
        generation = {"mode": mode, "with-security-parameters": False}
        phases = {"coverage": {"enabled": mode == "all"}}
        config = schemathesis.Config.from_dict({"seed": 1, "generation": generation, "phases": phases})
        return schemathesis.openapi.from_url(f"{self.url}/openapi.json", config=config)

    def name_what_exists(self, case):
        """Has a request ask for what exists. What it deletes or makes is prepared for it."""
        path, method = case.operation.path, case.operation.method.upper()
        if "{name}" in path:
            case.path_parameters = {"name": MODEL}
        if path == "/v2/keys/{id}":
            case.path_parameters = {"id": QUICK.id}
            if method == "DELETE":
                self.upload(SLOW)
                case.path_parameters = {"id": SLOW.id}
            if method == "PUT":
                case.headers, case.body = {}, QUICK.cloud_key
        if path.startswith("/v2/jobs/{id}"):
            case.path_parameters = {"id": self.ended}
            if method == "DELETE":
                self.upload(SLOW)
                case.path_parameters = {"id": self.submit(SLOW)}
        if path == "/v2/models/{name}/infer":
            case.body = QUICK.picture
        if path == "/v2/models/{name}/jobs":
            # With its key, the job of the request before is deleted.
            self.upload(SLOW)
            self.ask("DELETE", f"/v2/keys/{SLOW.id}")
            self.upload(SLOW)
            case.body = SLOW.picture


QUICK, SLOW = Client("functional"), Client("gates")
TOKEN = bnn("token add ci --scope upload --scope infer --scope admin --data guarded")["token"]
OPEN, GUARDED = Service("open"), Service("guarded", TOKEN)


def check_what_exists(service, case):
    service.name_what_exists(case)
    # What was drawn in the places of names and bodies is replaced, so that no data are wrong.
    chosen = [check for check in CHECKS if check is not checks.negative_data_rejection]
    response = case.call_and_validate(headers=service.headers, checks=chosen)
    assert response.status_code // 100 == 2, response.text


@OPEN.document("all").parametrize()
@MANY
def test_anything(case):
    case.call_and_validate(headers=OPEN.headers, checks=CHECKS)


@GUARDED.document("all").parametrize()
@MANY
def test_anything_with_a_token(case):
    case.call_and_validate(headers=GUARDED.headers, checks=CHECKS)


@OPEN.document("positive").parametrize()
@FEW
def test_what_exists(case):
    check_what_exists(OPEN, case)


@GUARDED.document("positive").parametrize()
@FEW
def test_what_exists_with_a_token(case):
    check_what_exists(GUARDED, case)


@GUARDED.document("positive").parametrize()
@FEW
def test_without_a_token(case):
    response = case.call_and_validate(checks=[check for check in CHECKS if check is not checks.ignored_auth])
    is_open = case.operation.definition.raw.get("security") == [{}]
    assert is_open == (response.status_code != 401), response.text


def test_the_services_end():
    for service in (OPEN, GUARDED):
        service.process.terminate()
        assert service.process.wait(timeout=60) == 0
