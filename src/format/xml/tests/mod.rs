//! Documents are read five bytes at a time too, so that every border is met.

mod c14n;
mod dsig;
mod reader;

use super::*;
use crate::base::fault::Fault;

/// The canonical form of a document.
fn canonical(input: &[u8], form: &Form) -> Result<String, Fault> {
    let run = |chunk: usize| {
        let limits = Limits { unsound_namespaces: true, ..Limits::default() };
        let mut reader = Reader::with_chunk(input, limits, chunk);
        let mut canonicalizer = Canonicalizer::new(Vec::new(), form.clone());
        while let Some(event) = reader.next()? {
            canonicalizer.event(&event);
        }
        Ok(String::from_utf8(canonicalizer.finish()).unwrap())
    };
    let (whole, pieces): (Result<_, Fault>, Result<_, Fault>) = (run(1 << 16), run(5));
    assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok());
    whole
}

fn whole() -> Form {
    Form { outside: true, ..Form::default() }
}

/// Reads to the end, or to the fault.
fn read(input: &[u8], limits: Limits) -> Result<(), Fault> {
    let run = |chunk: usize| {
        let mut reader = Reader::with_chunk(input, limits, chunk);
        while reader.next()?.is_some() {}
        Ok(())
    };
    let (whole, pieces): (Result<_, Fault>, Result<_, Fault>) = (run(1 << 16), run(5));
    let told = |result: &Result<(), Fault>| result.as_ref().err().map(Fault::code);
    assert_eq!(told(&whole), told(&pieces));
    pieces.and(whole)
}

/// Expects the fault of this code whose message has this part.
#[track_caller]
fn refused<T>(result: Result<T, Fault>, code: &Code, part: &str) {
    let fault = result.err().expect("a refusal");
    assert_eq!(fault.code(), code, "{fault}");
    assert!(fault.message().contains(part), "'{fault}' does not say '{part}'");
}
