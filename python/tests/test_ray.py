"""Ray: datasets and the service on a cluster of several nodes on this machine, which lose workers and nodes in the middle of their work.

Encrypted inference of an image under a key has the same bytes wherever it runs, so that results after a fault are compared byte for byte.
"""

import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: nothing of it was tested")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ray.cluster_utils import Cluster
from service_api import MODEL, Party, ServiceApi, ask, drawings
from test_service import BNN, needs_bnn

import bnn_tfhe as bnn
from bnn_tfhe.ray import evaluate_dataset, serve

# Seconds that a test may take on a busy machine, in which some take half a minute on an idle one.
MOST_SECONDS = 480
# The least that Ray takes, in bytes: cloud keys have 28 MB.
STORE_BYTES = 100 << 20
# Of each process others, so that two runs do not meet.
PORTS = itertools.count(20_000 + os.getpid() % 100 * 100, 50)
HOSTS = itertools.count(2)
with socket.create_server(("127.0.0.1", 0)) as unused:
    SERVE_PORT = unused.getsockname()[1]


@pytest.fixture(autouse=True)
def bounded():
    def too_long(*_):
        raise TimeoutError(f"more than {MOST_SECONDS} seconds")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(MOST_SECONDS)
    yield
    signal.alarm(0)


def node(cpus):
    """What a node is started with: an address of loopback and ports of its own, so that nothing listens beyond this machine."""
    first = next(PORTS)
    return {
        "num_cpus": cpus,
        "node_ip_address": f"127.0.0.{next(HOSTS)}",
        "min_worker_port": first,
        "max_worker_port": first + 40,
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
    }


@pytest.fixture(scope="module")
def cluster():
    """A node that moves data, on which this process is too, and two that evaluate on one thread each."""
    cluster = Cluster(initialize_head=True, head_node_args=node(2) | {"resources": {"head": 1}})
    for _ in range(2):
        cluster.add_node(**node(1))
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def party():
    return Party(24)


@pytest.fixture
def images(party, tmp_path):
    """A file with the images."""
    return write_images(tmp_path / "images.parquet", [image.to_bytes() for image in party.images])


def write_images(path, images):
    pq.write_table(pa.table({"id": range(len(images)), "image": pa.array(images, pa.binary())}), path)
    return str(path)


def workers(cluster, name):
    """Processes of this cluster whose name has this part."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()}
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1] if entry.name.isdigit() else "0"
            if int(parent) in raylets and name in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def check(rows, party):
    rows = list(rows)
    assert [row["id"] for row in rows] == list(range(len(party.expected)))
    assert [row["error"] for row in rows] == [None] * len(rows)
    assert [row["scores"] for row in rows] == party.expected


@pytest.mark.long
def test_evaluates_in_order(cluster, images, party):
    check(evaluate_dataset(images, party.model, party.key, actors=2, block_rows=4).take_all(), party)


@pytest.mark.long
def test_a_dataset_of_one_s_own(cluster, party):
    rows = [{"id": index, "image": image.to_bytes()} for index, image in enumerate(party.images)]
    check(evaluate_dataset(ray.data.from_items(rows), party.model, party.key, actors=(1, 2)).take_all(), party)


def test_a_poisoned_image_is_named_and_the_others_complete(cluster, party, tmp_path):
    images = [image.to_bytes() for image in party.images]
    stranger = bnn.Client(party.model.client_specification()).encrypt(drawings(1)[0]).to_bytes()
    damaged = images[5][:-1] + bytes([images[5][-1] ^ 1])
    poisoned = {0: b"", 5: damaged, 6: None, 9: stranger, 17: party.expected[0]}
    path = write_images(tmp_path / "images.parquet", [poisoned.get(index, image) for index, image in enumerate(images)])
    rows = evaluate_dataset(path, party.model, party.key, actors=2, block_rows=4).take_all()
    for index, row in enumerate(rows):
        assert row["id"] == index
        if index in poisoned:
            assert row["scores"] is None and row["error"] and "\n" not in row["error"]
        else:
            assert row["error"] is None and row["scores"] == party.expected[index]


def test_a_worker_is_killed_in_the_middle(cluster, images, party):
    rows = iter(evaluate_dataset(images, party.model, party.key, actors=2, block_rows=2).iter_rows())
    first = next(rows)
    killed = workers(cluster, "_Evaluation")
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    check([first, *rows], party)


@pytest.mark.long
def test_a_node_is_removed_and_another_added(cluster, images, party):
    rows = iter(evaluate_dataset(images, party.model, party.key, actors=2, block_rows=2).iter_rows())
    first = next(rows)
    lost = next(node for node in cluster.list_all_nodes() if node is not cluster.head_node)
    cluster.remove_node(lost, allow_graceful=False)
    cluster.add_node(wait=False, **node(1))
    check([first, *rows], party)


@pytest.mark.long
def test_the_object_store_is_full(cluster, images, party):
    ballast = [ray.put(np.full(20 << 20, index, np.uint8)) for index in range(8)]
    check(evaluate_dataset(images, party.model, party.key, actors=2, block_rows=4).take_all(), party)
    assert [int(ray.get(one)[0]) for one in ballast] == list(range(8))


@pytest.mark.long
def test_what_is_there_is_not_computed_again(cluster, images, party, tmp_path):
    output = str(tmp_path / "output")
    half = write_images(tmp_path / "half.parquet", [image.to_bytes() for image in party.images[:10]])
    rows = evaluate_dataset(half, party.model, party.key, output=output, actors=1, block_rows=4).take_all()
    assert [row["scores"] for row in rows] == party.expected[:10]
    files = {path: path.stat().st_mtime_ns for path in Path(output, "scores").iterdir()}
    check(evaluate_dataset(images, party.model, party.key, output=output, actors=1, block_rows=4).take_all(), party)
    assert all(path.stat().st_mtime_ns == written for path, written in files.items())


@pytest.mark.long
def test_a_run_that_is_interrupted_goes_on(cluster, images, party, tmp_path):
    """The process that asks is killed: what it had written is kept, and what was in hand is evaluated again."""
    output = tmp_path / "output"
    (tmp_path / "key").write_bytes(party.key.to_bytes())
    script = (
        "import sys, ray, bnn_tfhe as bnn; from bnn_tfhe.ray import evaluate_dataset\n"
        "address, images, key, output = sys.argv[1:]\n"
        "ray.init(address=address, log_to_driver=False)\n"
        f"model, key = bnn.Model.shipped({MODEL!r}), bnn.CloudKey.load(key)\n"
        "evaluate_dataset(images, model, key, output=output, actors=1, block_rows=2)\n"
    )
    line = [os.sys.executable, "-c", script, cluster.address, images, tmp_path / "key", output]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(output.glob("scores/*.parquet")):
            time.sleep(0.1)
        process.kill()
    written = len(list(output.glob("scores/*.parquet")))
    assert 0 < written
    rows = evaluate_dataset(images, party.model, party.key, output=str(output), actors=1, block_rows=2).take_all()
    check(rows, party)


@pytest.mark.long
def test_what_would_wait_without_end_is_refused(cluster, images, party):
    with pytest.raises(bnn.InputError, match="more than the"):
        evaluate_dataset(images, party.model, party.key, actors=100)
    with pytest.raises(bnn.InputError, match="Parquet"):
        evaluate_dataset(ray.data.from_items([{"id": 1}]), party.model, party.key, output="/nowhere")
    for arguments in ({"cpus": 0}, {"block_rows": 0}):
        with pytest.raises(bnn.InputError):
            evaluate_dataset(images, party.model, party.key, **arguments)


def start(storage, **settings):
    page = Path(__file__).parents[2] / "server/shipped"
    settings = {"models": [MODEL], "evaluators": 2, "page": str(page)} | settings
    serve(str(storage), port=SERVE_PORT, blocking=False, **settings)
    return f"http://127.0.0.1:{SERVE_PORT}"


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def application(cluster, storage):
    yield start(storage)
    ray.serve.shutdown()


@pytest.mark.long
class TestServeApplication(ServiceApi):
    """The same tests that `bnn serve` has."""

    @pytest.fixture
    def url(self, application):
        return application

    @needs_bnn
    def test_the_command_s_client(self, url, party, tmp_path):
        secret, cloud = tmp_path / "secret.key", tmp_path / "cloud.key"
        party.client.secret_key.save(secret)
        party.key.save(cloud)
        digit = Path(__file__).parents[2] / "models/digits/7.png"
        line = [BNN, "classify", digit, "--server", url, "--model", MODEL, "--key", secret, "--cloud-key", cloud, "--json"]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0 and '"7"' in done.stdout, done.stdout + done.stderr


@pytest.mark.long
def test_a_replica_is_killed_while_jobs_run(cluster, application, party):
    service = bnn.connect(application)
    service.upload(party.key)
    jobs = [json.loads(ask(application, "POST", f"/v2/models/{MODEL}/jobs", one.to_bytes())[2])["id"] for one in party.images]
    killed = workers(cluster, "ServeReplica:bnn:Evaluators")
    assert killed
    os.kill(killed[0], signal.SIGKILL)
    check_jobs(application, jobs, party)


@pytest.mark.long
def test_the_keeper_of_jobs_is_killed(cluster, application, party):
    service = bnn.connect(application)
    service.upload(party.key)
    jobs = [json.loads(ask(application, "POST", f"/v2/models/{MODEL}/jobs", one.to_bytes())[2])["id"] for one in party.images]
    (killed,) = workers(cluster, "ServeReplica:bnn:JobKeeper")
    os.kill(killed, signal.SIGKILL)
    check_jobs(application, jobs, party)


def check_jobs(url, jobs, party):
    service = bnn.connect(url)
    for job, expected in zip(jobs, party.expected):
        while (state := asked_again(url, f"/v2/jobs/{job}?wait=10"))["state"] != "done":
            assert state["state"] != "failed", state
        assert ask(url, "GET", f"/v2/jobs/{job}/result")[::2] == (200, expected)
        service.cancel(job)


def asked_again(url, path):
    while True:
        status, _, body = ask(url, "GET", path)
        if status != 503:
            assert status == 200, body
            return json.loads(body)
        time.sleep(0.5)


@pytest.mark.long
def test_requests_outlive_a_replica(cluster, application, party):
    service = bnn.connect(application)
    service.upload(party.key)
    scores = []
    asking = threading.Thread(target=lambda: scores.extend(service.infer(MODEL, party.images)))
    asking.start()
    time.sleep(0.5)
    for pid in workers(cluster, "ServeReplica:bnn:Evaluators")[:1]:
        os.kill(pid, signal.SIGKILL)
    asking.join()
    assert [one.to_bytes() for one in scores] == party.expected


@pytest.mark.long
def test_requests_of_a_key_go_where_it_is(cluster, application):
    """Of two replicas, one expands the key, and gets all its requests that come one after the other."""
    handle = ray.serve.get_deployment_handle("Evaluators", "bnn")

    def expansions():
        return sum(dict(handle.expansions.remote().result() for _ in range(16)).values())

    before, stranger = expansions(), Party(6)
    service = bnn.connect(application)
    service.upload(stranger.key)
    assert [service.infer(MODEL, image).to_bytes() for image in stranger.images] == stranger.expected
    assert expansions() == before + 1


@pytest.mark.long
def test_keys_and_jobs_outlive_the_application(cluster, application, storage, party):
    service = bnn.connect(application)
    service.upload(party.key)
    keys = service.keys()
    jobs = [json.loads(ask(application, "POST", f"/v2/models/{MODEL}/jobs", one.to_bytes())[2])["id"] for one in party.images]
    ray.serve.delete("bnn")
    url = start(storage)
    assert bnn.connect(url).keys() == keys
    check_jobs(url, jobs, party)


@needs_bnn
@pytest.mark.long
def test_a_token_opens_the_application(cluster, application, party, tmp_path):
    line = [BNN, "token", "add", "alice", "--data", tmp_path]
    token = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    ray.serve.delete("bnn")
    url = start(tmp_path / "storage", tokens=tmp_path / "tokens.json")
    with pytest.raises(bnn.ServiceError) as error:
        bnn.connect(url).models()
    assert error.value.status == 401
    service = bnn.connect(url, token=token)
    service.upload(party.key)
    assert service.infer(MODEL, party.images[0]).to_bytes() == party.expected[0]


def test_beyond_this_machine_it_asks_for_tokens(tmp_path):
    with pytest.raises(bnn.InputError, match="tokens"):
        serve(str(tmp_path), host="0.0.0.0")
    with pytest.raises(bnn.InputError, match="absolute path"):
        from bnn_tfhe.ray._storage import Storage

        Storage("not/absolute")
