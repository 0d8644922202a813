//! Connections: TLS, and clients that do not behave.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
};

use rcgen::generate_simple_self_signed;
use server::{Service, Tls};
use tempfile::TempDir;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::running::{Running, config};

#[test]
fn the_service_speaks_tls() {
    let folder = TempDir::new().unwrap();
    let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let tls = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let service = Service::open(server::Config { tls: Some(tls), ..config(&folder) }).unwrap();
    let roots = RootCerts::Specific(Arc::new(vec![Certificate::from_pem(certificate.as_bytes()).unwrap()]));
    let client = ureq::config::Config::builder().tls_config(TlsConfig::builder().root_certs(roots).build());
    let running = Running::serve(service, client);
    running.get_secure("/v2/health/ready").is(200);
    // Plain text is none.
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.write_all(b"GET /v2 HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    for (certificate, key) in [("", ""), ("no PEM", "no PEM")] {
        let error = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("TLS: "), "{error}");
    }
}

/// Requests that are none, and headers without end, cost their own connection.
#[test]
fn a_client_that_misbehaves_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    for request in [
        b"\0\xff\x01 nonsense\r\n\r\n".to_vec(),
        [b"GET /v2 HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec(), vec![b'a'; 64 << 10], b"\r\n\r\n".to_vec()]
            .concat(),
        [b"GET /v2 HTTP/1.1\r\nhost: localhost\r\n".to_vec(), b"x: y\r\n".repeat(100_000)].concat(),
    ] {
        let mut stream = TcpStream::connect(service.address).unwrap();
        // The service may stop to listen in the middle.
        let _ = stream.write_all(&request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // A body that breaks off.
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream
        .write_all(
            b"POST /v2/models/counting/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nabc",
        )
        .unwrap();
    drop(stream);
    service.get("/v2/health/ready").is(200);
}

/// Methods of a client's own invention are counted as one, so that they take no memory.
#[test]
fn invented_methods_are_one_number() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    for number in 0..100 {
        let request = format!("M{number} /v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let metrics = service.get("/metrics").is(200).text();
    let line = "bnn_requests_total{method=\"other\",path=\"/v2\",status=\"405\"} 100\n";
    assert!(metrics.contains(line) && !metrics.contains("M99"), "{metrics}");
}

/// Images that come at once share the memory for them; who comes beyond is told to come later, and they leave their room.
#[test]
fn images_that_come_at_once_have_bounded_room() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let head =
        "POST /v2/models/counting/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8388608\r\n\r\n";
    let send = || {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let held: Vec<TcpStream> = (0..32).map(|_| send()).collect();
    // Until the last of them was looked at, there is room.
    while service.post("/v2/models/counting/infer", b"no picture").status != 429 {
        thread::yield_now();
    }
    drop(held);
    while service.post("/v2/models/counting/infer", b"no picture").status == 429 {
        thread::yield_now();
    }
    service.post("/v2/models/counting/infer", b"no picture").is(400);
}
