//! Looks for branches and memory addresses that depend on a secret in the client's code, in the manner of ctgrind (Langley,
//! 2010): secrets are marked as undefined for valgrind's memcheck, which follows every bit that is computed from them and
//! reports each conditional jump and each address that depends on one.
//!
//! ```text
//! cargo run --release --manifest-path benches/constant-time/Cargo.toml
//! ```
//!
//! Secret are the seed that a key or an encryption is drawn from, with all that is derived from it; the bits of a key that
//! is read from a file; and what is encrypted, from the pixels on. Nothing in the library is made for this: a
//! seed is tainted through the number that it is made of. What is public by construction (a key's identity and sizes, the
//! seed of the masks) is marked so, by marking the struct that holds it: secrets lie behind its pointers. Where a secret
//! decides something that everybody may know, the case says how many reports that makes, and no more may come.
//!
//! The two controls at the end break the rule, and must be reported; and results are looked at for whether memcheck followed the
//! secrets that far.

mod cases;
mod taint;

use std::process::{Command, ExitCode};

use crabgrind::{RunMode, count_errors, run_mode};

use taint::is_secret;

/// What memcheck is to report of a case.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// Nothing.
    Nothing,
    /// So many reports: a secret decides what everybody may know.
    Decisions(usize, &'static str),
    /// Something: the case breaks the rule on purpose.
    Something,
}

/// Runs cases and prints their reports.
#[derive(Default)]
pub(crate) struct Checker {
    cases: usize,
    failures: usize,
}

impl Checker {
    /// Runs one case, and gives what it gives.
    pub(crate) fn case<R>(&mut self, name: &str, expected: Expected, run: impl FnOnce() -> R) -> R {
        let before = count_errors();
        let result = std::hint::black_box(run());
        let reports = count_errors() - before;
        let (as_expected, remark) = match expected {
            Expected::Nothing => (reports == 0, String::new()),
            Expected::Decisions(count, what) => (reports == count, format!(", {count} allowed: {what}")),
            Expected::Something => (reports > 0, ", a control: some must come".into()),
        };
        self.cases += 1;
        self.failures += usize::from(!as_expected);
        println!("{} {name:<60} {reports:>6} reports{remark}", if as_expected { "ok  " } else { "FAIL" });
        result
    }

    /// Checks that a result, as bytes, was followed from the secrets.
    pub(crate) fn follows(&mut self, name: &str, result: &[u8]) {
        if !is_secret(result) {
            self.failures += 1;
            println!("FAIL {name}: the result does not depend on the secrets, or memcheck lost them");
        }
    }
}

fn main() -> ExitCode {
    if run_mode() != RunMode::Valgrind {
        return under_valgrind();
    }
    let mut checker = Checker::default();
    cases::keys(&mut checker);
    cases::library_keys(&mut checker);
    cases::networks(&mut checker);
    cases::controls(&mut checker);
    println!("{} cases, {} not as expected", checker.cases, checker.failures);
    if checker.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs this program again, under memcheck. One thread: valgrind runs threads in turn, and counts the errors of all.
fn under_valgrind() -> ExitCode {
    let program = std::env::current_exe().expect("invariant: a program that runs has a path");
    let arguments = ["--quiet", "--tool=memcheck", "--error-limit=no", "--num-callers=24"];
    let status = Command::new("valgrind").args(arguments).arg(program).env("RAYON_NUM_THREADS", "1").status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("valgrind could not be run ({error}): install it, on Debian with apt install valgrind");
            ExitCode::FAILURE
        }
    }
}
