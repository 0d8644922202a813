//! Boolean circuits, in the clear and on encrypted bits.

use std::sync::Arc;

use bnn::circuit::{BristolCircuit, EncryptedRun, Program, Style};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyInt, PyTuple},
};
use rayon::prelude::*;
use tfhe_core::{
    ciphertext::CiphertextList,
    parameters::{GATES_DEFAULT, Parameters},
    random::SecretSeed,
};

use crate::{
    ciphertexts::{Bits, EncryptedBits},
    compute::{Progress, run},
    fault::{Fault, about, exception, input},
    files::Source,
    keys::SecretKey,
    server::Evaluator,
};

/// The parameter set of circuits.
const PARAMETERS: &Parameters = &GATES_DEFAULT;

/// A Boolean circuit whose inputs and outputs are whole numbers of some bits each.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct Circuit {
    circuit: Arc<BristolCircuit>,
    program: Arc<Program>,
}

#[pymethods]
impl Circuit {
    /// Reads a circuit in Bristol Fashion, or in the Bristol Format that was before it.
    ///
    /// Args:
    ///     source: The path of a file, or its content.
    #[staticmethod]
    fn from_bristol(py: Python<'_>, source: Source) -> PyResult<Self> {
        let (text, path) = source.read()?;
        if text.len() > BristolCircuit::MOST_BYTES {
            return Err(input(format!("a circuit file of more than {} bytes", BristolCircuit::MOST_BYTES)));
        }
        let (circuit, program) = run(py, &Progress::none(), move |_| {
            let read = || {
                let circuit = BristolCircuit::parse(&text, Style::Optimized)?;
                let program = Program::new(circuit.netlist(), &circuit.output_bits(), PARAMETERS)?;
                Ok((circuit, program))
            };
            read().map_err(|error: bnn::Error| match &path {
                Some(path) => about(path.display(), &error).into(),
                None => Fault::from(error),
            })
        })?;
        Ok(Self { circuit: Arc::new(circuit), program: Arc::new(program) })
    }

    /// Bits of each input.
    #[getter]
    fn inputs(&self) -> Vec<usize> {
        self.circuit.inputs().to_vec()
    }

    /// Bits of each output.
    #[getter]
    fn outputs(&self) -> Vec<usize> {
        self.circuit.outputs().iter().map(Vec::len).collect()
    }

    /// Bootstraps of a run.
    #[getter]
    fn bootstraps(&self) -> usize {
        self.program.bootstraps()
    }

    /// Runs the circuit in the clear.
    ///
    /// Args:
    ///     values: A number for each input: from 0, or negative in two's complement.
    #[pyo3(signature = (*values))]
    fn evaluate<'py>(&self, py: Python<'py>, values: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
        let bits = self.bits_of(values)?;
        self.numbers(py, &self.circuit.netlist().simulate(&bits, &self.circuit.output_bits()))
    }

    /// Encrypts a number for each input, with a secret key of GATES_DEFAULT.
    #[pyo3(signature = (secret_key, *values))]
    fn encrypt(&self, secret_key: &SecretKey, values: &Bound<'_, PyTuple>) -> PyResult<EncryptedBits> {
        check_set(secret_key.0.parameters().name())?;
        let bits = self.bits_of(values)?;
        let seed = SecretSeed::from_os().map_err(Fault::from)?;
        Ok(EncryptedBits(Arc::new(Bits::Fresh(secret_key.0.encrypt(&bits, seed)))))
    }

    /// Runs the circuit on encrypted bits.
    ///
    /// Args:
    ///     evaluator: The expanded cloud key.
    ///     inputs: What encrypt gave.
    ///     progress: Called with the bootstraps that are done, and their number.
    ///
    /// Raises:
    ///     PeerError: The bits are of another key.
    ///     InputError: The bits are more or fewer than the circuit reads.
    #[pyo3(signature = (evaluator, inputs, *, progress = None))]
    fn run(
        &self,
        py: Python<'_>,
        evaluator: &Evaluator,
        inputs: &EncryptedBits,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<EncryptedBits> {
        check_set(evaluator.0.parameters().name())?;
        check_set(inputs.0.parameters())?;
        let (program, evaluator, inputs) =
            (Arc::clone(&self.program), Arc::clone(&evaluator.0), Arc::clone(&inputs.0));
        let progress = Progress { callback: progress, total: program.bootstraps() };
        let outputs = run(py, &progress, move |control| {
            let outputs =
                EncryptedRun::new(program, Arc::clone(&evaluator), inputs.ciphertexts())?.finish(control)?;
            Ok(CiphertextList::new(PARAMETERS, evaluator.key_id(), outputs)?)
        })?;
        Ok(EncryptedBits(Arc::new(Bits::Computed(outputs))))
    }

    /// Decrypts the outputs of a run, a number from 0 for each.
    ///
    /// Raises:
    ///     PeerError: The bits are of another key, or no outputs of this circuit.
    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        secret_key: &SecretKey,
        outputs: &EncryptedBits,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let (key, bits) = (Arc::clone(&secret_key.0), Arc::clone(&outputs.0));
        let decrypt = move |_: &_| {
            let ciphertexts = bits.ciphertexts();
            Ok(ciphertexts
                .par_iter()
                .map(|bit| key.decrypt(bit))
                .collect::<tfhe_core::Result<Vec<bool>>>()?)
        };
        let bits = run(py, &Progress::none(), decrypt)?;
        let expected: usize = self.circuit.outputs().iter().map(Vec::len).sum();
        if bits.len() != expected {
            let text = format!("{} encrypted bits, where the circuit brings out {expected}", bits.len());
            return Err(exception(tfhe_core::Blame::Peer, text));
        }
        self.numbers(py, &bits)
    }

    fn __repr__(&self) -> String {
        format!(
            "Circuit(inputs={:?}, outputs={:?}, bootstraps={})",
            self.inputs(),
            self.outputs(),
            self.bootstraps()
        )
    }
}

impl Circuit {
    /// The bits of a number for each input, least significant first.
    fn bits_of(&self, values: &Bound<'_, PyTuple>) -> PyResult<Vec<bool>> {
        let (given, sizes) = (values.len(), self.circuit.inputs());
        if given != sizes.len() {
            return Err(input(format!(
                "{given} values, where the circuit reads {}, of {sizes:?} bits",
                sizes.len()
            )));
        }
        let mut bits = Vec::new();
        for (value, &size) in values.iter().zip(sizes) {
            // Python's numbers have any length, and its own arithmetic.
            let Ok(value) = value.cast::<PyInt>() else {
                return Err(input(format!("{value} is no whole number")));
            };
            let modulus = 1_u8.into_pyobject(value.py())?.lshift(size)?;
            let fits = value.lt(&modulus)? && value.add(value)?.ge(modulus.neg()?)?;
            if !fits {
                return Err(input(format!("{value} does not fit {size} bits")));
            }
            let bytes = value.rem(&modulus)?.call_method1("to_bytes", (size.div_ceil(8), "little"))?;
            let bytes = bytes.cast_into::<PyBytes>()?;
            bits.extend((0..size).map(|bit| bytes.as_bytes()[bit / 8] >> (bit % 8) & 1 == 1));
        }
        Ok(bits)
    }

    /// A number of the bits of each output.
    fn numbers<'py>(&self, py: Python<'py>, mut bits: &[bool]) -> PyResult<Bound<'py, PyTuple>> {
        let int = py.get_type::<PyInt>();
        let mut numbers = Vec::new();
        for output in self.circuit.outputs() {
            let (own, rest) = bits.split_at(output.len());
            bits = rest;
            let byte = |bits: &[bool]| bits.iter().rev().fold(0_u8, |byte, &bit| byte << 1 | u8::from(bit));
            let bytes: Vec<u8> = own.chunks(8).map(byte).collect();
            numbers.push(int.call_method1("from_bytes", (PyBytes::new(py, &bytes), "little"))?);
        }
        PyTuple::new(py, numbers)
    }
}

/// Refuses what is of another parameter set than circuits have.
fn check_set(found: &str) -> PyResult<()> {
    if found == PARAMETERS.name() {
        return Ok(());
    }
    let text = format!("made with the parameter set {found}, where circuits need {}", PARAMETERS.name());
    Err(exception(tfhe_core::Blame::Peer, text))
}
