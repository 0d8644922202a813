"""The client of the service: against `bnn serve`, and against servers that fail in ways in which it does not."""

import http.server
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from service_api import MODEL, Party, ServiceApi

import bnn_tfhe as bnn
from bnn_tfhe import _service

BNN = Path(os.environ.get("BNN", Path(__file__).parents[2] / "target/release/bnn"))
needs_bnn = pytest.mark.skipif(not BNN.exists(), reason=f"there is no {BNN}: cargo build --release, or BNN names the command")


@pytest.fixture(scope="module")
def party():
    return Party()


class Running:
    """A `bnn serve` with its data in a folder."""

    def __init__(self, folder):
        line = [BNN, "serve", "--listen", "127.0.0.1:0", "--json", "--data", folder, "--model", MODEL]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@needs_bnn
class TestBnnServe(ServiceApi):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, tmp_path_factory):
        with Running(tmp_path_factory.mktemp("service")) as running:
            yield running.url


@needs_bnn
def test_a_token_opens_the_service(tmp_path, party, monkeypatch):
    line = [BNN, "token", "add", "alice", "--data", tmp_path]
    token = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    file = tmp_path / "alice.token"
    file.write_text(token)
    with Running(tmp_path) as running:
        with pytest.raises(bnn.ServiceError) as error:
            bnn.connect(running.url).models()
        assert error.value.status == 401
        for arguments in ({"token": token}, {"token_file": file}):
            service = bnn.connect(running.url, **arguments)
            assert token.strip() not in repr(service)
            assert [model["name"] for model in service.models()] == [MODEL]
        monkeypatch.setenv("BNN_TOKEN", token)
        assert bnn.connect(running.url).keys() == []


@needs_bnn
def test_an_upload_goes_on_where_the_connection_broke(tmp_path, party):
    with Running(tmp_path) as running, Cutting(running.url, [3 << 20, 1000, 2 << 20]) as cutting:
        service = bnn.connect(cutting.url)
        assert service.upload(party.key)["complete"]
        assert cutting.cuts == []
        assert service.infer(MODEL, party.images[0]).to_bytes() == party.expected[0]


class Cutting:
    """Passes bytes on to a service, and breaks a connection after so many bytes; each number once."""

    def __init__(self, url, cuts):
        host, port = url.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self.cuts = list(cuts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self._target) as service:
            answers = threading.Thread(target=self._pass_on, args=(service, client), daemon=True)
            answers.start()
            passed = 0
            while data := client.recv(1 << 16):
                passed += len(data)
                if self.cuts and passed > self.cuts[0]:
                    del self.cuts[0]
                    client.shutdown(socket.SHUT_RDWR)
                    service.shutdown(socket.SHUT_RDWR)
                    return
                service.sendall(data)
            answers.join()

    def _pass_on(self, service, client):
        try:
            while data := service.recv(1 << 16):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Scripted:
    """A server that gives the answers of a list, one after the other: (status, headers, body), or none to break the connection."""

    def __init__(self, answers):
        self.answers, self.asked = list(answers), []
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.asked.append((self.command, self.path, self.headers))
                answer = script.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


MODELS = (200, {}, b'{"models": []}')
BUSY = {"Retry-After": "0"}


def test_what_passes_is_asked_again():
    answers = [
        (503, BUSY, b'{"error": "stopping"}'),
        None,
        (429, BUSY, b'{"error": "busy"}'),
        (200, {"Content-Length": "50"}, b'{"models'),
        (502, {}, b"<html>"),
        MODELS,
    ]
    with Scripted(answers) as server:
        assert bnn.connect(server.url).models() == []
        assert len(server.asked) == len(answers)


def test_what_lasts_is_not_asked_again():
    for status in (400, 401, 403, 404, 409, 413, 422, 500, 507):
        with Scripted([(status, {}, b'{"error": "two\\nlines"}')]) as server:
            with pytest.raises(bnn.ServiceError, match="two lines") as error:
                bnn.connect(server.url).models()
            assert error.value.status == status and "\n" not in str(error.value)


def test_a_service_that_is_never_there_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(bnn.ServiceError) as error:
        bnn.connect(f"http://127.0.0.1:{port}").models()
    assert error.value.status is None


def test_no_more_is_waited_than_it_is_worth(monkeypatch):
    monkeypatch.setattr(_service, "_FIRST_PATIENCE", 0.5)
    monkeypatch.setattr(_service, "_PATIENCE", 0.5)
    with Scripted([MODELS, (503, {"Retry-After": "100"}, b"")]) as server:
        service = bnn.connect(server.url)
        service.models()
        with pytest.raises(bnn.ServiceError) as error:
            service.models()
        assert error.value.status == 503


def test_a_token_is_not_taken_elsewhere():
    with Scripted([]) as elsewhere, Scripted([(302, {"Location": f"{elsewhere.url}/v2/models"}, b"")]) as server:
        with pytest.raises(bnn.ServiceError) as error:
            bnn.connect(server.url, token="secret").models()
        assert error.value.status == 302 and elsewhere.asked == []
        assert server.asked[0][2]["Authorization"] == "Bearer secret"


def test_answers_that_make_no_sense():
    for body in (b"", b"[]", b"<html>", b'{"models"'):
        with Scripted([(200, {}, body)]) as server, pytest.raises(bnn.ServiceError, match="no answer of such a service"):
            bnn.connect(server.url).models()


def test_addresses(monkeypatch):
    monkeypatch.delenv("BNN_TOKEN", raising=False)
    for url in ("", "example.org", "127.0.0.1:8000", "ftp://example.org", "http://", "http://me:secret@example.org",
                "http://example.org/?a=b", "http://example.org/#a", "http://example.org/a b", "http://example.org\r\nX: y",
                "http://example.org:port"):
        with pytest.raises(bnn.InputError) as error:
            bnn.connect(url)
        assert "secret" not in str(error.value)
    assert bnn.connect("https://example.org/bnn/").url == "https://example.org/bnn"


def test_a_token_does_not_travel_in_the_open(monkeypatch, tmp_path):
    monkeypatch.delenv("BNN_TOKEN", raising=False)
    for url in ("http://192.168.1.4:8000", "http://localhost.example.org", "http://127.0.0.1.example.org"):
        with pytest.raises(bnn.InputError, match="https"):
            bnn.connect(url, token="secret")
    for url in ("https://example.org", "http://127.8.8.8", "http://[::1]:8000", "http://LocalHost"):
        assert "secret" not in repr(bnn.connect(url, token="secret"))
    for token in ("", "two words", "two\nlines", "é", "x" * 5000):
        with pytest.raises(bnn.InputError):
            bnn.connect("https://example.org", token=token)
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(bnn.InputError):
        bnn.connect("https://example.org", ca=file)
