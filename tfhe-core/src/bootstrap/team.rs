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
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BootstrapKey, SwitchedSample};
use crate::buffer::AlignedBuffer;

/// Turns of waiting before the processor is offered to others: about a microsecond.
const SPINS: u32 = 200;

const NEVER_POISONED: &str = "invariant: a place is locked for a copy only";

/// Where the members of a team wait for one another.
struct Meeting {
    members: usize,
    arrivals: AtomicUsize,
}

impl Meeting {
    /// Waits until every member has come to its meeting `number`, counted from 1.
    fn wait(&self, number: usize) {
        self.arrivals.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0;
        while self.arrivals.load(Ordering::Acquire) < number * self.members {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
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
    let meeting = Meeting { members, arrivals: AtomicUsize::new(0) };
    // Words of digits that come of a polynomial.
    let digits_len = shape.gadget.levels as usize * shape.stride();
    let place = || RwLock::new(AlignedBuffer::zeroed(share * digits_len));
    let places: [Vec<Place>; 2] = [0, 1].map(|_| (0..members).map(|_| place()).collect());
    std::thread::scope(|scope| {
        let (meeting, places) = (&meeting, &places);
        for (member, polynomials) in accumulator.chunks_mut(share * shape.size).enumerate() {
            let mut work = move || {
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
