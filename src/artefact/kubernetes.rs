//! A Kubernetes issuer: the keys of its service accounts and the discovery document, as kube-apiserver serves them
//! (`pkg/serviceaccount/openidmetadata.go`). The signature covers both files, the set first.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compose::{self, Input};
use super::keyset::{self, KeyInput, Ready, keys};
use super::openid::identifier::{not_a_url, not_an_identifier};
use super::{ALTERED, COMPOSED, Fingerprints, Kind, Prepared, Terms, Verified};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::kubernetes_kid;
use crate::key::PublicKey;
use crate::policy::Facts;

pub(super) struct Kubernetes;

/// The ending of the discovery document, for `/.well-known/openid-configuration`.
const DISCOVERY: &str = ".openid-configuration";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Composed {
    /// As `--service-account-issuer` has it.
    issuer: String,
    /// As `--service-account-jwks-uri` has it; `ISSUER/openid/v1/jwks` by itself.
    jwks_uri: Option<String>,
    #[serde(default)]
    keys: Vec<KeyInput>,
}

impl Kind for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn about(&self) -> &'static str {
        "a Kubernetes issuer: key set and discovery document"
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
        let Input::Composed(Composed { issuer, jwks_uri, keys: inputs }) = input else {
            return Err(COMPOSED
                .fault(format!("{}: a set of keys does not say whose issuer it is", document.name()))
                .hint("write a TOML file with issuer and [[keys]], each with the file of a public key"));
        };
        let (mut jwks, mut breaches) = (Vec::new(), Vec::new());
        for (number, input) in inputs.iter().enumerate() {
            let at = |fault: Fault| fault.at(format_args!("{}: key {}", document.name(), number + 1));
            for mut key in input.keys(terms, keyset::channel("kubernetes")).map_err(at)? {
                let kid = kubernetes_kid(&key.public);
                if let Some(given) = key.kid.replace(kid.clone()).filter(|given| *given != kid) {
                    let detail = format!("the key is called '{given}', and Kubernetes calls it {kid}");
                    breaches.push(("kubernetes.kid", String::new(), detail));
                }
                jwks.push(key.named(key.purpose()).map_err(at)?);
            }
        }
        let jwks_uri = jwks_uri.unwrap_or_else(|| format!("{}/openid/v1/jwks", issuer.trim_end_matches('/')));
        let addresses = [
            ("kubernetes.issuer.url", "the issuer", &issuer, not_an_identifier(&issuer)),
            ("kubernetes.jwks-uri.url", "jwks_uri", &jwks_uri, not_a_url(&jwks_uri)),
        ];
        for (rule, what, url, why) in addresses {
            breaches.extend(why.map(|why| (rule, String::new(), format!("{what} is '{url}': {why}"))));
        }
        let value = json!({"keys": jwks});
        let discovery = discovery(&issuer, &jwks_uri, &value);
        let mut facts = Facts::default();
        facts.add_json("", &discovery);
        let others = vec![(DISCOVERY, compose::text(&discovery))];
        let ready = Ready { document: compose::text(&value), value, others, facts, subject: String::new() };
        keyset::prepare(("kubernetes", &["kubernetes", "jwks"]), document, terms, record, ready, breaches)
    }

    fn carries(&self, document: &Document) -> Result<Fingerprints, Fault> {
        keyset::carries("kubernetes", document)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let (mut verified, value, others) = keyset::verify("kubernetes", document, &[DISCOVERY], trust)?;
        let text = |name: &str| others.first().and_then(|found| found.get(name)).and_then(Value::as_str);
        let (issuer, jwks_uri) = (text("issuer").unwrap_or_default(), text("jwks_uri").unwrap_or_default());
        if others.first() != Some(&discovery(issuer, jwks_uri, &value)) {
            return Err(ALTERED.fault(format!(
                "{}{DISCOVERY} is not the discovery document of these keys",
                document.name()
            )));
        }
        verified.facts.add("issuer", issuer);
        verified.facts.add("jwks_uri", jwks_uri);
        Ok(verified)
    }
}

/// The discovery document (OpenID Connect Discovery 1.0, section 3) as far as Kubernetes has one.
fn discovery(issuer: &str, jwks_uri: &str, set: &Value) -> Value {
    let algorithms: BTreeSet<&str> = keys(set).filter_map(|key| key.get("alg")?.as_str()).collect();
    json!({
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
    })
}
