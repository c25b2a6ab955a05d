//! Documents: ids, revision ids, bodies. Pure.

mod attachments;
mod body;
mod digest;
mod id;
mod members;
mod rev;

pub use crate::varint;
pub use attachments::{
    ContentInfo, Given, IncomingAttachments, StoredAttachment, fill_revpos, stored_attachments,
};
pub use body::{IncomingDocument, Revisions, close, json_text, md5, push_member, reopen, with_member};
pub use digest::{Digest, Digesting};
pub use id::{DESIGN_PREFIX, LOCAL_PREFIX, check_id, id_from_key, id_key, is_local};
pub use members::{Members, is_truthy};
pub use rev::{Rev, RevHash};
