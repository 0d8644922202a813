//! What is shown while something takes its time, on stderr: bars on a terminal, else a line now and then; or JSON lines for
//! programs that asked for them.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;
use tfhe_core::control::Control;

use crate::terminal::{
    output::{Notes, note, notes},
    pace::Pace,
    units,
};

const TICK: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal, and how often one for programs.
const LINE_INTERVAL: Duration = Duration::from_secs(30);
const JSON_INTERVAL: Duration = Duration::from_secs(1);

/// Says what is going on while `work` runs.
pub(crate) fn spinner<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = seen(ProgressBar::new_spinner()).with_message(what);
    tick(&spinner);
    if notes() == Notes::JsonWithProgress {
        tell_json(&Stage { what, ..Stage::default() });
    }
    let result = work();
    spinner.finish_and_clear();
    result
}

/// How far work is, for programs.
#[derive(Debug, Default)]
struct Stage<'a> {
    what: &'a str,
    /// Steps that are done, and all.
    done: Option<u64>,
    total: Option<u64>,
    per_second: Option<f64>,
    left: Option<Duration>,
    layer: Option<&'a str>,
}

impl<'a> Stage<'a> {
    fn counted(what: &'a str, done: u64, total: u64, pace: Pace) -> Self {
        let per_second = (pace.done > 0).then(|| pace.per_second());
        Self { what, done: Some(done), total: Some(total), per_second, left: pace.time_left(), layer: None }
    }
}

fn tell_json(stage: &Stage<'_>) {
    note(json!({ "progress": {
        "what": stage.what,
        "done": stage.done,
        "total": stage.total,
        "per_second": stage.per_second,
        "seconds_left": stage.left.map(|left| left.as_secs_f64()),
        "layer": stage.layer,
    }}));
}

/// A bar that is drawn unless programs read along.
fn seen(bar: ProgressBar) -> ProgressBar {
    if notes() == Notes::JsonWithProgress {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
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
    before: u64,
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

    /// Of the bytes of a cloud key, `before` of which were sent before.
    pub(crate) fn bytes(total: usize, before: usize) -> Self {
        let template = "{bar:40} {decimal_bytes} of {decimal_total_bytes} of the cloud key sent, {left}";
        Self::new(bar(total, before, template), "bytes")
    }

    fn new(bar: ProgressBar, what: &'static str) -> Self {
        let before = bar.position();
        let count = Self { bar, what, before, lines: Lines::default() };
        count.tell();
        count
    }

    /// A control that counts what it hears of.
    pub(crate) fn control(count: &Arc<Self>) -> Control {
        let count = Arc::clone(count);
        Control::with_progress(move |done| count.add(done))
    }

    /// Counts what was done.
    pub(crate) fn add(&self, count: usize) {
        self.bar.inc(count as u64);
        self.tell();
    }

    /// Counts what was done so far, which may be less than before.
    pub(crate) fn reach(&self, position: usize) {
        self.bar.set_position(position as u64);
        self.tell();
    }

    fn tell(&self) {
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let pace = || Pace::new(done, total, self.before, self.bar.elapsed());
        self.lines.tell(
            &self.bar,
            || format!("{done} of {total} {}, {}", self.what, pace().left()),
            || Stage::counted(self.what, done, total, pace()),
        );
    }

    pub(crate) fn finish(&self) {
        self.lines.end();
        self.tell();
        self.bar.finish_and_clear();
    }
}

/// Lines in the place of a bar that nobody sees: when the last was written.
struct Lines(Mutex<Last>);

#[derive(Debug, Clone, Copy)]
enum Last {
    /// None yet, since this moment.
    None(Instant),
    At(Instant),
    /// The work is done: one more for programs.
    End,
}

impl Default for Lines {
    fn default() -> Self {
        Self(Mutex::new(Last::None(Instant::now())))
    }
}

impl Lines {
    /// Writes a line where the last one is a while ago: for people where there is no terminal, for programs where they asked.
    /// Programs also hear of the beginning and the end.
    fn tell<'a>(&self, bar: &ProgressBar, line: impl FnOnce() -> String, stage: impl FnOnce() -> Stage<'a>) {
        let (is_json, interval) = match notes() {
            Notes::Text if bar.is_hidden() => (false, LINE_INTERVAL),
            Notes::JsonWithProgress => (true, JSON_INTERVAL),
            Notes::Text | Notes::Json => return,
        };
        // Another thread that holds it is just writing one.
        let Ok(mut last) = self.0.try_lock() else { return };
        let is_time = match *last {
            Last::None(since) => is_json || since.elapsed() >= interval,
            Last::At(last) => last.elapsed() >= interval,
            Last::End => is_json,
        };
        if !is_time {
            return;
        }
        if is_json {
            tell_json(&stage());
        } else {
            // That nobody reads it is no failure.
            let _ = writeln!(io::stderr(), "{}", line());
        }
        *last = Last::At(Instant::now());
    }

    /// Says that the next line is the last.
    fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Last::End;
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
    seen(ProgressBar::new(count as u64)).with_style(style).with_position(before as u64)
}

/// The progress of a long run that is saved as it goes: a bar on a terminal, else a line on stderr now and then.
pub(crate) struct Saved {
    bar: ProgressBar,
    /// What is counted.
    what: &'static str,
    total: usize,
    before: usize,
    lines: Lines,
}

impl Saved {
    /// A run of `total` bootstraps, each of which is one of `what`, and of which `before` were done before it.
    pub(crate) fn new(what: &'static str, total: usize, before: usize) -> Self {
        let template =
            format!("{{bar:30}} {{pos}} of {{len}} {what}, {{per_second}} a second, {{left}}: {{msg}}");
        Self { bar: bar(total, before, &template), what, total, before, lines: Lines::default() }
    }

    /// What the run tells how far it is.
    pub(crate) fn control(progress: &Arc<Self>) -> Control {
        let progress = Arc::clone(progress);
        Control::with_progress(move |done| progress.bar.inc(done as u64))
    }

    /// Shows how far it is, and in which layer.
    pub(crate) fn show(&self, done: usize, layer: Option<&str>) {
        self.bar.set_message(layer.unwrap_or("done").to_owned());
        self.bar.set_position(done as u64);
        self.tell(layer);
    }

    fn tell(&self, layer: Option<&str>) {
        let (done, total) = (self.bar.position(), self.total as u64);
        let pace = || Pace::new(done, total, self.before as u64, self.bar.elapsed());
        let line = || {
            let (speed, left) = (pace().per_second(), pace().left());
            let what = self.what;
            format!("{done} of {total} {what}, {speed:.0} a second, {left}: {}", layer.unwrap_or("done"))
        };
        self.lines
            .tell(&self.bar, line, || Stage { layer, ..Stage::counted(self.what, done, total, pace()) });
    }

    pub(crate) fn finish(&self) {
        self.lines.end();
        self.tell(None);
        self.bar.finish_and_clear();
    }
}

/// The progress of a job at a service, which says itself how far it is.
pub(crate) struct Elsewhere {
    bar: ProgressBar,
    lines: Lines,
}

impl Elsewhere {
    /// Of a job that is called `name` beside others.
    pub(crate) fn new(name: &str) -> Self {
        let bar = bar(0, 0, "{prefix}{bar:40} {pos} of {len} bootstraps, {msg}");
        Self { bar: bar.with_prefix(name.to_owned()), lines: Lines::default() }
    }

    /// Shows how far it is, and how long it takes from now where the service knows.
    pub(crate) fn show(&self, done: u64, total: Option<u64>, layer: Option<&str>, left: Option<Duration>) {
        let until = match left {
            Some(left) => format!("{} left", units::long_duration(left)),
            None => "time left not known yet".into(),
        };
        self.bar.set_length(total.unwrap_or(done));
        self.bar.set_position(done);
        let of_total = total.map_or_else(String::new, |total| format!(" of {total}"));
        let stage = || Stage { what: "bootstraps", done: Some(done), total, per_second: None, left, layer };
        self.lines.tell(&self.bar, || format!("{done}{of_total} bootstraps, {until}"), stage);
        self.bar.set_message(until);
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
        Self { bar, start: Instant::now(), end, done: AtomicUsize::new(0), lines: Lines::default() }
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
        // Its end in time is past while the last round runs.
        let left = self.end.checked_sub(elapsed);
        let until =
            left.map_or("in the last round".into(), |left| format!("{} left", units::long_duration(left)));
        let message = format!("{done} bootstraps, {speed:.0} a second, {until}");
        self.bar.set_position(elapsed.as_secs());
        let stage = || Stage {
            what: "bootstraps",
            done: Some(done as u64),
            per_second: Some(speed),
            left,
            ..Stage::default()
        };
        self.lines.tell(&self.bar, || message.clone(), stage);
        self.bar.set_message(message);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
