"""Networks: from a model to an encrypted answer, and what is refused on the way."""

import json
import os
import pickle

import numpy as np
import pytest

import bnn_tfhe as bnn

from conftest import ROOT

FIXTURES = ROOT / "bnn/tests/fixtures/onnx"


def rows(count, side=8):
    """Pictures of bright rows on black, of which each is one of its own."""
    places = np.arange(side * side)[None, :] // 4 + np.arange(count)[:, None]
    return np.where(places % 7 < 2, 255, 0).astype(np.uint8).reshape(count, side, side)


def test_five_lines_lead_from_an_onnx_file_to_scores():
    x_train, x_test = rows(40), rows(16)
    model = bnn.Model.from_onnx(FIXTURES / "torch_view.onnx", calibration=x_train)
    client = bnn.Client(model.client_specification())
    server = bnn.Server(model, client.cloud_key())
    scores = client.decrypt(server.infer(client.encrypt(x_test)))
    assert scores.shape == (16, 5) and scores.dtype == np.float64
    exact = model.evaluate(x_test)
    # Noise is small beside what the scores span.
    assert np.abs(scores - exact).max() < 0.2 * np.ptp(exact)


def test_an_import_tells_what_it_found():
    source = (FIXTURES / "torch_view.onnx").read_bytes()
    seen = []
    model = bnn.Model.from_onnx(
        source, rows(40), labels=[2] * 40, name="own", progress=lambda done, total: seen.append((done, total))
    )
    assert model.name == "own" and model.input_shape == (1, 8, 8) and model.classes == 5
    found = model.imported
    assert found["pictures"] == found["compared"] == 40
    assert 0 <= found["integer_equal"] <= 40 and 0 <= found["real_correct"] <= 40
    assert len(found["weight_bits"]) == 2
    assert seen[-1][0] == seen[-1][1] > 1
    narrow = bnn.Model.from_onnx(source, rows(40), weight_bits=[3], accept_label_changes=1.0)
    assert narrow.imported["weight_bits"] == [8, 3]
    assert bnn.Model.shipped("perceptron").imported is None


def test_networks_that_are_not_read_are_refused_by_their_node():
    with pytest.raises(bnn.InputError, match="no ONNX file"):
        bnn.Model.from_onnx(b"no network", rows(4))
    with pytest.raises(bnn.InputError, match="Elu"):
        bnn.Model.from_onnx(FIXTURES / "refused/elu.onnx", rows(4))
    with pytest.raises(FileNotFoundError, match="none.onnx"):
        bnn.Model.from_onnx("none.onnx", rows(4))
    fixture = FIXTURES / "torch_view.onnx"
    with pytest.raises(bnn.InputError, match=r"\(8, 8\)"):
        bnn.Model.from_onnx(fixture, rows(4, 9))
    with pytest.raises(bnn.InputError, match="float64"):
        bnn.Model.from_onnx(fixture, np.full((4, 8, 8), np.nan))
    with pytest.raises(bnn.InputError, match="widths of weights"):
        bnn.Model.from_onnx(fixture, rows(4), weight_bits=[9])
    with pytest.raises(bnn.InputError, match="3 labels for 4 pictures"):
        bnn.Model.from_onnx(fixture, rows(4), labels=[0, 1, 2])
    with pytest.raises(bnn.InputError, match="label 5 of image 3"):
        bnn.Model.from_onnx(fixture, rows(4), labels=np.array([0, 1, 2, 5]))
    with pytest.raises(bnn.InputError, match="no pictures"):
        bnn.Model.from_onnx(fixture, rows(0))


def test_encrypted_scores_are_near_those_of_the_integers(model, client, server, digits):
    exact, simulated = model.evaluate(digits), model.simulate(digits, seed=1)
    encrypted = client.decrypt(server.infer(client.encrypt(digits)))
    assert exact.shape == simulated.shape == encrypted.shape == (10, 10)
    span = np.ptp(exact, axis=1).max()
    for noisy in (simulated, encrypted):
        assert 0 < np.abs(noisy - exact).max() < 0.3 * span
    assert (encrypted.argmax(-1) == exact.argmax(-1)).sum() >= 9
    assert np.array_equal(simulated, model.simulate(digits, seed=1))
    assert not np.array_equal(simulated, model.simulate(digits, seed=2))


def test_the_gate_engine_is_exact(gates, tiny):
    client, server, picture = gates
    assert client.engine == server.engine == "gates" and server.bootstraps > 100
    seen = []
    scores = client.decrypt(server.infer(client.encrypt(picture), progress=lambda *done: seen.append(done)))
    assert scores.shape == (3,)
    assert np.array_equal(scores, tiny.evaluate(picture))
    assert seen == sorted(seen) and seen[-1] == (server.bootstraps, server.bootstraps)


def test_a_picture_is_the_same_however_its_array_lies(model, digits):
    expected = model.evaluate(digits)
    assert np.array_equal(model.evaluate(np.asfortranarray(digits)), expected)
    assert np.array_equal(model.evaluate(digits[:, None]), expected)
    wide = np.zeros((20, 28, 56), np.uint8)
    wide[::2, :, 1::2] = digits
    assert np.array_equal(model.evaluate(wide[::2, :, 1::2]), expected)
    assert np.array_equal(model.evaluate(digits[::-1][::-1]), expected)
    assert np.array_equal(model.evaluate(digits[4]), expected[4])
    assert model.evaluate(digits[:0]).shape == (0, 10)
    read_only = digits.copy()
    read_only.flags.writeable = False
    assert np.array_equal(model.evaluate(read_only), expected)


@pytest.mark.parametrize(
    "given, message",
    [
        (np.zeros((28, 28)), "float64"),
        (np.zeros((28, 28), np.int8), "int8"),
        (np.zeros((28, 28), ">u2"), "uint16|>u2"),
        (np.zeros((28, 28), bool), "bool"),
        (np.zeros((27, 28), np.uint8), r"\[27, 28\].*\(28, 28\)"),
        (np.zeros((2, 3, 28, 28), np.uint8), r"\(n, 1, 28, 28\)"),
        (np.uint8(0), "no numpy array|shape"),
        ([[0] * 28] * 28, "no numpy array but list"),
        (None, "no numpy array but NoneType"),
    ],
)
def test_other_arrays_are_refused(model, client, given, message):
    for call in (model.evaluate, model.simulate, model.calibrate, client.encrypt):
        with pytest.raises(bnn.InputError, match=message) as refused:
            call(given)
        assert "\n" not in str(refused.value) and isinstance(refused.value, ValueError)


def test_colours_have_channels(digits):
    fixture = FIXTURES / "colours.onnx"
    colours = np.stack([rows(40), rows(40)[::-1], rows(40)], axis=1)
    model = bnn.Model.from_onnx(fixture, colours, accept_label_changes=1.0)
    assert model.input_shape == (3, 8, 8)
    assert np.array_equal(model.evaluate(colours[0]), model.evaluate(colours)[0])
    with pytest.raises(bnn.InputError, match=r"\(3, 8, 8\)"):
        model.evaluate(rows(4))


def test_what_does_not_belong_together_is_refused(model, client, server, digits):
    image = client.encrypt(digits[0])
    other = bnn.Client(model.client_specification())
    with pytest.raises(bnn.PeerError, match="another key"):
        server.infer(other.encrypt(digits[0]))
    with pytest.raises(bnn.PeerError, match="image 1: .*another key"):
        server.infer([image, other.encrypt(digits[0])])
    with pytest.raises(bnn.PeerError, match="another key"):
        other.decrypt(server.infer(image))
    signs = bnn.Model.shipped("binarized-perceptron")
    with pytest.raises(bnn.PeerError, match="for the model"):
        server.infer(bnn.Client(signs.client_specification(), client.secret_key).encrypt(digits[0]))
    with pytest.raises(bnn.PeerError, match="GATES_DEFAULT"):
        server.infer(bnn.Client(model.client_specification(), parameters="GATES_DEFAULT").encrypt(digits[0]))
    with pytest.raises(bnn.InputError, match="EncryptedImage.*bytes"):
        server.infer([image.to_bytes()])
    with pytest.raises(bnn.InputError, match="EncryptedImage.*Model"):
        server.infer(model)
    with pytest.raises(bnn.InputError, match="no parameter set"):
        bnn.Client(model.client_specification(), parameters="LARGE")
    with pytest.raises(bnn.InputError, match="not both"):
        bnn.Client(model.client_specification(), client.secret_key, parameters="GATES_DEFAULT")
    with pytest.raises(bnn.InputError, match="no model .none. ships"):
        bnn.Model.shipped("none")
    assert server.infer([]) == []


def test_everything_but_secrets_is_bytes_and_files_and_pickles(model, client, server, digits, tmp_path):
    image = client.encrypt(digits[5])
    things = [model.client_specification(), client.cloud_key(), image, server.infer(image)]
    for thing in things:
        again = type(thing).from_bytes(thing.to_bytes())
        assert again.to_bytes() == thing.to_bytes()
        assert pickle.loads(pickle.dumps(thing)).to_bytes() == thing.to_bytes()
        path = tmp_path / type(thing).__name__
        thing.save(path)
        assert type(thing).load(str(path)).to_bytes() == path.read_bytes() == thing.to_bytes()
        assert os.stat(path).st_mode & 0o077 == 0
        with pytest.raises(FileExistsError, match=path.name):
            thing.save(path)
        for damaged in (b"", thing.to_bytes()[:-2], thing.to_bytes() + b"x", b"x" * 200):
            with pytest.raises(bnn.PeerError) as refused:
                type(thing).from_bytes(damaged)
            assert "\n" not in str(refused.value)
        with pytest.raises(FileNotFoundError, match="none"):
            type(thing).load(tmp_path / "none")
    assert pickle.loads(pickle.dumps(model)).digest == model.digest
    model.save(tmp_path / "model")
    assert bnn.Model.load(tmp_path / "model").digest == model.digest
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "model")
    with pytest.raises(bnn.InputError):
        bnn.Model.from_bytes(b"", b"")
    assert things[0] == client.specification and things[0] != things[1]


def test_a_secret_key_is_not_shown_and_not_pickled(client, tmp_path):
    key = client.secret_key
    secret = key.to_bytes()
    for shown in (repr(key), str(key), repr(client)):
        assert len(shown) < 200 and secret[120:].hex() not in shown
    with pytest.raises(TypeError, match="to_bytes"):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        pickle.dumps(client)
    key.save(tmp_path / "secret.key")
    assert os.stat(tmp_path / "secret.key").st_mode & 0o077 == 0
    assert bnn.SecretKey.load(tmp_path / "secret.key").id == key.id == client.cloud_key().id
    with pytest.raises(FileExistsError):
        key.save(tmp_path / "secret.key")
    with pytest.raises(bnn.PeerError, match="secret.key"):
        bnn.CloudKey.load(tmp_path / "secret.key")


def test_a_client_has_one_cloud_key(client):
    assert client.cloud_key().to_bytes() == client.cloud_key().to_bytes()


def test_servers_share_an_expanded_key(model, client, server):
    signs = bnn.Model.shipped("binarized-perceptron")
    other = bnn.Server(signs, server.evaluator)
    assert other.evaluator.key_id == client.secret_key.id and other.evaluator.memory_bytes > 10**7
    assert bnn.Evaluator(client.cloud_key(), backend="portable").backend == "portable"
    with pytest.raises(bnn.InputError, match="no backend"):
        bnn.Evaluator(client.cloud_key(), backend="abacus")
    with pytest.raises(TypeError):
        bnn.Server(model, client.secret_key)


def test_an_estimate_says_what_an_image_costs(model):
    estimate = model.estimate()
    assert estimate["engine"] == "functional" and estimate["bootstraps"] == 64
    assert estimate["cloud_key_bytes"] > 28_000_000
    assert [layer["bootstraps"] for layer in estimate["layers"]] == [64, 0]
    json.dumps(estimate)


def test_calibration_leaves_less_noise(digits):
    model = bnn.Model.shipped("perceptron")
    calibrated = model.calibrate(digits)
    assert np.array_equal(calibrated.evaluate(digits), model.evaluate(digits))
    spans = [np.ptp([layer["sums"] for layer in m.estimate()["layers"]], axis=1) for m in (calibrated, model)]
    assert (spans[0] <= spans[1]).all() and (spans[0] < spans[1]).any()
