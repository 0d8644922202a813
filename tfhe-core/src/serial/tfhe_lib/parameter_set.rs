//! Parameters as the library's files have them.

use std::io::Read;

use super::source::{Source, field_fault};
use super::text::{Integers, Number, read_section, write_section};
use crate::backend::transform::SIZES;
use crate::error::{Error, Result};
use crate::gadget::Gadget;
use crate::parameters::named::{TFHE_LIB_V1_0_1, TFHE_LIB_V1_1};
use crate::parameters::set::{Order, Parameters, SmallKey};
use crate::torus_words::TorusWidth;

/// The name of what is not one of the named sets.
pub(super) const OTHER: &str = "TFHE_LIB_OTHER";

/// The largest deviation with which the library's sets allow a message of two bits: it computes nothing from it.
const ALPHA_MAX: f64 = 0.012467;
/// Most bytes of a cloud key set: 36 times the library's own.
const MOST_KEY_BYTES: u64 = 1 << 32;
/// How far a standard deviation may be from a named set's, relative to it, for the set to be that one.
///
/// The versions of the library state the deviations of one set in several ways, which differ by up to 0.21 %: 1.0.1
/// computes sqrt(2/pi) 2^-15 and sqrt(2/pi) 9e-9, where later ones have 2.44e-5 and 7.18e-9. One per cent is 0.03 bits
/// of security.
const SAME_DEVIATION: f64 = 0.01;

/// Smallest and largest standard deviation as the text gives them, to 8 decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Deviations {
    least: f64,
    most: f64,
}

/// The parameters that the text of a file gives, within the bounds of what this crate computes with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterSet {
    /// As the version that wrote the file has them, so that the file can be written again.
    integers: Integers,
    /// n, 1 to 4096.
    lwe_dimension: usize,
    lwe: Deviations,
    /// k, 1 to 4.
    tlwe_dimension: usize,
    /// N, a power of two with a transform.
    polynomial_size: usize,
    tlwe: Deviations,
    /// Bg and l, at most 32 bits together.
    gadget: Gadget,
    /// Base and t of the key switch, at most 31 bits together.
    key_switch_gadget: Gadget,
}

impl ParameterSet {
    /// As the library writes them for keys of `parameters`.
    ///
    /// # Errors
    /// [`Error::NotTfheLib`] for a set that it cannot have.
    pub fn new(parameters: &Parameters) -> Result<Self> {
        let p = parameters;
        if !p.is_tfhe_lib() {
            return Err(Error::NotTfheLib { parameters: p.name });
        }
        // As the text will say, so that what is written equals what is read.
        let rounded = |x: f64| libm::round(1e8 * x) / 1e8;
        let deviations = |log2: f64| Deviations { least: rounded(libm::exp2(log2)), most: ALPHA_MAX };
        Ok(Self {
            integers: Integers::Padded,
            lwe_dimension: p.lwe_dimension,
            lwe: deviations(p.lwe_noise_log2),
            tlwe_dimension: p.tlwe_dimension,
            polynomial_size: p.polynomial_size,
            tlwe: deviations(p.tlwe_noise_log2),
            gadget: p.gadget,
            key_switch_gadget: p.key_switch_gadget,
        })
    }

    /// Reads a parameter set's file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadFile`] that says at which byte what is wrong.
    pub fn read(reader: impl Read) -> Result<Self> {
        let mut source = Source::new(reader);
        let set = Self::read_part(&mut source)?;
        source.finish()?;
        Ok(set)
    }

    /// The text of a parameter set, which key sets begin with too.
    pub fn to_text(&self) -> String {
        let integer = |value: usize| Number::Integer(value as u64);
        let gadget = |value: u32| Number::Integer(value.into());
        let mut text = String::new();
        write_section(
            &mut text,
            "GATEBOOTSPARAMS",
            self.integers,
            &[
                ("ks_basebit", gadget(self.key_switch_gadget.base_log())),
                ("ks_t", gadget(self.key_switch_gadget.levels())),
            ],
        );
        write_section(
            &mut text,
            "LWEPARAMS",
            self.integers,
            &[
                ("alpha_max", Number::Real(self.lwe.most)),
                ("alpha_min", Number::Real(self.lwe.least)),
                ("n", integer(self.lwe_dimension)),
            ],
        );
        write_section(
            &mut text,
            "TLWEPARAMS",
            self.integers,
            &[
                ("N", integer(self.polynomial_size)),
                ("alpha_max", Number::Real(self.tlwe.most)),
                ("alpha_min", Number::Real(self.tlwe.least)),
                ("k", integer(self.tlwe_dimension)),
            ],
        );
        write_section(
            &mut text,
            "TGSWPARAMS",
            self.integers,
            &[("Bgbit", gadget(self.gadget.base_log())), ("l", gadget(self.gadget.levels()))],
        );
        text
    }

    /// The text before the key-switching key.
    pub(super) fn key_switch_text(&self) -> String {
        let mut text = String::new();
        write_section(
            &mut text,
            "LWEKSPARAMS",
            self.integers,
            &[
                ("basebit", Number::Integer(self.key_switch_gadget.base_log().into())),
                ("n", Number::Integer((self.tlwe_dimension * self.polynomial_size) as u64)),
                ("t", Number::Integer(self.key_switch_gadget.levels().into())),
            ],
        );
        text
    }

    /// Reads the sections of a set, bounding what they declare.
    pub(super) fn read_part<R: Read>(source: &mut Source<R>) -> Result<Self> {
        let start = source.at();
        let [base_log, levels] = read_section(source, "GATEBOOTSPARAMS", ["ks_basebit", "ks_t"])?;
        let integers = base_log.integers();
        let base_log = base_log.integer(1..=8)?;
        let levels = levels.integer(1..=31 / base_log)?;
        let key_switch_gadget = gadget(base_log, levels);
        let (lwe_dimension, lwe) = Self::read_lwe(source)?;
        let (tlwe_dimension, polynomial_size, tlwe) = Self::read_tlwe(source)?;
        let gadget = Self::read_gadget(source)?;
        let set = Self {
            integers,
            lwe_dimension,
            lwe,
            tlwe_dimension,
            polynomial_size,
            tlwe,
            gadget,
            key_switch_gadget,
        };
        let bytes = set.key_words().and_then(|(key_switch, bootstrap)| {
            (key_switch as u64).checked_add(bootstrap as u64)?.checked_mul(4)
        });
        match bytes {
            Some(..=MOST_KEY_BYTES) => Ok(set),
            _ => Err(field_fault(
                start,
                "the parameter set",
                "one of larger keys",
                "one with keys of at most 4 GiB",
            )),
        }
    }

    /// n, and the deviations under the small key.
    fn read_lwe<R: Read>(source: &mut Source<R>) -> Result<(usize, Deviations)> {
        let [most, least, dimension] = read_section(source, "LWEPARAMS", ["alpha_max", "alpha_min", "n"])?;
        let deviations = Deviations { least: least.deviation()?, most: most.deviation()? };
        Ok((dimension.integer(1..=4096)?, deviations))
    }

    /// k, N, and the deviations under the large key.
    fn read_tlwe<R: Read>(source: &mut Source<R>) -> Result<(usize, usize, Deviations)> {
        let names = ["N", "alpha_max", "alpha_min", "k"];
        let at = source.at();
        let [size, most, least, dimension] = read_section(source, "TLWEPARAMS", names)?;
        let deviations = Deviations { least: least.deviation()?, most: most.deviation()? };
        let size = size.integer(SIZES)?;
        if !size.is_power_of_two() {
            return Err(field_fault(at, "N of the section", size, "a power of two"));
        }
        Ok((dimension.integer(1..=4)?, size, deviations))
    }

    fn read_gadget<R: Read>(source: &mut Source<R>) -> Result<Gadget> {
        let [base_log, levels] = read_section(source, "TGSWPARAMS", ["Bgbit", "l"])?;
        let base_log = base_log.integer(1..=16)?;
        let levels = levels.integer(1..=32 / base_log)?;
        Ok(gadget(base_log, levels))
    }

    /// Reads the text before the key-switching key, which repeats what the set says.
    pub(super) fn check_key_switch_text<R: Read>(&self, source: &mut Source<R>) -> Result<()> {
        let [base_log, dimension, levels] = read_section(source, "LWEKSPARAMS", ["basebit", "n", "t"])?;
        let gadget = self.key_switch_gadget;
        let declared = [
            (base_log, gadget.base_log() as usize),
            (dimension, self.tlwe_dimension * self.polynomial_size),
            (levels, gadget.levels() as usize),
        ];
        declared.iter().try_for_each(|(value, expected)| value.integer(*expected..=*expected).map(drop))
    }

    /// Whether the samples of a key-switching key for the digit 0, which nothing uses, are always zero: version 1.1
    /// leaves them so; early versions encrypted a 0.
    pub(super) fn has_zero_samples(&self) -> bool {
        self.integers == Integers::Padded
    }

    /// Words of the key-switching key and of the bootstrapping key; `None` where there are too many to count.
    pub(super) fn key_words(&self) -> Option<(usize, usize)> {
        let large = self.tlwe_dimension.checked_mul(self.polynomial_size)?;
        let key_switch = large
            .checked_mul(self.key_switch_gadget.levels() as usize)?
            .checked_mul(1usize.checked_shl(self.key_switch_gadget.base_log())?)?
            .checked_mul(self.lwe_dimension + 1)?;
        let row = (self.tlwe_dimension + 1).checked_mul(self.polynomial_size)?;
        let rows = (self.tlwe_dimension + 1).checked_mul(self.gadget.levels() as usize)?;
        Some((key_switch, self.lwe_dimension.checked_mul(rows)?.checked_mul(row)?))
    }

    /// The parameters for use: the named set that these are, with its own deviations, or one of the name [`OTHER`], of
    /// unknown security (0 bits). The variances are those of the noise under the small and under the large key.
    ///
    /// # Errors
    /// [`Error::Parameters`] for numbers that no engine computes with.
    pub(super) fn parameters(&self, lwe_variance: f64, tlwe_variance: f64) -> Result<Parameters> {
        let other = Parameters {
            name: OTHER,
            lwe_dimension: self.lwe_dimension,
            lwe_polynomial_size: 1,
            small_key: SmallKey::Binary,
            lwe_noise_log2: libm::log2(lwe_variance) / 2.0,
            tlwe_dimension: self.tlwe_dimension,
            polynomial_size: self.polynomial_size,
            tlwe_noise_log2: libm::log2(tlwe_variance) / 2.0,
            gadget: self.gadget,
            key_switch_gadget: self.key_switch_gadget,
            accumulator: TorusWidth::Bits32,
            bits_a_step: 1,
            order: Order::BootstrapFirst,
            security_bits: 0,
            log2_failure: -128.0,
        };
        let same = |variance: f64, log2: f64| {
            let expected = libm::exp2(log2);
            (libm::sqrt(variance) - expected).abs() <= SAME_DEVIATION * expected
        };
        let is = |named: &&Parameters| {
            let Parameters { name, lwe_noise_log2, tlwe_noise_log2, security_bits, .. } = **named;
            Parameters { name, lwe_noise_log2, tlwe_noise_log2, security_bits, ..other } == **named
                && same(lwe_variance, lwe_noise_log2)
                && same(tlwe_variance, tlwe_noise_log2)
        };
        [TFHE_LIB_V1_0_1, TFHE_LIB_V1_1].iter().find(is).copied().map_or_else(|| other.checked(), Ok)
    }
}

/// A gadget of numbers that were bounded.
fn gadget(base_log: usize, levels: usize) -> Gadget {
    Gadget::new(base_log as u32, levels as u32).expect("invariant: at most 32 bits together, as was checked")
}
