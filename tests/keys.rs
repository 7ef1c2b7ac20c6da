//! Private keys that must not be used are refused, for RSA and P-384, by checks of our own: libraries let many through.

use std::fs;

use fedroot::key::private_key;

use crate::support::{corpus, files, root};

/// Every key in `tests/vectors/keys` has one defect, which its name tells, but those whose name ends in `good`.
#[test]
fn every_defect_is_refused_for_its_reason() {
    let reasons = [
        ("rsa-exponent", "public exponent"),
        ("rsa-modulus-other", "not the product"),
        ("rsa-private-exponent-other", "exponents"),
        ("rsa-private-exponent-small", "private exponent"),
        ("rsa-prime-swapped", "not the product"),
        ("rsa-dp-wrong", "exponents"),
        ("rsa-dq-wrong", "exponents"),
        ("rsa-qinv", "CRT coefficient"),
        ("rsa-primes-equal", "too close"),
        ("rsa-primes-close", "too close"),
        ("rsa-prime-composite", "not prime"),
        ("rsa-2048-bits", "2048 bits"),
        ("rsa-4095-bits", "4095 bits"),
        ("rsa-primes-of-unequal-length", "2048 bits"),
        ("rsa-three-primes", ""),
        ("p384-scalar-1", "1 or n-1"),
        ("p384-scalar-n-minus-1", "1 or n-1"),
        ("p384-scalar-short", "not 48"),
        ("p384-scalar-long", "not 48"),
        ("p384-point", "public point"),
        ("p384-inner-curve-other", "curve"),
        ("p384-curve-missing", "curve"),
        ("ed25519", "algorithm"),
    ];
    let keys = files(&root().join("tests/vectors/keys"), ".der");
    assert!(keys.len() > 30, "the vectors are gone");
    for path in keys {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        match private_key(&bytes) {
            Ok(_) => assert!(name.ends_with("good"), "{name} was accepted"),
            Err(fault) => {
                assert!(!name.ends_with("good"), "{name} was refused: {fault}");
                let reason = reasons
                    .iter()
                    .find(|(start, _)| name.starts_with(start))
                    .map_or("", |(_, reason)| reason);
                assert!(fault.message().contains(reason), "{name} was refused for another reason: {fault}");
            }
        }
    }
}

/// None of the foreign bad keys is accepted, and none makes the reader panic.
#[test]
fn no_foreign_bad_key_is_accepted() {
    let Some(corpus) = corpus("no_foreign_bad_key_is_accepted") else { return };
    let mut read = 0;
    for folder in ["keys-badkeys", "keys-cryptography"] {
        for path in files(&corpus.join("bad").join(folder), "") {
            let bytes = fs::read(&path).unwrap();
            let der = std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| der::SecretDocument::from_pem(text).ok())
                .map_or_else(|| bytes.clone(), |(_, document)| document.as_bytes().to_vec());
            assert!(private_key(&der).is_err(), "{} was accepted", path.display());
            read += 1;
        }
    }
    assert!(read > 150, "only {read} files were read");
}
