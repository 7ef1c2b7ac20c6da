//! A plain set of JSON Web Keys (RFC 7517, section 5), as OpenID Connect and SCIM clients publish it.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;

use super::compose::{self, Input};
use super::keyset::{self, KeyInput, Ready};
use super::{Fingerprints, Kind, Prepared, Terms, Verified};
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
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input = compose::read(document).map_err(|fault| fault.at(document.name()))?;
        let (bytes, value) = match input {
            Input::Ready(bytes, value) => (bytes, value),
            Input::Composed(Composed { keys }) => {
                let mut jwks = Vec::new();
                for (number, input) in keys.iter().enumerate() {
                    let at = |fault: Fault| fault.at(format_args!("{}: key {}", document.name(), number + 1));
                    for key in input.keys(terms, keyset::channel("jwks")).map_err(at)? {
                        jwks.push(key.named(key.purpose()).map_err(at)?);
                    }
                }
                let value = json!({"keys": jwks});
                (compose::text(&value), value)
            }
        };
        let ready =
            Ready { document: bytes, value, others: vec![], facts: Facts::default(), subject: String::new() };
        keyset::prepare(("jwks", &["jwks"]), document, terms, record, ready, vec![])
    }

    fn carries(&self, document: &Document) -> Result<Fingerprints, Fault> {
        keyset::carries("jwks", document)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        keyset::verify("jwks", document, &[], trust).map(|(verified, ..)| verified)
    }
}
