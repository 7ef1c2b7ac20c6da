//! The public half of a vault: its configuration, key lines, records, profiles and certificates. Needs no secret.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::journal::Noted;
use super::journal_file::{Journal, consistent};
use super::rebuild::{self, Rebuilt};
use super::{LINE_EXISTS, NO_LINE, NO_VAULT, NOT_HELD, Record, STALE, TAMPERED, VAULT, situation};
use crate::base::bytes::{Digest, from_hex, hex};
use crate::base::clock::Instant;
use crate::base::disk;
use crate::base::fault::{Fault, INTERNAL};
use crate::key::{Environment, KeyId, Line};
use crate::ledger::{self, Auditor, CHECKPOINTS, Checkpoint, NOTE_BYTES_MAX, Newest, Note};
use crate::lifecycle::{History, KeyState, Stage};
use crate::policy::Last;

const TEXT_BYTES_MAX: u64 = 4 << 20;

/// `vault.toml`: what the whole vault goes by. Read strictly: unknown keys are refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The version of the vault's format: 1.
    pub version: u32,
    /// The name of this vault: 32 hexadecimal digits.
    pub id: String,
    /// The name of its ledger, as checkpoints state it.
    pub origin: String,
    /// When it was made.
    pub created: String,
    /// The environments whose keys it may hold.
    pub environments: Vec<String>,
    /// The age recipients of those who read the ledger.
    pub auditors: Vec<String>,
    /// Those who are about to read it: only while the auditors change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auditors_next: Option<Vec<String>>,
}

impl Configuration {
    /// The bytes of `vault.toml`.
    pub(super) fn to_toml(&self) -> Result<String, Fault> {
        toml::to_string(self).map_err(|e| VAULT.fault(format!("the configuration cannot be written: {e}")))
    }
}

/// The public half of a vault.
pub struct Catalogue {
    folder: PathBuf,
    configuration: Configuration,
    journal: OnceLock<Journal>,
}

impl Catalogue {
    /// Opens a vault to read. Refuses one that others than its owner may read or change.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join("vault.toml");
        if !disk::exists(&path) {
            return Err(NO_VAULT
                .fault(format!("there is no vault at {}", folder.display()))
                .hint("name it with --vault or FEDROOT_VAULT, or make one with `fedroot init`"));
        }
        // stages and inventory are what the ledger says they are: nothing is told without it
        ledger::open_log(&folder.join("ledger"))?;
        for private in [folder, &path, &folder.join("keys"), &folder.join("ledger")] {
            disk::check_private(private)?;
        }
        let configuration: Configuration = toml::from_str(&text(&path)?)
            .map_err(|e| VAULT.fault(format!("{}: {}", path.display(), e.message())))?;
        if configuration.version != 1 {
            return Err(VAULT.fault(format!(
                "{} has version {}, not 1",
                path.display(),
                configuration.version
            )));
        }
        Ok(Self { folder: folder.to_owned(), configuration, journal: OnceLock::new() })
    }

    /// What the ledger says of keys, as far as this machine may know it.
    ///
    /// # Errors
    /// [`JOURNAL`](super::JOURNAL): it is damaged, or another copy than the ledger's.
    pub fn journal(&self) -> Result<&Journal, Fault> {
        if let Some(journal) = self.journal.get() {
            return Ok(journal);
        }
        let folder = self.ledger_folder();
        let journal = consistent(|| ledger::newest(&folder), |known| Journal::read(&self.folder, known))?;
        Ok(self.journal.get_or_init(|| journal))
    }

    /// Refuses a clock that is behind the last entry of the ledger, where this machine knows that entry.
    pub fn check_clock(&self, now: Instant) -> Result<(), Fault> {
        ledger::check_clock(&self.ledger_folder(), now)
    }

    /// Refuses what the next entry of the ledger would be refused for, as far as that shows without a lock.
    pub fn check_ledger(&self, now: Instant) -> Result<(), Fault> {
        ledger::check_next(&self.ledger_folder(), now)
    }

    /// The journal, to write to it.
    pub(super) fn journal_mut(&mut self) -> Result<&mut Journal, Fault> {
        self.journal()?;
        self.journal.get_mut().ok_or_else(|| INTERNAL.fault("the journal was read, and is not there"))
    }

    /// Reads the journal anew, and closes off what a crash left of it. Only who holds the ledger's lock may.
    pub(super) fn reread(&mut self, newest: Newest) -> Result<(), Fault> {
        let mut journal = Journal::read(&self.folder, Some(newest).into())?;
        journal.settle()?;
        self.journal = OnceLock::from(journal);
        Ok(())
    }

    /// Replaces the journal with what an auditor reads from the ledger, or only compares the two. Nobody acts meanwhile.
    pub fn rebuild_journal(
        &mut self,
        compare: bool,
        read: impl FnOnce(&Self) -> Result<Vec<Noted>, Fault>,
    ) -> Result<Rebuilt, Fault> {
        let folder = self.ledger_folder();
        let lock = ledger::lock(&folder)?;
        let rebuilt = rebuild::replace(&self.folder, read(self)?, compare)?;
        self.journal = OnceLock::new();
        if !compare && self.journal().is_err() {
            // What the state file kept of it was that of another one.
            ledger::unbind(&lock, &folder)?;
        }
        self.journal().map(|_| rebuilt)
    }

    /// The moves of a key line so far.
    pub fn history(&self, line: &Line) -> Result<History, Fault> {
        situation::history(self.journal()?, line)
    }

    /// What the whole vault goes by.
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Those who read the ledger.
    pub fn auditors(&self) -> Result<Vec<Auditor>, Fault> {
        self.configuration.auditors.iter().map(|auditor| Auditor::parse(auditor)).collect()
    }

    /// Those who are about to read it.
    pub(super) fn auditors_next(&self) -> Result<Option<Vec<Auditor>>, Fault> {
        let parse = |next: &Vec<String>| next.iter().map(|auditor| Auditor::parse(auditor)).collect();
        self.configuration.auditors_next.as_ref().map(parse).transpose()
    }

    /// Replaces the configuration, durably.
    pub(super) fn configure(&mut self, configuration: Configuration) -> Result<(), Fault> {
        disk::replace(&self.folder.join("vault.toml"), configuration.to_toml()?.as_bytes())?;
        self.configuration = configuration;
        Ok(())
    }

    /// Where the challenge to a future auditor is kept.
    pub(super) fn challenge_path(&self, auditor: &Auditor) -> PathBuf {
        self.ledger_folder().join("challenges").join(auditor.to_string())
    }

    /// Where the ledger stands.
    pub fn ledger_folder(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    /// The checkpoints kept beside the ledger, by rising size.
    pub fn checkpoints(&self) -> Result<Vec<Note>, Fault> {
        let folder = self.ledger_folder().join(CHECKPOINTS);
        if !disk::exists(&folder) {
            return Ok(Vec::new());
        }
        disk::check_private(&folder)?;
        let names = disk::names(&folder)?.into_iter().filter(|name| !name.starts_with('.'));
        names
            .map(|name| {
                let path = folder.join(name);
                Note::parse(&disk::read_private(&path, NOTE_BYTES_MAX)?)
                    .map_err(|fault| fault.at(path.display()))
            })
            .collect()
    }

    /// Where a checkpoint is kept: after a break there may be two of one size.
    pub(super) fn checkpoint_path(&self, checkpoint: &Checkpoint) -> PathBuf {
        let digest = hex(checkpoint.digest().as_bytes());
        let name = format!("{:020}-{}.note", checkpoint.size, digest.get(..16).unwrap_or_default());
        self.ledger_folder().join(CHECKPOINTS).join(name)
    }

    /// Whether the vault may hold keys of this environment.
    pub fn holds(&self, environment: Environment) -> bool {
        self.configuration.environments.iter().any(|held| held == environment.name())
    }

    /// Refuses a key that is not the first or the next one of its line, or that this vault may not hold.
    pub(super) fn allow_new_key(&self, key: &KeyId) -> Result<(), Fault> {
        if key.version == 1 {
            return self.allow_new_line(&key.line);
        }
        let next = self.history(&key.line)?.next_version();
        if key.version == next { Ok(()) } else { Err(STALE.fault(format!("the next key is #{next}"))) }
    }

    /// Puts the files of a new key into the folder of its line. The ledger's outcome makes it one: what a crash left before
    /// that is replaced.
    pub(super) fn place_key(
        &self,
        key: &KeyId,
        profile: &str,
        sealed: &[u8],
        certificate: &[u8],
        record: &str,
    ) -> Result<(), Fault> {
        let folder = self.line_folder(&key.line);
        let name = |what: &str| format!("{}.{what}", key.version);
        let (sealed_name, certificate_name, record_name) = (name("key.age"), name("cert.pem"), name("toml"));
        let files: [(&str, &[u8]); 4] = [
            ("profile.toml", profile.as_bytes()),
            (&sealed_name, sealed),
            (&certificate_name, certificate),
            (&record_name, record.as_bytes()),
        ];
        if !disk::exists(&folder) {
            return disk::create_folder_with(&folder, &files);
        }
        let skipped = usize::from(key.version > 1);
        files.into_iter().skip(skipped).try_for_each(|(name, bytes)| disk::replace(&folder.join(name), bytes))
    }

    /// Refuses a line that has a key already, or that this vault may not hold.
    pub fn allow_new_line(&self, line: &Line) -> Result<(), Fault> {
        if !self.holds(line.environment()) {
            return Err(NOT_HELD
                .fault(format!("this vault does not hold keys of the environment {}", line.environment()))
                .hint("take the vault of that environment, or make one with `fedroot init --environment`"));
        }
        if self.history(line)?.keys().next().is_some() {
            return Err(LINE_EXISTS
                .fault(format!("the key line {line} has a key already; no key was made"))
                .hint(format!("`fedroot key show {line}` shows it; take another purpose for another key")));
        }
        Ok(())
    }

    /// Every key line, sorted. What an interrupted act left, and the ledger knows no key of, is none.
    pub fn lines(&self) -> Result<Vec<Line>, Fault> {
        let folders = self.folders()?.into_iter().filter(|(path, _)| disk::is_folder(path));
        let lines: Vec<Line> = folders.filter_map(|(_, name)| name.parse().ok()).collect();
        let journal = self.journal()?;
        Ok(lines.into_iter().filter(|line| !situation::made(journal, line).is_empty()).collect())
    }

    /// What stands among the key lines and is none, sorted: nothing reads it.
    pub fn strays(&self) -> Result<Vec<PathBuf>, Fault> {
        let lines: BTreeSet<String> = self.lines()?.iter().map(ToString::to_string).collect();
        let folders = self.folders()?.into_iter();
        Ok(folders
            .filter(|(path, name)| !disk::is_folder(path) || !lines.contains(name))
            .map(|(path, _)| path)
            .collect())
    }

    /// Keys whose record or sealed file is not what the ledger noted when they were made, and how: of a line, or of all that
    /// the ledger knows, whatever stands in the folder.
    pub fn harmed(&self, line: Option<&Line>) -> Result<Vec<(KeyId, Fault)>, Fault> {
        let lines =
            line.map_or_else(|| self.journal().map(Journal::key_lines), |line| Ok(vec![line.clone()]))?;
        let mut harmed = Vec::new();
        for line in lines {
            let history = self.history(&line)?;
            for (version, _) in history.keys().filter(|(_, state)| state.stage != Stage::Destroyed) {
                let key = line.version(version);
                let sound = self.record(&key).and_then(|record| self.sealed(&record));
                let sound = sound.and_then(|_| self.certificate(&key));
                harmed.extend(sound.err().map(|fault| (key, fault)));
            }
        }
        Ok(harmed)
    }

    /// What may be a key line: where it stands, and its name. A file in the place of a folder comes with its own.
    fn folders(&self) -> Result<Vec<(PathBuf, String)>, Fault> {
        let mut level = vec![(self.folder.join("keys"), String::new())];
        for _ in 0..3 {
            let mut below = Vec::new();
            for (path, name) in level {
                if !disk::is_folder(&path) {
                    below.push((path, name));
                    continue;
                }
                for part in disk::names(&path)? {
                    let inner = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
                    below.push((path.join(&part), inner));
                }
            }
            level = below;
        }
        // What a crash left behind has a name that no line can have.
        level.retain(|(_, name)| !name.splitn(3, '/').nth(2).is_some_and(|purpose| purpose.starts_with('.')));
        Ok(level)
    }

    /// The keys of a line, oldest first.
    pub fn records(&self, line: &Line) -> Result<Vec<Record>, Fault> {
        let folder = self.line_folder(line);
        if !disk::exists(&folder) {
            return Err(self.no_line(line));
        }
        disk::check_private(&folder)?;
        let mut versions: Vec<u32> = disk::names(&folder)?
            .iter()
            .filter_map(|name| name.strip_suffix(".toml")?.parse().ok())
            .collect();
        versions.sort_unstable();
        let made = situation::made(self.journal()?, line);
        let history = self.history(line)?;
        if made.is_empty() && !versions.is_empty() {
            return Err(TAMPERED
                .fault(format!("{} holds keys, and the ledger knows no key line {line}", folder.display()))
                .hint(
                    "a key never moves between lines or environments: put the folder back where it was; what an interrupted \
                     `fedroot key generate` left is mended by running that again",
                ));
        }
        // A crash may leave the files of a key that the ledger does not know: they are none.
        let known = versions.into_iter().filter_map(|version| Some((version, *history.key(version).ok()?)));
        known
            .map(|(version, state)| self.checked(&line.version(version), made.get(&version), state))
            .collect()
    }

    /// The key of a line that signs: the active one, or else the newest, whose stage then says why it does not.
    pub fn signing_record(&self, line: &Line) -> Result<Record, Fault> {
        let mut records = self.records(line)?;
        let standing = |record: &Record| record.state().map(KeyState::standing);
        let active = records.iter().position(|record| standing(record) == Some(Stage::Active));
        let chosen = active.or(records.len().checked_sub(1)).ok_or_else(|| self.no_line(line))?;
        Ok(records.swap_remove(chosen))
    }

    /// The record of a key.
    pub fn record(&self, key: &KeyId) -> Result<Record, Fault> {
        let state = *self.history(&key.line)?.state(key)?;
        self.checked(key, situation::made(self.journal()?, &key.line).get(&key.version), state)
    }

    /// A record as it was made: the ledger noted its digest.
    fn checked(&self, key: &KeyId, made: Option<&String>, state: KeyState) -> Result<Record, Fault> {
        let sealed = self.path(key, "key.age");
        if disk::exists(&sealed) {
            disk::check_private(&sealed)?;
        }
        let text = text(&self.path(key, "toml"))?;
        if made == Some(&Digest::of(text.as_bytes()).to_string()) {
            return Ok(Record::parse(&text, key)?.at(state));
        }
        // Where it contradicts itself, that says more.
        Record::parse(&text, key)?;
        Err(TAMPERED
            .fault(format!("the record of {key} is not the one that the ledger noted when the key was made"))
            .hint("somebody changed or exchanged it: put the copy of the backup back"))
    }

    /// The bytes of a line's profile.
    pub fn profile_text(&self, line: &Line) -> Result<String, Fault> {
        text(&self.line_folder(line).join("profile.toml"))
    }

    /// The certificate of a key: PEM. A key without the one that it was made with is refused: nobody would notice that
    /// documents name no key any longer.
    pub fn certificate(&self, key: &KeyId) -> Result<String, Fault> {
        let (path, KeyId { line, version }) = (self.path(key, "cert.pem"), key);
        if disk::exists(&path) {
            return text(&path);
        }
        Err(TAMPERED.fault(format!("keys/{line}/{version}.cert.pem is gone, the certificate of {key}")).hint(
            format!(
                "put it back from a backup, or make another one: `fedroot rotate renew-certificate {line}`"
            ),
        ))
    }

    /// The record of the document of this kind and about this subject that the line signed last. A damaged one is refused:
    /// without it the brake would not hold.
    pub fn last_signed(&self, line: &Line, kind: &str, subject: &str) -> Result<Option<Last>, Fault> {
        let path = self.last_signed_path(line, kind, subject);
        if disk::exists(&path) { read_last(&path).map(Some) } else { Ok(None) }
    }

    /// Whether there is such a record.
    pub fn has_last_signed(&self, line: &Line, kind: &str, subject: &str) -> bool {
        disk::exists(&self.last_signed_path(line, kind, subject))
    }

    /// Reads the records of the last documents of this kind that the line signed, one for each subject.
    pub fn each_last_signed(
        &self,
        line: &Line,
        kind: &str,
        visit: &mut dyn FnMut(Last),
    ) -> Result<(), Fault> {
        let whole = self.last_signed_path(line, kind, "");
        let Some(folder) = whole.parent().filter(|folder| disk::exists(folder)) else { return Ok(()) };
        let is_of_kind = |name: &String| {
            let rest = name.strip_suffix(".last").and_then(|name| name.strip_prefix(kind));
            rest.is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix('-').and_then(from_hex).is_some_and(|hash| hash.len() == 32)
            })
        };
        let mut names = disk::names(folder)?.into_iter().filter(is_of_kind);
        names.try_for_each(|name| read_last(&folder.join(name)).map(&mut *visit))
    }

    /// The sealed file of a key, checked against its record.
    pub(super) fn sealed(&self, record: &Record) -> Result<Vec<u8>, Fault> {
        let key = record.key()?;
        let sealed = disk::read_private(&self.path(&key, "key.age"), TEXT_BYTES_MAX)?;
        if Digest::of(&sealed).to_string() == record.sealed_digest() {
            return Ok(sealed);
        }
        Err(TAMPERED
            .fault(format!("the sealed file of {key} is not the one its record describes"))
            .hint("look at the ledger: somebody exchanged or damaged one of the two"))
    }

    pub(super) fn line_folder(&self, line: &Line) -> PathBuf {
        let mut path = self.folder.join("keys");
        path.extend([line.tenant(), line.environment().name(), line.purpose()]);
        path
    }

    /// A subject is foreign text: it names its file by its digest.
    pub(super) fn last_signed_path(&self, line: &Line, kind: &str, subject: &str) -> PathBuf {
        let mut path = self.folder.join("signed");
        path.extend([line.tenant(), line.environment().name(), line.purpose()]);
        let name = match subject {
            "" => kind.to_owned(),
            subject => format!("{kind}-{}", hex(Digest::of(subject.as_bytes()).as_bytes())),
        };
        path.join(format!("{name}.last"))
    }

    pub(super) fn path(&self, key: &KeyId, what: &str) -> PathBuf {
        self.line_folder(&key.line).join(format!("{}.{what}", key.version))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Refuses the name of a key line that there is not.
    pub fn check_line(&self, line: &Line) -> Result<(), Fault> {
        let is_known = self.journal()?.key_lines().contains(line);
        is_known.then_some(()).ok_or_else(|| self.no_line(line))
    }

    fn no_line(&self, line: &Line) -> Fault {
        NO_LINE
            .fault(format!("there is no key line {line} in {}", self.folder.display()))
            .hint("`fedroot key list` shows the lines there are")
    }
}

fn read_last(path: &Path) -> Result<Last, Fault> {
    Last::read(disk::Document::open_private(path)?).map_err(|fault| {
        fault.at(path.display()).hint(
            "put it back from a backup; where there is none, move it away: whether keys are the ones of before is then known \
             to nobody, and what wants to know it is released by --release-brake REASON",
        )
    })
}

fn text(path: &Path) -> Result<String, Fault> {
    String::from_utf8(disk::read_private(path, TEXT_BYTES_MAX)?)
        .map_err(|_| VAULT.fault(format!("{} is not UTF-8", path.display())))
}
