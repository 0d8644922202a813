"""Boolean circuits: read, run in the clear and encrypted."""

import pickle

import pytest

import bnn_tfhe as bnn


def adder(bits):
    """A sum of two numbers with its carry, in Bristol Fashion."""
    lines, wire, carry, sums = [], 2 * bits, None, []
    def gate(kind, *wires):
        nonlocal wire
        lines.append(f"{len(wires)} 1 {' '.join(map(str, wires))} {wire} {kind}")
        wire += 1
        return wire - 1
    # Outputs are the last wires: what is needed for them comes first.
    carries = []
    for bit in range(bits):
        a, b = bit, bits + bit
        both, either = gate("AND", a, b), gate("XOR", a, b)
        carries.append((either, carry))
        if carry is not None:
            passed = gate("AND", either, carry)
            both = gate("XOR", both, passed)
        carry = both
    zero = gate("XOR", 0, 0)
    for either, before in carries:
        sums.append(gate("XOR", either, zero if before is None else before))
    gate("XOR", carry, zero)
    header = f"{len(lines)} {wire}\n2 {bits} {bits}\n1 {bits + 1}\n\n"
    return (header + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def circuit():
    return bnn.Circuit.from_bristol(adder(8))


def test_a_circuit_runs_in_the_clear(circuit, tmp_path):
    assert circuit.inputs == [8, 8] and circuit.outputs == [9] and circuit.bootstraps > 0
    assert circuit.evaluate(200, 99) == (299,)
    assert circuit.evaluate(-1, 1) == (256,)
    (tmp_path / "adder.txt").write_bytes(adder(3))
    assert bnn.Circuit.from_bristol(tmp_path / "adder.txt").evaluate(7, 7) == (14,)
    wide = bnn.Circuit.from_bristol(adder(200))
    assert wide.evaluate(2**199 + 5, 2**199 + 6) == (2**200 + 11,)


def test_a_circuit_runs_encrypted(circuit):
    key = bnn.SecretKey.generate("GATES_DEFAULT")
    evaluator = bnn.Evaluator(bnn.CloudKey.generate(key))
    inputs = pickle.loads(pickle.dumps(circuit.encrypt(key, 200, 99)))
    assert len(inputs) == 16
    seen = []
    outputs = circuit.run(evaluator, inputs, progress=lambda *done: seen.append(done))
    assert seen[-1] == (circuit.bootstraps, circuit.bootstraps)
    assert circuit.decrypt(key, bnn.EncryptedBits.from_bytes(outputs.to_bytes())) == (299,)
    with pytest.raises(bnn.PeerError, match="16 encrypted bits"):
        circuit.decrypt(key, inputs)
    with pytest.raises(bnn.PeerError, match="another key"):
        circuit.decrypt(bnn.SecretKey.generate("GATES_DEFAULT"), outputs)
    other = bnn.Circuit.from_bristol(adder(3))
    with pytest.raises(bnn.InputError, match="16 encrypted bits, where the circuit reads 6"):
        other.run(evaluator, inputs)
    with pytest.raises(bnn.PeerError, match="FUNCTIONAL_1024"):
        circuit.encrypt(bnn.SecretKey.generate(), 1, 2)


def test_values_that_do_not_fit_are_refused(circuit):
    for values in ((256, 0), (0, -129), (1, 2**70)):
        with pytest.raises(bnn.InputError, match="does not fit 8 bits"):
            circuit.evaluate(*values)
    assert circuit.evaluate(-128, 255) == (128 + 255,)
    with pytest.raises(bnn.InputError, match="1 values"):
        circuit.evaluate(1)
    with pytest.raises(bnn.InputError, match="no whole number"):
        circuit.evaluate(1.0, 2)
    with pytest.raises(bnn.InputError, match="line 1"):
        bnn.Circuit.from_bristol(b"no circuit")
