//! Processes that are stopped in the middle of their work, so that a test can act there however fast or slow the machine is.

#![cfg(unix)]

use std::{
    fs,
    process::{Child, Command},
};

/// Sends a signal to a process.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Stops a process, and returns once it does nothing more; whether it was still running.
pub(crate) fn stop(child: &mut Child) -> bool {
    // A process that has ended keeps its number until it is waited for.
    if child.try_wait().unwrap().is_some() {
        return false;
    }
    signal(child, "STOP");
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if is_stopped(child.id()) {
            return true;
        }
    }
}

/// Lets a process go on.
pub(crate) fn go_on(child: &Child) {
    signal(child, "CONT");
}

/// Whether all threads of a process are stopped.
fn is_stopped(id: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else {
        // Where there is no /proc.
        let state = Command::new("ps").args(["-o", "state=", "-p", &id.to_string()]).output().unwrap();
        return state.stdout.trim_ascii().starts_with(b"T");
    };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state follows the name, which is in parentheses.
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    })
}
