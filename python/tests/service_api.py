"""What every service of the HTTP API does, whoever runs it: the tests of `bnn serve` and of the application of Ray Serve."""

import base64
import hashlib
import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

import bnn_tfhe as bnn
from bnn_tfhe import _service

MODEL = "perceptron"


def drawings(count):
    """Pictures with as much ink as digits have, which none of them is."""
    random = np.random.default_rng(1)
    return np.where(random.random((count, 28, 28)) < 0.2, 255, 0).astype(np.uint8)


class Party:
    """A client with a key, and the answers that it must get: encrypted inference of the same image under the same key has the same bytes."""

    def __init__(self, images: int = 6) -> None:
        self.model = bnn.Model.shipped(MODEL)
        self.client = bnn.Client(self.model.client_specification())
        self.key = self.client.cloud_key()
        self.images = self.client.encrypt(drawings(images))
        self.expected = [scores.to_bytes() for scores in bnn.Server(self.model, self.key).infer(self.images)]


def ask(url, method, path, body=None, headers=None):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(url + path, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read()


class ServiceApi:
    """The tests. A class that has them gives them `url`, the address of a service of the perceptron without tokens, and `party`."""

    @pytest.fixture
    def service(self, url, party):
        service = bnn.connect(url)
        service.upload(party.key)
        return service

    def test_tells_its_models(self, url, party):
        service = bnn.connect(url)
        (model,) = [model for model in service.models() if model["name"] == MODEL]
        assert model["digest"] == party.model.digest
        assert model["engines"][0] == {"engine": "functional", "parameters": "FUNCTIONAL_1024", "bootstraps": 64}
        assert service.client_specification(MODEL) == party.model.client_specification()
        status, headers, _ = ask(url, "GET", f"/v2/models/{MODEL}/client")
        assert status == 200
        assert ask(url, "GET", f"/v2/models/{MODEL}/client", headers={"If-None-Match": headers["ETag"]})[0] == 304
        for path in ("/v2", "/v2/health/live", "/v2/health/ready", f"/v2/models/{MODEL}/ready"):
            assert ask(url, "GET", path)[0] == 200
        assert ask(url, "GET", "/v2/models/none")[0] == 404

    def test_evaluates_images_in_their_order(self, service, party):
        told = []
        scores = service.infer(MODEL, party.images, progress=lambda done, total: told.append((done, total)))
        assert [one.to_bytes() for one in scores] == party.expected
        assert told[-1] == (len(party.images), len(party.images))
        assert service.infer(MODEL, party.images[0]).to_bytes() == party.expected[0]
        assert service.infer(MODEL, []) == []

    def test_evaluates_the_same_image_twice(self, service, party):
        scores = service.infer(MODEL, [party.images[0], party.images[0]])
        assert [one.to_bytes() for one in scores] == [party.expected[0]] * 2

    def test_runs_long_evaluations_as_jobs(self, service, party, monkeypatch):
        monkeypatch.setattr(_service, "_MOST_WAITED", 0)
        scores = service.infer(MODEL, party.images)
        assert [one.to_bytes() for one in scores] == party.expected
        assert service.jobs() == []

    def test_deletes_the_jobs_of_a_call_that_fails(self, service, party, monkeypatch):
        monkeypatch.setattr(_service, "_MOST_WAITED", 0)
        other = bnn.Client(party.model.client_specification())
        stranger = other.encrypt(drawings(1)[0])
        with pytest.raises(bnn.ServiceError) as error:
            service.infer(MODEL, [*party.images, stranger])
        assert error.value.status == 422
        assert service.jobs() == []

    def test_sends_a_key_once(self, url, party):
        service = bnn.connect(url)
        service.forget(party.key.id)
        size, told = len(party.key.to_bytes()), []
        key = service.upload(party.key, lambda received, total: told.append((received, total)))
        assert key["complete"] and key["bytes"] == key["received"] == size
        assert key["sha256"] == hashlib.sha256(party.key.to_bytes()).hexdigest()
        assert told[0] == (0, size) and told[-1] == (size, size)
        told.clear()
        assert service.upload(party.key, lambda received, total: told.append((received, total))) == key
        assert told == [(size, size)]
        assert key in service.keys()

    def test_goes_on_with_a_key_that_was_interrupted(self, url, party):
        service = bnn.connect(url)
        service.forget(party.key.id)
        data, told = party.key.to_bytes(), []
        first = {"Content-Range": f"bytes 0-{(1 << 20) - 1}/{len(data)}"}
        status, _, body = ask(url, "PUT", f"/v2/keys/{party.key.id}", data[: 1 << 20], first)
        assert (status, json.loads(body)["received"]) == (202, 1 << 20)
        assert [key["complete"] for key in service.keys() if key["id"] == party.key.id] == [False]
        key = service.upload(party.key, lambda received, total: told.append(received))
        assert key["complete"] and told[0] == 1 << 20

    def test_several_send_the_same_key_at_once(self, url, party):
        bnn.connect(url).forget(party.key.id)
        keys = []
        threads = [
            threading.Thread(target=lambda: keys.append(bnn.connect(url).upload(party.key))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [key["complete"] for key in keys] == [True] * 3

    def test_refuses_parts_that_do_not_fit(self, url, party):
        bnn.connect(url).forget(party.key.id)
        path, data = f"/v2/keys/{party.key.id}", party.key.to_bytes()
        total = len(data)
        assert ask(url, "GET", path)[0] == 404
        assert ask(url, "PUT", path, data[5:9], {"Content-Range": f"bytes 5-8/{total}"})[0] == 409
        assert ask(url, "PUT", path, data[:9], {"Content-Range": f"bytes 0-7/{total}"})[0] == 400
        assert ask(url, "PUT", path, data[:8], {"Content-Range": f"bytes 0-7/{total - 1}x"})[0] == 400
        assert ask(url, "PUT", "/v2/keys/none", data[:8])[0] == 400
        wrong = base64.b64encode(hashlib.sha256(b"").digest()).decode()
        assert ask(url, "PUT", path, data, {"Repr-Digest": f"sha-256=:{wrong}:"})[0] == 400
        assert ask(url, "PUT", path, data[:-1] + bytes([data[-1] ^ 1]))[0] == 400
        assert ask(url, "GET", path)[0] == 404
        part = {"Content-Range": f"bytes 0-99999/{total}"}
        assert ask(url, "PUT", path, data[:100_000], part)[0] == 202
        status, _, body = ask(url, "PUT", path, data[5:9], {"Content-Range": f"bytes 5-8/{total}"})
        assert (status, json.loads(body)["key"]["received"]) == (409, 100_000)
        assert ask(url, "PUT", path, data)[0] == 201
        assert ask(url, "PUT", path, data)[0] == 200

    def test_a_job_is_asked_about_later(self, url, service, party):
        path, image = f"/v2/models/{MODEL}/jobs", party.images[0].to_bytes()
        status, headers, body = ask(url, "POST", path, image)
        job = json.loads(body)
        assert (status, headers["Location"], job["key"]) == (202, f"/v2/jobs/{job['id']}", party.key.id)
        assert ask(url, "POST", path, image)[0] == 200
        assert [one["id"] for one in service.jobs()] == [job["id"]]
        while job["state"] != "done":
            job = json.loads(ask(url, "GET", f"/v2/jobs/{job['id']}?wait=60")[2])
        assert job["bootstraps"] == job["total"] == 64
        assert ask(url, "GET", f"/v2/jobs/{job['id']}/result")[::2] == (200, party.expected[0])
        service.cancel(job["id"])
        service.cancel(job["id"])
        assert ask(url, "GET", f"/v2/jobs/{job['id']}")[0] == 404
        assert ask(url, "DELETE", f"/v2/jobs/{job['id']}")[0] == 404

    def test_forgets_a_key_with_its_jobs(self, url, service, party):
        status, _, body = ask(url, "POST", f"/v2/models/{MODEL}/jobs", party.images[1].to_bytes())
        assert status == 202
        service.forget(party.key.id)
        service.forget(party.key.id)
        assert ask(url, "GET", f"/v2/jobs/{json.loads(body)['id']}")[0] == 404
        with pytest.raises(bnn.ServiceError) as error:
            service.infer(MODEL, party.images[1])
        assert error.value.status == 422 and "\n" not in str(error.value)

    def test_refuses_what_is_no_image(self, url, service, party):
        path = f"/v2/models/{MODEL}/infer"
        good = party.images[0].to_bytes()
        for body in (b"", b"no image", good[:-1], good[:-1] + bytes([good[-1] ^ 1]), party.expected[0]):
            status, _, answer = ask(url, "POST", path, body)
            assert status == 400 and json.loads(answer)["error"], body[:10]
        assert ask(url, "POST", "/v2/models/none/infer", good)[0] == 404
        assert ask(url, "POST", path, bytes((8 << 20) + 1))[0] == 413

    def test_pages_of_other_sites_may_not_ask(self, url):
        assert ask(url, "GET", "/v2/models", headers={"Origin": "https://evil.example"})[0] == 403
        assert ask(url, "GET", "/v2/models", headers={"Host": "evil.example"})[0] == 403
        status, headers, _ = ask(url, "GET", "/v2/models", headers={"Origin": url})
        assert status == 200 and headers["Cache-Control"] == "no-store"

    def test_what_does_not_exist(self, url):
        for method, path, expected in [("GET", "/none.html", 404), ("POST", "/v2/models", 405), ("GET", "/v2/jobs/1", 404)]:
            status, _, body = ask(url, method, path, b"" if method == "POST" else None)
            assert (status, list(json.loads(body))) == (expected, ["error"])

    def test_the_page(self, url):
        status, headers, body = ask(url, "GET", "/")
        assert status == 200 and headers["Content-Type"].startswith("text/html") and b"page.js" in body
        assert "wasm-unsafe-eval" in headers["Content-Security-Policy"]
        for path, kind in [("/page.js", "javascript"), ("/client.wasm", "application/wasm"), ("/digits/7.png", "image/png")]:
            status, headers, _ = ask(url, "GET", path)
            assert status == 200 and kind in headers["Content-Type"], path
