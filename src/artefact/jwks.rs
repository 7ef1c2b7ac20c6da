//! A plain set of JSON Web Keys (RFC 7517, section 5), as OpenID Connect and SCIM clients publish it.

use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;

use super::compose::{self, Input};
use super::keyset::{self, KeyInput, Ready};
use super::{Kind, Prepared, Terms, Verified};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::key::PublicKey;
use crate::policy::Facts;

pub(super) struct Jwks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Composed {
    #[serde(default)]
    keys: Vec<KeyInput>,
}

impl Kind for Jwks {
    fn name(&self) -> &'static str {
        "jwks"
    }

    fn about(&self) -> &'static str {
        "a set of JSON Web Keys"
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open(path)
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input = compose::read(document).map_err(|fault| fault.at(document.name()))?;
        let (bytes, value) = match input {
            Input::Ready(bytes, value) => (bytes, value),
            Input::Composed(Composed { keys }) => {
                let jwk = |(number, input): (usize, &KeyInput)| {
                    let purpose = input.purpose.as_deref().unwrap_or("sig");
                    let jwk = input.key(terms).and_then(|key| key.named(purpose));
                    jwk.map_err(|fault| fault.at(format_args!("{}: key {}", document.name(), number + 1)))
                };
                let value = json!({"keys": keys.iter().enumerate().map(jwk).collect::<Result<Vec<_>, _>>()?});
                (compose::text(&value), value)
            }
        };
        let ready = Ready { document: bytes, value, others: vec![], facts: Facts::default() };
        keyset::prepare(("jwks", &["jwks"]), document, terms, ready, vec![])
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        keyset::verify("jwks", document, &[], trust).map(|(verified, ..)| verified)
    }
}
