//! The printed form of an anchor's keys: one HTML file without script, thumbprints as hex and words, each key as a QR code
//! (ISO/IEC 18004), and how to verify the document with openssl or jose alone.

use qrcode::{Color, EcLevel, QrCode};

use super::oob_keys::Content;
use crate::base::bytes::{Digest, from_base64url, hex};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::text::{html as safe, markup};
use crate::base::words;
use crate::format::jose::Jwk;
use crate::key::{Parts, PublicKey, Scheme};

/// A key that signed, and how.
pub(super) struct Signed<'a> {
    pub(super) key: &'a PublicKey,
    pub(super) scheme: &'static Scheme,
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"referrer\" content=\"no-referrer\">
";

const STYLE: &str = "
body{font:12pt/1.45 system-ui,sans-serif;color:#000;background:#fff;max-width:46rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.6rem;border-bottom:1px solid #999}
section{break-inside:avoid}pre,code{font:10pt/1.4 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
pre{border:1px solid #999;padding:.5rem}svg{width:6cm;height:6cm;margin:.5rem 0}
dt{font-weight:600}dd{margin:0 0 .4rem}
";

/// The whole page.
pub(super) fn page(content: &Content, payload: &[u8], signed: &[Signed<'_>]) -> Result<String, Fault> {
    let entity = safe(content.text("entity_id"));
    let mut page =
        format!("{HEAD}<title>Keys of {entity}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n");
    page.push_str(&format!("<h1>Keys of {entity}</h1>\n"));
    page.push_str("<p>Whoever holds one of these keys speaks for this trust anchor. Compare the thumbprints with those that came over another channel, hexadecimal or aloud in words, before the keys are pinned (OpenID Federation 1.0, section 11.3).</p>\n<dl>\n");
    let mut row = |name: &str, value: &str| page.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    for (name, label) in [("iat", "written"), ("exp", "good until")] {
        if let Some(instant) = content.date(name)? {
            row(label, &instant.to_string());
        }
    }
    if !content.text("contact").is_empty() {
        row("ask", &safe(content.text("contact")));
    }
    row("keys", &content.keys.keys.len().to_string());
    row("signed by", &format!("{} of them", signed.len()));
    row("SHA-256 of the document", &format!("<code>{}</code>", hex(Digest::of(payload).as_bytes())));
    page.push_str("</dl>\n");
    for (number, jwk) in content.keys.keys.iter().enumerate() {
        key(&mut page, number + 1, jwk, signed.iter().any(|one| one.key == jwk.key()))?;
    }
    instructions(&mut page, signed, signed.len() == content.keys.keys.len())?;
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

fn key(page: &mut String, number: usize, jwk: &Jwk, has_signed: bool) -> Result<(), Fault> {
    let thumbprint = from_base64url(&jwk.thumbprint()).unwrap_or_default();
    let signed = if has_signed { "has signed this document" } else { "has not signed this document" };
    page.push_str(&format!("<section>\n<h2>Key {number}: {}, {signed}</h2>\n<dl>\n", jwk.key().title()));
    let words: Vec<String> = words::of(&thumbprint).chunks(8).map(|row| row.join(" ")).collect();
    for (name, value) in [
        ("kid", safe(jwk.kid().unwrap_or_default())),
        ("thumbprint (RFC 7638, SHA-256)", format!("<code>{}</code>", grouped(&thumbprint))),
        ("in words", words.join("<br>")),
        (
            "SHA-256 of the SubjectPublicKeyInfo",
            format!("<code>{}</code>", grouped(jwk.key().fingerprint().as_bytes())),
        ),
    ] {
        page.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    }
    let text = crate::format::jose::jwk(jwk.key()).to_string();
    page.push_str(&format!(
        "</dl>\n{}<p>The code holds the key as a JSON Web Key.</p>\n</section>\n",
        code(&text)?
    ));
    Ok(())
}

/// Hexadecimal in groups of four, for the eye.
fn grouped(bytes: &[u8]) -> String {
    let groups: Vec<String> = bytes.chunks(2).map(hex).collect();
    groups.join(" ")
}

/// A QR code as a drawing: one unit for each module, four around it.
fn code(text: &str) -> Result<String, Fault> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|e| INTERNAL.fault(format!("a key does not fit into a QR code: {e}")))?;
    let width = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", place % width + 4, place / width + 4));
        }
    }
    let side = width + 8;
    Ok(format!(
        "<svg viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QR code of the key\"><path d=\"{path}\"/></svg>\n"
    ))
}

fn instructions(page: &mut String, signed: &[Signed<'_>], is_complete: bool) -> Result<(), Fault> {
    let (all, which) = if is_complete {
        (" -a", "every key of the document has to have signed it")
    } else {
        ("", "one key of the document has to have signed it")
    };
    page.push_str(&format!("<h2>To verify the document</h2>\n<p>The document is a JWK set in a file; its signatures stand in a file beside it with the ending <code>.jws</code> (RFC 7515, section 7.2.1). Set <code>doc</code> to the name of the document. With the program <code>jose</code>: {which}; comparing the thumbprints says whose keys they are.</p>\n"));
    let lines = format!(
        "jose jws ver -i \"$doc.jws\" -k \"$doc\"{all} -O payload && cmp payload \"$doc\" || exit 1\njose jwk thp -i \"$doc\" -a S256"
    );
    page.push_str(&format!("<pre id=\"jose\">{}</pre>\n", markup(&lines)));
    for (number, one) in signed.iter().enumerate() {
        page.push_str(&format!("<p>With <code>openssl</code>, signature {}:</p>\n", number + 1));
        let text = markup(&openssl(number + 1, one)?);
        page.push_str(&format!("<pre class=\"openssl\">{text}</pre>\n"));
    }
    Ok(())
}

/// Shell lines that verify one signature with openssl.
fn openssl(number: usize, signed: &Signed<'_>) -> Result<String, Fault> {
    let Signed { key, scheme } = signed;
    let hash = scheme.hash.name();
    let mut lines = format!("cat >key.pem <<'END'\n{}END\n", key.to_pem()?);
    lines.push_str("openssl pkey -pubin -in key.pem -outform der | sha256sum # the SubjectPublicKeyInfo\n");
    lines.push_str(&format!(
        "part() {{ sed -n \"s/^ *\\\"$1\\\": \\\"\\(.*\\)\\\",*\\$/\\1/p\" \"$doc.jws\" | sed -n {number}p | tr -d '\\n'; }}\n"
    ));
    lines.push_str("{ part protected; printf .; basenc --base64url -w0 \"$doc\" | tr -d =; } >octets\n");
    lines.push_str("s=$(part signature); while [ $((${#s} % 4)) -ne 0 ]; do s=$s=; done\n");
    lines.push_str("printf %s \"$s\" | basenc -d --base64url >signature\n");
    let more = match key.parts() {
        Parts::Ec { x, .. } => {
            let half = x.len();
            lines.push_str("number() { od -An -v -tx1 | tr -d ' \\n'; }\n");
            lines.push_str(&format!(
                "printf 'asn1=SEQUENCE:two\\n[two]\\nr=INTEGER:0x%s\\ns=INTEGER:0x%s\\n' \"$(head -c {half} signature | number)\" \"$(tail -c {half} signature | number)\" >two.cnf\n"
            ));
            lines.push_str("openssl asn1parse -genconf two.cnf -noout -out signature\n");
            ""
        }
        _ if scheme.jose.starts_with("PS") => " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
        _ => "",
    };
    lines.push_str(&format!("openssl dgst -{hash} -verify key.pem{more} -signature signature octets\n"));
    Ok(lines)
}
