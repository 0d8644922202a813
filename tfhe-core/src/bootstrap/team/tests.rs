//! Teams of all sizes, late members, and members that never come: the result is always that of one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::rehearsal::{self, Moment, Rehearsal};
use crate::backend::choice::Backend;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::lookup_table::LookupTable;
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::parameters::{GATES_DEFAULT, Parameters, TFHE_LIB_V1_1};
use crate::random::{MaskSeed, Purpose, SEED_BYTES, SecretSeed};
use crate::sample::lwe::{Large, LweCiphertext, Small};
use crate::torus::Torus32;

/// Longer than any test takes.
const FOREVER: Duration = Duration::from_secs(1 << 32);

/// A rotation to share, and what comes of it.
struct Case {
    key: BootstrapKey,
    sample: [LweCiphertext<Torus32, Small>; 1],
    table: LookupTable,
    expected: Vec<LweCiphertext<Torus32, Large>>,
}

impl Case {
    fn new(parameters: &Parameters) -> Self {
        let secret = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
        let cloud = CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2)).unwrap();
        let mut words = vec![Torus32::default(); parameters.lwe_dimension + 1];
        MaskSeed([7; SEED_BYTES]).fill(Purpose::Ciphertexts, 0, &mut words);
        let sample = [LweCiphertext::from_words(words)];
        let table = LookupTable::from_function(parameters.polynomial_size, |x| x);
        let key = BootstrapKey::expand(&cloud, Backend::fastest()).unwrap();
        let expected = key.bootstrap(&sample, &[&table], 1);
        Self { key, sample, table, expected }
    }

    fn check(&self, threads: usize) {
        let shared = self.key.bootstrap(&self.sample, &[&self.table], threads);
        assert!(shared == self.expected, "{}, {threads} threads", self.key.parameters.name);
    }
}

type Pause = Arc<dyn Fn(Moment) + Send + Sync>;

/// A pool whose threads rehearse.
fn pool(threads: usize, rehearsal: Rehearsal) -> ThreadPool {
    let start = move |_| drop(rehearsal::replace(rehearsal.clone()));
    ThreadPoolBuilder::new().num_threads(threads).start_handler(start).build().unwrap()
}

/// A pool whose threads do something at each moment when they help.
fn pool_of_helpers(threads: usize, pause: impl Fn(Moment) + Send + Sync + 'static) -> ThreadPool {
    let pause: Option<Pause> = Some(Arc::new(pause));
    pool(threads, Rehearsal { pause, ..Rehearsal::default() })
}

/// Runs something on a thread of the pool that rehearses to lead meanwhile.
fn lead<R: Send>(pool: &ThreadPool, rehearsal: &Rehearsal, run: impl FnOnce() -> R + Send) -> R {
    pool.install(|| {
        let of_pool = rehearsal::replace(rehearsal.clone());
        let result = run();
        rehearsal::replace(of_pool);
        result
    })
}

/// Waits until what another thread is to do has happened.
fn await_that(happened: impl Fn() -> bool) {
    while !happened() {
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Keeps some threads of the pool busy until it is told that all is `done`.
fn block(pool: &ThreadPool, threads: usize, done: &Arc<AtomicBool>) {
    let blocked = Arc::new(AtomicUsize::new(0));
    for _ in 0..threads {
        let (blocked, done) = (Arc::clone(&blocked), Arc::clone(done));
        pool.spawn(move || {
            blocked.fetch_add(1, Ordering::SeqCst);
            await_that(|| done.load(Ordering::SeqCst));
        });
    }
    await_that(|| blocked.load(Ordering::SeqCst) == threads);
}

/// Any team computes, to the last bit, what one thread does: members of one, two and more polynomials, and of several
/// levels. Nobody is late here, so that every step but the first ones is shared by all.
#[test]
fn a_team_of_any_size_gives_the_result_of_one_thread() {
    for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
        let case = Case::new(parameters);
        for threads in 2..=5 {
            let members = super::meeting::members(&case.key.shape, threads);
            let shares = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&shares);
            let pause: Pause = Arc::new(move |moment| {
                count.fetch_add(usize::from(moment == Moment::BeforeReading), Ordering::SeqCst);
            });
            let helpers = Arc::new(AtomicUsize::new(members - 1));
            let rehearsal = Rehearsal { step_time: Some(FOREVER), helpers, pause: Some(pause) };
            pool(threads, rehearsal).install(|| case.check(threads));
            // Three steps for the clock, and one in which the meeting is called.
            let shared_steps = parameters.steps() - 4;
            assert_eq!(shares.load(Ordering::SeqCst), members * shared_steps, "{}", parameters.name);
        }
    }
}

/// Two helpers come when a meeting with the first one has begun: all of them go to another.
#[test]
fn a_meeting_is_adjourned_for_a_larger_one() {
    let case = Case::new(&GATES_DEFAULT);
    let seated = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(AtomicBool::new(false));
    let count = Arc::clone(&seated);
    let pool = pool_of_helpers(4, move |moment| {
        count.fetch_add(usize::from(moment == Moment::Seated), Ordering::SeqCst);
    });
    block(&pool, 2, &begun);
    let count = Arc::clone(&seated);
    let pause: Pause = Arc::new(move |moment| {
        if moment == Moment::BeforeReading && !begun.swap(true, Ordering::SeqCst) {
            await_that(|| count.load(Ordering::SeqCst) == 3);
        }
    });
    let helpers = Arc::new(AtomicUsize::new(1));
    lead(&pool, &Rehearsal { step_time: Some(FOREVER), helpers, pause: Some(pause) }, || case.check(4));
    await_that(|| seated.load(Ordering::SeqCst) >= 6);
}

/// A number below 1000, the same in every run.
fn noise(number: usize) -> u32 {
    (number as u32).wrapping_mul(0x9e37_79b9).rotate_left(16).wrapping_mul(0x85eb_ca6b) % 1000
}

/// Every member, the leader too, is suspended now and then, for less or more time than the others wait: with the lock of its place,
/// before it reads, or before it has begun.
#[test]
fn members_that_are_late_change_nothing() {
    for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
        let case = Case::new(parameters);
        for threads in [2, 4] {
            let moments = AtomicUsize::new(0);
            let pause: Pause = Arc::new(move |moment| match noise(moments.fetch_add(1, Ordering::SeqCst)) {
                0..10 => std::thread::sleep(Duration::from_micros(200)),
                10..30 => std::thread::yield_now(),
                30..200 if moment == Moment::Seated => std::thread::sleep(Duration::from_millis(2)),
                _ => {}
            });
            let step_time = Some(Duration::from_micros(50));
            let rehearsal = Rehearsal { step_time, pause: Some(pause), ..Rehearsal::default() };
            pool(threads, rehearsal).install(|| (0..10).for_each(|_| case.check(threads)));
        }
    }
}

/// A helper that is suspended, also with the lock of its place, and goes on only when the leader is done.
#[test]
fn nobody_waits_for_a_helper_that_is_suspended() {
    let case = Case::new(&GATES_DEFAULT);
    for (moment, number) in [
        (Moment::Seated, 0),
        (Moment::WhilePublishing, 0),
        (Moment::WhilePublishing, 1),
        (Moment::WhilePublishing, 10),
        (Moment::BeforeReading, 0),
        (Moment::BeforeReading, 11),
    ] {
        let helpers = Arc::new(AtomicUsize::new(1));
        let suspended = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicBool::new(false));
        let pool = {
            let (helpers, suspended, done) =
                (Arc::clone(&helpers), Arc::clone(&suspended), Arc::clone(&done));
            let seen = AtomicUsize::new(0);
            pool_of_helpers(2, move |now| {
                if now == moment && seen.fetch_add(1, Ordering::SeqCst) == number {
                    suspended.store(true, Ordering::SeqCst);
                    // The leader does not wait for others to come.
                    helpers.store(0, Ordering::SeqCst);
                    await_that(|| done.load(Ordering::SeqCst));
                }
            })
        };
        // Long beside what the system takes a thread away for, so that the test ends soon on a busy machine too.
        let step_time = Some(Duration::from_millis(20));
        let rehearsal = Rehearsal { step_time, helpers: Arc::clone(&helpers), pause: None };
        // A helper may also be late by itself, and then it has not come that far.
        while !suspended.load(Ordering::SeqCst) {
            lead(&pool, &rehearsal, || case.check(2));
        }
        done.store(true, Ordering::SeqCst);
        // It comes again.
        helpers.store(1, Ordering::SeqCst);
        lead(&pool, &rehearsal, || case.check(2));
    }
}

/// A helper that panics, with the lock of its place or without.
#[test]
fn a_helper_that_panics_spoils_nothing() {
    let case = Case::new(&GATES_DEFAULT);
    for moment in [Moment::WhilePublishing, Moment::BeforeReading] {
        let panicked = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&panicked);
        let seen = AtomicUsize::new(0);
        let pool = pool_of_helpers(2, move |now| {
            if now == moment && seen.fetch_add(1, Ordering::SeqCst) == 10 {
                flag.store(true, Ordering::SeqCst);
                panic!("a helper's fault, as rehearsed");
            }
        });
        // Long beside what the system takes a thread away for, so that the test ends soon on a busy machine too.
        let step_time = Some(Duration::from_millis(20));
        let rehearsal = Rehearsal { step_time, helpers: Arc::new(AtomicUsize::new(1)), pause: None };
        while !panicked.load(Ordering::SeqCst) {
            lead(&pool, &rehearsal, || case.check(2));
        }
        lead(&pool, &rehearsal, || case.check(2));
    }
}

/// The other threads of the pool do not come back before the rotation is done.
#[test]
fn a_pool_whose_other_threads_are_blocked_suffices() {
    let case = Case::new(&GATES_DEFAULT);
    let pool = pool(3, Rehearsal::default());
    let done = Arc::new(AtomicBool::new(false));
    block(&pool, 2, &done);
    pool.install(|| (0..3).for_each(|_| case.check(3)));
    done.store(true, Ordering::SeqCst);
}

/// Rotations that run at the same time, on one pool and outside of it.
#[test]
fn several_rotations_at_once_do_not_disturb_each_other() {
    let case = Case::new(&GATES_DEFAULT);
    let pool = pool(3, Rehearsal::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| pool.install(|| case.check(3))));
            scope.spawn(|| (0..5).for_each(|_| case.check(2)));
        }
    });
}
