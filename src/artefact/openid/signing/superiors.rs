//! The statements of superiors that come in beside a statement: what they say counts for the outcome, so they are held against
//! each other as a chain is.

use super::draft::Draft;
use super::{companion, known, not_signed_by, subject};
use crate::artefact::openid::{Form, Statement};
use crate::base::fault::Fault;
use crate::format::jose::{JwkSet, thumbprint};

/// Reads the statements, highest first, each signed by a key that the one above gives its issuer; the last one is about us,
/// and lists the key that signs. The highest superior's own configuration may stand before them.
///
/// # Errors
///
/// Those of reading them.
pub(super) fn judged(draft: &mut Draft<'_>, texts: &[String]) -> Result<Vec<Statement>, Fault> {
    let mut all = texts.iter().map(|text| companion("superiors", text)).collect::<Result<Vec<_>, Fault>>()?;
    let is_own = |first: &Statement| first.form() == Form::EntityConfiguration;
    let top = if all.first().is_some_and(is_own) { Some(all.remove(0)) } else { None };
    let mut above = top.map(|top| highest(draft, &top));
    for statement in &all {
        draft.adopt("the superior's statement", statement);
        let (iss, form) = (statement.iss(), statement.form());
        draft.when(form != Form::SubordinateStatement, "openid.superiors.chain", || {
            format!("a {} by {iss} is no statement about a subordinate", form.name())
        });
        match &above {
            None => draft.breach(
                "openid.superiors.unverified",
                format!("nothing says which keys {iss} has: the signature of its statement is not verified"),
            ),
            Some((entity, keys)) => {
                draft.when(entity != iss, "openid.superiors.chain", || {
                    format!("a statement by {iss} stands below {entity}")
                });
                if let Some(why) = not_signed_by(statement, keys) {
                    draft.breach(
                        "openid.superiors.signature",
                        format!("the statement by {iss} is not signed by a key of its own: {why}"),
                    );
                }
            }
        }
        above = Some((statement.sub().to_owned(), statement.keys().unwrap_or_default()));
    }
    if let Some(about_us) = all.last() {
        let listed = known::thumbprints(known::keys_of(about_us.get("jwks")));
        let kid = thumbprint(draft.terms.public);
        draft.when(!listed.contains(&kid), "openid.superiors.key", || {
            format!("the statement by {} does not list the key {kid}", about_us.iss())
        });
    }
    Ok(all)
}

/// Who the highest superior is, and which keys it has.
fn highest(draft: &mut Draft<'_>, top: &Statement) -> (String, JwkSet) {
    draft.adopt("the highest superior's configuration", top);
    let keys = known::thumbprints(known::keys_of(top.get("jwks")));
    draft.show().add("highest superior", format!("{} with the keys {}", top.iss(), keys.join(", ")));
    if let Some(why) = subject::not_self_signed(top) {
        draft.breach(
            "openid.superiors.signature",
            format!("the configuration of {} is not signed by itself: {why}", top.iss()),
        );
    }
    (top.iss().to_owned(), top.keys().unwrap_or_default())
}
