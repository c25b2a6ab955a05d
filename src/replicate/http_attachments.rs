//! Contents of attachments from a CouchDB.
//!
//! Each is a request of its own, some at once; small ones of documents that bring all of theirs come together in one
//! answer, as far as the server gives such.

use super::answers::json;
use super::attachments::{MOST, Wanted};
use super::peer::Lacking;
use crate::error::{Error, Result};
use crate::http::{Client, Document};
use crate::storage::Content;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// As many requests at once; browsers have six connections to a server, and a feed may hold one.
const AT_ONCE: usize = 5;
/// A document whose attachments have more than this together is worth requests of its own.
const SMALL: u64 = 256 << 10;
/// So much comes in one answer.
const TOGETHER: u64 = 2 << 20;

type Given = std::result::Result<Content, Lacking>;

/// What a request is for: places among what is wanted.
enum Question {
    One(usize),
    Documents(Vec<usize>),
}

/// Gets contents.
pub(super) async fn get(client: &Client, wanted: &[Wanted]) -> Result<Vec<Given>> {
    let questions =
        if client.multipart().is_given.get() { questions(wanted) } else { alone(0..wanted.len()).collect() };
    let mut given: Vec<Option<Given>> = vec![None; wanted.len()];
    let mut answers = stream::iter(questions)
        .map(|question| async move {
            match question {
                Question::One(place) => {
                    get_one(client, wanted, place).await.map(|given| (Vec::new(), vec![given]))
                }
                Question::Documents(places) => {
                    let found = get_documents(client, wanted, &places).await;
                    let left = places.into_iter().filter(|place| !found.contains_key(place)).collect();
                    Ok((left, found.into_iter().map(|(place, content)| (place, Ok(content))).collect()))
                }
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut left: Vec<usize> = Vec::new();
    while let Some(answer) = answers.next().await {
        let (not_found, found): (Vec<usize>, Vec<(usize, Given)>) = answer?;
        left.extend(not_found);
        for (place, content) in found {
            if let Some(one) = given.get_mut(place) {
                *one = Some(content);
            }
        }
    }
    // What did not come together comes alone.
    let mut answers =
        stream::iter(left).map(|place| get_one(client, wanted, place)).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        let (place, content) = answer?;
        if let Some(one) = given.get_mut(place) {
            *one = Some(content);
        }
    }
    let nothing = || Lacking { error: Error::missing(), is_final: false };
    Ok(given.into_iter().map(|one| one.unwrap_or_else(|| Err(nothing()))).collect())
}

fn alone(places: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Question> {
    places.into_iter().map(Question::One)
}

/// Groups what is wanted.
fn questions(wanted: &[Wanted]) -> Vec<Question> {
    let mut documents: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (place, one) in wanted.iter().enumerate() {
        documents.entry((&one.id, &one.rev)).or_default().push(place);
    }
    let mut questions = Vec::new();
    let mut group: Vec<usize> = Vec::new();
    let mut length = 0;
    for places in documents.into_values() {
        let of_doc = || places.iter().filter_map(|place| wanted.get(*place));
        // Those of which the digest says nothing are compressed where they come together.
        let is_plain = of_doc().all(|one| one.stub.digest.is_some() && one.stub.length.is_some());
        let is_whole = of_doc().all(|one| one.of == places.len());
        let bytes: u64 = of_doc().filter_map(|one| one.stub.length).sum();
        if !is_plain || !is_whole || bytes > SMALL {
            questions.extend(alone(places));
            continue;
        }
        if length + bytes > TOGETHER {
            questions.push(Question::Documents(std::mem::take(&mut group)));
            length = 0;
        }
        length += bytes;
        group.extend(places);
    }
    match group.len() {
        0 | 1 => questions.extend(alone(group)),
        _ => questions.push(Question::Documents(group)),
    }
    questions
}

async fn get_one(client: &Client, wanted: &[Wanted], place: usize) -> Result<(usize, Given)> {
    let Some(Wanted { id, rev, stub, .. }) = wanted.get(place) else {
        return Ok((place, Err(Lacking { error: Error::missing(), is_final: false })));
    };
    match client.attachment(id, rev, &stub.name, stub.length.unwrap_or(MOST)).await {
        Ok(content) => Ok((place, Ok(content))),
        Err(error) => match lacking(error) {
            Ok(lacking) => Ok((place, Err(lacking))),
            Err(error) => Err(error),
        },
    }
}

/// What the error says of the attachment; the error itself where it is about the server or the user.
fn lacking(error: Error) -> Result<Lacking> {
    match error.status() {
        404 if !matches!(error.reason(), Some("no_db_file" | "Database does not exist.")) => {
            Ok(Lacking { error, is_final: true })
        }
        403 | 410 => Ok(Lacking { error, is_final: true }),
        400 | 500 => Ok(Lacking { error, is_final: false }),
        _ => Err(error),
    }
}

/// Contents that came together with their documents. Whatever does not is asked for again, so nothing here is an error.
async fn get_documents(client: &Client, wanted: &[Wanted], places: &[usize]) -> HashMap<usize, Content> {
    #[derive(Serialize)]
    struct Asked<'a> {
        id: &'a str,
        rev: &'a str,
    }
    #[derive(Deserialize)]
    struct Ids {
        _id: String,
        _rev: String,
    }
    let chosen: Vec<(usize, &Wanted)> =
        places.iter().filter_map(|place| Some((*place, wanted.get(*place)?))).collect();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for (_, Wanted { id, rev, .. }) in &chosen {
        if asked.last().is_none_or(|last| (last.id, last.rev) != (&**id, rev.as_str())) {
            asked.push(Asked { id, rev });
        }
    }
    let length = chosen.iter().filter_map(|(_, one)| one.stub.length).sum();
    let documents = match client.bulk_get_with_attachments(&json(&asked), asked.len(), length).await {
        Ok(Some(documents)) => documents,
        Ok(None) => {
            client.multipart().is_given.set(false);
            return HashMap::new();
        }
        Err(_) => return HashMap::new(),
    };
    let mut contents: HashMap<(String, String, String), Bytes> = HashMap::new();
    for Document { body, attachments } in documents {
        let Ok(Ids { _id, _rev }) = serde_json::from_str(body.get()) else { continue };
        for (name, bytes) in attachments {
            contents.insert((_id.clone(), _rev.clone(), name), bytes);
        }
    }
    let each = chosen.into_iter().filter_map(|(place, Wanted { id, rev, stub, .. })| {
        let key = (id.to_string(), rev.clone(), stub.name.clone());
        Some((place, Content::Bytes(contents.get(&key)?.clone())))
    });
    each.collect()
}
