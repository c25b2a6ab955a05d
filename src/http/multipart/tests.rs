//! What is written is read, in whatever pieces it comes; what is broken is told.

use super::{Document, Documents, Malformed, Parser, Piece, Segment, boundary_of, related};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

type Parts = Vec<(Vec<(String, String)>, Vec<u8>)>;

/// Parses `message` in pieces of these sizes, over and over.
fn parse(boundary: &str, message: &[u8], sizes: &[usize]) -> Result<Parts, Malformed> {
    let mut parser = Parser::new(boundary)?;
    let mut parts = Parts::new();
    let mut rest = message;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        rest = after;
        parser.feed(piece);
        while let Some(piece) = parser.next()? {
            match piece {
                Piece::Part(headers) => parts.push((headers, Vec::new())),
                Piece::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(&data),
                Piece::PartEnd | Piece::End => {}
            }
        }
    }
    parser.finish()?;
    Ok(parts)
}

fn write(boundary: &str, parts: &Parts) -> Vec<u8> {
    let mut message = Vec::new();
    for (headers, body) in parts {
        message.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        for (name, value) in headers {
            message.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body);
    }
    message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    message
}

/// Bytes that look like boundaries and ends of headers more often than they would by chance.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n--".to_vec()),
        Just(b"--".to_vec()),
        Just(b"\r\n--b0un".to_vec()),
        Just(b"\r\n--b0undary more".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\r".to_vec()),
        vec(any::<u8>(), 0..20),
    ];
    vec(bits, 0..8).prop_map(|bits| bits.concat())
}

proptest! {
    #[test]
    fn a_message_is_read_in_whatever_pieces_it_comes(
        parts in vec((vec(("[a-z][a-z-]{0,8}", "[!-~]([ -~]{0,8}[!-~])?"), 0..3), body()), 1..4),
        sizes in vec(1..40usize, 1..5),
    ) {
        prop_assert_eq!(parse("b0undary", &write("b0undary", &parts), &sizes), Ok(parts));
    }

    #[test]
    fn a_message_that_breaks_off_is_told_wherever_it_does(
        parts in vec((Just(Vec::new()), body()), 1..3),
        cut in 0.0..1.0f64,
        sizes in vec(1..40usize, 1..5),
    ) {
        let message = write("b0undary", &parts);
        let whole = message.len() - 2;
        let cut = (whole as f64 * cut) as usize;
        prop_assert_eq!(parse("b0undary", &message[..cut], &sizes), Err(Malformed::BreaksOff));
    }

    #[test]
    fn anything_at_all_gives_no_more_than_came_in(noise in vec(body(), 0..6), sizes in vec(1..40usize, 1..5)) {
        let noise = noise.join(&b"\r\n--b0undary\r\n\r\n"[..]);
        if let Ok(parts) = parse("b0undary", &noise, &sizes) {
            prop_assert!(parts.iter().map(|(_, body)| body.len()).sum::<usize>() <= noise.len());
        }
    }

    #[test]
    fn a_document_written_with_attachments_is_read_again(
        contents in vec(("[a-z\"\r\n/ü]{1,6}", body()), 0..4),
        sizes in vec(1..60usize, 1..5),
    ) {
        let mut attachments = serde_json::Map::new();
        for (name, bytes) in &contents {
            attachments.insert(name.clone(), json!({"follows": true, "length": bytes.len()}));
        }
        // A name that comes twice is one attachment, the last.
        let contents: Vec<_> = attachments
            .keys()
            .map(|name| (name.clone(), contents.iter().rfind(|(other, _)| other == name).unwrap().1.clone()))
            .collect();
        let document = json!({"_id": "a", "_attachments": attachments});
        let message = mixed(&vec![(document.clone(), contents.clone())]);
        let items = documents(&message, &sizes).unwrap();
        prop_assert_eq!(items, vec![(document, contents)]);
    }
}

/// An answer as CouchDB writes it, with a document's own message inside.
fn mixed(documents: &Read) -> Vec<u8> {
    let parts = documents.iter().map(|(document, contents)| {
        if contents.is_empty() {
            return (
                vec![("Content-Type".into(), "application/json".into())],
                document.to_string().into_bytes(),
            );
        }
        let contents = contents
            .iter()
            .map(|(name, bytes)| (name.clone(), "text/plain".to_owned(), bytes.len() as u64, bytes.clone()));
        let (content_type, segments) = related("inner", &document.to_string(), contents);
        let body = segments.into_iter().map(|segment| match segment {
            Segment::Text(text) => text.into_bytes(),
            Segment::Content(bytes) => bytes,
        });
        (vec![("Content-Type".into(), content_type)], body.collect::<Vec<_>>().concat())
    });
    write("--outer", &parts.collect())
}

type Read = Vec<(Value, Vec<(String, Vec<u8>)>)>;

fn documents(message: &[u8], sizes: &[usize]) -> Result<Read, Malformed> {
    let mut documents = Documents::new("multipart/mixed; boundary=\"--outer\"", message.len())?;
    let mut read = Vec::new();
    let mut rest = message;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        rest = after;
        documents.feed(piece)?;
        while let Some(Document { body, attachments }) = documents.next()? {
            let attachments = attachments.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect();
            read.push((serde_json::from_str(body.get()).unwrap(), attachments));
        }
    }
    documents.finish()?;
    Ok(read)
}

#[test]
fn what_couchdb_answers_is_read() {
    // As CouchDB 3.5 sends it: boundaries that begin with dashes, an encoded attachment, a stub, a revision it has not.
    let message = "\r\n----outer\r\nX-Doc-Id: a\r\nX-Rev-Id: 1-x\r\nContent-Type: multipart/related; boundary=--in\r\n\r\n\
        ----in\r\nContent-Type: application/json\r\n\r\n\
        {\"_id\":\"a\",\"_attachments\":{\"t\":{\"follows\":true,\"length\":9,\"encoding\":\"gzip\",\"encoded_length\":3},\
        \"s\":{\"stub\":true,\"length\":7},\"u\":{\"follows\":true,\"length\":0}}}\
        \r\n----in\r\nContent-Disposition: attachment; filename=\"t\"\r\nContent-Length: 3\r\n\r\nabc\
        \r\n----in\r\nContent-Disposition: attachment; filename=\"u\"\r\nContent-Length: 0\r\n\r\n\r\n----in--\
        \r\n----outer\r\nContent-Type: application/json\r\n\r\n{\"_id\":\"b\"}\
        \r\n----outer\r\nContent-Type: application/json; error=\"true\"\r\n\r\n{\"rev\":\"1-y\",\"error\":\"not_found\"}\
        \r\n----outer--\r\n";
    for size in [1, 2, 3, 7, 5000] {
        let read = documents(message.as_bytes(), &[size]).unwrap();
        assert_eq!(read.len(), 2, "what it has not is passed over");
        assert_eq!(read[0].1, [("t".to_owned(), b"abc".to_vec()), ("u".to_owned(), Vec::new())]);
        assert_eq!(read[1].0, json!({"_id": "b"}));
    }
    assert_eq!(documents(b"", &[1]), Ok(Vec::new()), "CouchDB writes nothing for no documents");
}

#[test]
fn parts_that_are_not_those_of_the_document_are_told() {
    let document = |follows: Value| json!({"_id": "a", "_attachments": {"t": follows}});
    let one = |bytes: &str| vec![("t".to_owned(), bytes.as_bytes().to_vec())];
    for (follows, contents) in [
        (json!({"follows": true, "length": 3}), one("ab")),
        (json!({"follows": true, "length": 3}), one("abcd")),
        (json!({"follows": true}), one("abc")),
        (json!({"follows": true, "length": -1}), one("abc")),
        (json!({"follows": true, "length": "3"}), one("abc")),
        (json!({"stub": true, "length": 3}), one("abc")),
        (json!({"follows": true, "length": 3}), [one("abc"), one("abc")].concat()),
    ] {
        let message = mixed(&vec![(document(follows.clone()), contents)]);
        assert_eq!(documents(&message, &[10]), Err(Malformed::Parts), "{follows}");
    }
    let message = mixed(&vec![(
        json!({"_attachments": {"t": {"follows": true, "length": 3}, "u": {"follows": true, "length": 1}}}),
        one("abc"),
    )]);
    assert_eq!(documents(&message, &[10]), Err(Malformed::Parts), "one is missing");
    let message = mixed(&vec![(json!("no object"), one("abc"))]);
    assert_eq!(documents(&message, &[10]), Err(Malformed::Document));
}

#[test]
fn an_inner_message_that_breaks_off_is_told() {
    let inner = b"--in\r\nContent-Type: application/json\r\n\r\n{}\r\n--in".to_vec();
    let headers = vec![("Content-Type".to_owned(), "multipart/related; boundary=in".to_owned())];
    assert_eq!(documents(&write("--outer", &vec![(headers, inner)]), &[7]), Err(Malformed::BreaksOff));
}

#[test]
fn what_never_ends_is_not_kept() {
    let mut endless = Parser::new("b").unwrap();
    let refused = (0..1000).find_map(|_| {
        endless.feed(&[b'x'; 1000]);
        endless.next().err()
    });
    assert_eq!(refused, Some(Malformed::NoBoundary));

    let mut endless = Parser::new("b").unwrap();
    endless.feed(b"--b\r\n");
    let refused = (0..1000).find_map(|_| {
        endless.feed(&[b'x'; 1000]);
        endless.next().err()
    });
    assert_eq!(refused, Some(Malformed::Headers));

    let mut endless = Parser::new("b").unwrap();
    endless.feed(b"--b\r\n\r\n");
    let mut given = 0;
    for _ in 0..1000 {
        endless.feed(&[b'\n'; 1000]);
        while let Some(piece) = endless.next().unwrap() {
            given += if let Piece::Data(data) = piece { data.len() } else { 0 };
        }
    }
    assert_eq!(given, 1_000_000, "a part's bytes are handed on");

    let mut long = Documents::new("multipart/mixed; boundary=b", 10).unwrap();
    assert_eq!(long.feed(&[0; 11]), Err(Malformed::Parts));
}

#[test]
fn headers_are_read_as_mail_has_them() {
    let message = b"preamble\r\n--b \t\r\nContent-TYPE:text/plain;\r\n  charset=utf-8\r\nX:\r\n\r\nbody\r\n--b--epilogue";
    let expected = vec![
        ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()),
        ("x".to_owned(), String::new()),
    ];
    assert_eq!(parse("b", message, &[4]), Ok(vec![(expected, b"body".to_vec())]));
    // The line end that closes the headers may be the boundary's.
    assert_eq!(parse("b", b"--b\r\nA: 1\r\n\r\n--b--", &[4]).unwrap()[0].1, b"");
    for wrong in ["--b\r\nno colon\r\n\r\n\r\n--b--", "--b\r\n folded\r\n\r\n\r\n--b--"] {
        assert_eq!(parse("b", wrong.as_bytes(), &[100]), Err(Malformed::Headers), "{wrong:?}");
    }
}

#[test]
fn boundaries_are_found_in_content_types() {
    for (content_type, boundary) in [
        ("multipart/mixed; boundary=\"a b\"", Some("a b")),
        ("Multipart/Related; type=\"x\" ; BOUNDARY=ab", Some("ab")),
        ("multipart/mixed", None),
        ("multipart/mixed; charset=x", None),
        ("application/json; boundary=a", None),
        ("mü; boundary=a", None),
        ("", None),
    ] {
        assert_eq!(boundary_of(content_type).as_deref(), boundary, "{content_type}");
    }
    assert!(Parser::new("").is_err() && Parser::new(&"b".repeat(71)).is_err());
}

#[test]
fn a_name_does_not_end_the_header_it_stands_in() {
    let contents = [("a\"\r\nX: y".to_owned(), "text/\r\nplain".to_owned(), 1, Bytes::from_static(b"z"))];
    let (_, segments) = related("b", "{}", contents);
    let Segment::Text(text) = &segments[0] else { panic!() };
    assert!(
        text.contains("filename=\"aX: y\"\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n"),
        "{text}"
    );
}
