//! A whole trust chain, verified offline (OpenID Federation 1.0, sections 6, 7.3 and 10.2): from the configuration of its
//! subject over the statement of each superior to an anchor whose keys the verifier has.
//!
//! Nothing is fetched. A statement counts only by the keys that its superior's statement gives its issuer.

use super::anchor::{Anchor, Keys, silence};
use super::checks::SKEW_SECONDS;
use super::constraints;
use super::metadata_policy::MetadataPolicy;
use super::statement::{Form, Found, Statement};
use super::trust_mark::{self, Mark};
use super::{CHAIN, STATEMENT};
use crate::artefact::UNTRUSTED;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet, Jws};
use crate::format::json::{Map, Value};
use crate::policy::{RULES, Severity};

/// More statements are no chain: the deepest federations have four ranks.
const STATEMENTS_MAX: usize = 40;

/// A chain that was verified, and what comes of it.
#[derive(Debug)]
pub struct Chain {
    /// The entities, from the subject to the anchor.
    pub entities: Vec<String>,
    /// Until when all of its statements are valid.
    pub expires: Instant,
    /// The subject's metadata after its superiors' say.
    pub metadata: Map<String, Value>,
    /// The policies of all superiors, merged.
    pub policy: MetadataPolicy,
    /// The trust marks that the subject shows.
    pub marks: Vec<Mark>,
    /// The thumbprint of the anchor's key that the chain hangs on.
    pub anchor_key: String,
    /// Whether that key is a historical one.
    pub is_historical: bool,
    /// What is worth knowing and refuses nothing: the place and what was found.
    pub notes: Vec<(String, Found)>,
}

/// A statement and where it was read.
pub struct Link {
    /// The file, for messages.
    pub place: String,
    /// The statement.
    pub statement: Statement,
}

/// Verifies the statements of one chain, in any order, at a time.
///
/// # Errors
///
/// `openid.statement` for a statement that breaks a rule, `openid.chain` when they are not one chain or break a constraint,
/// `openid.policy` and `openid.metadata`, `openid.trust-mark`, `jws.signature` and `jwk.mismatch`, and `verify.untrusted`
/// when the chain does not hang on a key of the anchor.
pub fn verify(links: &[Link], anchor: &Anchor, at: Instant) -> Result<Chain, Fault> {
    let path = Path::sort(links, at)?;
    let mut notes = Vec::new();
    for link in links {
        judge(link, at, &mut notes)?;
    }
    let top = path.entities.last().copied().unwrap_or_default();
    let keys = anchor.keys_of(top, at)?;
    for link in anchor.configurations(top) {
        // Today's configuration may be trusted for a chain of the past.
        judge(link, link.statement.date("iat").unwrap_or(at).max(at), &mut notes)?;
    }
    let trusted: Vec<&Statement> = anchor.configurations(top).map(|link| &link.statement).collect();
    let (anchor_key, is_historical, top_keys) = path.hang(&keys, path.newer(&trusted), &mut notes)?;
    path.check_signatures(&top_keys)?;
    path.check_hints()?;
    let statements: Vec<&Statement> = path.statements.iter().map(|link| &link.statement).collect();
    constraints::check(&statements, &path.entities)?;
    let (metadata, policy) = constraints::resolve(&path.subject.statement, &statements)?;
    let decides = path.decides(&trusted);
    let marks = trust_mark::verify(&path.subject.statement, &path.known_keys(&top_keys)?, decides, at)
        .map_err(|fault| fault.at(&path.subject.place))?;
    let ends = links.iter().filter_map(|link| link.statement.date("exp")).min();
    Ok(Chain {
        entities: path.entities.iter().map(|entity| (*entity).to_owned()).collect(),
        expires: ends.unwrap_or(at),
        metadata,
        policy,
        marks,
        anchor_key,
        is_historical,
        notes,
    })
}

/// Refuses a statement that breaks a rule, and keeps what is less than that.
fn judge(link: &Link, at: Instant, notes: &mut Vec<(String, Found)>) -> Result<(), Fault> {
    for found in link.statement.check(at) {
        let rule = RULES.iter().find(|rule| rule.id == found.rule);
        if rule.is_none_or(|rule| rule.severity == Severity::Block) {
            let fault = STATEMENT.fault(found.to_string()).at(&link.place);
            return Err(match rule {
                Some(rule) => fault.hint(rule.remedy),
                None => fault,
            });
        }
        notes.push((link.place.clone(), found));
    }
    Ok(())
}

/// The statements in their order.
struct Path<'a> {
    /// The time it is judged by.
    at: Instant,
    /// From the subject to the anchor.
    entities: Vec<&'a str>,
    /// The subject's configuration.
    subject: &'a Link,
    /// What each superior says of the entity below it, from below.
    statements: Vec<&'a Link>,
    /// The configurations of superiors, where they were given.
    configurations: Vec<&'a Link>,
}

impl<'a> Path<'a> {
    /// Finds the one chain that all statements form.
    fn sort(links: &'a [Link], at: Instant) -> Result<Self, Fault> {
        if links.len() > STATEMENTS_MAX {
            return Err(CHAIN.fault(format!("{} statements are no chain", links.len())));
        }
        if let Some(other) = links.iter().find(|link| !link.statement.form().is_entity_statement()) {
            let name = other.statement.form().name();
            return Err(CHAIN.fault(format!("it is a {name}, no statement of a chain")).at(&other.place));
        }
        let of = |form| links.iter().filter(move |link| link.statement.form() == form);
        let (configurations, statements) = (of(Form::EntityConfiguration), of(Form::SubordinateStatement));
        let issues = |entity: &str| statements.clone().any(|link| link.statement.iss() == entity);
        let below: Vec<&Link> = configurations.clone().filter(|link| !issues(link.statement.sub())).collect();
        let subject = match below.as_slice() {
            [subject] => *subject,
            [] => {
                let fault = CHAIN.fault("the configuration of the chain's subject is missing");
                return Err(fault.hint("give it among the files: it is what the chain is about"));
            }
            [first, second, ..] => {
                let fault = CHAIN.fault("no statement leads from here to a superior");
                return Err(fault.at(format!("{} and {}", first.place, second.place)));
            }
        };
        let (mut entities, mut chain) = (vec![subject.statement.sub()], Vec::new());
        while let Some(&entity) = entities.last() {
            let mut about = statements.clone().filter(|link| link.statement.sub() == entity);
            let Some(link) = about.next() else { break };
            if let Some(other) = about.next() {
                let fault =
                    CHAIN.fault(format!("two statements are about {entity}: give one chain at a time"));
                return Err(fault.at(format!("{} and {}", link.place, other.place)));
            }
            let superior = link.statement.iss();
            if entities.contains(&superior) {
                return Err(CHAIN.fault(format!("the chain comes back to {superior}")).at(&link.place));
            }
            entities.push(superior);
            chain.push(link);
        }
        let others: Vec<&Link> = configurations.filter(|link| !std::ptr::eq(*link, subject)).collect();
        let path = Self { at, entities, subject, statements: chain, configurations: others };
        path.check_complete(links)?;
        Ok(path)
    }

    fn check_complete(&self, links: &[Link]) -> Result<(), Fault> {
        for (n, link) in self.configurations.iter().enumerate() {
            let entity = link.statement.sub();
            let is_twice = self.configurations.iter().take(n).any(|before| before.statement.sub() == entity);
            if is_twice || !self.entities.contains(&entity) {
                let fault =
                    CHAIN.fault(format!("the configuration of {entity} does not belong to the chain"));
                return Err(fault.at(&link.place));
            }
        }
        let is_used = |link: &Link| self.statements.iter().any(|own| std::ptr::eq(*own, link));
        let statements = links.iter().filter(|link| link.statement.form() == Form::SubordinateStatement);
        match statements.into_iter().find(|link| !is_used(link)) {
            None => Ok(()),
            Some(link) => Err(CHAIN
                .fault(format!("the statement about {} does not belong to the chain", link.statement.sub()))
                .at(&link.place)),
        }
    }

    /// The configuration of an entity, where it was given.
    fn configuration(&self, entity: &str) -> Option<&'a Link> {
        let all = std::iter::once(&self.subject).chain(&self.configurations);
        all.copied().find(|link| link.statement.sub() == entity)
    }

    /// The anchor's configuration, where it was given.
    fn top(&self) -> Option<&'a Statement> {
        self.configuration(self.entities.last()?).map(|link| &link.statement)
    }

    /// The newest trusted configuration of the anchor, where it is newer than the one among the files.
    fn newer<'t>(&self, trusted: &[&'t Statement]) -> Option<&'t Statement> {
        let own = self.top()?.date("iat");
        trusted.iter().copied().max_by_key(|one| one.date("iat")).filter(|newest| newest.date("iat") > own)
    }

    /// The configuration of the anchor that says who issues trust marks: the newest that was made by then, else the newest.
    fn decides<'t>(&self, trusted: &[&'t Statement]) -> Option<&'t Statement>
    where
        'a: 't,
    {
        let made = |one: &&Statement| one.date("iat");
        let by_then =
            |one: &&Statement| made(one).is_none_or(|made| made.seconds_since(self.at) <= SKEW_SECONDS);
        let all = || trusted.iter().copied().chain(self.top());
        all().filter(by_then).max_by_key(made).or_else(|| all().max_by_key(made))
    }

    /// Finds the trusted key that the chain hangs on: the one that signed the anchor's configuration, or its statement where
    /// that was not given. Returns its thumbprint, whether it is historical, and the keys of the anchor that count: where a
    /// newer configuration is trusted, no key counts that only an older one lists.
    fn hang(
        &self,
        trusted: &Keys,
        newer: Option<&Statement>,
        notes: &mut Vec<(String, Found)>,
    ) -> Result<(String, bool, JwkSet), Fault> {
        let top = self.entities.last().copied().unwrap_or_default();
        let link = self.configuration(top).or_else(|| self.statements.last().copied());
        let Some(link) = link else { return Err(CHAIN.fault("there is no statement of an anchor")) };
        let jws = signed(link)?;
        let made_it = |jwk: &Jwk| jws.verify(jwk).is_ok();
        if let Some((jwk, why)) = trusted.silenced.iter().find(|(jwk, _)| made_it(jwk)) {
            return Err(UNTRUSTED
                .fault(format!(
                    "the key {} of the anchor {top} made this signature, and {why}",
                    jwk.thumbprint()
                ))
                .at(&link.place)
                .hint("get a statement that another key signed"));
        }
        let key = trusted.speaking.iter().find(|key| made_it(&key.jwk)).ok_or_else(|| {
            UNTRUSTED
                .fault(format!("no trusted key of the anchor {top} made this signature"))
                .at(&link.place)
                .hint("get the anchor's keys over another channel, and name them with --trust; its older ones with --historical")
        })?;
        if let Some(revoked) = &key.revoked {
            let detail =
                format!("the anchor's key {} made this signature, and {revoked}", key.jwk.thumbprint());
            notes.push((link.place.clone(), Found { rule: "openid.chain.revoked", detail }));
        }
        let is_configuration = link.statement.form() == Form::EntityConfiguration;
        let keys = if is_configuration && newer.is_none() {
            let mut keys = link.statement.keys()?;
            keys.keys.retain(|own| !trusted.silenced.iter().any(|(jwk, _)| jwk.key() == own.key()));
            keys
        } else {
            JwkSet { keys: trusted.speaking.iter().map(|key| key.jwk.clone()).collect(), unused: vec![] }
        };
        if !is_configuration {
            named(link, jws, &key.jwk, notes)?;
        }
        if let Some(newer) = newer {
            let made = |one: &Statement| one.date("iat").map_or_else(String::new, |made| made.to_string());
            let detail = format!(
                "this configuration of the anchor is of {}, and the trusted one of {} says which keys count",
                made(&link.statement),
                made(newer),
            );
            notes.push((link.place.clone(), Found { rule: "openid.chain.older", detail }));
        }
        Ok((key.jwk.thumbprint(), key.is_historical, keys))
    }

    /// Each statement is signed by a key that the statement above gives its issuer, a configuration by its own keys too.
    fn check_signatures(&self, top_keys: &JwkSet) -> Result<(), Fault> {
        let mut keys = top_keys;
        let mut of_issuer;
        for (n, link) in self.statements.iter().enumerate().rev() {
            let issuer = self.entities.get(n + 1).copied().unwrap_or_default();
            if let Some(own) = self.configuration(issuer) {
                self.self_signed(own)?;
                self.by_one_of(own, keys)?;
            }
            // Without the anchor's configuration, its statement was verified where the chain hangs.
            if n + 1 < self.statements.len() || self.top().is_some() {
                self.by_one_of(link, keys)?;
            }
            of_issuer = link.statement.keys()?;
            keys = &of_issuer;
            if n == 0 {
                self.by_one_of(self.subject, keys)?;
            }
        }
        self.self_signed(self.subject)
    }

    fn self_signed(&self, link: &Link) -> Result<(), Fault> {
        self.by_one_of(link, &link.statement.keys()?)
    }

    /// The signature is by the key of its `kid` in this set, which spoke at the time.
    fn by_one_of(&self, link: &Link, keys: &JwkSet) -> Result<(), Fault> {
        verify_by_kid(signed(link)?, keys, self.at).map_err(|fault| fault.at(&link.place))
    }

    /// Everybody whose configuration is there names the superior that speaks of it (sections 3.1.2 and 10.2).
    fn check_hints(&self) -> Result<(), Fault> {
        for link in &self.statements {
            let superior = link.statement.iss();
            let Some(own) = self.configuration(link.statement.sub()) else { continue };
            let hints = own.statement.get("authority_hints").and_then(Value::as_array);
            if !hints.is_some_and(|all| all.iter().any(|hint| hint == superior)) {
                let fault = CHAIN.fault(format!("its authority_hints do not name its superior {superior}"));
                return Err(fault.at(&own.place));
            }
        }
        Ok(())
    }

    /// The keys of every entity of the chain, as its superior gives them.
    fn known_keys(&self, top_keys: &JwkSet) -> Result<Vec<(&'a str, JwkSet)>, Fault> {
        let mut known = Vec::new();
        for link in &self.statements {
            known.push((link.statement.sub(), link.statement.keys()?));
        }
        let top = self.entities.last().copied().unwrap_or_default();
        known.push((top, JwkSet { keys: top_keys.keys.clone(), unused: vec![] }));
        Ok(known)
    }
}

fn signed(link: &Link) -> Result<&Jws, Fault> {
    link.statement.jws().ok_or_else(|| CHAIN.fault("it is not signed").at(&link.place))
}

/// The header of a statement names the trusted key that made it, as far as that key has a name (section 10.2).
fn named(link: &Link, jws: &Jws, jwk: &Jwk, notes: &mut Vec<(String, Found)>) -> Result<(), Fault> {
    let kid = jws.header().kid().unwrap_or_default();
    match jwk.kid() {
        Some(own) if own != kid => Err(UNTRUSTED
            .fault(format!("the header names the key '{kid}', and the trusted key that made it is '{own}'"))
            .at(&link.place)
            .hint("give the anchor's configuration, which says what its keys are called")),
        None if kid != jwk.thumbprint() => {
            let detail =
                format!("the header calls the trusted key '{kid}', and no file says that the anchor does");
            notes.push((link.place.clone(), Found { rule: "openid.chain.kid", detail }));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Verifies a JWS with the key of a set that its header names; returns that key.
///
/// # Errors
///
/// `verify.untrusted` when the set has no such key, and those of [`Jws::verify`].
pub(super) fn signer<'k>(jws: &Jws, keys: &'k JwkSet) -> Result<&'k Jwk, Fault> {
    let kid = jws.header().kid().unwrap_or_default();
    let jwk = keys.find(kid).ok_or_else(|| {
        UNTRUSTED.fault(format!(
            "it is signed by a key '{kid}' that its issuer's superior does not give the issuer"
        ))
    })?;
    jws.verify(jwk)?;
    Ok(jwk)
}

/// The same at a time, at which the key spoke.
///
/// # Errors
///
/// Those of [`signer`], and `verify.untrusted` when the key had not begun, had ended or was revoked.
pub(super) fn verify_by_kid(jws: &Jws, keys: &JwkSet, at: Instant) -> Result<(), Fault> {
    let jwk = signer(jws, keys)?;
    match silence(jwk, at) {
        None => Ok(()),
        Some(why) => {
            let kid = jwk.kid().unwrap_or_default();
            Err(UNTRUSTED.fault(format!("it is signed by the key '{kid}', and {why}")))
        }
    }
}
