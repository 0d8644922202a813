//! A server on this machine that answers as a test wants, also as no real one would.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// A request without its body.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Head {
    /// The method and the path.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The range of a part of an upload: its first and last byte, and the length of all.
    pub(crate) fn range(&self) -> (usize, usize, usize) {
        let range = self.headers["content-range"].strip_prefix("bytes ").unwrap();
        let numbers: Vec<usize> = range.split(['-', '/']).map(|number| number.parse().unwrap()).collect();
        (numbers[0], numbers[1], numbers[2])
    }
}

/// What is answered.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An object, with more headers.
    Json(u16, Value, &'static str),
    Bytes(Vec<u8>),
    /// These bytes as they are, after which the connection is closed.
    Raw(Vec<u8>),
}

impl Reply {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self::Json(status, value, "")
    }

    pub(crate) fn refusal(status: u16, line: &str) -> Self {
        Self::json(status, json!({ "error": line }))
    }

    fn bytes(self) -> Vec<u8> {
        let whole = |status: u16, headers: &str, body: &[u8]| {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
            );
            [head.as_bytes(), body].concat()
        };
        match self {
            Self::Json(status, value, headers) => whole(status, headers, value.to_string().as_bytes()),
            Self::Bytes(body) => whole(200, "", &body),
            Self::Raw(bytes) => bytes,
        }
    }
}

/// The server, which lives as long as the tests do.
pub(crate) struct Stub {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Stub {
    /// Answers each request by `answer`, which reads as much of the body as it wants.
    pub(crate) fn new(answer: impl Fn(&Head, &mut dyn Read) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::default());
        let (answer, seen) = (Arc::new(answer), Arc::clone(&heads));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                thread::spawn(move || serve(&stream.unwrap(), &*answer, &seen));
            }
        });
        Self { address, heads }
    }

    /// Its address, as `--server` takes it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn heads(&self) -> Vec<Head> {
        self.heads.lock().unwrap().clone()
    }

    /// The same by method and path.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heads().iter().map(Head::line).collect()
    }
}

fn serve(stream: &TcpStream, answer: impl Fn(&Head, &mut dyn Read) -> Reply, seen: &Mutex<Vec<Head>>) {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    // A connection that nothing came of.
    let Some(first) = line().filter(|first| !first.is_empty()) else { return };
    let [method, target, _] = first.split(' ').collect::<Vec<_>>()[..] else { panic!("{first}") };
    let path = target.split('?').next().unwrap();
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = line().unwrap().split_once(": ") {
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let head = Head { method: method.into(), path: path.into(), headers };
    seen.lock().unwrap().push(head.clone());
    let length = head.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let reply = answer(&head, &mut reader.take(length)).bytes();
    // Who has gone wants no answer.
    let _ = (&mut &*stream).write_all(&reply);
}
