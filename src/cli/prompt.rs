//! Secrets and answers: from a file descriptor, a file, or the terminal. Never from arguments or the environment.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::progress::Progress;
use super::signals::{EchoGuard, unless_interrupted};
use super::{INTERRUPTED, NO_TERMINAL, number, ui};
use crate::base::bytes::hex;
use crate::base::descriptor::Descriptor;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::recipient::{Identities, MISSING, SECRET};
use crate::base::secret::Secret;
use crate::base::text::visible;
use crate::base::words;
use crate::ceremony::Approver;
use crate::custody::{PASSPHRASE_CHARS_SHORT, Prompt};
use crate::key::KeyId;
use crate::policy::{Confirmation, Request, Review};

const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a passphrase comes from.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Passphrase {
    /// Read the passphrase from this file descriptor (one trailing newline is dropped)
    #[arg(long, value_name = "N", value_parser = descriptor)]
    passphrase_fd: Option<Descriptor>,
    /// Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    passphrase_file: Option<PathBuf>,
}

/// Answers for the acts, from flags first and from the terminal last.
pub(super) struct Answers {
    pub(super) passphrase: Passphrase,
    pub(super) identity: Option<PathBuf>,
    /// The digests given; several where an act has several requests.
    pub(super) confirm: Vec<crate::base::bytes::Digest>,
    pub(super) batch: bool,
    pub(super) show: bool,
    /// Steps aside where something is asked or shown.
    pub(super) progress: Progress,
}

impl Prompt for Answers {
    fn passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        if self.identity.is_some() {
            self.warn("the key opens with a passphrase: --identity is not used")?;
        }
        match self.passphrase.given()? {
            Some(passphrase) => Ok(passphrase),
            None => self.ask_secretly(&format!("passphrase for {key}: ")),
        }
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        let passphrase = if let Some(passphrase) = self.passphrase.given()? {
            passphrase
        } else {
            let first = self.ask_secretly(&format!("new passphrase for {key}: "))?;
            let second = self.ask_secretly("the same passphrase again: ")?;
            if !crate::base::bytes::equal(first.expose().as_bytes(), second.expose().as_bytes()) {
                return Err(SECRET.fault("the two passphrases differ").hint("run it again"));
            }
            first
        };
        match passphrase.expose().chars().count() {
            0 => return Err(SECRET.fault("the passphrase is empty").hint("take five or more random words")),
            short if short < PASSPHRASE_CHARS_SHORT && !key.line.environment().is_severe() => {
                self.warn(
                    "the passphrase is short: whoever gets the file can guess it; take five or more random words",
                )?;
            }
            _ => {}
        }
        Ok(passphrase)
    }

    fn identities(&mut self, key: &KeyId) -> Result<Identities, Fault> {
        match &self.identity {
            Some(path) => identities(path),
            None => Err(MISSING
                .fault(format!("{key} is sealed to age recipients, and no identity was given"))
                .hint("give the identity file with --identity FILE")),
        }
    }
}

impl Approver for Answers {
    fn show(&mut self, review: &Review) -> Result<(), Fault> {
        let screen = super::review::screen(review);
        let asks = self.asks_for(&review.request);
        self.progress.quietly(|| match asks {
            true => tell(&screen),
            false if self.show => ui::say(&screen),
            false => Ok(()),
        })
    }

    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault> {
        let wanted = self.confirm.iter().find(|digest| **digest == request.digest());
        if let Some(digest) = wanted.or(self.confirm.first()) {
            return Ok(Confirmation::Digest(*digest));
        }
        if !self.asks_for(request) {
            return Ok(Confirmation::None);
        }
        let digest = request.digest();
        let mut screen =
            format!("\n{}request digest\n  {}\n", indented(request.text()), hex(digest.as_bytes()));
        for (row, words) in words::of(digest.as_bytes()).chunks(4).enumerate() {
            let numbered =
                words.iter().enumerate().map(|(n, word)| format!("{:>2} {word:<13}", row * 4 + n + 1));
            screen.push_str(&format!("  {}\n", numbered.collect::<Vec<_>>().join(" ").trim_end()));
        }
        screen.push_str("compare it with the digest that somebody else made, then type three of its words\n");
        let challenge = request.challenge(&mut random::system());
        let answers: Result<Vec<_>, Fault> = self.progress.quietly(|| {
            tell(&screen)?;
            challenge.places().map(|place| ask(&format!("word {place}: "))).collect()
        });
        Ok(Confirmation::Words(challenge, answers?))
    }
}

impl Answers {
    /// Whether a person at the terminal has to confirm.
    fn asks_for(&self, request: &Request) -> bool {
        request.is_severe() && self.confirm.is_empty() && !self.batch && has_terminal()
    }

    fn warn(&self, warning: &str) -> Result<(), Fault> {
        self.progress.quietly(|| ui::warn(warning))
    }

    fn ask_secretly(&self, question: &str) -> Result<Secret<String>, Fault> {
        if self.batch || !has_terminal() {
            return Err(NO_TERMINAL
                .fault("a passphrase is needed and there is no terminal to ask at")
                .hint("give it with --passphrase-fd N or --passphrase-file FILE"));
        }
        let guard = EchoGuard::new()?;
        let typed = self.progress.quietly(|| rpassword::prompt_password(question));
        drop(guard);
        match typed {
            Ok(typed) => Ok(Secret::new(typed)),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                Err(INTERRUPTED.fault("interrupted"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(MISSING.fault("no passphrase was typed").hint("run it again"))
            }
            Err(error) => Err(disk::fault("ask at", Path::new("/dev/tty"), &error)),
        }
    }
}

impl Passphrase {
    pub(super) fn is_standard_input(&self) -> bool {
        self.passphrase_fd.as_ref().is_some_and(|descriptor| descriptor.number() == 0)
    }

    /// The passphrase that flags give, if any.
    fn given(&self) -> Result<Option<Secret<String>>, Fault> {
        let (bytes, place) = match (&self.passphrase_fd, &self.passphrase_file) {
            (Some(descriptor), _) => {
                (descriptor.read(SECRET_BYTES_MAX)?, format!("file descriptor {}", descriptor.number()))
            }
            (None, Some(path)) => (private(path)?, path.display().to_string()),
            (None, None) => return Ok(None),
        };
        let bytes = Secret::new(bytes);
        let text = std::str::from_utf8(bytes.expose())
            .map_err(|_| SECRET.fault(format!("{place}: the passphrase is not UTF-8")))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.is_empty() {
            return Err(SECRET.fault(format!("{place}: the passphrase is empty")).hint("write it there"));
        }
        Ok(Some(Secret::new(text.to_owned())))
    }
}

/// Takes a descriptor while the arguments are read: before the program opens files of its own.
fn descriptor(text: &str) -> Result<Descriptor, String> {
    number(text).map(Descriptor::take)
}

/// Reads a passphrase file. What a shell makes of `<(…)` and `/dev/stdin` is a link to a descriptor, and no file of ours.
fn private(path: &Path) -> Result<Vec<u8>, Fault> {
    let read = disk::read_private(path, SECRET_BYTES_MAX);
    let is_descriptor = path.starts_with("/dev") || path.starts_with("/proc");
    read.map_err(|fault| {
        if is_descriptor {
            fault.hint("--passphrase-fd N reads from a descriptor, 0 being standard input")
        } else {
            fault
        }
    })
}

/// Reads an identity file.
pub(super) fn identities(path: &Path) -> Result<Identities, Fault> {
    let file = Secret::new(disk::read_private(path, SECRET_BYTES_MAX)?);
    Identities::parse(&file).map_err(|fault| fault.at(path.display()))
}

fn has_terminal() -> bool {
    disk::open_terminal().is_ok_and(|terminal| terminal.is_terminal())
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |text, line| text + &format!("  {}\n", visible(line)))
}

/// Shows something where a question follows, wherever the other streams go.
fn tell(text: &str) -> Result<(), Fault> {
    let mut terminal = disk::open_terminal()?;
    terminal.write_all(text.as_bytes()).map_err(|e| disk::fault("write to", Path::new("/dev/tty"), &e))
}

/// Asks a question whose answer may be seen.
fn ask(question: &str) -> Result<String, Fault> {
    tell(question)?;
    let failed = |e: std::io::Error| disk::fault("ask at", Path::new("/dev/tty"), &e);
    let terminal = disk::open_terminal()?;
    let typed = unless_interrupted(move || {
        let mut answer = String::new();
        BufReader::new(terminal).read_line(&mut answer).map(|_| answer)
    })?;
    let Some(answer) = typed else {
        tell("\n")?;
        return Err(INTERRUPTED.fault("interrupted"));
    };
    Ok(answer.map_err(failed)?.trim().to_owned())
}
