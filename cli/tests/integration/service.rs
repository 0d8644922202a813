//! A service that runs as a process of its own, and requests to it.

#![cfg(unix)]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

use serde_json::Value;
use ureq::{Agent, http::Response};

use crate::{
    place::{Outcome, Place},
    stopped::signal,
};

/// `bnn serve --json`, which is killed when this is dropped.
pub(crate) struct Service {
    pub(crate) child: Child,
    /// What it printed when it listened.
    pub(crate) object: Value,
    stderr: Option<JoinHandle<String>>,
    agent: Agent,
    token: String,
}

/// How a service ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    /// Its log.
    pub(crate) stderr: String,
}

/// An answer, with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// The command of a service on a port that the system chooses, with its data in a folder of a place.
pub(crate) fn command(place: &Place, data: &str, arguments: &str) -> Command {
    place.command(&format!("serve --json --listen 127.0.0.1:0 --data {data} {arguments}"))
}

impl Service {
    /// Starts a service, and returns once it listens.
    #[track_caller]
    pub(crate) fn start(place: &Place, data: &str, arguments: &str) -> Self {
        Self::of(command(place, data, arguments))
    }

    /// The same of a command that was prepared.
    #[track_caller]
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("it never listens: {:?}", Outcome::of_child(child));
        }
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        let agent =
            Agent::new_with_config(ureq::config::Config::builder().http_status_as_error(false).build());
        let object = serde_json::from_str(&line).unwrap();
        Self { child, object, stderr: Some(stderr), agent, token: String::new() }
    }

    /// From now on requests have a token.
    pub(crate) fn use_token(&mut self, token: &str) {
        self.token = format!("Bearer {token}");
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.object["url"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap()
    }

    /// The same of a service that may have been killed.
    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        read(self.agent.get(self.url(path)).header("authorization", &self.token).call())
    }

    pub(crate) fn try_post(&self, path: &str, body: &[u8]) -> Option<Answer> {
        read(self.agent.post(self.url(path)).header("authorization", &self.token).send(body))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.try_post(path, body).unwrap()
    }

    /// Sends a whole file, or the part of it that begins at `first` and ends before `end`.
    pub(crate) fn try_put(&self, path: &str, file: &[u8], first: usize, end: usize) -> Option<Answer> {
        let range = format!("bytes {first}-{}/{}", end - 1, file.len());
        let request = self.agent.put(self.url(path)).header("authorization", &self.token);
        let request = if end - first < file.len() { request.header("content-range", range) } else { request };
        read(request.send(&file[first..end]))
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, file: &[u8]) -> Answer {
        self.try_put(path, file, 0, file.len()).unwrap()
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        read(self.agent.delete(self.url(path)).header("authorization", &self.token).call()).unwrap()
    }

    /// Waits for the end of a job, and gives what is known of it then.
    #[track_caller]
    pub(crate) fn ended(&self, path: &str) -> Value {
        loop {
            let job = self.get(&format!("{path}?wait=60")).is(200).json();
            if !matches!(job["state"].as_str(), Some("queued" | "running")) {
                return job;
            }
        }
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(self) -> End {
        signal(&self.child, "TERM");
        self.wait()
    }

    /// Kills it.
    pub(crate) fn kill(mut self) -> End {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> End {
        let status = self.child.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        End { status, stderr }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, if it came to its end.
fn read(answer: Result<Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut answer = answer.ok()?;
    let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = answer.body_mut().read_to_vec().ok()?;
    Some(Answer { status: answer.status().as_u16(), location, body })
}
