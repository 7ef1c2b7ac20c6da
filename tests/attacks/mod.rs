//! Attacks on signed metadata: those of the corpus and our own, each refused for its reason.

mod corpus;
mod own;

use fedroot::artefact::{Verified, kind};
use fedroot::base::disk::Document;
use fedroot::base::fault::Fault;
use fedroot::key::PublicKey;

fn verify(document: Vec<u8>, trust: &[PublicKey]) -> Result<Verified, Fault> {
    kind("saml").unwrap().verify(&Document::from_bytes("attack", document), trust)
}

/// `good`, or the code of the refusal.
fn verdict(document: Vec<u8>, trust: &[PublicKey]) -> &'static str {
    verify(document, trust).map_or_else(|fault| fault.code().name, |_| "good")
}
