//! Rehearsing a rotation: the acts of this room, with throw-away keys in a throw-away vault, on a clock that is a number, and
//! with real documents. Nothing of the real vault is here but the text of a profile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::consumers::{Artefact, Consumer, Rejection, consumers, rejections};
use super::incident::{Foreseen, Incident};
use super::readers::Life;
use super::throwaway::Throwaway;
use crate::artefact::Kind;
use crate::base::clock::{Instant, Span};
use crate::base::disk::{self, PendingFolder};
use crate::base::fault::{Class, Code, Fault};
use crate::custody::{Catalogue, Operator, channels};
use crate::key::{Environment, Line, LineAlgorithm, PublicKey};
use crate::lifecycle::{
    Channel, Kind as ChannelKind, Method, Move, Plan, Rhythm, Stage, Timeline, picture, plan,
};
use crate::policy::Profile;

/// A line that cannot be rehearsed with these documents.
pub const REHEARSAL: Code =
    Code::new("rotate.rehearsal", Class::Usage, "the key line cannot be rehearsed with these documents");

/// A consumer of the rehearsal rejected something.
pub const REJECTED: Code =
    Code::new("rotate.rejected", Class::Refused, "a consumer of the rehearsal would have rejected something");

/// What is to be rehearsed.
pub struct Rehearsing<'a> {
    /// The key line; its keys are not touched.
    pub line: &'a Line,
    /// Its profile.
    pub profile_text: &'a str,
    /// What keys are made of.
    pub algorithm: &'static dyn LineAlgorithm,
    /// The first ceremony.
    pub from: Instant,
    /// The end of the rehearsal.
    pub to: Instant,
    /// What is signed at each ceremony.
    pub documents: &'a [(&'static dyn Kind, PathBuf)],
    /// The public halves of the line's keys: in documents that carry them, throw-away keys stand for them.
    pub own: &'a [PublicKey],
    /// Another line and its profile: it signs what this one does not. Its keys are not touched either.
    pub signer: Option<(&'a Line, &'a str)>,
    /// The key that is kept for an emergency, where there is one.
    pub standby: Option<Standby>,
    /// When the active key is stolen, where it is.
    pub emergency: Option<Instant>,
    /// Who rehearses.
    pub operator: Operator,
    /// The folder for what is thrown away.
    pub scratch: &'a Path,
    /// The folder for what is published, which must not exist; thrown away with the rest, when absent.
    pub output: Option<&'a Path>,
    /// Asked before each ceremony; a fault ends the rehearsal.
    pub go_on: &'a dyn Fn() -> Result<(), Fault>,
}

/// A key that is kept for an emergency, made at the first ceremony.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standby {
    /// Nobody knows it before it takes over.
    Hidden,
    /// Documents list it, or people carry it, as soon as that is allowed.
    Published,
}

/// One ceremony of a rehearsal.
pub struct Held {
    /// When; its folder is called so.
    pub at: Instant,
    /// Which moves of which keys, in order, and the time before which each was too early, where it had to wait.
    pub moves: Vec<(Move, u32, Option<Instant>)>,
    /// What was signed.
    pub artefacts: Vec<Artefact>,
    /// The keys that some consumer trusts when that has appeared.
    pub trusted: BTreeSet<u32>,
}

/// What came of a rehearsal.
pub struct Rehearsed {
    /// The plan that was rehearsed.
    pub plan: Plan,
    /// The names of the line's channels.
    pub channels: Vec<String>,
    /// The ceremonies.
    pub ceremonies: Vec<Held>,
    /// The life of the throw-away line.
    pub timeline: Timeline,
    /// The public keys, by their version less one.
    pub keys: Vec<PublicKey>,
    /// Those who judged.
    pub consumers: Vec<Consumer>,
    /// What they would have rejected, and no emergency explains.
    pub rejections: Vec<Rejection>,
    /// The key that is kept for an emergency.
    pub standby: Option<u32>,
    /// The emergency.
    pub incident: Option<Incident>,
}

impl Rehearsed {
    /// Whether a key is still on its way in or out at the end.
    pub fn is_unfinished(&self) -> bool {
        let mut last = self.timeline.keys.iter().filter_map(|(_, bands)| bands.last());
        last.any(|(stage, _)| matches!(stage, Stage::Generated | Stage::Published | Stage::Retiring))
    }

    /// Where the ceremonies make other moves than the plan, which knows no emergency and keeps no key for one.
    pub fn differences(&self) -> Vec<String> {
        let told = |moves: &[(Move, u32, Option<Instant>)]| {
            let planned = moves.iter().filter(|(_, version, _)| Some(*version) != self.standby);
            let names: Vec<_> = planned.map(|(act, version, _)| format!("{act} #{version}")).collect();
            if names.is_empty() { "nothing moves".into() } else { names.join(", ") }
        };
        let is_calm = |held: &&Held| self.incident.as_ref().is_none_or(|incident| held.at < incident.at);
        let both = self.plan.ceremonies.iter().zip(self.ceremonies.iter().take_while(is_calm));
        let both = both.map(|(planned, held)| (held.at, told(&planned.moves), told(&held.moves)));
        let other = both.filter(|(_, planned, held)| planned != held);
        other.map(|(at, planned, held)| format!("{at}: planned: {planned}; rehearsed: {held}")).collect()
    }
}

/// Rehearses the line's rotation.
///
/// # Errors
/// [`REHEARSAL`]: what introduces the next key is not among the documents, nobody signs one of them, or the emergency lies
/// outside. [`CADENCE`](crate::lifecycle::CADENCE). What hinders an act at one of the ceremonies: the rehearsal ends there, and no
/// file is left.
pub fn rehearse(asked: &Rehearsing<'_>) -> Result<Rehearsed, Fault> {
    let profile = Profile::parse(asked.profile_text)?;
    check(asked, &profile)?;
    let scratch = PendingFolder::beside(&asked.scratch.join("rehearsal"))?;
    let output = asked.output.map(output).transpose()?;
    let files = output.as_ref().map_or_else(|| scratch.path().join("files"), |it| it.path().to_owned());
    let mut vault = Throwaway::new(asked, scratch.path().join("vault"), files)?;
    let situation = vault.begin()?;
    let plan = plan(asked.line, &situation, asked.from, asked.to, profile.rotation.lifetime)?;
    if plan.ceremonies.is_empty() {
        return Err(REHEARSAL.fault(format!("no ceremony lies between {} and {}", asked.from, asked.to)));
    }
    let rhythm = Rhythm::of(&situation, profile.rotation.lifetime);
    let (mut ceremonies, mut emergency) = (Vec::new(), None);
    let planned = plan.ceremonies.iter().map(|planned| planned.at);
    let all: BTreeSet<Instant> = planned.chain(asked.emergency).collect();
    for at in all {
        (asked.go_on)()?;
        let rhythm = Some(&rhythm).filter(|_| asked.emergency != Some(at));
        let (held, foreseen) = vault.hold(at, rhythm).map_err(|fault| {
            let fault = fault.at(format_args!("the ceremony of {at}"));
            fault.but("the rehearsal ended, and no file is left of it")
        })?;
        ceremonies.push(held);
        emergency = emergency.or(foreseen);
    }
    let rehearsed = judge(asked, vault, plan, (ceremonies, emergency))?;
    if let Some(output) = output {
        output.save("timeline.svg", picture(&rehearsed.timeline).as_bytes())?;
        output.save("steps.json", format!("{:#}\n", rehearsed.to_json()).as_bytes())?;
        output.publish()?;
    }
    Ok(rehearsed)
}

fn output(path: &Path) -> Result<PendingFolder, Fault> {
    if disk::exists(path) {
        return Err(disk::EXISTS
            .fault(format!("{} is there already", path.display()))
            .hint("name a new folder for the files of the rehearsal"));
    }
    PendingFolder::beside(path)
}

/// Refuses a line whose next key none of the documents introduces, documents that nobody signs or publishes, and an emergency
/// that lies outside.
fn check(asked: &Rehearsing<'_>, profile: &Profile) -> Result<(), Fault> {
    if let Some(at) = asked.emergency.filter(|at| *at <= asked.from || *at >= asked.to) {
        let (from, to) = (asked.from, asked.to);
        return Err(REHEARSAL
            .fault(format!("the emergency of {at} is not between {from} and {to}"))
            .hint("let it come when consumers have something: some days after the first ceremony"));
    }
    let channels = channels(profile)?;
    for Channel { name, kind, .. } in &channels {
        let introduces = |document: &&dyn Kind| match kind.method() {
            Method::Double => ChannelKind::of_document(document.name()) == *kind,
            _ => kind.is_listed_in(document.name()),
        };
        if kind.method() != Method::OutOfBand
            && !asked.documents.iter().any(|(document, _)| introduces(document))
        {
            let such = match kind {
                ChannelKind::OpenidAnchor => "entity-configuration anchor.toml",
                ChannelKind::Jwks => "jwks set.toml",
                ChannelKind::Spiffe => "spiffe-bundle bundle.toml",
                _ => "saml metadata.xml",
            };
            return Err(REHEARSAL
                .fault(format!("{name}: none of the documents introduces the next key"))
                .hint(format!("give it with --document KIND FILE, such as --document {such}")));
        }
    }
    for (kind, _) in asked.documents {
        let name = kind.name();
        let is_own = profile.kinds.iter().any(|own| own == name);
        let carries = channels.iter().any(|it| !it.kind.method().is_anchor() && it.kind.is_listed_in(name));
        let why = match name {
            _ if kind.is_secret() => "is a secret, and nobody publishes it".to_owned(),
            "bundle" => {
                "is verified among the files that it lists, and a rehearsal has no place for them".to_owned()
            }
            _ if is_own || carries => continue,
            _ => format!("is neither signed by {}, nor does it carry its keys", asked.line),
        };
        return Err(REHEARSAL.fault(format!("{name} {why}")));
    }
    Ok(())
}

/// A line that signs what a rehearsed one does not, where nobody says which, and its profile: the built-in limits, and the
/// validity and cache duration of the first channel in which documents carry keys. Rules about their content only warn.
pub fn stand_in(line: &Line, profile: &Profile, kinds: &[&str]) -> Result<(Line, String), Fault> {
    let purpose = if line.purpose() == "signer" { "other-signer" } else { "signer" };
    let signer = format!("{}/{}/{purpose}", line.tenant(), line.environment()).parse()?;
    let mut built_in = Profile::built_in(kinds, Environment::Sandbox);
    let carried = channels(profile)?.into_iter().find(|channel| !channel.kind.method().is_anchor());
    if let Some(timing) = carried.map(|channel| channel.timing) {
        let saml = &mut built_in.saml;
        saml.valid_for = timing.validity.unwrap_or(saml.valid_for);
        saml.valid_for_max = saml.valid_for_max.max(saml.valid_for);
        saml.cache_duration = timing.cache.unwrap_or(saml.cache_duration.min(saml.valid_for));
    }
    Ok((signer, built_in.to_toml()?))
}

/// Lets the consumers judge, and leaves the keys that they trust beside what they saw.
fn judge(
    asked: &Rehearsing<'_>,
    vault: Throwaway<'_>,
    plan: Plan,
    (mut ceremonies, emergency): (Vec<Held>, Option<Foreseen>),
) -> Result<Rehearsed, Fault> {
    let mut artefacts: Vec<Artefact> = Vec::new();
    let counts: Vec<usize> = ceremonies.iter().map(|held| held.artefacts.len()).collect();
    for held in &mut ceremonies {
        artefacts.append(&mut held.artefacts);
    }
    let end = asked.to;
    let catalogue = Catalogue::open(&vault.vault)?;
    let history = catalogue.history(asked.line)?;
    let consumers = consumers(&vault.channels, &artefacts, &vault.announced, end);
    let mut rejections = rejections(&vault.channels, &artefacts, &consumers, &Life::of(&history, end), end);
    let incident = emergency.map(|foreseen| foreseen.weigh(&vault.channels, &consumers, &mut rejections));
    let mut rest = artefacts.into_iter();
    for (held, count) in ceremonies.iter_mut().zip(counts) {
        held.artefacts = rest.by_ref().take(count).collect();
        let last = end.after(Span::of_seconds(-1))?;
        let appears = held.artefacts.iter().map(|it| it.appears).max().unwrap_or(held.at).min(last);
        let then = consumers.iter().filter(|it| it.from <= appears && appears < it.to);
        held.trusted = then.flat_map(|it| it.trusts.iter().copied()).collect();
        let folder = vault.files.join(held.at.to_string()).join("trust");
        disk::create_folder(&folder)?;
        for (version, key) in (1..).zip(&vault.keys).filter(|(version, _)| held.trusted.contains(version)) {
            disk::create(&folder.join(format!("{version}.pem")), key.to_pem()?.as_bytes())?;
        }
    }
    if let Some(signer) = &vault.signer {
        disk::create(&vault.files.join("signer.pem"), signer.to_pem()?.as_bytes())?;
    }
    let now = ceremonies.last().map_or(asked.from, |held| held.at);
    let timeline = Timeline::lived(asked.line, &history, &catalogue.signed(asked.line)?, now);
    let channels = vault.channels.into_iter().map(|channel| channel.name).collect();
    Ok(Rehearsed {
        plan,
        channels,
        ceremonies,
        timeline,
        keys: vault.keys,
        consumers,
        rejections,
        standby: vault.standby,
        incident,
    })
}
