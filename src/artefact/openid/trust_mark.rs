//! The trust marks of a chain's subject (OpenID Federation 1.0, section 7.3), as far as they can be verified without a network.

use super::MARK;
use super::chain::verify_by_kid;
use super::statement::Statement;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::format::json::Value;

/// A trust mark that the subject shows.
#[derive(Debug)]
pub struct Mark {
    /// Its type.
    pub mark_type: String,
    /// Who issued it.
    pub issuer: String,
    /// When it ends.
    pub expires: Option<Instant>,
    /// Why it says nothing here; `None` when it was verified.
    pub unverified: Option<String>,
}

/// Verifies the subject's trust marks with the keys of the chain's entities and what the anchor says of their types. One that
/// is proven wrong is refused; one of which nothing can be known here says nothing.
///
/// # Errors
///
/// `openid.trust-mark`, `verify.untrusted` and `jws.signature`.
pub(super) fn verify(
    subject: &Statement,
    known: &[(&str, JwkSet)],
    anchor: Option<&Statement>,
    at: Instant,
) -> Result<Vec<Mark>, Fault> {
    let shown = subject.get("trust_marks").and_then(Value::as_array);
    let mut marks = Vec::new();
    for (n, entry) in shown.into_iter().flatten().enumerate() {
        let text = entry.get("trust_mark").and_then(Value::as_str).unwrap_or_default();
        let mark = Statement::read(text)?;
        let unverified =
            one(&mark, known, anchor, at).map_err(|fault| fault.at(format!("trust_marks[{n}]")))?;
        marks.push(Mark {
            mark_type: mark.text("trust_mark_type").to_owned(),
            issuer: mark.iss().to_owned(),
            expires: mark.date("exp"),
            unverified,
        });
    }
    Ok(marks)
}

/// Verifies one; returns why it says nothing here, if so.
fn one(
    mark: &Statement,
    known: &[(&str, JwkSet)],
    anchor: Option<&Statement>,
    at: Instant,
) -> Result<Option<String>, Fault> {
    let Some(anchor) = anchor else {
        return Ok(Some(
            "the anchor's configuration, which says who may issue it, is neither among the files nor trusted"
                .into(),
        ));
    };
    if let Some(why) = unknown(mark, anchor, at)? {
        return Ok(Some(why));
    }
    let issuer = mark.iss();
    let Some((_, keys)) = known.iter().find(|(entity, _)| *entity == issuer) else {
        return Ok(Some(format!("its issuer {issuer} is no entity of the chain, so its keys are not known")));
    };
    match mark.jws() {
        Some(jws) => verify_by_kid(jws, keys, at).map(|()| None),
        None => Err(MARK.fault("the trust mark is not signed")),
    }
}

/// Holds a mark against what its anchor says of its type: who may issue it, and with whose leave. Returns why nothing is known
/// of that, if so.
///
/// # Errors
///
/// `openid.trust-mark`, `verify.untrusted` and `jws.signature`.
pub(super) fn unknown(mark: &Statement, anchor: &Statement, at: Instant) -> Result<Option<String>, Fault> {
    let (mark_type, issuer) = (mark.text("trust_mark_type"), mark.iss());
    let of_type = |claim: &str| anchor.get(claim).and_then(|all| all.get(mark_type));
    let Some(issuers) = of_type("trust_mark_issuers").and_then(Value::as_array) else {
        return Ok(Some("the anchor does not know this type of trust mark".into()));
    };
    if !issuers.is_empty() && !issuers.iter().any(|own| own == issuer) {
        return Err(MARK.fault(format!("the anchor does not let {issuer} issue '{mark_type}'")));
    }
    match of_type("trust_mark_owners") {
        Some(owner) => delegated(mark, owner, at).map(|()| None),
        None => Ok(None),
    }
}

/// A type that has an owner is issued with the owner's leave (section 7.2).
fn delegated(mark: &Statement, owner: &Value, at: Instant) -> Result<(), Fault> {
    let text = mark.get("delegation").and_then(Value::as_str);
    let text = text.ok_or_else(|| MARK.fault("its type has an owner, and it has no delegation"))?;
    let delegation = Statement::read(text)?;
    let named = owner.get("sub").and_then(Value::as_str).unwrap_or_default();
    if delegation.iss() != named {
        return Err(
            MARK.fault(format!("the delegation is by {}, and the owner is {named}", delegation.iss()))
        );
    }
    if delegation.date("exp").is_some_and(|ends| ends <= at) {
        return Err(MARK.fault("the delegation has ended"));
    }
    let keys = JwkSet::read(owner.get("jwks").unwrap_or(&Value::Null))?;
    match delegation.jws() {
        Some(jws) => verify_by_kid(jws, &keys, at).map_err(|fault| fault.at("the delegation")),
        None => Err(MARK.fault("the delegation is not signed")),
    }
}
