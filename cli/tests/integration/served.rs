//! A service in a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::place::Place;

/// A service that runs until this is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    /// Of what is in the folder `data` of a place.
    pub(crate) fn new(place: &Place, arguments: &str) -> Self {
        let line = format!("serve --listen 127.0.0.1:0 --data data --json {arguments}");
        Self::told_by(place.command(line.trim()), |line| {
            let told: Value = serde_json::from_str(line).ok()?;
            Some(told["url"].as_str()?.into())
        })
    }

    /// Of a command whose first line tells the URL.
    pub(crate) fn told_by(mut command: Command, url: impl Fn(&str) -> Option<String>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = url(&line).unwrap_or_else(|| panic!("no service runs: {line:?}"));
        Self { child, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
