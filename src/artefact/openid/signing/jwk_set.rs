//! `jwk-set`: the keys of an entity's protocols, signed, behind `signed_jwks_uri` (OpenID Federation 1.0, section 5.2.1).

use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;

use super::draft::Draft;
use super::{configuration_of, input, known, verify};
use crate::artefact::openid::Form;
use crate::artefact::{Kind, Prepared, Terms, Verified, compose, keyset};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::Jwk;
use crate::format::json::{Map, Value};
use crate::key::PublicKey;

pub(in crate::artefact) struct SignedJwkSet;

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    keys: Vec<keyset::KeyInput>,
    /// The file with the entity's configuration, to compare with the `jwks` in its metadata.
    configuration: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Kind for SignedJwkSet {
    fn name(&self) -> &'static str {
        Form::SignedJwkSet.name()
    }

    fn about(&self) -> &'static str {
        "the signed keys of an entity's protocols in OpenID Federation"
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open_with(path, &["configuration"])
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input: Input = input(document)?;
        let own = terms.profile.openid.entity_id.clone();
        let mut draft = Draft::new(Form::SignedJwkSet, terms, Some(&own))?;
        draft.valid_for(draft.limits().jwk_set, input.valid_for.as_deref())?;
        let mut keys = Vec::new();
        for key in &input.keys {
            keys.push(key.key(terms)?.named(key.purpose.as_deref().unwrap_or("sig"))?);
        }
        federation_keys(&mut draft, &keys)?;
        if let Some(text) = &input.configuration {
            same(&mut draft, &keys, text)?;
        }
        draft.claim("keys", Some(keys));
        draft.others(input.claims)?;
        draft.finish(document)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        verify(Form::SignedJwkSet, document, trust)
    }
}

/// Keys of the federation serve no protocol (section 3.1.1).
fn federation_keys(draft: &mut Draft<'_>, keys: &[Value]) -> Result<(), Fault> {
    for jwk in keys.iter().filter_map(|key| Jwk::read(key).ok()) {
        let vault = draft.terms.vault.keys()?;
        let owner = vault.iter().find(|own| own.public == *jwk.key()).map(|own| own.id.to_string());
        let owner = owner.or_else(|| (jwk.key() == draft.terms.public).then(|| draft.terms.key.to_string()));
        if let Some(owner) = owner {
            let kid = jwk.kid().unwrap_or_default();
            draft.breach(
                "openid.jwk-set.federation",
                format!("the key '{kid}' is {owner}, which signs for the federation"),
            );
        }
    }
    Ok(())
}

/// The set is the one in the metadata, where there is one (section 5.2.1.1).
fn same(draft: &mut Draft<'_>, keys: &[Value], text: &str) -> Result<(), Fault> {
    let configuration = configuration_of("configuration", text)?;
    let types = configuration.get("metadata").and_then(Value::as_object);
    for (name, metadata) in types.into_iter().flatten() {
        let Some(listed) = metadata.get("jwks") else { continue };
        let is_same = known::thumbprints(known::keys_of(Some(listed))) == known::thumbprints(keys);
        draft.when(!is_same, "openid.jwk-set.same", || format!("metadata.{name}.jwks has other keys"));
    }
    Ok(())
}
