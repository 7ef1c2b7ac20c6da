//! `fedroot rotate`: the life of the keys of a line, move by move.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::json;

use super::emergency::{Notice, Theft, at_risk, check_since};
use super::key::Keeping;
use super::plan::Plan;
use super::progress::Progress;
use super::prompt::{Answers, Passphrase};
use super::rehearse::Rehearse;
use super::ui::Output;
use super::{Common, USAGE, algorithms, operator, parsed};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::text::visible;
use crate::ceremony::{self, Making, Moved, Moving};
use crate::custody::{Catalogue, Origin, Vault};
use crate::key::{KeyId, Line, algorithm};
use crate::lifecycle::{self, Cause, Move};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The schedule of a rotation: windows, ceremonies, slack, exposure
    Plan(Plan),
    /// Hold a plan with throw-away keys and real documents, and ask simulated consumers
    ///
    /// Holds the ceremonies of a plan in a throw-away vault, which lies in the folder for temporary files and is removed. It has
    /// the profile of the line, neither its keys nor its ledger; its first key is #1, made at the first ceremony, and no secret is
    /// asked for. At each ceremony receipts are taken, the moves are made that the three answers
    /// allow, and the documents are reviewed, signed and verified, by the code of the real commands. Simulated consumers, the
    /// quickest and the slowest of each channel, tell whether they would have rejected anything; then it ends with exit code 3.
    ///
    /// Every document has to pass its review at the time of each ceremony: where it holds dates of others, such as the
    /// configurations of subordinates, the rehearsal ends where they do. What is not rehearsed: secrets, bundles, and documents
    /// that are split.
    ///
    /// Keys that documents carry: a set lists the keys of its line by `line = true`. Metadata has to hold the certificate of one
    /// of the line's keys, and throw-away keys take its place as the rotation wants; another throw-away line signs it, under the
    /// profile of --signer.
    ///
    /// An emergency (--emergency) is one ceremony more: the active key is revoked, and the standby key (--standby), or one that is
    /// made only then, takes its place at once. What consumers reject because of that is no failure, as long as `fedroot rotate
    /// emergency` would have foretold it; it is shown apart, with the time until which somebody trusts the stolen key.
    Rehearse(Rehearse),
    /// Make the next key of a line: same profile, new key; nothing is published
    Stage(Stage),
    /// From now on the documents of the line list the new key, or are signed by both
    Publish(Step),
    /// The new key signs from now on; the one before it retires
    Activate(Step),
    /// The key before signs again; the active one retires
    Rollback(Step),
    /// Documents list the key no longer, and it signs nothing: when nothing that it signed is outstanding
    Retire(Step),
    /// The key signs nothing ever again, at once; asks for no secret, and says what is at risk until when
    Revoke(Revoke),
    /// The path of a stolen key, in one ceremony: revoke, let the standby key take over, write the notice
    Emergency(Theft),
    /// The notice about a key that may be stolen, once more: what is at risk by now, and which key signs instead
    Notice(Notice),
    /// Give the active key another certificate: who pins its fingerprint has to be told
    RenewCertificate(Renew),
}

/// A key line, or one of its keys.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Line(Line),
    Key(KeyId),
}

impl FromStr for Subject {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.contains('#') { text.parse().map(Self::Key) } else { text.parse().map(Self::Line) }
    }
}

impl Subject {
    /// The line, and which of its keys, where one is named.
    pub(super) const fn parts(&self) -> (&Line, Option<u32>) {
        match self {
            Self::Line(line) => (line, None),
            Self::Key(key) => (&key.line, Some(key.version)),
        }
    }

    /// The key that the move is about.
    pub(super) fn key(&self, catalogue: &Catalogue, act: Move) -> Result<KeyId, Fault> {
        match self {
            Self::Key(key) => catalogue.record(key).map(|_| key.clone()),
            Self::Line(line) => ceremony::choose(catalogue, line, act),
        }
    }
}

/// A move.
#[derive(Args, Debug)]
pub(super) struct Step {
    /// The key line, or one of its keys: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION
    #[arg(value_parser = parsed::<Subject>, value_name = "LINE[#N]")]
    pub(super) subject: Subject,
    #[command(flatten)]
    pub(super) asked: AskedFor,
}

/// What every move takes.
#[derive(Args, Clone, Debug)]
pub(super) struct AskedFor {
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Another person who agreed, for the ledger (can be repeated); the profile says how many it takes
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) with: Vec<String>,
    /// Confirm the request with the digest that --dry-run printed
    #[arg(long, value_name = "sha256:…", value_parser = parsed::<Digest>)]
    confirm: Option<Digest>,
    /// Give the three answers and the request digest, and move nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `fedroot rotate stage`
#[derive(Args, Debug)]
pub(super) struct Stage {
    /// The key line
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    /// The algorithm of the new key; that of the active key, when absent
    #[arg(long, value_parser = algorithms())]
    algorithm: Option<String>,
    /// Keep the key for an emergency: it signs nothing before
    #[arg(long)]
    standby: bool,
    #[command(flatten)]
    keeping: Keeping,
}

/// `fedroot rotate revoke`
#[derive(Args, Debug)]
pub(super) struct Revoke {
    #[command(flatten)]
    step: Step,
    /// The earliest time at which somebody else may have held it
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    since: Option<Instant>,
    /// It was only replaced by another key: nobody else may hold it
    #[arg(long, conflicts_with = "since")]
    superseded: bool,
}

/// `fedroot rotate renew-certificate`
#[derive(Args, Debug)]
pub(super) struct Renew {
    /// The key line
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Open the key with this age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Confirm the request with the digest that --dry-run printed
    #[arg(long, value_name = "sha256:…", value_parser = parsed::<Digest>)]
    confirm: Option<Digest>,
    /// Print the request digest, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::Plan(plan) => plan.run(common),
            Self::Rehearse(rehearse) => rehearse.run(common),
            Self::Stage(stage) => stage.run(common),
            Self::Publish(step) => step.run(Move::Publish, common),
            Self::Activate(step) => step.run(Move::Activate, common),
            Self::Rollback(step) => step.run(Move::Rollback, common),
            Self::Retire(step) => step.run(Move::Retire, common),
            Self::Revoke(revoke) => revoke.run(common),
            Self::Emergency(theft) => theft.run(common),
            Self::Notice(notice) => notice.run(common),
            Self::RenewCertificate(renew) => renew.run(common),
        }
    }
}

/// What answers the questions of a move: no secret is asked for.
pub(super) fn answers(confirm: Option<Digest>, common: &Common) -> Answers {
    Answers {
        passphrase: Passphrase::default(),
        identity: None,
        confirm: confirm.into_iter().collect(),
        batch: common.batch,
        show: false,
        progress: Progress::working("moving the key"),
    }
}

impl AskedFor {
    /// Refuses to count somebody twice.
    fn check_persons(&self) -> Result<(), Fault> {
        let mut persons = BTreeSet::from([operator().user]);
        let twice = self.with.iter().find(|name| !persons.insert(name.trim().to_owned()));
        twice.map_or(Ok(()), |name| {
            Err(USAGE
                .fault(format!("'{name}' is one person, who is counted already; nothing was moved"))
                .hint("name each other person once with --with; who runs this counts without"))
        })
    }
}

impl Step {
    pub(super) fn run(&self, act: Move, common: &Common) -> Result<Output, Fault> {
        self.run_with(act, common, |moving| moving).map(|(output, _)| output)
    }

    pub(super) fn run_with(
        &self,
        act: Move,
        common: &Common,
        with: impl for<'a> FnOnce(Moving<'a>) -> Moving<'a>,
    ) -> Result<(Output, Moved), Fault> {
        let asked = &self.asked;
        let moving = |key| Moving::new(key, act, asked.reason.as_deref(), &asked.with);
        asked.check_persons()?;
        if asked.dry_run {
            let catalogue = common.catalogue()?;
            let moving = with(moving(self.subject.key(&catalogue, act)?));
            let moved = ceremony::foresee(&catalogue, &moving, super::now())?;
            return Ok((told(&moved, act, true, common), moved));
        }
        let mut vault = common.open_vault()?;
        let key = self.subject.key(&vault, act);
        let key = key.map_err(|fault| refuse(&mut vault, &self.subject, act, fault))?;
        let moved = ceremony::advance(&mut vault, &with(moving(key)), &mut answers(asked.confirm, common))?;
        Ok((told(&moved, act, false, common), moved))
    }
}

pub(super) fn refuse(vault: &mut Vault<'_>, subject: &Subject, act: Move, fault: Fault) -> Fault {
    let name = match subject {
        Subject::Line(line) => line.to_string(),
        Subject::Key(key) => key.to_string(),
    };
    vault.deny(act.name(), &json!({ "key": name }), fault.but("nothing was moved"))
}

/// What came of a move.
fn told(moved: &Moved, act: Move, is_dry: bool, common: &Common) -> Output {
    let given = &moved.answers;
    let stage = |stage: Option<lifecycle::Stage>| stage.map(lifecycle::Stage::name);
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let mut output = Output::json(json!({
        "key": moved.key.to_string(),
        "act": act.name(),
        "from": stage(moved.from),
        "to": stage(moved.to),
        "retiring": moved.retiring.as_ref().map(ToString::to_string),
        "policy": {"yes": given.policy.yes, "reason": given.policy.reason},
        "safety": {"yes": given.safety.yes, "reason": given.safety.reason},
        "time": {"yes": given.time.yes, "reason": given.time.reason},
        "not_before": given.time.not_before.map(|at| at.to_string()),
        "wait_seconds": given.time.seconds,
        "request": moved.request.to_string(),
        "entry": moved.entry,
        "changed": moved.entry.is_some(),
    }));
    if is_dry {
        output.json.insert("dry_run".into(), true.into());
        output.line("nothing was moved; the answers are");
    }
    if is_dry || moved.refused.is_some() {
        for (name, is_yes, reason) in [
            ("policy", given.policy.yes, &given.policy.reason),
            ("safety", given.safety.yes, &given.safety.reason),
            ("time", given.time.yes, &given.time.reason),
        ] {
            output.row(name, &format!("{}: {reason}", yes(is_yes)));
        }
    }
    if is_dry && moved.refused.is_none() {
        output.line("  one ledger entry: stage");
        output.row("request digest", &moved.request.to_string());
    }
    if let (Some(entry), Some(to)) = (moved.entry, moved.to) {
        output.line(format!("{} is {to}", moved.key));
        if let Some(retiring) = &moved.retiring {
            output.line(format!("{retiring} is retiring"));
        }
        output.note(format!("the ledger has it as entry {entry}"));
        let line = &moved.key.line;
        if let Some(next) = next(act, to) {
            output.note(format!("next: {}", next.replace("LINE", &format!("{line}{}", common.vault_flag()))));
        }
    }
    output.refusal.clone_from(&moved.refused);
    output
}

/// The next sensible command after a move.
const fn next(act: Move, to: lifecycle::Stage) -> Option<&'static str> {
    match act {
        Move::Publish if matches!(to, lifecycle::Stage::Standby) => Some(
            "sign the documents of the line anew, so that consumers know the key before an emergency; in one: \
             fedroot rotate emergency LINE",
        ),
        Move::Generate => Some("fedroot rotate publish LINE"),
        Move::Publish => Some(
            "sign the documents of the line (saml: with --copy FILE), publish them, and tell with \
             `fedroot observe` where they were seen; then: fedroot rotate activate LINE",
        ),
        Move::Activate | Move::Rollback => Some(
            "sign the documents of the line anew; once nothing of the old key is outstanding: fedroot rotate retire LINE",
        ),
        Move::Retire => Some("sign the documents of the line anew: they list the key no longer"),
        Move::Suspend => Some("fedroot key resume LINE; or for good: fedroot rotate revoke LINE"),
        _ => None,
    }
}

impl Stage {
    fn run(self, common: &Common) -> Result<Output, Fault> {
        let Self { line, algorithm: name, standby, keeping } = self;
        let making = |catalogue: &Catalogue, sealing, reason| {
            let name = name.map_or_else(
                || Ok(catalogue.signing_record(&line)?.public()?.algorithm().name().to_owned()),
                Ok::<_, Fault>,
            )?;
            Ok(Making {
                key: line.version(catalogue.history(&line)?.next_version()),
                origin: Origin::Generate(algorithm(&name)?),
                sealing,
                profile_text: catalogue.profile_text(&line)?,
                standby,
                reason,
            })
        };
        let is_dry = keeping.is_dry();
        let mut output = keeping.run(&line, making, ceremony::stage, common)?;
        if !is_dry {
            let why = if standby { "make it known before an emergency: " } else { "" };
            output.note(format!("next: {why}fedroot rotate publish {line}{}", common.vault_flag()));
        }
        Ok(output)
    }
}

impl Revoke {
    fn run(self, common: &Common) -> Result<Output, Fault> {
        check_since(self.since)?;
        let cause = if self.superseded { Cause::Superseded } else { Cause::Compromised };
        let since = self.since;
        let (mut output, moved) =
            self.step.run_with(Move::Revoke, common, |moving| Moving { cause, since, ..moving })?;
        if moved.refused.is_none() && !self.superseded {
            let told = |catalogue| ceremony::emergency(&catalogue, &moved.key, since, super::now());
            match common.catalogue().and_then(told) {
                Ok(emergency) => at_risk(&mut output, &emergency),
                // the key is stopped all the same
                Err(fault) => {
                    output.warn(format!("what is at risk is not known: {}", visible(&fault.to_string())));
                }
            }
        }
        if moved.entry.is_some() && moved.from == Some(lifecycle::Stage::Active) {
            output.warn(format!(
                "no key of the line signs now; to let another one take over: fedroot rotate emergency {}{} --reason TEXT",
                moved.key.line,
                common.vault_flag()
            ));
        }
        Ok(output)
    }
}

impl Renew {
    fn run(self, common: &Common) -> Result<Output, Fault> {
        if self.dry_run {
            let record = common.catalogue()?.signing_record(&self.line)?;
            record.stage().check_may_sign()?;
            let key = record.key()?;
            let request = ceremony::certificate_request(&key, self.reason.as_deref()).digest().to_string();
            let mut output =
                Output::json(json!({"dry_run": true, "key": key.to_string(), "request": request}));
            output.line("nothing was done; it would write");
            output.line(format!("  keys/{}/{}.cert.pem", key.line, key.version));
            output.line("  two ledger entries: intent, outcome");
            output.row("request digest", &request);
            return Ok(output);
        }
        let mut vault = common.open_vault()?;
        let mut answers = Answers {
            passphrase: self.passphrase,
            identity: self.identity,
            progress: Progress::working("signing the certificate"),
            ..answers(self.confirm, common)
        };
        let reason = self.reason.as_deref();
        let (key, entry) =
            ceremony::renew_certificate(&mut vault, &self.line, reason, &mut answers, &mut random::system())?;
        let mut output =
            Output::json(json!({"key": key.to_string(), "ledger_intent": entry, "changed": true}));
        output.line(format!("{key} has another certificate"));
        output.note(format!("the ledger has it as entry {entry}"));
        output.warn("who pins the fingerprint of the certificate, rather than the key, has to be told before it is published");
        output.note(format!(
            "next: fedroot key export {} --format certificate{}",
            self.line,
            common.vault_flag()
        ));
        Ok(output)
    }
}
