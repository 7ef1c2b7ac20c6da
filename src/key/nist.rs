//! ECDSA on the curves P-256 and P-521 (FIPS 186-5, section 6; RFC 5480 for the keys): others sign with it, no key line does.

use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_521_R_1,
};
use der::asn1::ObjectIdentifier;

use super::{Algorithm, Curve, FAILED, Hash, MALFORMED, Parts, Scheme, Signature};
use crate::base::fault::Fault;

/// A curve with the one hash that JOSE binds to it (RFC 7518, section 3.4).
macro_rules! curve {
    ($row:ident, $crate_name:ident, $name:literal, $curve:expr, $scheme:expr) => {
        pub(super) struct $row;

        impl Algorithm for $row {
            fn name(&self) -> &'static str {
                $name
            }

            fn title(&self) -> &'static str {
                concat!("ECDSA ", $name)
            }

            fn schemes(&self) -> &'static [Scheme] {
                static SCHEMES: [Scheme; 1] = [$scheme];
                &SCHEMES
            }

            fn scheme(&self, _hash: Hash) -> &'static Scheme {
                static SCHEME: Scheme = $scheme;
                &SCHEME
            }

            fn oid(&self) -> ObjectIdentifier {
                ID_EC_PUBLIC_KEY
            }

            fn curve(&self) -> Option<&'static Curve> {
                static CURVE: Curve = $curve;
                Some(&CURVE)
            }

            fn read_public(&self, spki: &[u8]) -> Result<Parts, Fault> {
                use $crate_name::elliptic_curve::sec1::ToSec1Point;
                use $crate_name::pkcs8::DecodePublicKey;
                let wrong = || MALFORMED.fault(concat!("the public point does not lie on ", $name));
                let key = $crate_name::PublicKey::from_public_key_der(spki).map_err(|_| wrong())?;
                let point = key.to_sec1_point(false);
                let (Some(x), Some(y)) = (point.x(), point.y()) else { return Err(wrong()) };
                let curve = $curve;
                Ok(Parts::Ec { curve: curve.jose, urn: curve.urn, x: x.to_vec(), y: y.to_vec() })
            }

            fn verify(&self, spki: &[u8], _scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
                use $crate_name::ecdsa::signature::Verifier;
                use $crate_name::pkcs8::DecodePublicKey;
                let key = $crate_name::ecdsa::VerifyingKey::from_public_key_der(spki);
                let signature = $crate_name::ecdsa::Signature::from_slice(signature.as_bytes());
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(octets, &signature).is_ok())
            }

            fn x509_signature(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
                let signature = $crate_name::ecdsa::Signature::from_slice(signature.as_bytes())
                    .map_err(|_| FAILED.fault("not an ECDSA signature"))?;
                Ok(signature.to_der().as_bytes().to_vec())
            }

            fn read_x509_signature(&self, bytes: &[u8]) -> Option<Signature> {
                let signature = $crate_name::ecdsa::Signature::from_der(bytes).ok()?;
                Some(Signature::from_bytes(signature.to_bytes().to_vec()))
            }
        }
    };
}

curve!(
    P256,
    p256,
    "P-256",
    Curve { oid: SECP_256_R_1, jose: "P-256", urn: "urn:oid:1.2.840.10045.3.1.7", bytes: 32 },
    Scheme {
        name: "ECDSA-SHA256",
        hash: Hash::Sha256,
        jose: "ES256",
        xml_uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        x509: ECDSA_WITH_SHA_256,
    }
);

curve!(
    P521,
    p521,
    "P-521",
    Curve { oid: SECP_521_R_1, jose: "P-521", urn: "urn:oid:1.3.132.0.35", bytes: 66 },
    Scheme {
        name: "ECDSA-SHA512",
        hash: Hash::Sha512,
        jose: "ES512",
        xml_uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        x509: ECDSA_WITH_SHA_512,
    }
);
