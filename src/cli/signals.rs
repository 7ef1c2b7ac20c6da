//! Signals: a terminal gets its echo back whatever ends or stops a prompt, and a full file is an error, not a death.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};

use crate::base::disk;
use crate::base::fault::Fault;

/// What a process does before it sees a secret: nobody may trace or dump it, and what it writes is private.
pub(super) fn harden() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // Each of these is an additional wall: where the system lacks one, the others stand.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _ = rustix::thread::set_no_new_privs(true);
    // A handler that does nothing turns "file size limit" from a death into an error of the write.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Whether somebody wants the process to end, for an act that cleans up and looks now and then; asked twice, it ends at once.
pub(super) fn interrupts() -> Result<Arc<AtomicBool>, Fault> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, asked.clone())
            .and_then(|_| signal_hook::flag::register(signal, asked.clone()))
            .map_err(|e| disk::fault("watch", "signals".as_ref(), &e))?;
    }
    Ok(asked)
}

/// Whether signals do what they do by default. Once one was watched, its handler stays and would swallow the next.
static UNWATCHED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let is_unwatched = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] {
        // where it cannot be registered, the signal is swallowed, and SIGKILL is left
        let _ = signal_hook::flag::register_conditional_default(signal, is_unwatched.clone());
    }
    is_unwatched
});

/// While it lives, somebody watches signals, and they do not what they do by default.
struct Watch;

impl Watch {
    fn begin() -> Self {
        UNWATCHED.store(false, Ordering::SeqCst);
        Self
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        UNWATCHED.store(true, Ordering::SeqCst);
    }
}

/// What a person answers; `None` when a signal asks the process to end before that. Who asks waits on a thread of its own: a
/// read at the terminal does not end when a signal comes.
pub(super) fn unless_interrupted<T: Send + 'static>(
    ask: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Fault> {
    let _watch = Watch::begin();
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.map_err(|e| disk::fault("watch", "/dev/tty".as_ref(), &e))?;
    let (handle, (interrupts, first)) = (signals.handle(), channel());
    let answers = interrupts.clone();
    let watcher = std::thread::spawn(move || {
        let is_asked = signals.forever().next().is_some();
        // nobody listens once there is an answer
        is_asked.then(|| drop(interrupts.send(None)));
    });
    std::thread::spawn(move || drop(answers.send(Some(ask()))));
    let answer = first.recv().ok().flatten();
    handle.close();
    let _ = watcher.join();
    Ok(answer)
}

/// While it lives, a signal that ends or stops the process gives the terminal its settings back first.
pub(super) struct EchoGuard {
    handle: Handle,
    watcher: Option<JoinHandle<()>>,
    _watch: Watch,
}

impl EchoGuard {
    pub(super) fn new() -> Result<Self, Fault> {
        let watch_of_signals = Watch::begin();
        let terminal = disk::open_terminal()?;
        let failed = |e: std::io::Error| disk::fault("watch", "/dev/tty".as_ref(), &e);
        let before = tcgetattr(&terminal).map_err(|e| failed(e.into()))?;
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT]).map_err(failed)?;
        let handle = signals.handle();
        let watcher = std::thread::spawn(move || {
            let mut asking = None;
            for signal in &mut signals {
                watch(signal, &terminal, &before, &mut asking);
            }
        });
        Ok(Self { handle, watcher: Some(watcher), _watch: watch_of_signals })
    }
}

fn watch(signal: i32, terminal: &std::fs::File, before: &Termios, asking: &mut Option<Termios>) {
    // When the terminal is gone there is nothing to restore.
    match signal {
        SIGTSTP => {
            *asking = tcgetattr(terminal).ok();
            let _ = tcsetattr(terminal, OptionalActions::Now, before);
            let _ = kill_process(getpid(), Signal::STOP);
        }
        SIGCONT => {
            // Only what we ourselves put away: another SIGCONT must not bring the echo back.
            if let Some(asking) = asking.take() {
                let _ = tcsetattr(terminal, OptionalActions::Now, &asking);
            }
        }
        ending => {
            let _ = tcsetattr(terminal, OptionalActions::Now, before);
            let _ = signal_hook::low_level::emulate_default_handler(ending);
        }
    }
}

impl Drop for EchoGuard {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}
