//! Moves in the life of a key: three answers, a confirmation, one entry in the ledger. And what led to them: the next key of a
//! line, receipts, another certificate.

use std::collections::BTreeSet;

use rand_core::CryptoRng;
use serde_json::json;

use super::Approver;
use super::generate::{Making, SelfSigned, generate, refuse_key, serial};
use super::withhold::unheld;
use crate::artefact::Kind;
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::custody::{Advance, Catalogue, Certificate, Record, Vault};
use crate::key::{KeyId, Line, PublicKey};
use crate::lifecycle::{
    Answers, Asked, Cause, Emergency, Move, ORDER, RECEIPT, Receipt, Situation, Source, Stage, Step, UNSEEN,
    Who, answers,
};
use crate::policy::Request;

/// A move that is asked for.
#[derive(Clone, Debug)]
pub struct Moving<'a> {
    /// Of which key.
    pub key: KeyId,
    /// Which.
    pub act: Move,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who else agreed; a claim.
    pub with: &'a [String],
    /// For a revocation: why, as a term.
    pub cause: Cause,
    /// For a revocation: the earliest suspected time.
    pub since: Option<Instant>,
    /// Whether availability is given up on purpose.
    pub emergency: bool,
    /// Whether it is one act with a move that was confirmed just now.
    pub follows: bool,
    /// In an emergency the key that signs from then on, or that there is none: who confirms, confirms that too.
    pub successor: Option<String>,
}

impl<'a> Moving<'a> {
    /// A plain move.
    pub const fn new(key: KeyId, act: Move, reason: Option<&'a str>, with: &'a [String]) -> Self {
        Self {
            key,
            act,
            reason,
            with,
            cause: Cause::Unspecified,
            since: None,
            emergency: false,
            follows: false,
            successor: None,
        }
    }

    fn step(&self, now: Instant) -> Step {
        Step {
            reason: self.reason.map(str::to_owned),
            cause: self.cause,
            since: self.since,
            emergency: self.emergency,
            ..Step::new(now, self.key.version, self.act)
        }
    }

    /// What is asked for: the same for the same move of the same key, for the same reason and by the same people. Whoever
    /// stops a key is not asked, but for what is final.
    pub fn request(&self) -> Request {
        let request = Request::new(self.act.name(), self.key.line.environment()).with("key", &self.key);
        let request = match self.since {
            Some(since) => request.with("since", since),
            None => request,
        };
        let request = if self.emergency { request.with("emergency", "yes") } else { request };
        let request = match &self.successor {
            Some(successor) => request.with("signs then", successor),
            None => request,
        };
        let request = match self.cause {
            Cause::Unspecified => request,
            cause => request.with("cause", cause.name()),
        };
        let request = because(request, self.reason);
        let request = self.with.iter().fold(request, |request, name| request.with("person", told(name)));
        match self.act {
            Move::Activate if self.emergency => request.severe(!self.follows),
            Move::Suspend => request.severe(false),
            Move::Revoke | Move::Destroy => request.severe(true),
            _ => request,
        }
    }
}

/// The digest of words of a person: a request holds no line feed.
fn told(words: &str) -> Digest {
    Digest::of(words.as_bytes())
}

/// The request with the reason that goes on record.
fn because(request: Request, reason: Option<&str>) -> Request {
    match reason {
        Some(reason) => request.with("reason", told(reason)),
        None => request,
    }
}

/// What came of a move.
#[derive(Debug)]
pub struct Moved {
    /// The key.
    pub key: KeyId,
    /// The move.
    pub act: Move,
    /// Its stage before.
    pub from: Option<Stage>,
    /// Its stage now, or as it would be.
    pub to: Option<Stage>,
    /// The key that made room for it.
    pub retiring: Option<KeyId>,
    /// The three answers.
    pub answers: Answers,
    /// The entry in the ledger; none after a dry run or a refusal.
    pub entry: Option<u64>,
    /// The digest of the request.
    pub request: Digest,
    /// Why it was refused.
    pub refused: Option<Fault>,
}

/// The key of a line that a move is about, when only the line is named: the one whose stage allows it.
///
/// # Errors
/// None does, or several do.
pub fn choose(catalogue: &Catalogue, line: &Line, act: Move) -> Result<KeyId, Fault> {
    catalogue.records(line)?;
    let history = catalogue.history(line)?;
    let preferred: &[Stage] = match act {
        Move::Publish | Move::Standby => &[Stage::Generated, Stage::Standby],
        Move::Activate => &[Stage::Published, Stage::Standby],
        Move::Rollback | Move::Retire => &[Stage::Retiring],
        Move::Suspend => &[Stage::Active],
        Move::Revoke => &[Stage::Active, Stage::Suspended],
        Move::Resume => &[Stage::Suspended],
        Move::Destroy => &[Stage::Retired, Stage::Revoked],
        Move::Generate => &[],
    };
    let found: Vec<u32> = preferred
        .iter()
        .map(|stage| history.at_stage(*stage).collect::<Vec<_>>())
        .find(|keys| !keys.is_empty())
        .unwrap_or_default();
    let stages = || {
        let told = history.keys().map(|(version, key)| format!("#{version} is {}", key.stage));
        told.collect::<Vec<_>>().join(", ")
    };
    match found.as_slice() {
        [version] => Ok(line.version(*version)),
        [] => {
            let fault = ORDER.fault(format!("no key of {line} can take the move {act}: {}", stages()));
            let is_published = history.at_stage(Stage::Published).next().is_some();
            Err(match act {
                Move::Publish if is_published => fault.hint(format!(
                    "its next key is published already; then comes `fedroot rotate activate {line}`"
                )),
                Move::Publish => fault.hint(format!("`fedroot rotate stage {line}` makes the next key")),
                Move::Activate => fault.hint("a key is published before it is activated"),
                Move::Rollback | Move::Retire => {
                    fault.hint("the active key begins to retire when another one is activated")
                }
                Move::Suspend | Move::Revoke => fault.hint(format!("name the key, such as {line}#1")),
                Move::Destroy => fault.hint("a key is retired or revoked before it is destroyed"),
                _ => fault,
            })
        }
        _ => Err(ORDER
            .fault(format!("several keys of {line} can take the move {act}: {}", stages()))
            .hint(format!("name one, such as {line}#{}", found.first().unwrap_or(&1)))),
    }
}

/// The three answers to a move, now.
pub fn ask(catalogue: &Catalogue, moving: &Moving<'_>, now: Instant) -> Result<(Situation, Answers), Fault> {
    let line = &moving.key.line;
    let situation = match moving.act.row().who {
        // Whoever stops a key is not hindered by what is outstanding, nor by the profile.
        Who::Anyone => Situation::new(vec![], catalogue.history(line)?),
        Who::Operator | Who::Quorum => catalogue.situation(line)?,
    };
    let others: BTreeSet<&str> =
        moving.with.iter().map(|name| name.trim()).filter(|it| !it.is_empty()).collect();
    let asked = Asked { reason: moving.reason, persons: 1 + others.len(), emergency: moving.emergency };
    let given = answers(&situation, moving.act, moving.key.version, now, asked);
    Ok((situation, given))
}

/// Makes a move. A refusal is recorded as a denied attempt; it comes back in what came of it, with the answers.
pub fn advance(
    vault: &mut Vault<'_>,
    moving: &Moving<'_>,
    approver: &mut dyn Approver,
) -> Result<Moved, Fault> {
    let now = vault.now();
    let request = moving.request();
    let mut moved = begin(vault, moving, now)?;
    let confirmed = check_time(vault, moving, now)
        .and_then(|()| moved.answers.check())
        .and_then(|()| approver.confirm(&request))
        .and_then(|confirmation| request.confirm(&confirmation));
    let done = confirmed.and_then(|confirmed| {
        let (key, step) = (moving.key.clone(), moving.step(now));
        vault.advance(&Advance { key, step, answers: &moved.answers, with: moving.with, confirmed })
    });
    match done {
        Ok(entry) => moved.entry = Some(entry),
        Err(fault) => {
            let about = json!({"key": moving.key.to_string(), "reason": moving.reason});
            moved.refused = Some(vault.deny(moving.act.name(), &about, fault.but("nothing was moved")));
        }
    }
    Ok(moved)
}

/// What would come of a move now; nothing is moved.
pub fn foresee(catalogue: &Catalogue, moving: &Moving<'_>, now: Instant) -> Result<Moved, Fault> {
    let mut moved = begin(catalogue, moving, now)?;
    moved.refused = check_time(catalogue, moving, now).and_then(|()| moved.answers.check()).err();
    Ok(moved)
}

/// Refuses a clock that is behind, before it gives wrong answers.
fn check_time(catalogue: &Catalogue, moving: &Moving<'_>, now: Instant) -> Result<(), Fault> {
    if moving.step(now).wants_right_clock() { catalogue.check_clock(now) } else { Ok(()) }
}

fn begin(catalogue: &Catalogue, moving: &Moving<'_>, now: Instant) -> Result<Moved, Fault> {
    let (situation, answers) = ask(catalogue, moving, now)?;
    let stage = |situation: &Situation| situation.history.key(moving.key.version).ok().map(|key| key.stage);
    let mut after = situation.clone();
    let is_allowed = after.history.apply(moving.step(now)).is_ok();
    let active = situation.history.active().filter(|active| *active != moving.key.version);
    let retiring = active.filter(|_| is_allowed && stage(&after) == Some(Stage::Active));
    Ok(Moved {
        key: moving.key.clone(),
        act: moving.act,
        from: stage(&situation),
        to: stage(&after).filter(|_| is_allowed),
        retiring: retiring.map(|version| moving.key.line.version(version)),
        answers,
        entry: None,
        request: moving.request().digest(),
        refused: None,
    })
}

/// Makes the next key of a line, when its line lets it: same profile, another key.
pub fn stage(
    vault: &mut Vault<'_>,
    making: Making,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<(Record, Digest), Fault> {
    let moving = Moving::new(making.key.clone(), Move::Generate, making.reason.as_deref(), &[]);
    let allowed = ask(vault, &moving, vault.now()).and_then(|(_, answers)| answers.check());
    allowed.map_err(|fault| refuse_key(vault, &making.key.line, making.reason.as_deref(), fault))?;
    generate(vault, making, approver, random)
}

/// What came of a receipt, for one line.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The line whose keys the artefact lists.
    pub line: Line,
    /// The entry in the ledger.
    pub entry: u64,
    /// Whether it was not there before.
    pub is_new: bool,
    /// The publication points that the line's profile names, where that of the receipt is none of them: then no window counts
    /// from it.
    pub elsewhere: Vec<String>,
}

/// Takes a receipt: exactly this artefact was seen there then. Which lines' keys it lists, its digest tells; each line has a
/// receipt of its own. Of a batch that introduces the key that signed it, each document will do.
///
/// # Errors
/// [`RECEIPT`](crate::lifecycle::RECEIPT): no line has signed such an artefact. [`UNSEEN`](crate::lifecycle::UNSEEN): only later
/// than it was seen.
pub fn observe(
    vault: &mut Vault<'_>,
    line: Option<&Line>,
    receipt: &Receipt,
    reason: Option<&str>,
) -> Result<Vec<Observed>, Fault> {
    let now = vault.now();
    let about = json!({"digest": receipt.digest.to_string(), "seen": receipt.seen.to_string()});
    let found = find(vault, line, receipt, now).map_err(|fault| fault.but("nothing was noted"));
    let lines = found.map_err(|fault| vault.deny("observe", &about, fault))?;
    let noted = lines.into_iter().map(|Known { line, of, elsewhere }| {
        let (entry, is_new) = vault.observe(&line, receipt, of, reason, now)?;
        Ok(Observed { line, entry, is_new, elsewhere })
    });
    noted.collect()
}

/// A line that knows what was seen.
struct Known {
    line: Line,
    /// What stands for it, where it is of a batch.
    of: Option<Digest>,
    elsewhere: Vec<String>,
}

fn find(
    catalogue: &Catalogue,
    line: Option<&Line>,
    receipt: &Receipt,
    now: Instant,
) -> Result<Vec<Known>, Fault> {
    check_seen(receipt, now)?;
    let lines = match line {
        Some(line) => catalogue.check_line(line).map(|()| vec![line.clone()])?,
        None => catalogue.lines()?,
    };
    let (mut found, mut refused) = (Vec::new(), None);
    for line in lines {
        let mut situation = catalogue.situation(&line)?;
        let seen = match situation.inventory.observe(receipt) {
            Err(fault) => match catalogue.standing_for(&line, &receipt.digest)? {
                Some(of) => {
                    let stands = Receipt { digest: of, ..receipt.clone() };
                    situation.inventory.observe(&stands).map(|()| (Some(of), elsewhere(&situation, &stands)))
                }
                None if unheld(catalogue, &line, receipt)? => Ok((None, vec![])),
                None => Err(fault),
            },
            Ok(()) => Ok((None, elsewhere(&situation, receipt))),
        };
        match seen {
            Ok((of, elsewhere)) => found.push(Known { line, of, elsewhere }),
            // that it was signed later than it was seen says more than that another line knows nothing of it
            Err(fault) => {
                refused = refused.filter(|known: &Fault| known.code() == &UNSEEN).or(Some(fault));
            }
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(refused.unwrap_or_else(|| RECEIPT.fault("the vault holds no key line")))
}

/// The publication points of the channels that the artefact is in, where that of the receipt is none of them.
fn elsewhere(situation: &Situation, receipt: &Receipt) -> Vec<String> {
    let Source::Point(point) = &receipt.from else { return vec![] };
    let carrying: Vec<&str> = situation.inventory.carrying(receipt.digest).collect();
    let channels = || situation.channels.iter().filter(|channel| carrying.contains(&channel.name.as_str()));
    if channels().any(|channel| channel.points.is_empty() || channel.points.contains(point)) {
        return vec![];
    }
    channels().flat_map(|channel| channel.points.clone()).collect()
}

/// Takes a receipt of a document that an adopted key signed before this vault had it: so the inventory knows what is
/// outstanding of the time before.
///
/// # Errors
/// [`RECEIPT`](crate::lifecycle::RECEIPT): no adopted key signed it, it was signed here, or only after the adoption: then
/// somebody else holds the key.
pub fn observe_elsewhere(
    vault: &mut Vault<'_>,
    line: Option<&Line>,
    (kind, document): (&dyn Kind, &Document),
    receipt: &Receipt,
    reason: Option<&str>,
) -> Result<(KeyId, u64), Fault> {
    let about = json!({"digest": receipt.digest.to_string(), "seen": receipt.seen.to_string()});
    let found = signed_elsewhere(vault, line, (kind, document), receipt);
    let found = found.map_err(|fault| fault.but("nothing was noted"));
    let (key, ends) = found.map_err(|fault| vault.deny("observe", &about, fault))?;
    let entry = vault.note_elsewhere(&key, kind.name(), (document.name(), ends), receipt, reason)?;
    Ok((key, entry))
}

/// The adopted key that signed a document before it was adopted, and when the document ends.
fn signed_elsewhere(
    vault: &Vault<'_>,
    line: Option<&Line>,
    (kind, document): (&dyn Kind, &Document),
    receipt: &Receipt,
) -> Result<(KeyId, Option<Instant>), Fault> {
    check_seen(receipt, vault.now())?;
    let lines = line.map_or_else(|| vault.lines(), |line| Ok(vec![line.clone()]))?;
    let mut adopted = Vec::new();
    for line in lines {
        adopted.extend(vault.records(&line)?.into_iter().filter(Record::is_adopted));
    }
    let publics = adopted.iter().map(Record::public).collect::<Result<Vec<_>, _>>()?;
    let verified = kind.verify(document, &publics)?;
    let signer = adopted.iter().zip(&publics).find(|(_, public)| **public == verified.key);
    let (record, _) = signer.ok_or_else(|| RECEIPT.fault("no adopted key signed it"))?;
    let (key, since) = (record.key()?, Instant::parse(record.created())?);
    if vault.journal()?.knows(&receipt.digest)? {
        return Err(RECEIPT
            .fault(format!("{} was signed here", receipt.digest))
            .hint("leave --before-adoption out"));
    }
    let begins = ["iat", "nbf"].iter().find_map(|name| verified.facts.value(name));
    let begins = begins.and_then(|begins| Instant::parse(begins).ok()).or(verified.valid_from);
    if let Some(begins) = begins.filter(|begins| *begins > since) {
        return Err(RECEIPT
            .fault(format!(
                "it was signed at {begins}, and {key} was adopted at {since}; this vault did not sign it"
            ))
            .hint(format!("somebody else holds the key: `fedroot rotate emergency {}`", key.line)));
    }
    Ok((key, verified.valid_until))
}

fn check_seen(receipt: &Receipt, now: Instant) -> Result<(), Fault> {
    if receipt.seen <= now {
        return Ok(());
    }
    Err(RECEIPT
        .fault(format!("it was seen at {}, and it is {now}", receipt.seen))
        .hint("set --seen-at to the time of the fetch, in UTC"))
}

/// What is at risk if a key is stolen, and who breaks if another one takes over now.
pub fn emergency(
    catalogue: &Catalogue,
    key: &KeyId,
    since: Option<Instant>,
    now: Instant,
) -> Result<Emergency, Fault> {
    let situation = catalogue.situation(&key.line)?;
    let revoked = situation.history.state(key)?.revoked.map(|revoked| revoked.since);
    Emergency::of(&situation, key, since.or(revoked).unwrap_or(now), now)
}

/// What is asked for when a key gets another certificate, for this reason.
pub fn certificate_request(key: &KeyId, reason: Option<&str>) -> Request {
    because(Request::new("renew-certificate", key.line.environment()).with("key", key), reason)
}

/// Gives the active key of a line another certificate, with new dates and number.
pub fn renew_certificate(
    vault: &mut Vault<'_>,
    line: &Line,
    reason: Option<&str>,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<(KeyId, u64), Fault> {
    let (now, serial) = (vault.now(), serial(random));
    let common_name = line.to_string();
    let certify = |public: &PublicKey| -> Result<Box<dyn Certificate>, Fault> {
        Ok(Box::new(SelfSigned::new(public, &common_name, &serial, now)?))
    };
    let confirmed = vault.signing_record(line).and_then(|record| {
        record.stage().check_may_sign()?;
        let key = record.key()?;
        let request = certificate_request(&key, reason);
        Ok((key, request.confirm(&approver.confirm(&request)?)?))
    });
    let (key, confirmed) = confirmed.map_err(|fault| {
        let about = json!({"key": line.to_string(), "reason": reason});
        vault.deny("renew-certificate", &about, fault.but("no certificate was made"))
    })?;
    let entry = vault.certify(&key, &certify, &confirmed, reason, approver)?;
    Ok((key, entry))
}
