//! Documents with the contents of their attachments: first with marks where they belong, because a snapshot has none of
//! them, then filled in.

use crate::doc::{Members, close, push_member};
use crate::error::Result;
use std::borrow::Cow;

/// Stands around the name of a content. No JSON text has it.
const MARK: char = '\u{1}';

/// A body whose attachments have marks as `data`, and neither `stub` nor `length`, as PouchDB gives them.
pub fn with_marks(body: &str) -> Cow<'_, str> {
    let Some(members) = Members::parse(body).ok().filter(|members| members.get("_attachments").is_some())
    else {
        return body.into();
    };
    let mut text = String::with_capacity(body.len());
    for (name, value) in &members.0 {
        match Members::parse(value.get()) {
            Ok(attachments) if name == "_attachments" => push_member(&mut text, name, &marked(&attachments)),
            _ => push_member(&mut text, name, value.get()),
        }
    }
    close(&mut text);
    text.into()
}

fn marked(attachments: &Members<'_>) -> String {
    let mut text = String::new();
    for (name, value) in &attachments.0 {
        let mut marked = String::new();
        for (name, value) in Members::parse(value.get()).into_iter().flat_map(|members| members.0) {
            if name != "stub" && name != "length" {
                push_member(&mut marked, &name, value.get());
            }
            if name == "digest" {
                // A digest has nothing that is escaped.
                let digest = value.get().trim_matches('"');
                push_member(&mut marked, "data", &format!("{MARK}{digest}{MARK}"));
            }
        }
        close(&mut marked);
        push_member(&mut text, name, &marked);
    }
    close(&mut text);
    text
}

/// The names of the contents whose marks a text has, each once, in the order in which they come first.
pub fn marks_of(text: &str) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    text.split(MARK).skip(1).step_by(2).filter(|name| seen.insert(*name)).collect()
}

/// Replaces the marks by what `write` appends.
///
/// # Errors
/// Those of `write`.
pub fn fill_marks(text: &str, mut write: impl FnMut(&str, &mut String) -> Result<()>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    for (index, part) in text.split(MARK).enumerate() {
        if index % 2 == 0 {
            filled.push_str(part);
        } else {
            write(part, &mut filled)?;
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn marks_stand_where_contents_belong() {
        let body = r#"{"a":{"_attachments":{"x":{"digest":"no"}}},"_attachments":{"x":{"content_type":"t","length":3,"digest":"md5-1","revpos":1,"stub":true},"y":{"digest":"md5-2"},"z":{"digest":"md5-1"}},"b":1}"#;
        let marked = with_marks(body);
        assert_eq!(marks_of(&marked), ["md5-1", "md5-2"]);
        let filled = fill_marks(&marked, |name, text| {
            let _ = write!(text, "\"{}\"", &name[4..]);
            Ok(())
        });
        assert_eq!(
            filled.unwrap(),
            r#"{"a":{"_attachments":{"x":{"digest":"no"}}},"_attachments":{"x":{"content_type":"t","digest":"md5-1","data":"1","revpos":1},"y":{"digest":"md5-2","data":"2"},"z":{"digest":"md5-1","data":"1"}},"b":1}"#
        );
        assert_eq!(with_marks(r#"{"a":1}"#), r#"{"a":1}"#);
    }
}
