//! Attachments as documents carry them in: with their contents, or as stubs of contents that are there already.

use super::body::{close, json_text, push_member, push_member_text};
use super::digest::Digest;
use super::members::{Member, Members, is_truthy};
use crate::error::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;

/// The members of an attachment that are kept, in the order in which PouchDB hashes them.
const MEMBERS: [&str; 6] = ["data", "digest", "content_type", "length", "revpos", "stub"];

/// Stands around the `revpos` that was given, in a text that is filled in by [`fill_revpos`]. No JSON text has it.
const REVPOS: char = '\u{1}';

/// What a browser's `atob` takes.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is known of a content that comes beside the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentInfo {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub length: u64,
}

/// Where the content of an attachment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It came in the document, in base64.
    Inside(ContentInfo, Vec<u8>),
    /// It is the one with this index of those beside the documents.
    Beside(usize),
}

/// The attachments of a document that is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncomingAttachments {
    /// The digests of the stubs, as they were given: these contents must be there.
    pub stubs: Vec<String>,
    /// The other contents.
    pub given: Vec<Given>,
    /// What is stored, once [`fill_revpos`] has been at it.
    pub(super) stored: String,
    /// What goes into the hash of the revision.
    pub(super) hashed: String,
    /// What PouchDB hashes of it in a document that it finds deleted: it has looked at the contents by then.
    pub(super) rehashed: String,
}

impl IncomingAttachments {
    /// Reads the member `_attachments`. A content is a text in base64, or a number: an index into `beside`.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for a content that is neither, and [`ErrorKind::BadRequest`] for a wrong name.
    pub(super) fn parse(value: &RawValue, beside: &[ContentInfo]) -> Result<Self> {
        let bad = |what: &str| Error::new(ErrorKind::BadArgument).with_reason(what.to_owned());
        let members = Members::parse(value.get()).map_err(|_| bad("_attachments must be an object"))?;
        let mut attachments = Self::default();
        for member in &members.0 {
            let name = member.name();
            check_name(&name)?;
            let members = Members::parse(member.value.get())
                .map_err(|_| bad(&format!("Attachment {name} must be an object")))?;
            attachments.push(member, &members, beside)?;
        }
        for text in [&mut attachments.stored, &mut attachments.hashed, &mut attachments.rehashed] {
            close(text);
        }
        Ok(attachments)
    }

    fn push(&mut self, member: &Member<'_>, members: &Members<'_>, beside: &[ContentInfo]) -> Result<()> {
        let own_name = member.name.get();
        let picked: Vec<_> = MEMBERS
            .into_iter()
            .filter_map(|name| Some((name, members.get(name)?.get().to_owned())))
            .collect();
        if members.get("stub").is_some_and(is_truthy) {
            let digest = members.get("digest").and_then(|digest| serde_json::from_str(digest.get()).ok());
            self.stubs.push(digest.unwrap_or_default());
            let [mut stored, mut hashed] = [String::new(), String::new()];
            for (name, value) in &picked {
                push_member(&mut hashed, name, value);
                match *name {
                    "data" => {}
                    "stub" => push_member(&mut stored, name, "true"),
                    name => push_member(&mut stored, name, value),
                }
            }
            close(&mut stored);
            close(&mut hashed);
            push_member_text(&mut self.rehashed, own_name, &hashed);
            push_member_text(&mut self.hashed, own_name, &hashed);
            push_member_text(&mut self.stored, own_name, &stored);
            return Ok(());
        }
        let data = members.get("data").map_or("", RawValue::get);
        let (info, given) = if data.starts_with('"') {
            let bytes = serde_json::from_str::<String>(data).ok().and_then(decode_base64);
            let bytes = bytes.ok_or_else(|| {
                Error::new(ErrorKind::BadArgument).with_reason("Attachment is not a valid base64 string")
            })?;
            let info = ContentInfo { digest: Digest::of(&bytes), length: bytes.len() as u64 };
            (info, Given::Inside(info, bytes))
        } else {
            let index = data.parse().ok().filter(|index| *index < beside.len());
            let content = index.and_then(|index: usize| Some((*beside.get(index)?, Given::Beside(index))));
            content.ok_or_else(|| {
                let reason = format!("Attachment {} must have data, or be a stub", member.name());
                Error::new(ErrorKind::BadArgument).with_reason(reason)
            })?
        };
        let (digest, length) = (json_text(&info.digest.to_string()), info.length.to_string());
        let is_beside = matches!(given, Given::Beside(_));
        let [mut stored, mut hashed, mut rehashed] = [String::new(), String::new(), String::new()];
        for (name, value) in &picked {
            // PouchDB has an empty object in the place of a Blob, and so one revision for all contents.
            let is_data = *name == "data";
            push_member(&mut hashed, name, if is_data && is_beside { &digest } else { value });
            let value = match *name {
                "digest" => &digest,
                "length" => &length,
                _ => value,
            };
            push_member(&mut rehashed, name, if is_data { "{}" } else { value });
            match *name {
                "data" | "stub" => {}
                "revpos" => push_member(&mut stored, name, &format!("{REVPOS}{value}{REVPOS}")),
                name => push_member(&mut stored, name, value),
            }
        }
        let is_given = |name| picked.iter().any(|(given, _)| *given == name);
        let mut found = [("length", &length), ("digest", &digest)];
        if is_beside {
            found.reverse();
        }
        for (name, value) in found.into_iter().filter(|(name, _)| !is_given(*name)) {
            push_member(&mut stored, name, value);
            push_member(&mut rehashed, name, value);
        }
        if !is_given("revpos") {
            push_member(&mut stored, "revpos", &format!("{REVPOS}{REVPOS}"));
        }
        push_member(&mut stored, "stub", "true");
        for text in [&mut stored, &mut hashed, &mut rehashed] {
            close(text);
        }
        push_member_text(&mut self.stored, own_name, &stored);
        push_member_text(&mut self.hashed, own_name, &hashed);
        push_member_text(&mut self.rehashed, own_name, &rehashed);
        self.given.push(given);
        Ok(())
    }
}

/// Sets the `revpos` of the attachments whose contents came with a body. `generation` is that of their revision; of one
/// that was made elsewhere, what it says counts, as long as it can be.
pub fn fill_revpos(body: &str, generation: u64, is_from_elsewhere: bool) -> String {
    let mut text = String::with_capacity(body.len() + 8);
    for (index, part) in body.split(REVPOS).enumerate() {
        if index % 2 == 0 {
            text.push_str(part);
            continue;
        }
        let given = part.parse().ok().filter(|given| is_from_elsewhere && (1..=generation).contains(given));
        text.push_str(&given.unwrap_or(generation).to_string());
    }
    text
}

fn check_name(name: &str) -> Result<()> {
    if name.starts_with('_') {
        let reason = format!("{name} is not a valid attachment name, attachment names cannot start with '_'");
        return Err(Error::new(ErrorKind::BadRequest).with_reason(reason));
    }
    Ok(())
}

fn decode_base64(text: String) -> Option<Vec<u8>> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r');
    let mut text = text.into_bytes();
    text.retain(|byte| !is_space(byte));
    // Padding counts only where it makes up a whole group.
    if text.contains(&b'=') && !text.len().is_multiple_of(4) {
        return None;
    }
    FORGIVING.decode(text).ok()
}

/// An attachment as it is stored, and the content that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttachment {
    /// Its name.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
    /// How many bytes that has.
    pub length: u64,
    /// Its `content_type`, where that is a text.
    pub content_type: Option<String>,
    /// The generation in which it got this content.
    pub revpos: Option<u64>,
}

/// The attachments of a stored body.
pub fn stored_attachments(body: &[u8]) -> Vec<StoredAttachment> {
    let parse = || {
        let members = Members::parse(std::str::from_utf8(body).ok()?).ok()?;
        let attachments = Members::parse(members.get("_attachments")?.get()).ok()?;
        let read = attachments.0.iter().filter_map(|member| {
            let members = Members::parse(member.value.get()).ok()?;
            let text = |name| serde_json::from_str::<String>(members.get(name)?.get()).ok();
            let digest = text("digest")?;
            let number = |name| members.get(name).and_then(|number| number.get().parse().ok());
            let (length, revpos) = (number("length"), number("revpos"));
            let digest = digest.parse().ok()?;
            let (name, content_type) = (member.name().into_owned(), text("content_type"));
            Some(StoredAttachment { name, digest, length: length.unwrap_or_default(), content_type, revpos })
        });
        Some(read.collect())
    };
    parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, beside: &[ContentInfo]) -> Result<IncomingAttachments> {
        IncomingAttachments::parse(serde_json::from_str(text).unwrap(), beside)
    }

    #[test]
    fn contents_become_stubs() {
        let text = r#"{"a":{"content_type":"text/plain","x":1,"data":"Zm9v"},"b":{"data":0,"revpos":7},"c":{"stub":true,"digest":"md5-x","y":2}}"#;
        let beside = ContentInfo { digest: Digest::of(b"bar!"), length: 4 };
        let attachments = parse(text, &[beside]).unwrap();
        assert_eq!(
            fill_revpos(&attachments.stored, 2, false),
            concat!(
                r#"{"a":{"content_type":"text/plain","length":3,"digest":"md5-rL0Y20zC+Fzt72VPzMSk2A==","revpos":2,"stub":true},"#,
                r#""b":{"revpos":2,"digest":"md5-H9b4VOHwo59R7q1JMBaUCA==","length":4,"stub":true},"c":{"digest":"md5-x","stub":true}}"#
            )
            .replace("md5-H9b4VOHwo59R7q1JMBaUCA==", &beside.digest.to_string())
        );
        assert_eq!(
            attachments.hashed,
            format!(
                r#"{{"a":{{"data":"Zm9v","content_type":"text/plain"}},"b":{{"data":"{}","revpos":7}},"c":{{"digest":"md5-x","stub":true}}}}"#,
                beside.digest
            )
        );
        assert_eq!(attachments.stubs, ["md5-x"]);
        assert_eq!(attachments.given[1], Given::Beside(0));
        let stored = format!(r#"{{"_attachments":{}}}"#, fill_revpos(&attachments.stored, 2, false));
        let read = stored_attachments(stored.as_bytes());
        assert_eq!(
            read.iter().map(|one| (one.name.as_str(), one.length)).collect::<Vec<_>>(),
            [("a", 3), ("b", 4)]
        );
    }

    #[test]
    fn names_are_kept_to_the_letter() {
        let attachments =
            parse(r#"{"\"a\"\n":{"data":"Zm9v"},"\u00e9":{"stub":true,"digest":"md5-x"}}"#, &[]).unwrap();
        let stored = format!(r#"{{"_attachments":{}}}"#, fill_revpos(&attachments.stored, 1, false));
        let read = stored_attachments(stored.as_bytes());
        assert_eq!(read.first().map(|one| one.name.as_str()), Some("\"a\"\n"));
        assert!(attachments.hashed.contains(r#""\u00e9":{"#), "{}", attachments.hashed);
    }

    #[test]
    fn a_revpos_from_elsewhere_counts_if_it_can_be() {
        let filled = |revpos: &str| fill_revpos(&format!("{{\"revpos\":\u{1}{revpos}\u{1}}}"), 3, true);
        assert_eq!(filled("2"), r#"{"revpos":2}"#);
        for revpos in ["", "0", "4", "\"2\"", "-1", "2.5"] {
            assert_eq!(filled(revpos), r#"{"revpos":3}"#, "{revpos}");
        }
    }

    #[test]
    fn base64_is_taken_as_browsers_take_it() {
        let decoded = |text: &str| decode_base64(text.to_owned());
        for text in ["Zm8=", "Zm8", " Z m\n8=\r\t\u{c}", "Zm9="] {
            assert_eq!(decoded(text).as_deref(), Some(b"fo".as_slice()), "{text:?}");
        }
        assert_eq!(decoded("").as_deref(), Some(b"".as_slice()));
        for text in ["Z", "Zm8==", "Zm9vZ", "Zm=8", "====", "Zm9v\u{b}", "not base64!", "Zm9-"] {
            assert_eq!(decoded(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_attachment_is_named() {
        for (text, status, reason) in [
            (
                r#"{"_a":{"data":""}}"#,
                400,
                "_a is not a valid attachment name, attachment names cannot start with '_'",
            ),
            (r#"{"a":{"data":"%"}}"#, 500, "Attachment is not a valid base64 string"),
            (r#"{"a":{"data":1}}"#, 500, "Attachment a must have data, or be a stub"),
            (r#"{"a":{}}"#, 500, "Attachment a must have data, or be a stub"),
            (r#"{"a":null}"#, 500, "Attachment a must be an object"),
            ("[]", 500, "_attachments must be an object"),
        ] {
            let error = parse(text, &[]).unwrap_err();
            assert_eq!((error.status(), error.reason()), (status, Some(reason)), "{text}");
        }
    }
}
