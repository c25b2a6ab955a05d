use super::StorageResult;
#[cfg(target_arch = "wasm32")]
use super::browser_content::BrowserContent;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// So much becomes base64 at a time: a multiple of three bytes, so that the texts put one after the other are one.
#[cfg(target_arch = "wasm32")]
const BASE64_PIECE: u64 = 3 << 18;

/// The content of an attachment. Cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In our memory.
    Bytes(Bytes),
    /// In the browser's, which it is read from in pieces, and handed back to as it is.
    #[cfg(target_arch = "wasm32")]
    Browser(BrowserContent),
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl Content {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            #[cfg(target_arch = "wasm32")]
            Self::Browser(content) => content.length(),
        }
    }

    /// The bytes, where they are in our memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            #[cfg(target_arch = "wasm32")]
            Self::Browser(_) => None,
        }
    }

    /// All bytes, brought into our memory.
    ///
    /// # Errors
    /// [`StorageError::Platform`](super::StorageError::Platform) where the browser can't read them any more.
    pub async fn to_bytes(&self) -> StorageResult<Bytes> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            #[cfg(target_arch = "wasm32")]
            Self::Browser(content) => content.read(0..content.length()).await.map(Bytes::from),
        }
    }

    /// The same in base64. Of what is the browser's, and is no small thing, the text is the browser's too, and only pieces of it are ever
    /// in our memory.
    ///
    /// # Errors
    /// As [`Content::to_bytes`].
    pub async fn to_base64(&self) -> StorageResult<Self> {
        match self {
            #[cfg(target_arch = "wasm32")]
            Self::Browser(content) if content.length() > BASE64_PIECE => {
                content.to_base64(BASE64_PIECE).await.map(Self::Browser)
            }
            _ => Ok(Self::Bytes(STANDARD.encode(self.to_bytes().await?).into())),
        }
    }

    /// Calls `each` with one piece after another, of which few are in our memory at a time.
    ///
    /// # Errors
    /// As [`Content::to_bytes`].
    pub async fn read_in_pieces(&self, mut each: impl FnMut(&[u8])) -> StorageResult<()> {
        match self {
            Self::Bytes(bytes) => {
                each(bytes);
                Ok(())
            }
            #[cfg(target_arch = "wasm32")]
            Self::Browser(content) => {
                /// Larger ones are not read faster.
                const PIECE: u64 = 1 << 20;
                let length = content.length();
                let mut start = 0;
                while start < length {
                    let end = (start + PIECE).min(length);
                    each(&content.read(start..end).await?);
                    start = end;
                }
                Ok(())
            }
        }
    }
}
