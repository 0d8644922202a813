//! A set so small that every intermediate of a bootstrap can be read: n = 4, N = 32, k = 1, without noise.
//!
//! It encrypts nothing securely. It is no named set, so no file can be read with it.

use serde_json::{Map, Value, json};

use super::case::{Approximate, Case, Measure, Place, Vector, bits, hex, word32, words, words64};
use super::keys::{CLOUD_KEY, SECRET_KEY};
use super::{Arithmetic, exact, tolerance};
use crate::backend::choice::Backend;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::lookup_table::LookupTable;
use crate::bootstrap::modulus_switch::SwitchedSample;
use crate::error::Result;
use crate::gadget::Gadget;
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::keyswitch::key::KeySwitchKey;
use crate::parameters::set::{Order, Parameters, SmallKey};
use crate::random::{Purpose, SecretSeed, StandardDeviation};
use crate::sample::lwe::{Large, LweCiphertext, LweSecretKey};
use crate::sample::tlwe::TlweCiphertext;
use crate::torus::{Torus32, Torus64};
use crate::torus_words::TorusWidth;

/// Seed number of the ciphertexts.
const CIPHERTEXTS: u64 = 3;

/// One key bit a step.
const TOY: Parameters = Parameters {
    name: "toy",
    lwe_dimension: 4,
    lwe_polynomial_size: 1,
    small_key: SmallKey::Binary,
    lwe_noise_log2: f64::NEG_INFINITY,
    tlwe_dimension: 1,
    polynomial_size: 32,
    tlwe_noise_log2: f64::NEG_INFINITY,
    gadget: Gadget::constant(8, 2),
    key_switch_gadget: Gadget::constant(4, 3),
    accumulator: TorusWidth::Bits64,
    bits_a_step: 1,
    order: Order::KeySwitchFirst,
    security_bits: 0,
    log2_failure: 0.0,
};

/// With one and with two key bits a step.
pub(super) fn sets() -> [Parameters; 2] {
    [TOY, Parameters { name: "toy, two key bits a step", bits_a_step: 2, ..TOY }]
}

pub(super) fn vectors(arithmetic: Arithmetic) -> Result<Vec<Vector>> {
    let (mut keys, mut nand, mut square) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets() {
        let toy = Toy::new(set, arithmetic)?;
        keys.push(toy.keys_case());
        for inputs in [[false, false], [false, true], [true, true]] {
            nand.push(toy.nand(inputs));
        }
        square.extend([0.2, -0.15].map(|message| toy.square(message)));
    }
    Ok(vec![
        Vector::new(
            "toy-keys",
            "rows of TGSW and LWE samples, without noise; Chillotti et al. 2020, sections 3.1 and 4.1; docs/formats.md, kind 2",
            keys,
        ),
        Vector::new(
            "toy-nand",
            "the sign of 1/8 - a - b: key switch, modulus switch, blind rotation, sample extraction; Chillotti et al. 2020, sections 4 and 5; tfhe-core/src/bootstrap.rs",
            nand,
        ),
        Vector::new(
            "toy-square",
            "x x by a lookup table; Chillotti, Joye, Paillier, CSCML 2021; tfhe-core/src/bootstrap.rs",
            square,
        ),
    ])
}

/// The set with its keys.
struct Toy {
    set: Parameters,
    secret: SecretKey,
    cloud: CloudKey,
    large: LweSecretKey<Large>,
    key_switch: KeySwitchKey,
    /// Of the backend that is checked; without, it is exact integers.
    transform: Option<BootstrapKey>,
}

impl Toy {
    fn new(set: Parameters, arithmetic: Arithmetic) -> Result<Self> {
        let secret = SecretKey::generate(&set, SecretSeed::deterministic_for_tests(SECRET_KEY));
        let cloud = CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(CLOUD_KEY))?;
        let (backend, transform) = match arithmetic {
            Arithmetic::Exact => (Backend::Portable, None),
            Arithmetic::Transform(backend) => (backend, Some(BootstrapKey::expand(&cloud, backend)?)),
        };
        let key_switch = KeySwitchKey::expand(&cloud, backend)?;
        let large = secret.large().extracted();
        Ok(Self { set, secret, cloud, large, key_switch, transform })
    }

    fn inputs(&self) -> Value {
        json!({ "bits_a_step": self.set.bits_a_step, "secret_key": SECRET_KEY, "cloud_key": CLOUD_KEY })
    }

    fn keys_case(&self) -> Case {
        let p = &self.set;
        let mut inputs = self.inputs();
        inputs["set"] = json!({
            "n": p.lwe_dimension,
            "N": p.polynomial_size,
            "k": p.tlwe_dimension,
            "base_log": p.gadget.base_log(),
            "levels": p.gadget.levels(),
            "key_switch_base_log": p.key_switch_gadget.base_log(),
            "key_switch_levels": p.key_switch_gadget.levels(),
        });
        let samples = p.tgsw_samples();
        let bootstrap: Vec<Vec<String>> = (0..samples)
            .map(|index| exact::Matrix::of_key(&self.cloud, index).rows().map(words64).collect())
            .collect();
        let key_switch_row = |(number, &body): (usize, &Torus32)| {
            let mut row = vec![Torus32::default(); p.lwe_dimension + 1];
            self.cloud.masks.key_switch_row(number, &mut row[..p.lwe_dimension]);
            row[p.lwe_dimension] = body;
            words(&row)
        };
        let key_switch: Vec<String> = self.cloud.key_switch.iter().enumerate().map(key_switch_row).collect();
        let outputs = json!({
            "small": bits(self.secret.small().bits()),
            "large": bits(self.secret.large().bits()),
            "mask_seed": hex(&SecretSeed::deterministic_for_tests(CLOUD_KEY).mask_seed().0),
            "bootstrap_key": bootstrap,
            "key_switch_key": key_switch,
        });
        Case::new(inputs, outputs)
    }

    /// Ciphertexts under the large key, without noise.
    fn encrypt(&self, messages: &[Torus32]) -> Vec<LweCiphertext<Torus32, Large>> {
        let seed = SecretSeed::deterministic_for_tests(CIPHERTEXTS);
        let masks = seed.mask_seed();
        let bodies = self.large.encrypt_bodies(messages, StandardDeviation::ZERO, &seed, masks);
        let sample = |(row, body): (usize, Torus32)| {
            let mut sample = vec![Torus32::default(); self.large.dimension() + 1];
            let (mask, last) = sample.split_at_mut(self.large.dimension());
            masks.fill(Purpose::Ciphertexts, row as u64, mask);
            last[0] = body;
            LweCiphertext::from_words(sample)
        };
        bodies.into_iter().enumerate().map(sample).collect()
    }

    fn nand(&self, operands: [bool; 2]) -> Case {
        let samples = self.encrypt(&operands.map(Torus32::from_bit));
        let eighth = Torus32::from_bit(true);
        let mut sum = LweCiphertext::trivial(self.large.dimension(), eighth);
        samples.iter().for_each(|sample| sum.add_scaled(-1, sample));
        let mut inputs = self.inputs();
        inputs["ciphertexts"] = CIPHERTEXTS.into();
        inputs["bits"] = bits(&operands.map(u32::from)).into();
        let mut case =
            self.bootstrap(inputs, &samples, &sum, &LookupTable::sign(self.set.polynomial_size, eighth));
        case.outputs.insert("bit".into(), bits(&[u32::from(!(operands[0] && operands[1]))]).into());
        case
    }

    fn square(&self, message: f64) -> Case {
        let message = Torus32::from_real(message);
        let samples = self.encrypt(&[message]);
        let mut inputs = self.inputs();
        inputs["ciphertexts"] = CIPHERTEXTS.into();
        inputs["message"] = word32(message).into();
        let table = LookupTable::from_function(self.set.polynomial_size, |x| x * x);
        self.bootstrap(inputs, &samples, &samples[0], &table)
    }

    /// A bootstrap of `sum`, with all that happens on the way.
    fn bootstrap(
        &self,
        inputs: Value,
        samples: &[LweCiphertext<Torus32, Large>],
        sum: &LweCiphertext<Torus32, Large>,
        table: &LookupTable,
    ) -> Case {
        let p = &self.set;
        let small = &self.key_switch.switch(std::slice::from_ref(sum))[0];
        let switched = SwitchedSample::new(small, p.polynomial_size);
        let start = exact::start(&self.cloud, &switched, table);
        let shifts: Vec<Vec<u32>> =
            (0..p.steps()).map(|number| exact::shifts(&self.cloud, &switched, number)).collect();
        let mut outputs = Map::new();
        let mut put = |name: &str, value: Value| outputs.insert(name.into(), value);
        put("1 ciphertexts", samples.iter().map(|sample| words(sample.words())).collect());
        put("2 sum", words(sum.words()).into());
        put("3 key switched", words(small.words()).into());
        put("4 modulus switched", json!({ "mask": switched.masks, "body": switched.body }));
        put("5 table", words64(table.values()).into());
        put("6 start", words64(&start).into());
        put("7 shifts", json!(shifts));

        let mut approximate = Vec::new();
        let mut add = |name: String, words: Vec<u64>, tolerance: u64| {
            approximate.push(Approximate {
                name,
                words,
                tolerance,
                measure: Measure::Words,
                place: Place::Inline,
            });
        };
        let mut accumulator = start;
        for (number, shifts) in shifts.iter().enumerate() {
            match &self.transform {
                Some(key) => key.step(number, &mut accumulator, shifts),
                None => exact::Step::new(&self.cloud, number, shifts).apply(&mut accumulator),
            }
            add(
                format!("8 accumulator {}", number + 1),
                accumulator.clone(),
                tolerance::steps(p, number + 1),
            );
        }
        let accumulator: Vec<Torus64> = bytemuck::cast_slice(&accumulator).to_vec();
        let extracted = TlweCiphertext::from_words(accumulator, p.polynomial_size).sample_extract(0);
        let words: Vec<u64> = extracted.words().iter().map(|x| x.0).collect();
        add("9 extracted".into(), words, tolerance::steps(p, p.steps()));
        // A sum of the body and, in the mean, of half the masks: at most so many errors.
        let phase_tolerance = tolerance::steps(p, p.steps()) * (1 + p.large_dimension() as u64);
        add("9 phase".into(), vec![self.large.phase(&extracted).0], phase_tolerance);

        let product: u32 =
            switched.masks.iter().zip(self.secret.small().bits()).map(|(mask, bit)| mask * bit).sum();
        let slots = 2 * p.polynomial_size as u32;
        let slot = (switched.body + p.lwe_dimension as u32 * slots - product) % slots;
        let value = table.at(Torus32(slot << (32 - slots.ilog2())));
        outputs.insert("9 slot".into(), slot.into());
        outputs.insert("9 value of the slot".into(), word32(value).into());
        let mut case = Case::new(inputs, Value::Object(outputs));
        case.approximate = approximate;
        case
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::Torus;

    /// What the vectors record decrypts right: the exact integers are those of a bootstrap.
    #[test]
    fn exact_bootstraps_decrypt_right() {
        for set in sets() {
            let toy = Toy::new(set, Arithmetic::Exact).unwrap();
            for operands in [[false, false], [false, true], [true, false], [true, true]] {
                let case = toy.nand(operands);
                let phase = case.approximate.iter().find(|output| output.name == "9 phase").unwrap().words[0];
                let expected = if operands == [true, true] { -0.125 } else { 0.125 };
                let error = Torus64(phase).to_real() - expected;
                assert!(error.abs() < 0.001, "{}, {operands:?}: {error}", set.name);
            }
        }
    }

    #[test]
    fn no_file_can_name_the_toy() {
        assert!(sets().iter().all(|set| Parameters::named(set.name).is_none()));
    }
}
