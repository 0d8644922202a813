//! What is shown while something takes its time: on stderr, and only if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

const TICK: Duration = Duration::from_millis(100);

/// Says what is going on while `work` runs.
pub(crate) fn spinner<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(TICK);
    let result = work();
    spinner.finish_and_clear();
    result
}

/// A bar of bootstraps.
pub(crate) fn bootstraps(count: usize) -> ProgressBar {
    bar(count, "{bar:40} {pos} of {len} bootstraps, {eta} left")
}

/// A bar of images.
pub(crate) fn images(count: usize) -> ProgressBar {
    let bar = bar(count, "{bar:40} {pos} of {len} images, {per_minute} a minute, {eta} left");
    bar.enable_steady_tick(TICK);
    bar
}

fn bar(count: usize, template: &str) -> ProgressBar {
    let per_minute = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        // Writing to the bar's own string cannot fail.
        let _ = write!(text, "{:.1}", 60.0 * state.per_sec());
    };
    let style = ProgressStyle::with_template(template)
        .expect("invariant: the templates are well-formed")
        .with_key("per_minute", per_minute);
    ProgressBar::new(count as u64).with_style(style)
}
