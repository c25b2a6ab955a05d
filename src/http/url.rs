//! The address of a database.

use crate::error::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// JavaScript's `encodeURIComponent`.
pub(super) fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// A document id as it stands in an address: the slash of `_design/` and `_local/` stays, every other is encoded.
pub fn encode_doc_id(id: &str) -> String {
    for prefix in ["_design/", "_local/"] {
        if let Some(rest) = id.strip_prefix(prefix) {
            return format!("{prefix}{}", encode_component(rest));
        }
    }
    encode_component(id)
}

/// An attachment's name as it stands in an address, where its slashes stay.
pub(super) fn encode_attachment_name(name: &str) -> String {
    name.split('/').map(encode_component).collect::<Vec<_>>().join("/")
}

/// A user's name and password.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Credentials({})", self.username)
    }
}

/// The address of a database on a server, taken apart and put together as PouchDB 9 does.
///
/// The text matters: where a server tells no uuid it is the database's part of the replication id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbUrl {
    server: String,
    db: String,
}

impl DbUrl {
    /// Reads `http(s)://[user:password@]host[:port]/[path/]name`; what follows `?` or `#` is ignored.
    ///
    /// A name without a percent sign is encoded. Fails with `invalid_url` where scheme, host or name is missing.
    pub fn parse(text: &str) -> Result<(Self, Option<Credentials>)> {
        let invalid = || Error::new(ErrorKind::InvalidUrl);
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(invalid)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(invalid());
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        let path = path.trim_end_matches('/').trim_start_matches('/');
        let (path, db) = path.rsplit_once('/').unwrap_or(("", path));
        if host.is_empty() || db.is_empty() {
            return Err(invalid());
        }
        let db = if db.contains('%') { db.to_owned() } else { encode_component(db) };
        let slash = if path.is_empty() { "" } else { "/" };
        let server = format!("{scheme}://{host}/{path}{slash}");
        let credentials = user_info.filter(|text| !text.is_empty()).map(|text| {
            let (username, password) = text.split_once(':').unwrap_or((text, ""));
            Credentials { username: decode(username), password: decode(password) }
        });
        Ok((Self { server, db }, credentials))
    }

    /// The name as it stands in the address.
    pub fn name(&self) -> &str {
        &self.db
    }

    /// The address of something on the server, such as `_session`; of the server itself for an empty path.
    pub fn on_server(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    /// The address of something in the database; with an empty path the database's own, which ends with a slash.
    pub fn in_db(&self, path: &str) -> String {
        format!("{}{}/{path}", self.server, self.db)
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> String {
        DbUrl::parse(text).unwrap().0.in_db("")
    }

    #[test]
    fn addresses_read_as_pouchdb_reads_them() {
        for (text, expected) in [
            ("http://localhost:5984/db", "http://localhost:5984/db/"),
            ("http://localhost:5984/db/", "http://localhost:5984/db/"),
            ("https://example.com/couch/my/db", "https://example.com/couch/my/db/"),
            ("http://h/a%2Fb", "http://h/a%2Fb/"),
            ("http://h/a+b", "http://h/a%2Bb/"),
            ("http://h/größe", "http://h/gr%C3%B6%C3%9Fe/"),
            ("http://h/db?x=1/2#y", "http://h/db/"),
            ("http://[::1]:5984/db", "http://[::1]:5984/db/"),
            ("http://u:p@h:1/db", "http://h:1/db/"),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
        assert_eq!(
            DbUrl::parse("http://h/couch/db").unwrap().0.on_server("_session"),
            "http://h/couch/_session"
        );
        assert_eq!(DbUrl::parse("http://h/db").unwrap().0.on_server(""), "http://h/");
    }

    #[test]
    fn credentials_are_taken_out_and_decoded() {
        for (text, username, password) in [
            ("http://anna:secret@h/db", "anna", "secret"),
            ("http://a%40b:p%3A%2F@h/db", "a@b", "p:/"),
            ("http://anna:a@b@h/db", "anna", "a@b"),
            ("http://anna@h/db", "anna", ""),
            ("http://J%C3%BCrgen:100%@h/db", "Jürgen", "100%"),
        ] {
            let (url, credentials) = DbUrl::parse(text).unwrap();
            assert_eq!(url.in_db(""), "http://h/db/");
            assert_eq!(
                credentials,
                Some(Credentials { username: username.into(), password: password.into() })
            );
        }
        assert_eq!(DbUrl::parse("http://h/db").unwrap().1, None);
    }

    #[test]
    fn what_is_no_address_of_a_database_is_refused() {
        for text in
            ["", "db", "ftp://h/db", "http://", "http:///db", "http://h", "http://h/", "http://u:p@/db"]
        {
            assert_eq!(DbUrl::parse(text).unwrap_err().name(), "invalid_url", "{text}");
        }
    }

    #[test]
    fn document_ids_keep_the_slash_of_their_kind_only() {
        assert_eq!(encode_doc_id("_design/a/b"), "_design/a%2Fb");
        assert_eq!(encode_doc_id("_local/a b"), "_local/a%20b");
        assert_eq!(encode_doc_id("a/b?c+d"), "a%2Fb%3Fc%2Bd");
        assert_eq!(encode_doc_id("it's (ok)!*~"), "it's%20(ok)!*~");
    }
}
