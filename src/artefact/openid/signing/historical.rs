//! `historical-keys`: the keys that an entity does not use any more (OpenID Federation 1.0, section 8.7). The list may be
//! empty: before the first rotation that is the truth.

use serde::Deserialize;

use super::draft::{Draft, SIGNED};
use super::history::{self, Said, history};
use super::{Decision, known, subject};
use crate::artefact::openid::Form;
use crate::artefact::openid::statement::date;
use crate::artefact::{COMPOSED, Terms, VaultKey};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, jwk_as, thumbprint};
use crate::format::json::{self, Limits, Numbers, Value};
use crate::key::{Hash, PublicKey};

/// What the operator adds to what the vault knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoricalKeys {
    #[serde(default)]
    keys: Vec<KeyInput>,
}

/// One key: of this line by its number, or one from before the vault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyInput {
    number: Option<u32>,
    /// What stands in the file has taken its place.
    file: Option<String>,
    jwk: Option<String>,
    pem: Option<String>,
    kid: Option<String>,
    exp: Option<String>,
    revoked_at: Option<String>,
    reason: Option<String>,
}

impl Decision for HistoricalKeys {
    const FORM: Form = Form::HistoricalKeys;
    const ABOUT: &'static str = "the keys that an entity of OpenID Federation does not use any more";
    const COMPANIONS: &'static [&'static str] = &[];

    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let mut draft = Draft::new(Self::FORM, terms, None)?;
        let vault = terms.vault.keys()?;
        let own: Vec<VaultKey> = vault.iter().filter(|key| key.id.line == terms.key.line).cloned().collect();
        let said = self.keys.iter().map(|key| key.read(&own)).collect::<Result<Vec<_>, _>>()?;
        let last = terms.last.map(|last| known::keys(last.facts(), "keys")).transpose()?.unwrap_or_default();
        let alg = draft.limits().alg.clone();
        let written = |key: &PublicKey| {
            let scheme = key.jose_scheme(&alg).unwrap_or_else(|| key.algorithm().scheme(Hash::Sha256));
            jwk_as(key, &thumbprint(key), scheme)
        };
        let (entries, breaches) = history(&own, &last, &said, &written);
        for (rule, detail) in breaches {
            draft.breach(rule, detail);
        }
        past(&mut draft, &entries);
        foreign(&mut draft, &entries, &known::thumbprints(&last))?;
        complete(&mut draft, &entries)?;
        doubtful(&mut draft, &entries)?;
        draft.claim("keys", Some(entries));
        Ok(draft)
    }
}

impl KeyInput {
    fn read(&self, own: &[VaultKey]) -> Result<Said, Fault> {
        let wrong = |why: &str| COMPOSED.fault(format!("keys: {why}"));
        if self.file.is_some() {
            return Err(wrong("the file was not put in"));
        }
        let (public, kid) = match (self.number, &self.jwk, &self.pem) {
            (Some(number), None, None) => {
                let key = own.iter().find(|key| key.id.version == number);
                let key = key.ok_or_else(|| wrong(&format!("the line has no key {number}")))?;
                (key.public.clone(), None)
            }
            (None, Some(text), None) => {
                let jwk = Jwk::read(&json::read(text.as_bytes(), Numbers::Whole, &Limits::default())?)?;
                (jwk.key().clone(), jwk.kid().map(str::to_owned))
            }
            (None, None, Some(pem)) => (PublicKey::from_pem(pem)?, None),
            _ => return Err(wrong("a key is given by one of number and file")),
        };
        let time = |text: &Option<String>| text.as_deref().map(Instant::parse).transpose();
        if self.reason.is_some() && self.revoked_at.is_none() {
            return Err(wrong("there is a reason without revoked_at").hint("say since when it is revoked"));
        }
        let revoked = time(&self.revoked_at)?.map(|at| (at, self.reason.clone()));
        Ok(Said { public, kid: self.kid.clone().or(kid), exp: time(&self.exp)?, revoked })
    }
}

/// A key whose end is still to come speaks for the entity, and no configuration lists it.
fn past(draft: &mut Draft<'_>, entries: &[Value]) {
    let now = draft.terms.now;
    for entry in entries.iter().filter(|entry| entry.get("revoked").is_none()) {
        let kid = entry.get("kid").and_then(Value::as_str).unwrap_or_default();
        if let Some(end) = entry.get("exp").and_then(date).filter(|end| *end > now) {
            let detail = format!("the key '{kid}' ends at {end}, and it is {now}");
            draft.breach("openid.history.exp", detail);
        }
    }
}

/// Keys of others that would come onto the list, and speak for the entity from then on.
fn foreign(draft: &mut Draft<'_>, entries: &[Value], last: &[String]) -> Result<(), Fault> {
    let before = |jwk: &Jwk| last.contains(&jwk.thumbprint());
    // What cannot be read is told by the rules of the document.
    let entries: Vec<Jwk> = entries.iter().filter_map(|entry| Jwk::read(entry).ok()).collect();
    for jwk in entries.iter().filter(|jwk| !before(jwk)) {
        for owner in subject::strangers(draft.terms, jwk)? {
            draft.breach("openid.history.foreign", owner);
        }
    }
    Ok(())
}

/// What the last configuration listed and the line does not list now has to be told.
fn complete(draft: &mut Draft<'_>, entries: &[Value]) -> Result<(), Fault> {
    draft.when(entries.is_empty(), "openid.history.empty", || {
        "the line has no key that it does not use".into()
    });
    let Some(last) = draft.own_configuration()? else { return Ok(()) };
    let (now, told) = (known::thumbprints(&draft.own_keys()?), known::thumbprints(entries));
    for key in known::thumbprints(&known::keys(&last, "jwks")?) {
        draft.when(!now.contains(&key) && !told.contains(&key), "openid.history.incomplete", || {
            format!(
                "the configuration signed last lists the key {key}, and it is no key of the line any more"
            )
        });
    }
    for key in told.iter().filter(|key| now.contains(key)) {
        draft.breach("openid.history.listed", format!("{key} is a key that the configuration lists"));
    }
    Ok(())
}

/// Signatures that a key made after it was not to be trusted any more.
fn doubtful(draft: &mut Draft<'_>, entries: &[Value]) -> Result<(), Fault> {
    for entry in entries.iter().filter_map(Value::as_object) {
        let Some(since) = history::revoked_at(entry) else { continue };
        let kid = entry.get("kid").and_then(Value::as_str).unwrap_or_default();
        for form in SIGNED {
            for (line, facts) in draft.terms.vault.signed(form.name())?.iter() {
                let made = known::time(facts, "iat").filter(|made| *made >= since);
                let is_its = *line == draft.terms.key.line && facts.value("kid") == Some(kid);
                if let Some(made) = made.filter(|_| is_its) {
                    let about = facts.value("sub").unwrap_or_default();
                    let detail = format!(
                        "the key {kid} is revoked since {since}, and signed a {} about {about} at {made}",
                        form.name()
                    );
                    draft.breach("openid.history.doubtful", detail);
                }
            }
        }
    }
    Ok(())
}
