"""Long work: it is stopped, it leaves the interpreter free, and it lives on in a forked process."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import bnn_tfhe as bnn

# What takes this long hangs: the work itself takes a second on one thread.
HANGS = 120


@pytest.fixture(scope="module")
def slow():
    """A server and a picture that it would work on for minutes."""
    model = bnn.Model.shipped("binarized-cnn")
    client = bnn.Client(model.client_specification(), parameters="GATES_DEFAULT")
    return bnn.Server(model, client.cloud_key()), client.encrypt(np.zeros((28, 28), np.uint8))


def test_a_callback_that_raises_stops_the_work(slow):
    server, image = slow
    seen = []

    def stop(done, total):
        seen.append(done)
        if done:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        server.infer(image, progress=stop)
    assert 0 < seen[-1] < server.bootstraps


def test_ctrl_c_stops_the_work():
    program = textwrap.dedent(
        """
        import numpy as np, bnn_tfhe as bnn
        model = bnn.Model.shipped("binarized-cnn")
        client = bnn.Client(model.client_specification(), parameters="GATES_DEFAULT")
        server = bnn.Server(model, client.cloud_key())
        image = client.encrypt(np.zeros((28, 28), np.uint8))
        try:
            server.infer(image, progress=lambda done, total: print(done, flush=True))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        # Minutes of work have begun.
        assert process.stdout.readline().strip().isdigit()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().split()
        assert rest[-1] == "interrupted"
        assert process.wait(HANGS) == 0


def test_other_threads_run_meanwhile(slow):
    server, image = slow
    counts, ended = [0], threading.Event()

    def count():
        while not ended.is_set():
            counts[0] += 1
            ended.wait(0.001)

    def stop(done, _):
        # The counter counts while the work goes on; were the lock held, it could not.
        if done and counts[0] > 20:
            raise LookupError

    counter = threading.Thread(target=count)
    counter.start()
    with pytest.raises(LookupError):
        server.infer(image, progress=stop)
    ended.set()
    counter.join()


def test_threads_of_python_share_a_server(model, client, server, digits):
    images = client.encrypt(digits)
    expected = [scores.to_bytes() for scores in server.infer(images)]
    found = [None] * len(images)

    def infer(index):
        found[index] = server.infer(images[index]).to_bytes()

    threads = [threading.Thread(target=infer, args=(index,)) for index in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def _work(digits):
    model = bnn.Model.shipped("perceptron")
    client = bnn.Client(model.client_specification())
    server = bnn.Server(model, client.cloud_key())
    return client.decrypt(server.infer(client.encrypt(digits))).argmax(-1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_computes(digits):
    # The pool has started here.
    expected = bnn.Model.shipped("perceptron").evaluate(digits[:2]).argmax(-1)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map_async(_work, [digits[:2], digits[:2]]).get(HANGS)
    for labels in results:
        assert np.array_equal(labels, expected)
    # And goes on here.
    assert np.array_equal(_work(digits[:2]), expected)


def test_the_number_of_threads_is_set(model, digits):
    before, expected = bnn.threads(), model.evaluate(digits)
    try:
        bnn.set_threads(3)
        assert bnn.threads() == 3
        assert np.array_equal(model.evaluate(digits), expected)
    finally:
        bnn.set_threads(before)
    for count in (0, 10_000):
        with pytest.raises(bnn.InputError, match="threads"):
            bnn.set_threads(count)


def test_everything_is_exported_and_documented():
    for name in bnn.__all__:
        thing = getattr(bnn, name)
        assert thing.__doc__, name
        if isinstance(thing, type) and not issubclass(thing, Exception):
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_"):
                    assert value.__doc__ or getattr(thing, attribute).__doc__, (name, attribute)
