//! `trust-mark-delegation`: leave of a mark's owner to issue it (OpenID Federation 1.0, section 7.2).

use serde::Deserialize;

use super::draft::Draft;
use super::{Decision, known, trust_mark};
use crate::artefact::Terms;
use crate::artefact::openid::Form;
use crate::base::fault::Fault;
use crate::format::jose::thumbprint;
use crate::format::json::{Map, Value};

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustMarkDelegation {
    trust_mark_type: String,
    /// Who may issue it.
    sub: String,
    /// The file with the configuration of the trust anchor, which says whose the mark is.
    anchor: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Decision for TrustMarkDelegation {
    const FORM: Form = Form::TrustMarkDelegation;
    const ABOUT: &'static str = "leave to issue a trust mark of OpenID Federation";
    const COMPANIONS: &'static [&'static str] = &["anchor"];

    fn subject(&self) -> Result<String, Fault> {
        Ok(format!("{} {}", self.trust_mark_type, self.sub))
    }

    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let mut draft = Draft::new(Self::FORM, terms, Some(&self.sub))?;
        draft.valid_for(draft.limits().delegation, self.valid_for.as_deref())?;
        draft.when(draft.exp().is_none(), "openid.delegation.exp", || "the delegation never ends".into());
        let anchor = trust_mark::anchor(&mut draft, Some(&self.anchor))?;
        owner(&mut draft, anchor.get("trust_mark_owners").and_then(|all| all.get(&self.trust_mark_type)));
        draft.claim("trust_mark_type", Some(self.trust_mark_type));
        draft.claim("ref", self.reference);
        draft.others(self.claims)?;
        Ok(draft)
    }
}

/// The mark is ours, and the anchor lists the key that signs.
fn owner(draft: &mut Draft<'_>, owner: Option<&Value>) {
    let own = draft.limits().entity_id.clone();
    let name = owner.and_then(|owner| owner.get("sub")).and_then(Value::as_str).unwrap_or("nobody");
    draft
        .when(name != own, "openid.delegation.owner", || format!("the mark belongs to {name}, not to {own}"));
    let keys = known::thumbprints(known::keys_of(owner.and_then(|owner| owner.get("jwks"))));
    let kid = thumbprint(draft.terms.public);
    draft.when(name == own && !keys.contains(&kid), "openid.delegation.owner", || {
        format!("the anchor does not list the key {kid} as one of the owner")
    });
}
