use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use std::fmt;
use std::str::FromStr;

/// What the content of an attachment is found by: its MD5. Written `md5-` and base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(content: &[u8]) -> Self {
        Self(Md5::digest(content).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "md5-{}", STANDARD.encode(self.0))
    }
}

impl FromStr for Digest {
    type Err = ();

    /// Fails where the text is not exactly what a digest is written as.
    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = STANDARD.decode(text.strip_prefix("md5-").ok_or(())?).map_err(|_| ())?;
        bytes.try_into().map(Self).map_err(|_| ())
    }
}

/// The digest of a content that comes in pieces.
#[derive(Default)]
pub struct Digesting(Md5);

impl Digesting {
    /// Adds the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_as_couchdb_does() {
        let digest = Digest::of(b"This is a base64 encoded text");
        let mut digesting = Digesting::default();
        digesting.add(b"This is a base64");
        digesting.add(b" encoded text");
        assert_eq!(digesting.finish(), digest);
        assert_eq!(Digest::of(b"").to_string(), "md5-1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for other in ["", "md5-", "md5-1B2M2Y8AsgTpgAmY7PhCfg", "sha1-1B2M2Y8AsgTpgAmY7PhCfg==", "md5-AAAA"] {
            assert_eq!(other.parse::<Digest>(), Err(()), "{other}");
        }
    }
}
