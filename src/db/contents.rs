//! Contents of attachments: reading them, and looking whether they are what they should be.

use super::get::{GetOptions, body_from};
use super::open::Database;
use crate::doc::{Digest, Digesting, stored_attachments};
use crate::engine::{Engine, Keyspace, Problem, Snapshot, View};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{fill_marks, marks_of};
use crate::storage::{Content, StorageError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// So often is looked whether a content is there as long as that contradicts what documents say: others write meanwhile.
const LOOKS: u32 = 3;

/// The digest of a content, which is read for that in pieces.
///
/// # Errors
/// A storage error where the browser can't read it any more.
pub async fn digest_of(content: &Content) -> Result<Digest> {
    let mut digesting = Digesting::default();
    content.read_in_pieces(|piece| digesting.add(piece)).await?;
    Ok(digesting.finish())
}

/// Contents are read in so many at once where they become text.
const TEXTS_AT_ONCE: usize = 8;

/// The JSON text of an answer, and the contents of attachments beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// With indices into `contents` where contents belong.
    pub text: String,
    /// Each once.
    pub contents: Vec<Content>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its `content_type`, if it has one.
    pub content_type: Option<String>,
    /// Its content.
    pub content: Content,
}

impl Database {
    /// The answer of `ask` with contents where it has marks for them, as documents have that were asked for with
    /// `attachments`: in base64, or with `binary` beside the text.
    ///
    /// # Errors
    /// Those of `ask`; a storage error where a content cannot be read.
    pub async fn with_contents(&self, binary: bool, ask: impl AsyncFn() -> Result<String>) -> Result<Answer> {
        let mut looks = 0;
        loop {
            let text = ask().await?;
            let names: Vec<String> = marks_of(&text).into_iter().map(str::to_owned).collect();
            let filled = if binary {
                self.fill_beside(&text, &names).await?
            } else {
                self.fill_in(&text, &names).await?
            };
            match filled {
                Ok(answer) => return Ok(answer),
                // Removed by a commit that came after the state that was read.
                Err(_) if looks < LOOKS => self.refresh().await?,
                Err(missing) => return Err(missing.into()),
            }
            looks += 1;
        }
    }

    async fn fill_beside(
        &self,
        text: &str,
        names: &[String],
    ) -> Result<std::result::Result<Answer, StorageError>> {
        let found = self.engine()?.read_contents(names).await?;
        let mut contents = Vec::with_capacity(found.len());
        for (name, content) in names.iter().zip(found) {
            match content {
                Some(content) => contents.push(content),
                None => return Ok(Err(missing(name))),
            }
        }
        let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
        let text = fill_marks(text, |name, text| {
            text.push_str(&places.get(name).copied().unwrap_or_default().to_string());
            Ok(())
        })?;
        Ok(Ok(Answer { text, contents }))
    }

    async fn fill_in(
        &self,
        text: &str,
        names: &[String],
    ) -> Result<std::result::Result<Answer, StorageError>> {
        let mut texts = HashMap::new();
        for names in names.chunks(TEXTS_AT_ONCE) {
            let found = self.engine()?.read_contents(names).await?;
            for (name, content) in names.iter().zip(found) {
                let Some(content) = content else { return Ok(Err(missing(name))) };
                texts.insert(name.as_str(), STANDARD.encode(content.to_bytes().await?));
            }
        }
        let text = fill_marks(text, |name, text| {
            text.push('"');
            text.push_str(texts.get(name).map_or("", String::as_str));
            text.push('"');
            Ok(())
        })?;
        Ok(Ok(Answer { text, contents: Vec::new() }))
    }

    /// An attachment of a document, or of the revision that `options.rev` names.
    ///
    /// # Errors
    /// 404 where there is no such document, revision or attachment; a storage error where it cannot be read.
    pub async fn attachment(&self, id: &str, name: &str, options: &GetOptions) -> Result<Attachment> {
        let question = |snapshot: &Snapshot| {
            let body = body_from(snapshot, id, options)?;
            let stub = stored_attachments(&body).into_iter().find(|stub| stub.name == name);
            stub.ok_or_else(|| Error::new(ErrorKind::NotFound))
        };
        let mut looks = 0;
        loop {
            let stub = self.engine()?.read(question).await.map_err(|error| error.with_doc_id(id))?;
            let found = self.contents(&[stub.digest]).await?.pop().flatten();
            match found {
                Some(content) => return Ok(Attachment { content_type: stub.content_type, content }),
                None if looks < LOOKS => self.refresh().await?,
                None => return Err(missing(&stub.digest.to_string()).into()),
            }
            looks += 1;
        }
    }

    /// Contents of attachments by their digests; `None` where nothing refers to one.
    ///
    /// # Errors
    /// A storage error where they cannot be read.
    pub async fn contents(&self, digests: &[Digest]) -> Result<Vec<Option<Content>>> {
        let names: Vec<_> = digests.iter().map(Digest::to_string).collect();
        self.engine()?.read_contents(&names).await
    }

    /// Which of these contents are there: stubs of them can be written.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn known_contents(&self, digests: &[Digest]) -> Result<BTreeSet<Digest>> {
        let question = |snapshot: &Snapshot| {
            let is_known =
                |digest: &&Digest| snapshot.get(Keyspace::Content, digest.to_string().as_bytes()).is_some();
            Ok(digests.iter().filter(is_known).copied().collect())
        };
        self.engine()?.read(question).await
    }
}

fn missing(name: &str) -> StorageError {
    StorageError::Damaged { record: format!("attachment/{name}"), problem: "it is missing" }
}

/// Reads every content that there should be, and notes what is damaged, missing or nobody's. `expected` are the lengths by
/// name.
pub(super) async fn check_contents(
    engine: &Engine,
    expected: &BTreeMap<String, u64>,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let mut note =
        |name: &str, problem: &str| problems.push(Problem::new(format!("attachment/{name}"), problem));
    let stored: BTreeSet<String> = engine.content_names().await?.into_iter().collect();
    for (name, length) in expected {
        let Some(content) = engine.read_contents(std::slice::from_ref(name)).await?.pop().flatten() else {
            continue;
        };
        match digest_of(&content).await {
            Ok(digest) if digest.to_string() != *name => note(name, "it is not what was written"),
            Ok(_) if content.length() != *length => note(name, "it has another length than is told"),
            Ok(_) => {}
            Err(error) => note(name, error.message()),
        }
    }
    let mut doubtful: BTreeMap<String, bool> = expected
        .keys()
        .filter(|name| !stored.contains(*name))
        .map(|name| (name.clone(), true))
        .chain(stored.iter().filter(|name| !expected.contains_key(*name)).map(|name| (name.clone(), false)))
        .collect();
    for _ in 0..LOOKS {
        if doubtful.is_empty() {
            return Ok(());
        }
        let stored: BTreeSet<String> = engine.content_names().await?.into_iter().collect();
        engine.refresh().await?;
        let question = |snapshot: &Snapshot| {
            let mut left = BTreeMap::new();
            for name in doubtful.keys() {
                let is_expected = snapshot.get(Keyspace::Content, name.as_bytes()).is_some();
                if is_expected != stored.contains(name) {
                    left.insert(name.clone(), is_expected);
                }
            }
            Ok(left)
        };
        doubtful = engine.read(question).await?;
    }
    for (name, is_expected) in doubtful {
        note(&name, if is_expected { "it is missing" } else { "nothing refers to it" });
    }
    Ok(())
}
