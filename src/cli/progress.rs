//! How far a long act has come: one line on standard error for somebody who watches, once a second has passed. It is gone
//! when something is asked or said, and when the act ends.

use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::ui;
use crate::base::disk::Document;
use crate::base::fault::Fault;

/// What is over sooner is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_millis(100);

const READING: &str = "fedroot: {msg} [{bar:30}] {percent}% of {total_bytes}";
const WORKING: &str = "fedroot: {msg} {spinner} {elapsed}";

/// The progress of one act; nothing where nobody watches.
#[derive(Clone)]
pub(super) struct Progress(Option<Rc<Line>>);

struct Line {
    bar: ProgressBar,
    /// Ends the thread that turns the spinner.
    _beating: Option<Sender<()>>,
}

impl Progress {
    /// Of an act that reads a document: name it with [`Progress::watch`].
    pub(super) fn reading(what: &'static str) -> Self {
        Self(ui::is_attended().then(|| Rc::new(Line { bar: bar(what, READING), _beating: None })))
    }

    /// Of an act that does not say how far it has come.
    pub(super) fn working(what: &'static str) -> Self {
        if !ui::is_attended() {
            return Self(None);
        }
        let (bar, (sender, receiver)) = (bar(what, WORKING), channel());
        let turning = bar.clone();
        std::thread::spawn(move || {
            while receiver.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                appear(&turning);
                turning.tick();
            }
        });
        Self(Some(Rc::new(Line { bar, _beating: Some(sender) })))
    }

    /// Follows a document that is read so many times.
    pub(super) fn watch(&self, document: Document, times: u64) -> Result<Document, Fault> {
        let Some(bar) = self.0.as_ref().map(|line| line.bar.clone()) else { return Ok(document) };
        let length = document.length()?;
        if length == 0 {
            return Ok(document);
        }
        bar.set_length(length * times);
        Ok(document.watched(move |count| {
            appear(&bar);
            bar.inc(count);
        }))
    }

    /// Leaves the terminal to `act`.
    pub(super) fn quietly<T>(&self, act: impl FnOnce() -> T) -> T {
        let Some(line) = &self.0 else { return act() };
        let done = line.bar.suspend(act);
        line.bar.reset_elapsed();
        done
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn bar(what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.progress_chars("=> ").tick_chars("|/-\\ ");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    bar.with_style(style).with_message(what).with_finish(ProgressFinish::AndClear)
}

fn appear(bar: &ProgressBar) {
    if bar.is_hidden() && bar.elapsed() > PATIENCE {
        bar.set_draw_target(ui::draw_target());
    }
}
