//! Auditors over time: a new one proves that he can decrypt, and gets the keys of sessions from before his time.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::base::bytes::{Digest, base64, hex};
use crate::base::fault::Fault;
use crate::base::random::Random;
use crate::base::recipient::Identities;

use super::records::{Records, Seals};
use super::session::{Session, unwrap, wrap};
use super::state::State;
use super::{AUDITOR, Auditor, Ledger, SEALED};

/// Larger files of rewrapped sessions are refused unread.
pub const REWRAPPED_BYTES_MAX: u64 = 64 << 20;
const ANSWER_BYTES_MAX: u64 = 1024;

/// What is asked of a new auditor: to open it. The file goes to him, the digest stays here.
pub struct Challenge {
    /// An age file whose content is the answer.
    pub file: Vec<u8>,
    /// What the answer must hash to.
    pub digest: Digest,
}

impl Challenge {
    /// A challenge that only this auditor can answer.
    pub fn new(auditor: &Auditor, mut random: &mut dyn CryptoRng) -> Result<Self, Fault> {
        let answer = Zeroizing::new(hex(&random.array::<16>()));
        let file = wrap(format!("{}\n", *answer).as_bytes(), std::slice::from_ref(auditor))?;
        Ok(Self { file, digest: digest(auditor, &answer) })
    }
}

/// The answer to a challenge, by who can open it.
pub fn answer(challenge: &[u8], identities: &Identities) -> Result<String, Fault> {
    let sealed = || {
        SEALED.fault("the identity does not open the challenge").hint("give the identity of the recipient")
    };
    let decryptor = age::Decryptor::new_buffered(challenge).map_err(|_| sealed())?;
    let mut text = String::new();
    let reader = decryptor.decrypt(identities.iter()).map_err(|_| sealed())?;
    reader.take(ANSWER_BYTES_MAX).read_to_string(&mut text).map_err(|_| sealed())?;
    Ok(text.trim_end().to_owned())
}

/// What an answer by this auditor hashes to.
pub fn digest(auditor: &Auditor, answer: &str) -> Digest {
    Digest::of(format!("fedroot-ledger/v1 challenge\n{auditor}\n{answer}\n").as_bytes())
}

impl Ledger {
    /// From here on these auditors read. Durable, and every line after it belongs to a new session.
    pub fn change_auditors(&mut self, auditors: &[Auditor]) -> Result<(), Fault> {
        let session = Session::begin(self.random.array(), auditors)?;
        let next = State { auditors: session.auditors, ..self.state.again() };
        self.remember(next)?;
        self.session = session;
        Ok(())
    }
}

/// Keys of sessions, wrapped for somebody who was no auditor when they were written. They stand in no ledger.
#[derive(Default)]
pub struct Rewrapped(BTreeMap<u64, String>);

impl Rewrapped {
    /// Reads a file of rewrapped sessions.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let wrong = || {
            AUDITOR.fault("it is not a file of rewrapped sessions").hint("`fedroot ledger rewrap` writes one")
        };
        let text = str::from_utf8(bytes).map_err(|_| wrong())?;
        let line = |line: &str| {
            let rest = line.strip_prefix("{\"v\":1,\"s\":")?.strip_suffix("\"}")?;
            let (session, envelope) = rest.split_once(",\"env\":\"")?;
            Some((session.parse().ok()?, envelope.to_owned()))
        };
        text.lines().map(line).collect::<Option<_>>().map(Self).ok_or_else(wrong)
    }

    pub(super) fn envelope(&self, session: u64) -> Option<&str> {
        self.0.get(&session).map(String::as_str)
    }
}

/// Wraps the keys of all sessions that these identities open for other auditors; the log is only read. Gives the numbers of
/// sessions that were wrapped, and that there are.
pub fn rewrap(
    source: impl Read,
    identities: &Identities,
    auditors: &[Auditor],
    to: &mut dyn Write,
) -> Result<(u64, u64), Fault> {
    let mut records = Records::with(source, Seals::Never);
    let (mut wrapped, mut sessions) = (0, 0);
    loop {
        let found = records.next(|line, _| {
            let Some(envelope) = line.envelope else { return Ok(()) };
            sessions += 1;
            let Some(key) = unwrap(envelope, identities) else { return Ok(()) };
            wrapped += 1;
            let envelope = wrap(key.expose(), auditors)?;
            writeln!(to, "{{\"v\":1,\"s\":{},\"env\":\"{}\"}}", line.index, base64(&envelope))
                .map_err(|e| crate::base::disk::fault("write", "the rewrapped sessions".as_ref(), &e))
        })?;
        match found {
            Some(done) => done?,
            None => return Ok((wrapped, sessions)),
        }
    }
}
