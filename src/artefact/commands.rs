//! Commands for `sh` that check a signature without this program: openssl, with the key that was trusted.

use base64ct::{Base64, Encoding as _};

use crate::base::fault::Fault;
use crate::format::jose::Jws;
use crate::key::{PublicKey, Scheme, Signature};

/// Writes the trusted key into a new `$folder`.
pub(super) fn signer(key: &PublicKey) -> Result<String, Fault> {
    let pem = key.to_pem()?;
    Ok(format!(
        "folder=$(mktemp -d)\n\
         # the trusted key that made the signature: compare the digest over another channel\n\
         cat > \"$folder/signer.pem\" <<'END'\n{pem}END\n\
         openssl pkey -pubin -in \"$folder/signer.pem\" -outform DER | openssl dgst -sha256\n"
    ))
}

/// Writes a signature to a file of the folder, in the form that openssl reads.
pub(super) fn signature(key: &PublicKey, value: &Signature) -> Result<String, Fault> {
    let value = lines(&key.algorithm().x509_signature(value)?);
    Ok(format!("openssl base64 -d > \"$folder/signature\" <<'END'\n{value}END\n"))
}

/// Checks a signature in a file over the octets of another; both are words of a shell.
pub(super) fn check(scheme: &Scheme, signature: &str, octets: &str) -> String {
    if scheme.jose == "EdDSA" {
        return format!(
            "openssl pkeyutl -verify -rawin -pubin -inkey \"$folder/signer.pem\" -sigfile {signature} -in {octets}\n"
        );
    }
    let hash = scheme.hash.name();
    let options = if is_pss(scheme) { "-sigopt rsa_padding_mode:pss " } else { "" };
    format!("openssl dgst -{hash} {options}-verify \"$folder/signer.pem\" -signature {signature} {octets}\n")
}

/// Checks the signature of a JWS; `octets` writes its header and its payload, a dot between them, as they were signed.
pub(super) fn jws(jws: &Jws, octets: &str, key: &PublicKey, scheme: &Scheme) -> Result<String, Fault> {
    let (signer, signature) = (signer(key)?, signature(key, jws.signature())?);
    let check = check(scheme, "\"$folder/signature\"", "\"$folder/octets\"");
    Ok(format!(
        "{signer}\
         # the signature of the document, in the form that openssl reads, over its header and payload as they stand\n\
         {signature}\
         {octets} > \"$folder/octets\"\n\
         {check}"
    ))
}

/// Whether the padding is that of RSASSA-PSS.
pub(super) fn is_pss(scheme: &Scheme) -> bool {
    scheme.name.starts_with("RSASSA-PSS")
}

/// Base64 in lines that openssl reads, each with its line feed.
pub(super) fn lines(bytes: &[u8]) -> String {
    bytes.chunks(48).map(|chunk| Base64::encode_string(chunk) + "\n").collect()
}
