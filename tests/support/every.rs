//! A document of every kind, and a vault with one line that signs them all.

use std::fs;

use fedroot::base::bytes::{base64, from_base64};
use fedroot::format::jose::{jwk_as, thumbprint};
use fedroot::key::private_key;
use pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

use super::openid::{self, ANCHOR, SUBJECT, read_key};
use super::{Folder, Ran, root};

/// The line; it signs for the anchor.
pub(crate) const LINE: &str = "example.org/sandbox/all";

/// Every kind, and the file with a good document of it; what others need comes first.
pub(crate) const DOCUMENTS: [(&str, &str); 15] = [
    ("entity-configuration", "configuration.json"),
    ("subordinate-statement", "subordinate.toml"),
    ("trust-mark", "mark.toml"),
    ("trust-mark-delegation", "delegation.toml"),
    ("historical-keys", "history.toml"),
    ("jwk-set", "set.toml"),
    ("provisioning-authorisation", "provisioning.toml"),
    ("access-token", "token.toml"),
    ("software-statement", "software.toml"),
    ("oob-keys", "oob.toml"),
    ("jwks", "jwks.toml"),
    ("kubernetes", "kubernetes.toml"),
    ("spiffe-bundle", "spiffe.toml"),
    ("bundle", "dist"),
    ("saml", "entity.xml"),
];

const KEY: &str = "[[keys]]\nfile = \"client.pub\"\nalg = \"ES384\"\n";

/// A folder with a vault whose line has this key and signs this way, its public half in `all.pub`, and the documents. What the
/// line signs of a kind is to be written to the file `KIND.out`: the documents name some of these files.
pub(crate) fn vault(key: &str, alg: &str) -> Folder {
    let folder = Folder::empty();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
    let kinds: Vec<_> = DOCUMENTS.iter().map(|(kind, _)| *kind).collect();
    let mut profile =
        format!("version = 1\nkinds = {kinds:?}\npolicy_ref = \"tests\"\n[bundle]\njws = true\n");
    profile += &format!("[openid]\nentity_id = \"{ANCHOR}\"\nalg = \"{alg}\"\n");
    profile += &format!("[oob_keys]\nentity_id = \"{ANCHOR}\"\nalg = \"{alg}\"\n");
    profile +=
        "[kubernetes]\nissuer = \"https://k8s.example.org\"\n[spiffe]\ntrust_domain = \"example.org\"\n";
    for section in ["provisioning", "access_token", "software_statement"] {
        profile += &format!("[{section}]\nissuer = \"https://root.example.org\"\nalg = \"{alg}\"\n");
        if section != "software_statement" {
            profile += "audiences = [\"https://scim.example.com/v2\"]\nscopes = [\"scim\"]\n";
        }
    }
    put(&folder, "profile.toml", &profile);
    let from = format!("{key}.pem");
    folder.good(&[
        "key",
        "adopt",
        LINE,
        "--from",
        &from,
        "--profile",
        "profile.toml",
        "--recipient",
        &auditor,
        "--vault",
        "V",
    ]);
    put(&folder, "all.pub", &folder.good(&["key", "export", LINE, "--vault", "V"]).stdout);
    put(&folder, "other.pub", &read_key("p384-other").public().unwrap().to_pem().unwrap());
    // Keys that serve one thing each.
    for (name, secret) in [("protocol.pub", 7), ("old.pub", 8), ("client.pub", 9), ("next.pub", 10)] {
        let secret = p384::SecretKey::from_slice(&[secret; 48]).unwrap().to_pkcs8_der().unwrap();
        let public = private_key(secret.as_bytes()).unwrap().public().unwrap();
        put(&folder, name, &public.to_pem().unwrap());
    }
    federation(&folder, key, alg);
    grants(&folder);
    sets(&folder);
    folder
}

/// Signs a document with the line.
pub(crate) fn sign(folder: &Folder, kind: &str, document: &str, output: &str) -> Ran {
    let sign = ["sign", kind, document, "--key", LINE, "--identity", "auditor.key", "--output", output];
    folder.fedroot(&[&sign[..], &["--vault", "V"]].concat())
}

fn put(folder: &Folder, name: &str, text: &str) {
    fs::write(folder.path(name), text).unwrap();
}

/// What the subject says of itself, signed with a key of the tests; `more` goes into the claims.
pub(crate) fn configuration(key: &str, more: &Value) -> String {
    let key = read_key(key);
    let public = key.public().unwrap();
    let scheme = public.jose_scheme("ES384").unwrap();
    let now = now();
    let mut claims = json!({
        "iss": SUBJECT, "sub": SUBJECT, "iat": now - 60, "exp": now + 8_640_000,
        "jwks": {"keys": [jwk_as(&public, &thumbprint(&public), scheme)]},
        "authority_hints": [ANCHOR],
        "metadata": {"openid_provider": {
            "issuer": SUBJECT,
            "client_registration_types_supported": ["automatic"],
            "scopes_supported": ["openid", "email", "phone"],
        }},
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    openid::sign(key.as_ref(), &thumbprint(&public), "entity-statement+jwt", &claims)
}

/// Now, in seconds since 1970.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

fn federation(folder: &Folder, key: &str, alg: &str) {
    let public = read_key(key).public().unwrap();
    let own = jwk_as(&public, &thumbprint(&public), public.jose_scheme(alg).unwrap());
    let (good, lent) = (format!("{ANCHOR}/marks/good"), format!("{ANCHOR}/marks/lent"));
    let own_configuration = json!({
        "metadata": {"federation_entity": {
            "organization_name": "A federation",
            "federation_fetch_endpoint": format!("{ANCHOR}/fetch"),
            "federation_list_endpoint": format!("{ANCHOR}/list"),
        }},
        "trust_mark_issuers": {&good: [ANCHOR]},
        "trust_mark_owners": {&lent: {"sub": ANCHOR, "jwks": {"keys": [own]}}},
    });
    put(folder, "configuration.json", &own_configuration.to_string());
    put(folder, "subject.jwt", &configuration("p384-other", &json!({})));
    // @openid-federation/core wants the types of registration in the superior's part of the metadata, too.
    put(
        folder,
        "subordinate.toml",
        "configuration = \"subject.jwt\"\n\
         [metadata.openid_provider]\nop_policy_uri = \"https://ta.example.org/policy\"\n\
         client_registration_types_supported = [\"automatic\"]\n\
         [metadata_policy.openid_provider.scopes_supported]\nsubset_of = [\"openid\", \"email\"]\n\
         [metadata_policy.openid_provider.contacts]\nadd = [\"soc@ta.example.org\"]\n",
    );
    for (name, mark, sub) in [("mark", good, SUBJECT), ("delegation", lent, "https://issuer.example.org")] {
        let anchor = "entity-configuration.out";
        let text = format!("trust_mark_type = \"{mark}\"\nsub = \"{sub}\"\nanchor = \"{anchor}\"\n");
        put(folder, &format!("{name}.toml"), &text);
    }
    put(
        folder,
        "history.toml",
        "[[keys]]\npem = \"\"\"\n@\"\"\"\nexp = \"2026-01-01T00:00:00Z\"\n"
            .replace('@', &String::from_utf8(folder.read("old.pub")).unwrap())
            .as_str(),
    );
    put(folder, "set.toml", &KEY.replace("client", "protocol"));
    put(folder, "oob.toml", &format!("contact = \"+49 30 1234\"\n{}", KEY.replace("client", "next")));
}

fn grants(folder: &Folder) {
    let audience = "audience = \"https://scim.example.com/v2\"\nscopes = [\"scim\"]\n";
    let about = "tenant = \"example.org\"\nenvironment = \"sandbox\"\nclient = \"https://idp.example.org\"\n\
                 networks = [\"192.0.2.0/24\"]\nrate = { requests = 25, per = \"PT1S\" }\nrequire_dpop = true\n";
    put(folder, "provisioning.toml", &format!("{audience}{about}{KEY}"));
    put(
        folder,
        "token.toml",
        &format!("subject = \"break-glass\"\nclient_id = \"console\"\n{audience}{KEY}"),
    );
    let metadata = "[metadata]\nsoftware_id = \"4NRB1-0XZABZI9E6-5SM3R\"\nclient_name = \"Enrolment\"\n\
                    redirect_uris = [\"https://enrol.example.org/callback\"]\n\
                    grant_types = [\"authorization_code\"]\nresponse_types = [\"code\"]\n\
                    token_endpoint_auth_method = \"private_key_jwt\"\n";
    put(folder, "software.toml", &format!("{KEY}{metadata}"));
}

fn sets(folder: &Folder) {
    put(folder, "jwks.toml", &format!("{KEY}use = \"sig\"\n"));
    put(folder, "kubernetes.toml", &format!("issuer = \"https://k8s.example.org\"\n{KEY}"));
    let vector = root().join("tests/vectors/spiffe-bundle-rules/spiffe-bundle.x509.valid/good.json");
    let vector: Value = serde_json::from_slice(&fs::read(vector).unwrap()).unwrap();
    let keys = vector["keys"].as_array().unwrap();
    let x5c = keys.iter().find_map(|key| key["x5c"][0].as_str()).unwrap();
    let lines: Vec<String> = base64(&from_base64(x5c).unwrap())
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    put(folder, "root.pem", &pem);
    let keys = format!("[[keys]]\nuse = \"x509-svid\"\nfile = \"root.pem\"\n{KEY}use = \"jwt-svid\"\n");
    for (name, only) in
        [("spiffe", ""), ("spiffe-x509", "only = \"x509\"\n"), ("spiffe-jwt", "only = \"jwt\"\n")]
    {
        put(folder, &format!("{name}.toml"), &format!("trust_domain = \"example.org\"\n{only}{keys}"));
    }
    fs::create_dir_all(folder.path("dist/sub")).unwrap();
    put(folder, "dist/sub/file", "content\n");
}
