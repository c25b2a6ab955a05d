//! A document with its attachments as one message.

/// A stretch of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment<Content> {
    /// Text.
    Text(String),
    /// An attachment's bytes.
    Content(Content),
}

/// `multipart/related` as CouchDB takes it at `PUT /db/id`: the content type and the body.
///
/// `attachments` are those that the document says to follow (`follows`, with `length`), each name, type, length and
/// bytes, in the order in which the document names them: that is how CouchDB tells which is which. `boundary` must not
/// occur in any of it.
pub(crate) fn related<Content>(
    boundary: &str,
    document: &str,
    attachments: impl IntoIterator<Item = (String, String, u64, Content)>,
) -> (String, Vec<Segment<Content>>) {
    let mut text = format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n{document}");
    let mut segments = Vec::new();
    for (name, content_type, length, content) in attachments {
        text.push_str(&format!(
            "\r\n--{boundary}\r\nContent-Disposition: attachment; filename=\"{}\"\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
            header_text(&name),
            header_text(&content_type),
        ));
        segments.push(Segment::Text(std::mem::take(&mut text)));
        segments.push(Segment::Content(content));
    }
    text.push_str(&format!("\r\n--{boundary}--"));
    segments.push(Segment::Text(text));
    (format!("multipart/related; boundary=\"{boundary}\""), segments)
}

/// What would end the header, or the name in it, is left out: nobody reads it, the order counts.
fn header_text(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() && *char != '"').collect()
}
