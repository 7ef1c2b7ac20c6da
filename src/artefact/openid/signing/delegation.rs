//! `trust-mark-delegation`: leave of a mark's owner to issue it (OpenID Federation 1.0, section 7.2).

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;

use super::draft::Draft;
use super::{input, known, trust_mark, verify};
use crate::artefact::openid::Form;
use crate::artefact::{Kind, Prepared, Terms, Verified, compose};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::thumbprint;
use crate::format::json::{Map, Value};
use crate::key::PublicKey;

pub(in crate::artefact) struct TrustMarkDelegation;

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
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

impl Kind for TrustMarkDelegation {
    fn name(&self) -> &'static str {
        Form::TrustMarkDelegation.name()
    }

    fn about(&self) -> &'static str {
        "leave to issue a trust mark of OpenID Federation"
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open_with(path, &["anchor"])
    }

    fn subject(&self, document: &Document) -> Result<String, Fault> {
        let input: Input = input(document)?;
        Ok(format!("{} {}", input.trust_mark_type, input.sub))
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input: Input = input(document)?;
        let mut draft = Draft::new(Form::TrustMarkDelegation, terms, Some(&input.sub))?;
        draft.valid_for(draft.limits().delegation, input.valid_for.as_deref())?;
        draft.when(draft.exp().is_none(), "openid.delegation.exp", || "the delegation never ends".into());
        let anchor = trust_mark::anchor(&mut draft, Some(&input.anchor))?;
        owner(&mut draft, anchor.get("trust_mark_owners").and_then(|all| all.get(&input.trust_mark_type)));
        draft.claim("trust_mark_type", Some(input.trust_mark_type));
        draft.claim("ref", input.reference);
        draft.others(input.claims)?;
        draft.finish(document, record)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        verify(Form::TrustMarkDelegation, document, trust)
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
