//! Vectors of the torus' arithmetic: encodings, decomposition, modulus switch, exact products, sample extraction, tables.

use serde_json::json;

use super::case::{Case, Vector, bits, digest, hex, real, seed_bytes, word32, word64, words, words64};
use super::randomness::mask_seed;
use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::backend::transform::SIZES;
use crate::bootstrap::lookup_table::LookupTable;
use crate::bootstrap::modulus_switch::SwitchedSample;
use crate::error::Result;
use crate::gadget::Gadget;
use crate::parameters::Parameters;
use crate::polynomial::Polynomial;
use crate::random::{Purpose, SecretSeed};
use crate::sample::lwe::LweCiphertext;
use crate::sample::tlwe::TlweCiphertext;
use crate::secret_multiplier::SecretMultiplier;
use crate::torus::{Torus, Torus32, Torus48, Torus64};

pub(super) fn vectors(backend: Backend) -> Result<Vec<Vector>> {
    let mut from_real = Vec::new();
    let mut to_real = Vec::new();
    let mut narrow = Vec::new();
    for x in REALS {
        from_real.extend([encoding::<Torus32>(x), encoding::<Torus48>(x), encoding::<Torus64>(x)]);
    }
    for word in words_at_borders() {
        to_real.extend([decoding::<Torus32>(word), decoding::<Torus48>(word), decoding::<Torus64>(word)]);
        narrow.extend([narrowing::<Torus32>(word), narrowing::<Torus48>(word), narrowing::<Torus64>(word)]);
    }
    Ok(vec![
        Vector::new("torus-from-real", "the element nearest to x mod 1; tfhe-core/src/torus.rs", from_real),
        Vector::new(
            "torus-to-real",
            "the representative in [-1/2, 1/2), rounded to a double; tfhe-core/src/torus.rs",
            to_real,
        ),
        Vector::new(
            "torus-narrow",
            "nearest element of w bits, half up, mod 1; Chillotti et al., J. Cryptology 2020, section 2 (the torus in fixed point)",
            narrow,
        ),
        Vector::new(
            "decomposition",
            "sum of digits B^-i nearest to x, -B/2 <= digit <= B/2, ties broken by the next higher digit; Chillotti et al. 2020, section 3.2; tfhe-core/src/gadget.rs",
            gadgets().into_iter().map(|gadget| decomposition(gadget, backend)).collect::<Result<_>>()?,
        ),
        Vector::new(
            "modulus-switch",
            "a' = round(2N a), b' = floor(2N (b + 1/2 sum (a'/2N - a))); tfhe-core/src/bootstrap.rs",
            modulus_switches(),
        ),
        Vector::new("rotations", "the product with X^power mod X^N + 1", rotations()),
        Vector::new(
            "products",
            "sum over i + j = m of a_i s_j minus sum over i + j = m + N, mod 2^64; Chillotti et al. 2020, section 2.1",
            products(backend)?,
        ),
        Vector::new(
            "large-products",
            "as products, at the sizes of the named sets",
            large_products(backend)?,
        ),
        Vector::new(
            "sample-extraction",
            "a[qN + i] = A_q[j - i], negated where j - i wraps; b = B[j]; Chillotti et al. 2020, section 4.2",
            extractions(),
        ),
        Vector::new(
            "lookup-tables",
            "slot j holds f((j + 1/2) / 2N) for j < N/2, -f((j + 1/2) / 2N - 1/2) above; slot j + N is minus slot j; Chillotti, Joye, Paillier, CSCML 2021; tfhe-core/src/bootstrap.rs",
            tables(),
        ),
    ])
}

const REALS: [f64; 18] = [
    0.0,
    0.125,
    -0.125,
    0.25,
    0.5,
    -0.5,
    0.75,
    1.0,
    -3.0,
    1.5,
    0.1,
    -0.3,
    123.456,
    1e-9,
    -1e-12,
    3e-20,
    0.499_999_999_999,
    -0.499_999_999_999,
];

fn encoding<T: Torus>(x: f64) -> Case {
    Case::new(json!({ "width": T::BITS, "real": real(x) }), json!({ "word": words(&[T::from_real(x)]) }))
}

/// The ends, ties of the narrower widths, and words of a stream.
fn words_at_borders() -> Vec<u64> {
    let mut words =
        vec![0, 1, 1 << 15, (1 << 15) - 1, 3 << 15, 1 << 31, (1 << 31) - 1, 3 << 31, 1 << 63, (1 << 63) - 1];
    words.extend([u64::MAX, u64::MAX << 15, u64::MAX << 31, u64::MAX << 32]);
    words.extend(random_words(6, 0));
    words
}

fn random_words(count: usize, row: u64) -> Vec<u64> {
    random_elements::<Torus64>(count, row).iter().map(|x| x.0).collect()
}

fn random_elements<T: Torus>(count: usize, row: u64) -> Vec<T> {
    let mut elements = vec![T::default(); count];
    mask_seed(5).fill(Purpose::Ciphertexts, row, &mut elements);
    elements
}

fn decoding<T: Torus>(word: u64) -> Case {
    let element = T::from_bits64(word);
    Case::new(
        json!({ "width": T::BITS, "word": words(&[element]) }),
        json!({ "real": real(element.to_real()) }),
    )
}

fn narrowing<T: Torus>(word: u64) -> Case {
    let narrow = T::from_bits64(word);
    Case::new(json!({ "width": T::BITS, "word": word64(word) }), json!({ "word": words(&[narrow]) }))
}

/// Those of the named sets, and two with many ties.
fn gadgets() -> Vec<Gadget> {
    let mut gadgets = vec![Gadget::constant(1, 8), Gadget::constant(3, 2)];
    for gadget in Parameters::ALL.iter().flat_map(|set| [set.gadget, set.key_switch_gadget]) {
        if !gadgets.contains(&gadget) {
            gadgets.push(gadget);
        }
    }
    gadgets
}

/// The ends of the torus, ties of the rounding and of every digit, and words of a stream.
fn decomposition(gadget: Gadget, backend: Backend) -> Result<Case> {
    let unit = gadget.weight(gadget.levels() as usize - 1);
    let mut inputs =
        vec![0, 1, unit / 2, unit / 2 - 1, unit, unit.wrapping_neg() / 2, 1 << 63, (1 << 63) - 1];
    inputs.extend([
        (1 << 63) - unit / 2,
        (1 << 63) - unit / 2 - 1,
        (1 << 63) + unit / 2,
        u64::MAX,
        u64::MAX - unit / 2,
    ]);
    for level in 0..gadget.levels() as usize {
        // Half the base at this level, with the level above in its lower and its upper half.
        let tie = gadget.weight(level) << (gadget.base_log() - 1);
        inputs.extend([
            tie,
            tie.wrapping_neg(),
            tie.wrapping_add(tie << 1),
            tie.wrapping_add(tie << gadget.base_log()),
        ]);
    }
    inputs.extend(random_words(16, 1));
    // By the backend's kernel, a polynomial of all words at once: level by level.
    let size = inputs.len().next_power_of_two().max(*SIZES.start());
    let mut polynomial = inputs.clone();
    polynomial.resize(size, 0);
    let mut levels = vec![0.0; gadget.levels() as usize * size];
    Fft::new(size, backend)?.transform().decompose(gadget, &polynomial, &mut levels);
    let digits_of = |word: usize| levels.iter().skip(word).step_by(size).map(|&digit| digit as i64).collect();
    let digits: Vec<Vec<i64>> = (0..inputs.len()).map(digits_of).collect();
    let weights: Vec<u64> = (0..gadget.levels() as usize).map(|level| gadget.weight(level)).collect();
    Ok(Case::new(
        json!({ "base_log": gadget.base_log(), "levels": gadget.levels(), "words": words64(&inputs) }),
        json!({ "digits": digits, "weights": words64(&weights) }),
    ))
}

/// Masks that round up, down and at ties, for every size in use; bodies at the borders of slots.
fn modulus_switches() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [32, 512, 1024, 2048] {
        let unit = (1u64 << 32) / (2 * size as u64);
        let tie = Torus32((unit / 2) as u32);
        let (one, unit) = (Torus32(1), unit as u32);
        let mut samples = vec![
            (vec![Torus32(0); 4], 0),
            (vec![tie; 5], 1),
            (vec![tie - one; 5], unit - 1),
            (vec![-tie; 5], unit),
            // Half an odd sum of errors, down to the end of a slot or up to the next.
            (vec![one], unit),
            (vec![-one], unit - 1),
            (vec![one, one, one], unit + 1),
            (vec![Torus32(u32::MAX), Torus32(1 << 31), Torus32((1 << 31) - 1)], 1 << 31),
        ];
        samples.push((random_elements(20, 2), u32::MAX));
        samples.push((random_elements(21, 3), 0x89ab_cdef));
        for (mask, body) in samples {
            let words_of_sample = mask.iter().copied().chain([Torus32(body)]).collect();
            let switched = SwitchedSample::new(&LweCiphertext::from_words(words_of_sample), size);
            cases.push(Case::new(
                json!({ "size": size, "mask": words(&mask), "body": word32(Torus32(body)) }),
                json!({ "mask": switched.masks, "body": switched.body }),
            ));
        }
    }
    cases
}

fn rotations() -> Vec<Case> {
    let polynomial = Polynomial(random_elements::<Torus32>(8, 4));
    let case = |power: i64| {
        let rotated = polynomial.rotate(power);
        Case::new(
            json!({ "power": power, "words": words(&polynomial.0) }),
            json!({ "words": words(&rotated.0) }),
        )
    };
    [0, 1, 7, 8, 9, 15, 16, -1, -9].map(case).to_vec()
}

/// The product as key generation computes it, by a transform that is rounded to the integers it must be.
fn product<T: Torus>(mask: &[T], secret: &[u32], backend: Backend) -> Result<Vec<u64>> {
    let fft = Fft::new(mask.len(), backend)?;
    let mut sum = vec![0; mask.len()];
    SecretMultiplier::new(secret, &fft).add_product(mask, &fft, &mut sum);
    Ok(sum)
}

fn products(backend: Backend) -> Result<Vec<Case>> {
    fn case<T: Torus>(mask: &[T], secret: &[u32], backend: Backend) -> Result<Case> {
        let product = product(mask, secret, backend)?;
        Ok(Case::new(
            json!({ "width": T::BITS, "mask": words(mask), "secret": bits(secret) }),
            json!({ "product": words64(&product) }),
        ))
    }
    let size = 32;
    let random = SecretSeed::deterministic_for_tests(5).secret_bits(Purpose::LargeKey, size).to_vec();
    let (first, last) = (unit_bits(size, 0), unit_bits(size, size - 1));
    // The halves of a word at their largest magnitude.
    let extreme = [Torus64(0x8000_0000_8000_0000); 32];
    Ok(vec![
        case(&random_elements::<Torus64>(size, 6), &first, backend)?,
        case(&random_elements::<Torus64>(size, 6), &last, backend)?,
        case(&random_elements::<Torus32>(size, 5), &random, backend)?,
        case(&random_elements::<Torus48>(size, 6), &random, backend)?,
        case(&random_elements::<Torus64>(size, 6), &random, backend)?,
        case(&extreme, &[1; 32], backend)?,
    ])
}

/// 1 at `place`.
fn unit_bits(size: usize, place: usize) -> Vec<u32> {
    (0..size).map(|i| u32::from(i == place)).collect()
}

fn large_products(backend: Backend) -> Result<Vec<Case>> {
    fn case<T: Torus>(size: usize, backend: Backend) -> Result<Case> {
        let (seed, row) = (mask_seed(5), 7);
        let mut mask = vec![T::default(); size];
        seed.fill(Purpose::BootstrapKey, row, &mut mask);
        let secret = SecretSeed::deterministic_for_tests(6).secret_bits(Purpose::LargeKey, size);
        let product: Vec<Torus64> = product(&mask, &secret, backend)?.into_iter().map(Torus64).collect();
        let inputs = json!({
            "size": size,
            "width": T::BITS,
            "mask_seed": hex(&seed.0),
            "row": row,
            "seed": hex(&seed_bytes(6)),
        });
        Ok(Case::new(inputs, digest(&product)))
    }
    let mut cases = Vec::new();
    for size in [256, 512, 1024, 2048, 4096] {
        cases.extend([
            case::<Torus32>(size, backend)?,
            case::<Torus48>(size, backend)?,
            case::<Torus64>(size, backend)?,
        ]);
    }
    Ok(cases)
}

fn extractions() -> Vec<Case> {
    fn case<T: Torus>(size: usize, dimension: usize, index: usize) -> Case {
        let elements = random_elements::<T>((dimension + 1) * size, 8);
        let extracted = TlweCiphertext::from_words(elements.clone(), size).sample_extract(index);
        Case::new(
            json!({ "size": size, "width": T::BITS, "index": index, "words": words(&elements) }),
            json!({ "words": words(extracted.words()) }),
        )
    }
    vec![
        case::<Torus32>(4, 1, 0),
        case::<Torus32>(4, 1, 1),
        case::<Torus32>(4, 1, 3),
        case::<Torus32>(8, 3, 5),
        case::<Torus64>(8, 2, 0),
        case::<Torus64>(8, 2, 7),
    ]
}

/// A function on phases, in torus units.
type Function = fn(f64) -> f64;

/// Functions that IEEE 754 makes exact, or rounds once.
const FUNCTIONS: [(&str, Function); 4] = [
    ("square", |x| x * x),
    ("rectifier", |x| x.max(0.0)),
    ("magnitude", |x| (x.abs() - 0.25) / 2.0),
    ("quarter", |x| x / 4.0),
];

/// The function of this name.
pub(super) fn function(name: &str) -> Function {
    let found = FUNCTIONS.iter().find(|(known, _)| *known == name);
    found.expect("invariant: vectors name functions of the list").1
}

fn tables() -> Vec<Case> {
    let size = 32;
    let amplitudes = [Torus32(1 << 29), Torus32(1 << 30), Torus32(0x0123_4567)];
    let mut tables: Vec<_> = amplitudes
        .into_iter()
        .map(|amplitude| {
            (json!({ "kind": "sign", "amplitude": word32(amplitude) }), LookupTable::sign(size, amplitude))
        })
        .collect();
    tables
        .extend(FUNCTIONS.map(|(name, f)| {
            (json!({ "kind": "function", "f": name }), LookupTable::from_function(size, f))
        }));
    let unit = (1u64 << 32) / (2 * size as u64);
    let mut phases =
        vec![0, 1, unit as u32 - 1, unit as u32, 1 << 30, (1 << 30) - 1, 1 << 31, (1 << 31) - 1, u32::MAX];
    phases.extend([3 << 30, 0x0123_4567, 0xfedc_ba98]);
    let phases: Vec<Torus32> = phases.into_iter().map(Torus32).collect();
    let case = |(description, table): (_, LookupTable)| {
        let at: Vec<Torus32> = phases.iter().map(|&phase| table.at(phase)).collect();
        Case::new(
            json!({ "size": size, "table": description, "phases": words(&phases) }),
            json!({ "values": words64(table.values()), "at": words(&at) }),
        )
    };
    tables.into_iter().map(case).collect()
}
