//! What the service tells of itself in numbers, in the text format of Prometheus. It counts; it names no client, key or image.

use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    /// The path as the service names it, such as `/v2/keys/{id}`.
    path: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Evaluation {
    model: String,
    ended: &'static str,
}

/// The numbers.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Histogram,
    evaluations: Family<Evaluation, Counter>,
    bootstraps: Counter<u64, AtomicU64>,
    expansions: Counter<u64, AtomicU64>,
    key_bytes: Gauge<i64, AtomicI64>,
    keys_at_work: Gauge<i64, AtomicI64>,
    runs: Gauge<i64, AtomicI64>,
    queued: Gauge<i64, AtomicI64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("bnn"),
            requests: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.001, 4.0, 10)),
            evaluations: Family::default(),
            bootstraps: Counter::default(),
            expansions: Counter::default(),
            key_bytes: Gauge::default(),
            keys_at_work: Gauge::default(),
            runs: Gauge::default(),
            queued: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests by method, path and status", metrics.requests.clone());
        registry.register("request_seconds", "Seconds from a request to its answer", metrics.seconds.clone());
        registry.register("evaluations", "Images by model and how they ended", metrics.evaluations.clone());
        registry.register("bootstraps", "Bootstraps done", metrics.bootstraps.clone());
        registry.register("key_expansions", "Cloud keys brought into memory", metrics.expansions.clone());
        registry.register("key_bytes", "Bytes of cloud keys in memory", metrics.key_bytes.clone());
        registry.register("keys_at_work", "Keys that have work", metrics.keys_at_work.clone());
        registry.register("runs", "Images that are being evaluated or wait", metrics.runs.clone());
        registry.register("queued_bootstraps", "Bootstraps that are queued", metrics.queued.clone());
        metrics
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, path: &str, status: u16, seconds: f64) {
        let request = Request { method, path: path.into(), status };
        self.requests.get_or_create(&request).inc();
        self.seconds.observe(seconds);
    }

    /// An evaluation has ended.
    pub(crate) fn evaluated(&self, model: &str, is_done: bool) {
        let ended = if is_done { "done" } else { "failed" };
        self.evaluations.get_or_create(&Evaluation { model: model.into(), ended }).inc();
    }

    /// Bootstraps were done.
    pub(crate) fn bootstrapped(&self, count: u64) {
        self.bootstraps.inc_by(count);
    }

    /// A key was brought into memory.
    pub(crate) fn expanded(&self) {
        self.expansions.inc();
    }

    /// What the worker has in hand.
    pub(crate) fn holding(&self, key_bytes: u64, keys: usize, runs: usize) {
        self.key_bytes.set(key_bytes as i64);
        self.keys_at_work.set(keys as i64);
        self.runs.set(runs as i64);
    }

    /// All of them as text.
    pub(crate) fn text(&self, queued: u64) -> Result<String, std::fmt::Error> {
        self.queued.set(queued as i64);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
