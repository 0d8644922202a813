//! Vectors of what goes through a transform, for the named sets: external products, steps of blind rotation, whole
//! rotations step by step, gates and functional bootstraps.

use serde_json::{Value, json};

use super::arithmetic::function;
use super::case::{Approximate, Case, Measure, Place, Vector, bits, hex, word32};
use super::encryption::CIPHERTEXTS;
use super::keys::{CLOUD_KEY, Keys, SECRET_KEY, SetKeys};
use super::randomness::mask_seed;
use super::{Arithmetic, exact, tolerance};
use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::lookup_table::LookupTable;
use crate::bootstrap::modulus_switch::SwitchedSample;
use crate::ciphertext::wire::Ciphertext;
use crate::error::Result;
use crate::evaluator::Evaluator;
use crate::gate::{BinaryGate, Gate};
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::keyswitch::key::KeySwitchKey;
use crate::parameters::set::Order;
use crate::parameters::{
    FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1,
    TFHE_LIB_V1_1,
};
use crate::random::{Purpose, SecretSeed};
use crate::sample::external_product::FourierTgsw;
use crate::sample::lwe::{LweCiphertext, Wire};
use crate::sample::tlwe::TlweCiphertext;
use crate::torus::{Torus, Torus32, Torus64};
use crate::torus_words::ReadWords;

/// The sets whose gates are recorded; of the first, every gate.
const GATE_SETS: [&Parameters; 4] = [&GATES_DEFAULT, &GATES_BLOCK_BINARY, &TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1];
/// The sets whose functional bootstraps are recorded.
const FUNCTIONAL_SETS: [&Parameters; 2] = [&FUNCTIONAL_1024, &FUNCTIONAL_2048];

/// Coefficients of each polynomial that are compared after each step of a rotation.
const PLACES_A_STEP: usize = 4;

pub(super) fn vectors(keys: &Keys, arithmetic: Arithmetic) -> Result<Vec<Vector>> {
    let (mut products, mut steps, mut rotations) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gates, mut functions) = (Vec::new(), Vec::new());
    for (set, set_keys) in keys.sets() {
        let server = Server::new(set, set_keys, arithmetic)?;
        for sample in [0, set.tgsw_samples() - 1] {
            products.push(server.external_product(sample));
        }
        for (step, batch) in [(0, 1), (set.steps() / 2, 3), (set.steps() - 1, 1)] {
            steps.push(server.step(step, batch));
        }
        rotations.push(server.rotation());
        if GATE_SETS.contains(&set) {
            let all = if set == GATE_SETS[0] {
                gate_cases()
            } else {
                vec![(Gate::Binary(BinaryGate::Nand, 0, 1), "NAND", "11")]
            };
            for (gate, name, operands) in all {
                gates.push(server.gate(gate, name, operands)?);
            }
        }
        if FUNCTIONAL_SETS.contains(&set) {
            for (f, message) in [("square", 0.2), ("rectifier", -0.1)] {
                functions.push(server.function(f, message)?);
            }
        }
    }
    Ok(vec![
        Vector::new(
            "external-products",
            "sum of digits times rows, mod X^N + 1 and 2^64; Chillotti et al. 2020, definition 3.12",
            products,
        ),
        Vector::new(
            "blind-rotation-steps",
            "acc + sum over i of (X^shift_i - 1) (key_i ⊡ acc); Chillotti et al. 2020, algorithm 4; tfhe-core/src/bootstrap.rs",
            steps,
        ),
        Vector::new(
            "blind-rotations",
            "every step of a rotation from the words before it, by the rule of blind-rotation-steps; all in one go the same",
            rotations,
        ),
        Vector::new(
            "gates",
            "the sign of constant + sum of factors times inputs; Chillotti et al. 2020, section 5; tfhe-core/src/gate.rs",
            gates,
        ),
        Vector::new(
            "functional-bootstraps",
            "the table's value at the phase; Chillotti, Joye, Paillier, CSCML 2021; tfhe-core/src/bootstrap.rs",
            functions,
        ),
    ])
}

/// Every gate that bootstraps, with bits of its operands.
fn gate_cases() -> Vec<(Gate, &'static str, &'static str)> {
    let names = ["NAND", "AND", "OR", "NOR", "XOR", "XNOR", "ANDNY", "ANDYN", "ORNY", "ORYN"];
    let operands = ["11", "11", "00", "00", "01", "01", "01", "10", "10", "01"];
    let binary = BinaryGate::ALL.into_iter().zip(names).zip(operands);
    let mut cases: Vec<_> =
        binary.map(|((gate, name), operands)| (Gate::Binary(gate, 0, 1), name, operands)).collect();
    cases.push((Gate::Maj(0, 1, 2), "MAJ", "101"));
    cases.push((Gate::Xor3(0, 1, 2), "XOR3", "111"));
    cases.push((Gate::Mux { select: 0, then: 1, otherwise: 2 }, "MUX", "101"));
    cases.push((Gate::Mux { select: 0, then: 1, otherwise: 2 }, "MUX", "001"));
    cases
}

/// What is bootstrapped, by the definitions: constant in eighths, a factor an operand, and the amplitude in eighths of
/// the sign. An operand after the inputs is the result of the combination before.
struct Combination {
    constant: i32,
    factors: &'static [i32],
    amplitude: i32,
}

fn combinations(name: &str) -> Vec<Combination> {
    let one = |constant, factors| vec![Combination { constant, factors, amplitude: 1 }];
    match name {
        "NAND" => one(1, &[-1, -1]),
        "AND" => one(-1, &[1, 1]),
        "OR" => one(1, &[1, 1]),
        "NOR" => one(-1, &[-1, -1]),
        "XOR" => one(2, &[2, 2]),
        "XNOR" => one(-2, &[-2, -2]),
        "ANDNY" => one(-1, &[-1, 1]),
        "ANDYN" => one(-1, &[1, -1]),
        "ORNY" => one(1, &[-1, 1]),
        "ORYN" => one(1, &[1, -1]),
        "MAJ" => one(0, &[1, 1, 1]),
        "XOR3" => one(0, &[-2, -2, -2]),
        "MUX" => vec![
            Combination { constant: -1, factors: &[-1, 0, 1], amplitude: 2 },
            Combination { constant: 1, factors: &[1, 1, 0, 1], amplitude: 1 },
        ],
        _ => unreachable!("a gate without a definition"),
    }
}

/// A set's keys, in the arithmetic that is asked for.
struct Server<'a> {
    set: &'static Parameters,
    secret: &'a SecretKey,
    cloud: &'a CloudKey,
    engine: Engine,
}

enum Engine {
    Exact(KeySwitchKey),
    Transform { fft: Fft, key: Box<BootstrapKey>, evaluator: Box<Evaluator> },
}

impl<'a> Server<'a> {
    fn new(set: &'static Parameters, keys: &'a SetKeys, arithmetic: Arithmetic) -> Result<Self> {
        let cloud = keys.cloud(set);
        let engine = match arithmetic {
            // A key switch is exact with any backend.
            Arithmetic::Exact => Engine::Exact(KeySwitchKey::expand(cloud, Backend::Portable)?),
            Arithmetic::Transform(backend) => Engine::Transform {
                fft: Fft::new(set.polynomial_size, backend)?,
                key: Box::new(BootstrapKey::expand(cloud, backend)?),
                evaluator: Box::new(Evaluator::new(cloud, backend)?),
            },
        };
        Ok(Self { set, secret: keys.secret(set), cloud, engine })
    }

    fn inputs(&self) -> Value {
        json!({ "set": self.set.name, "secret_key": SECRET_KEY, "cloud_key": CLOUD_KEY })
    }

    /// Words of an accumulator in the midst of a rotation: they are uniform.
    fn accumulator(&self, row: u64) -> Vec<u64> {
        let mut words = vec![Torus64::default(); self.set.large_dimension() + self.set.polynomial_size];
        mask_seed(7).fill(Purpose::Ciphertexts, row, &mut words);
        bytemuck::cast_slice(&words).to_vec()
    }

    /// With a TGSW sample of the bootstrapping key.
    fn external_product(&self, index: usize) -> Case {
        let row = index as u64;
        let words = self.accumulator(row);
        let product = match &self.engine {
            Engine::Exact(_) => exact::Matrix::of_key(self.cloud, index).external_product(&words),
            Engine::Transform { fft, .. } => {
                let elements: &[Torus64] = bytemuck::cast_slice(&words);
                let sample = TlweCiphertext::from_words(elements.to_vec(), self.set.polynomial_size);
                let product = self.fourier_tgsw(index, fft).external_product(&sample);
                bytemuck::cast_slice(product.words()).to_vec()
            }
        };
        let mut inputs = self.inputs();
        inputs["sample"] = index.into();
        inputs["mask_seed"] = hex(&mask_seed(7).0).into();
        inputs["row"] = row.into();
        Case::new(inputs, json!({})).with(binary("words", product, tolerance::external_product(self.set)))
    }

    fn fourier_tgsw(&self, index: usize, fft: &Fft) -> FourierTgsw {
        struct Sample<'a>(&'a CloudKey, usize, &'a Fft);
        impl ReadWords for Sample<'_> {
            type Output = FourierTgsw;

            fn read<T: Torus>(self, bodies: &[T]) -> FourierTgsw {
                let Self(CloudKey { parameters: p, masks, .. }, index, fft) = self;
                let len = p.tgsw_rows() * p.polynomial_size;
                let bodies = &bodies[index * len..][..len];
                FourierTgsw::from_bodies(bodies, index, masks, p.gadget, p.tlwe_dimension, fft)
            }
        }
        self.cloud.bootstrap.read(Sample(self.cloud, index, fft))
    }

    /// Of a batch, with shifts of its own for each accumulator.
    fn step(&self, number: usize, batch: usize) -> Case {
        let slots = 2 * self.set.polynomial_size as u32;
        let rows: Vec<u64> = (0..batch).map(|i| (number * 8 + i) as u64).collect();
        let mut accumulators: Vec<u64> = rows.iter().flat_map(|&row| self.accumulator(row)).collect();
        // Shifts from one end of their range to the other.
        let shift = |i: usize| (number as u32 * 97 + i as u32 * (slots / 5) + slots - 1) % slots;
        let shifts: Vec<u32> = (0..batch * self.set.step_samples()).map(shift).collect();
        match &self.engine {
            Engine::Exact(_) => {
                let len = accumulators.len() / batch;
                let shifts = shifts.chunks_exact(self.set.step_samples());
                for (accumulator, shifts) in accumulators.chunks_exact_mut(len).zip(shifts) {
                    exact::Step::new(self.cloud, number, shifts).apply(accumulator);
                }
            }
            Engine::Transform { key, .. } => key.step(number, &mut accumulators, &shifts),
        }
        let mut inputs = self.inputs();
        inputs["step"] = number.into();
        inputs["mask_seed"] = hex(&mask_seed(7).0).into();
        inputs["rows"] = json!(rows);
        inputs["shifts"] = json!(shifts.chunks_exact(self.set.step_samples()).collect::<Vec<_>>());
        Case::new(inputs, json!({})).with(binary("words", accumulators, tolerance::step(self.set)))
    }

    /// A rotation as the backend goes through it, each step compared with its definition at some words. The recorded
    /// difference is none.
    fn rotation(&self) -> Case {
        let p = self.set;
        let row = 1 << 20;
        let mut words = vec![Torus32::default(); p.lwe_dimension + 1];
        mask_seed(7).fill(Purpose::Ciphertexts, row, &mut words);
        let switched = SwitchedSample::new(&LweCiphertext::from_words(words), p.polynomial_size);
        let table = LookupTable::sign(p.polynomial_size, Torus32(1 << 29));
        let largest = match &self.engine {
            Engine::Exact(_) => 0,
            Engine::Transform { key, .. } => self.largest_step_error(key, &switched, &table),
        };
        let mut inputs = self.inputs();
        inputs["mask_seed"] = hex(&mask_seed(7).0).into();
        inputs["row"] = row.into();
        inputs["table"] = json!({ "kind": "sign", "amplitude": word32(Torus32(1 << 29)) });
        let mut largest = binary("largest_step_error", vec![largest], tolerance::step(p));
        largest.place = Place::Inline;
        Case::new(inputs, json!({})).with(largest)
    }

    fn largest_step_error(&self, key: &BootstrapKey, switched: &SwitchedSample, table: &LookupTable) -> u64 {
        let p = self.set;
        let start = exact::start(self.cloud, switched, table);
        let mut accumulator = start.clone();
        let mut largest = 0;
        for number in 0..p.steps() {
            let shifts = exact::shifts(self.cloud, switched, number);
            let places: Vec<usize> = (0..PLACES_A_STEP)
                .map(|i| (number * 61 + i * p.polynomial_size / PLACES_A_STEP) % p.polynomial_size)
                .collect();
            let expected = exact::Step::new(self.cloud, number, &shifts).words_after(&accumulator, &places);
            key.step(number, &mut accumulator, &shifts);
            for (index, word) in expected {
                largest = largest.max((accumulator[index].wrapping_sub(word) as i64).unsigned_abs());
            }
        }
        let mut at_once = start;
        key.rotate(std::slice::from_ref(switched), &mut at_once);
        // One kernel on the same words: what differs is as wrong as can be.
        if at_once == accumulator { largest } else { 1 << 63 }
    }

    fn gate(&self, gate: Gate, name: &str, operands: &str) -> Result<Case> {
        let plain: Vec<bool> = operands.chars().map(|bit| bit == '1').collect();
        let ciphertexts =
            self.secret.encrypt(&plain, SecretSeed::deterministic_for_tests(CIPHERTEXTS)).expand();
        let combinations = combinations(name);
        let (result, bit) = match &self.engine {
            Engine::Exact(key_switch) => {
                let mut samples: Vec<_> = ciphertexts.iter().map(|input| input.sample().clone()).collect();
                for combination in &combinations {
                    let mut sum =
                        LweCiphertext::trivial(self.set.wire_dimension(), eighths(combination.constant));
                    for (&factor, sample) in combination.factors.iter().zip(&samples) {
                        sum.add_scaled(factor, sample);
                    }
                    let table = LookupTable::sign(self.set.polynomial_size, eighths(combination.amplitude));
                    samples.push(self.exact_bootstrap(&sum, &table, key_switch));
                }
                (samples.pop().expect("invariant: a gate has a combination"), plain_gate(name, &plain))
            }
            Engine::Transform { evaluator, .. } => {
                let result = evaluator.evaluate(&[gate], &ciphertexts)?.swap_remove(0);
                let bit = self.secret.decrypt(&result)?;
                (result.sample().clone(), bit)
            }
        };
        let mut inputs = self.inputs();
        inputs["ciphertexts"] = CIPHERTEXTS.into();
        inputs["gate"] = name.into();
        inputs["bits"] = operands.into();
        let combination = |c: &Combination| json!({ "constant": c.constant, "factors": c.factors, "amplitude": c.amplitude });
        inputs["eighths"] = combinations.iter().map(combination).collect();
        Ok(Case::new(inputs, json!({ "bit": bits(&[bit.into()]) })).with(self.sample(&result)))
    }

    fn function(&self, name: &str, message: f64) -> Result<Case> {
        let message = Torus32::from_real(message);
        let seed = SecretSeed::deterministic_for_tests(CIPHERTEXTS);
        let ciphertext: Ciphertext = self.secret.encrypt_packed(&[message], 1, seed)?.unpack().swap_remove(0);
        let table = LookupTable::from_function(self.set.polynomial_size, function(name));
        let result = match &self.engine {
            Engine::Exact(key_switch) => self.exact_bootstrap(ciphertext.sample(), &table, key_switch),
            Engine::Transform { evaluator, .. } => {
                evaluator.bootstrap(&[ciphertext], &[&table])?[0].sample().clone()
            }
        };
        let mut inputs = self.inputs();
        inputs["ciphertexts"] = CIPHERTEXTS.into();
        inputs["message"] = word32(message).into();
        inputs["table"] = json!({ "kind": "function", "f": name });
        Ok(Case::new(inputs, json!({})).with(self.sample(&result)))
    }

    fn exact_bootstrap(
        &self,
        sample: &LweCiphertext<Torus32, Wire>,
        table: &LookupTable,
        key_switch: &KeySwitchKey,
    ) -> LweCiphertext<Torus32, Wire> {
        let size = self.set.polynomial_size;
        let small = match self.set.order {
            Order::KeySwitchFirst => key_switch.switch(&[sample.clone().rename_key()]).swap_remove(0),
            Order::BootstrapFirst => sample.clone().rename_key(),
        };
        let rotated = exact::blind_rotation(self.cloud, &SwitchedSample::new(&small, size), table);
        let rotated: &[Torus64] = bytemuck::cast_slice(&rotated);
        let extracted = TlweCiphertext::from_words(rotated.to_vec(), size).sample_extract(0);
        let words = extracted.words().iter().map(|x| Torus32::from_bits64(x.0)).collect();
        match self.set.order {
            Order::KeySwitchFirst => LweCiphertext::from_words(words),
            Order::BootstrapFirst => {
                key_switch.switch(&[LweCiphertext::from_words(words)]).swap_remove(0).rename_key()
            }
        }
    }

    /// A bootstrapped ciphertext, compared by its phase.
    fn sample(&self, sample: &LweCiphertext<Torus32, Wire>) -> Approximate {
        let key = match self.set.order {
            Order::KeySwitchFirst => self.secret.large().bits(),
            Order::BootstrapFirst => self.secret.small().bits(),
        };
        let words = sample.words().iter().map(|x| x.to_bits64()).collect();
        let measure = Measure::Phase(key.to_vec());
        Approximate { measure, ..binary("sample", words, tolerance::bootstrap(self.set)) }
    }
}

fn binary(name: &str, words: Vec<u64>, tolerance: u64) -> Approximate {
    Approximate { name: name.into(), words, tolerance, measure: Measure::Words, place: Place::Binary }
}

fn eighths(count: i32) -> Torus32 {
    Torus32(1 << 29) * i64::from(count)
}

/// The gate on plain bits: a table of its own, from the gates' names.
fn plain_gate(name: &str, bits: &[bool]) -> bool {
    let (a, b) = (bits[0], bits[1]);
    match name {
        "NAND" => !(a && b),
        "AND" => a && b,
        "OR" => a || b,
        "NOR" => !(a || b),
        "XOR" => a != b,
        "XNOR" => a == b,
        "ANDNY" => !a && b,
        "ANDYN" => a && !b,
        "ORNY" => !a || b,
        "ORYN" => a || !b,
        "MAJ" => usize::from(a) + usize::from(b) + usize::from(bits[2]) >= 2,
        "XOR3" => a ^ b ^ bits[2],
        "MUX" => {
            if a {
                b
            } else {
                bits[2]
            }
        }
        _ => unreachable!("a gate without a definition"),
    }
}
