//! One blind rotation on several threads, for the latency of a single sample.
//!
//! Each member of a team owns some polynomials of the accumulator. In a step it transforms the digits of its own, takes
//! the others' digits, multiplies all by its own columns of the key, and adds the products to its own. So a member reads
//! only its part of the key, which is what a single rotation waits for, and members meet once a step, when the digits
//! are there. There are two sets of places for digits: whoever fills one for the step after next has met all others since
//! they read it.
//!
//! Members are threads of their own, not tasks of a pool: they wait for one another, so all must run.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::key::BootstrapKey;
use super::modulus_switch::SwitchedSample;
use crate::backend::buffer::AlignedBuffer;

/// Turns of waiting before the processor is offered to others: about a microsecond.
const SPINS: u32 = 25;

const NEVER_POISONED: &str = "invariant: a place is locked for a copy only";

/// Where the members of a team wait for one another.
struct Meeting {
    members: usize,
    arrivals: AtomicUsize,
    /// Whether a member will not come any more.
    abandoned: AtomicBool,
}

impl Meeting {
    /// Waits until every member has come to its meeting `number`, counted from 1.
    ///
    /// # Panics
    /// If a member panicked or could not be started: a wait for it would not end.
    fn wait(&self, number: usize) {
        self.arrivals.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0;
        while self.arrivals.load(Ordering::Acquire) < number * self.members {
            assert!(!self.abandoned.load(Ordering::Relaxed), "another thread of the bootstrap stopped");
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// Tells the others when its member panics.
struct Presence<'a>(&'a Meeting);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abandoned.store(true, Ordering::Relaxed);
        }
    }
}

/// One member's place for the digits that it shares.
type Place = RwLock<AlignedBuffer<f64>>;

/// All steps for one sample, on up to `threads` threads.
pub(super) fn rotate(key: &BootstrapKey, sample: &SwitchedSample, threads: usize, accumulator: &mut [u64]) {
    let shape = &key.shape;
    let share = shape.polynomials().div_ceil(threads);
    let members = shape.polynomials().div_ceil(share);
    let meeting = Meeting { members, arrivals: AtomicUsize::new(0), abandoned: AtomicBool::new(false) };
    // Words of digits that come of a polynomial.
    let digits_len = shape.gadget.levels() as usize * shape.stride();
    let place = || RwLock::new(AlignedBuffer::zeroed(share * digits_len));
    let places: [Vec<Place>; 2] = [0, 1].map(|_| (0..members).map(|_| place()).collect());
    std::thread::scope(|scope| {
        let (meeting, places) = (&meeting, &places);
        let _presence = Presence(meeting);
        for (member, polynomials) in accumulator.chunks_mut(share * shape.size).enumerate() {
            let mut work = move || {
                let _presence = Presence(meeting);
                let transform = key.fft.transform();
                let first = member * share;
                let own = first * digits_len..(first + polynomials.len() / shape.size) * digits_len;
                let mut scratch = AlignedBuffer::zeroed(shape.scratch_len());
                let mut shifts = vec![0; shape.rotations];
                for (number, step) in key.steps() {
                    let places = &places[number % 2];
                    transform.transform_digits(shape, polynomials, &mut scratch[own.clone()]);
                    places[member].write().expect(NEVER_POISONED)[..own.len()]
                        .copy_from_slice(&scratch[own.clone()]);
                    meeting.wait(number + 1);
                    for (other, place) in places.iter().enumerate().filter(|&(other, _)| other != member) {
                        let start = other * share * digits_len;
                        let end = (start + share * digits_len).min(shape.polynomials() * digits_len);
                        let digits = place.read().expect(NEVER_POISONED);
                        scratch[start..end].copy_from_slice(&digits[..end - start]);
                    }
                    key.shifts(number, sample, &mut shifts);
                    transform.multiply_and_add(&step, first, polynomials, &shifts, &mut scratch);
                }
            };
            // The last member is this thread.
            if member + 1 < members {
                scope.spawn(work);
            } else {
                work();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::backend::choice::Backend;
    use crate::bootstrap::key::BootstrapKey;
    use crate::bootstrap::lookup_table::LookupTable;
    use crate::keys::cloud::CloudKey;
    use crate::keys::secret::SecretKey;
    use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_1};
    use crate::random::{MaskSeed, Purpose, SEED_BYTES, SecretSeed};
    use crate::sample::lwe::LweCiphertext;
    use crate::torus::Torus32;

    /// Any team computes, to the last bit, what one thread does: members of one, two and more polynomials, and of several
    /// levels.
    #[test]
    fn a_team_of_any_size_gives_the_result_of_one_thread() {
        for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
            let secret = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
            let cloud = CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2));
            let mut words = vec![Torus32::default(); parameters.lwe_dimension + 1];
            MaskSeed([7; SEED_BYTES]).fill(Purpose::Ciphertexts, 0, &mut words);
            let sample = [LweCiphertext::from_words(words)];
            let table = LookupTable::from_function(parameters.polynomial_size, |x| x);
            let backend = Backend::fastest();
            let key = BootstrapKey::expand(&cloud, backend).unwrap();
            let alone = key.bootstrap(&sample, &[&table], 1);
            for threads in 2..=5 {
                let shared = key.bootstrap(&sample, &[&table], threads);
                assert!(shared == alone, "{}, {threads} threads", parameters.name);
            }
        }
    }
}
