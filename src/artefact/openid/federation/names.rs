//! Where documents stand in the tree: under the paths that the entity's configuration promises.

use crate::artefact::COMPOSED;
use crate::artefact::openid::Form;
use crate::base::bytes::{Digest, hex};
use crate::base::disk::NAME_BYTES_MAX;
use crate::base::fault::Fault;
use crate::base::text::percent_encoded;
use crate::format::json::{Map, Value};

/// OpenID Federation 1.0, section 9.
const CONFIGURATION: &str = ".well-known/openid-federation";
/// Trust marks that no endpoint gives out.
const MARKS: &str = "trust-marks";
/// What a trust mark is called among documents, before its type and its subject.
const MARK: &str = "trust-mark ";

/// Files of the tree that are no documents: no path begins with one of them.
const RESERVED: [&str; 2] = ["index.json", "nginx.conf"];

/// Where documents stand. A path is missing where the configuration promises none.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The entity.
    pub(super) entity: String,
    /// Where the entity's own paths begin on its host: `` or `/path`.
    pub(super) prefix: String,
    pub(super) fetch: Option<String>,
    pub(super) list: Option<String>,
    pub(super) marks: Option<String>,
    pub(super) history: Option<String>,
    pub(super) keys: Option<String>,
}

impl Names {
    /// The paths that this configuration promises.
    ///
    /// # Errors
    ///
    /// `document.composed` for an endpoint that no file in the tree can answer.
    pub(super) fn promised(entity: &str, claims: &Map<String, Value>) -> Result<Self, Fault> {
        let metadata = claims.get("metadata");
        let endpoint = |name: &str| {
            let url = metadata?.get("federation_entity")?.get(name)?.as_str()?;
            Some(below(entity, name, url))
        };
        let list = endpoint("federation_list_endpoint").transpose()?;
        let named = [Form::HistoricalKeys, Form::SignedJwkSet].map(Form::name);
        if let Some(name) = named.into_iter().find(|name| list.as_deref() == Some(*name)) {
            return Err(COMPOSED
                .fault(format!("anchor: federation_list_endpoint ends with {name}, which is the name of a document in the index"))
                .hint("choose another path for the list"));
        }
        let types = metadata.and_then(Value::as_object);
        let keys = types.into_iter().flatten().find_map(|(_, one)| one.get("signed_jwks_uri")?.as_str());
        let rest = entity.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
        Ok(Self {
            entity: entity.to_owned(),
            prefix: rest.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}")),
            fetch: endpoint("federation_fetch_endpoint").transpose()?,
            list,
            marks: endpoint("federation_trust_mark_endpoint").transpose()?,
            history: endpoint("federation_historical_keys_endpoint").transpose()?,
            keys: keys.map(|url| below(entity, "signed_jwks_uri", url)).transpose()?,
        })
    }

    /// What a document is called among all of the batch: a statement by whom it is about.
    pub(super) fn id(&self, form: Form, subject: &str) -> String {
        match form {
            Form::EntityConfiguration => self.entity.clone(),
            Form::TrustMark => format!("{MARK}{subject}"),
            Form::HistoricalKeys | Form::SignedJwkSet => form.name().to_owned(),
            _ => subject.to_owned(),
        }
    }

    /// The path of the document that is called so.
    pub(super) fn path(&self, id: &str) -> Option<String> {
        if id == self.entity {
            return Some(CONFIGURATION.to_owned());
        }
        if let Some((mark, subject)) = id.strip_prefix(MARK).and_then(|subject| subject.rsplit_once(' ')) {
            let folder = self.marks.as_deref().unwrap_or(MARKS);
            return Some(format!("{folder}/{}/{}", name(mark), name(subject)));
        }
        if id == Form::HistoricalKeys.name() {
            return self.history.clone();
        }
        if id == Form::SignedJwkSet.name() {
            return self.keys.clone();
        }
        Some(format!("{}/{}", self.fetch.as_ref()?, name(id)))
    }

    /// Refuses a document that the configuration promises nowhere.
    pub(super) fn promised_path(&self, form: Form, id: &str, file: &str) -> Result<String, Fault> {
        let promise = match form {
            Form::HistoricalKeys => "federation_historical_keys_endpoint",
            Form::SignedJwkSet => "signed_jwks_uri",
            _ => "federation_fetch_endpoint",
        };
        if form == Form::TrustMark && id.starts_with(&format!("{MARK} ")) {
            return Err(COMPOSED
                .fault(format!("{file}: its trust_mark_type is empty"))
                .hint("name the type of the trust mark, a URL"));
        }
        let is_listed = form != Form::SubordinateStatement || self.list.is_some();
        let promise = if is_listed { promise } else { "federation_list_endpoint" };
        self.path(id).filter(|_| is_listed).ok_or_else(|| {
            COMPOSED
                .fault(format!("{file}: the configuration has no {promise}, so that nobody would find it"))
                .hint(format!("name it in the metadata of anchor.toml, below {}", self.entity))
        })
    }
}

/// The path of a URL below the entity's own: plain names, so that it is a path of files too.
fn below(entity: &str, what: &str, url: &str) -> Result<String, Fault> {
    let is_plain = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain)
    };
    let path = url.strip_prefix(entity.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    let path = path.filter(|path| path.split('/').all(is_plain)).ok_or_else(|| {
        COMPOSED
            .fault(format!("anchor: {what} is {url}, which no file of the tree can answer"))
            .hint(format!("take a path of plain names below {entity}, without a query"))
    })?;
    match RESERVED.iter().find(|reserved| path.split('/').next() == Some(**reserved)) {
        Some(reserved) => Err(COMPOSED
            .fault(format!("anchor: {what} is {url}, and {reserved} is a name of the tree itself"))
            .hint("take another path")),
        None => Ok(path.to_owned()),
    }
}

/// The file name of an identifier: percent-encoded, or its hash where that is too long for a file system.
pub(super) fn name(id: &str) -> String {
    let encoded = percent_encoded(id);
    if encoded.len() > NAME_BYTES_MAX { hash(id) } else { encoded }
}

fn hash(id: &str) -> String {
    format!("sha256-{}", hex(Digest::of(id.as_bytes()).as_bytes()))
}
