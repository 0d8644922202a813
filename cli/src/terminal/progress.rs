//! What is shown while something takes its time, on stderr: bars on a terminal, else a line now and then.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tfhe_core::control::Control;

use crate::terminal::{pace::Pace, units};

const TICK: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Says what is going on while `work` runs.
pub(crate) fn spinner<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(what);
    tick(&spinner);
    let result = work();
    spinner.finish_and_clear();
    result
}

/// Lets a bar that is seen move by itself, where a thread for that can be started: the bar's own start would end the process.
fn tick(bar: &ProgressBar) {
    if !bar.is_hidden() && thread::Builder::new().spawn(|| ()).is_ok() {
        bar.enable_steady_tick(TICK);
    }
}

/// The progress of work that is counted: a bar on a terminal, else a line on stderr now and then.
pub(crate) struct Count {
    bar: ProgressBar,
    what: &'static str,
    lines: Lines,
}

impl Count {
    /// Of bootstraps.
    pub(crate) fn bootstraps(total: usize) -> Self {
        Self::new(bar(total, 0, "{bar:40} {pos} of {len} bootstraps, {left}"), "bootstraps")
    }

    /// Of images.
    pub(crate) fn images(total: usize) -> Self {
        let bar = bar(total, 0, "{bar:40} {pos} of {len} images, {per_minute} a minute, {left}");
        tick(&bar);
        Self::new(bar, "images")
    }

    /// Of the rows of a cloud key.
    pub(crate) fn rows(total: usize) -> Self {
        Self::new(bar(total, 0, "{bar:40} {pos} of {len} rows of the cloud key, {left}"), "rows")
    }

    fn new(bar: ProgressBar, what: &'static str) -> Self {
        Self { bar, what, lines: Lines::new() }
    }

    /// A control that counts what it hears of.
    pub(crate) fn control(count: &Arc<Self>) -> Control {
        let count = Arc::clone(count);
        Control::with_progress(move |done| count.add(done))
    }

    /// Counts what was done.
    pub(crate) fn add(&self, count: usize) {
        self.bar.inc(count as u64);
        self.lines.tell(&self.bar, || {
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let left = Pace::new(done, total, 0, self.bar.elapsed()).left();
            format!("{done} of {total} {}, {left}", self.what)
        });
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Lines in the place of a bar that nobody sees.
struct Lines(Mutex<Instant>);

impl Lines {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Writes a line where the last one is a while ago and there is no terminal; that nobody reads it is no failure.
    fn tell(&self, bar: &ProgressBar, line: impl FnOnce() -> String) {
        if !bar.is_hidden() {
            return;
        }
        // Another thread that holds it is just writing one.
        if let Ok(mut last) = self.0.try_lock()
            && last.elapsed() >= LINE_INTERVAL
        {
            let _ = writeln!(io::stderr(), "{}", line());
            *last = Instant::now();
        }
    }
}

/// A bar of `count` steps, `before` of which were done before this run.
fn bar(count: usize, before: usize, template: &str) -> ProgressBar {
    let pace = move |state: &ProgressState| {
        Pace::new(state.pos(), state.len().unwrap_or_default(), before as u64, state.elapsed())
    };
    // Writing to the bar's own string cannot fail.
    let per_minute = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{:.1}", 60.0 * pace(state).per_second());
    };
    let per_second = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{:.0}", pace(state).per_second());
    };
    let left = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = text.write_str(&pace(state).left());
    };
    let style = ProgressStyle::with_template(template)
        .expect("invariant: the templates are well-formed")
        .with_key("per_minute", per_minute)
        .with_key("per_second", per_second)
        .with_key("left", left);
    ProgressBar::new(count as u64).with_style(style).with_position(before as u64)
}

/// The progress of a long run of gates: a bar on a terminal, else a line on stderr now and then.
pub(crate) struct Gates {
    bar: ProgressBar,
    total: usize,
    before: usize,
    lines: Lines,
}

impl Gates {
    /// A run of `total` bootstraps, of which `before` were done before it.
    pub(crate) fn new(total: usize, before: usize) -> Self {
        let template = "{bar:30} {pos} of {len} gates, {per_second} a second, {left}: {msg}";
        Self { bar: bar(total, before, template), total, before, lines: Lines::new() }
    }

    /// Shows how far it is, and in which layer.
    pub(crate) fn show(&self, done: usize, layer: Option<&str>) {
        let layer = layer.unwrap_or("done");
        self.bar.set_message(layer.to_owned());
        self.bar.set_position(done as u64);
        self.lines.tell(&self.bar, || {
            let pace = Pace::new(done as u64, self.total as u64, self.before as u64, self.bar.elapsed());
            let (speed, left) = (pace.per_second(), pace.left());
            format!("{done} of {} gates, {speed:.0} a second, {left}: {layer}", self.total)
        });
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of a soak test, which has an end in time: a bar on a terminal, else a line on stderr now and then.
pub(crate) struct Soak {
    bar: ProgressBar,
    start: Instant,
    end: Duration,
    done: AtomicUsize,
    lines: Lines,
}

impl Soak {
    pub(crate) fn new(end: Duration) -> Self {
        let bar = bar(end.as_secs() as usize, 0, "{bar:30} {msg}");
        Self { bar, start: Instant::now(), end, done: AtomicUsize::new(0), lines: Lines::new() }
    }

    /// A control that counts what it hears of.
    pub(crate) fn control(soak: &Arc<Self>) -> Control {
        let soak = Arc::clone(soak);
        Control::with_progress(move |done| soak.add(done))
    }

    /// Counts bootstraps that were done.
    fn add(&self, bootstraps: usize) {
        let done = self.done.fetch_add(bootstraps, Ordering::Relaxed) + bootstraps;
        let elapsed = self.start.elapsed();
        let speed = done as f64 / elapsed.as_secs_f64();
        let left = units::long_duration(self.end.saturating_sub(elapsed));
        let message = format!("{done} bootstraps, {speed:.0} a second, {left} left");
        self.bar.set_position(elapsed.as_secs());
        self.lines.tell(&self.bar, || message.clone());
        self.bar.set_message(message);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
