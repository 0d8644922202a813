//! The file of a new cloud key in pieces, each of which is made when it is asked for: what a client with little memory sends.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::body::{self, PutWords};
use super::fields::put_words;
use super::frame::{cloud_key_bytes, storable};
use super::header::{Context, Header};
use crate::control::Control;
use crate::error::Result;
use crate::keys::generation::bootstrap_words;
use crate::keys::secret::SecretKey;
use crate::keyswitch::key_bodies::encrypt_bodies as key_switch_bodies;
use crate::parameters::set::Parameters;
use crate::random::{MaskSeed, Rows, SecretSeed};
use crate::serial::kind::Kind;

/// What a piece has of the file, at the least, but for the first and the last one.
const PIECE_BYTES: usize = 1 << 19;

/// The file of a new cloud key, in pieces. Together they are what [`to_bytes`](crate::serial::to_bytes) gives for the key that
/// [`CloudKey::generate`](crate::keys::CloudKey::generate) makes from the same seed, and no more than one of them, of some 500 KB, is in
/// memory at a time.
///
/// ```
/// use std::sync::Arc;
/// use tfhe_core::keys::{CloudKey, SecretKey};
/// use tfhe_core::{parameters::GATES_DEFAULT, random::SecretSeed};
/// use tfhe_core::serial::{CloudKeyPieces, NO_CONTEXT, cloud_key_bytes, from_bytes};
/// let key = Arc::new(SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?));
/// let mut file = Vec::with_capacity(cloud_key_bytes(&GATES_DEFAULT));
/// for piece in CloudKeyPieces::new(Arc::clone(&key), SecretSeed::from_os()?, NO_CONTEXT)? {
///     file.extend(piece); // or send it
/// }
/// assert_eq!(from_bytes::<CloudKey>(&file)?.header.key_id, key.id());
/// # Ok::<(), tfhe_core::Error>(())
/// ```
pub struct CloudKeyPieces {
    secret: Arc<SecretKey>,
    seed: SecretSeed,
    masks: MaskSeed,
    header: Header,
    /// TGSW samples of a piece.
    samples: usize,
    next: Part,
    checksum: Sha256,
}

/// What a piece begins with.
#[derive(Clone, Copy)]
enum Part {
    Header,
    /// The TGSW sample of this number.
    Sample(usize),
    KeySwitch,
    End,
}

impl fmt::Debug for CloudKeyPieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudKeyPieces {{ header: {:?}, .. }}", self.header)
    }
}

impl CloudKeyPieces {
    /// Begins the file of a new cloud key of `secret`.
    ///
    /// # Errors
    /// [`Error::NotStorable`](crate::Error::NotStorable) for a key of no named parameter set.
    pub fn new(secret: Arc<SecretKey>, seed: SecretSeed, context: Context) -> Result<Self> {
        let parameters = storable(secret.parameters())?;
        let (kind, key_id, body_len) =
            (Kind::CloudKey, secret.id(), body::cloud_key_bytes(parameters) as u64);
        let sample_bytes = cloud_key_bytes(parameters) / parameters.tgsw_samples();
        Ok(Self {
            masks: seed.mask_seed(),
            seed,
            header: Header { kind, key_id, context, parameters, body_len },
            samples: PIECE_BYTES.div_ceil(sample_bytes),
            next: Part::Header,
            checksum: Sha256::new(),
            secret,
        })
    }

    /// The parameter set, of which [`cloud_key_bytes`] gives the length of the whole file.
    pub fn parameters(&self) -> &Parameters {
        self.header.parameters
    }
}

impl Iterator for CloudKeyPieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let parameters = self.header.parameters;
        let control = Control::default();
        let rows = Rows { seed: &self.seed, masks: self.masks, control: &control };
        let mut piece = Vec::new();
        self.next = match self.next {
            Part::Header => {
                self.header.write(&mut piece);
                piece.extend(self.masks.0);
                Part::Sample(0)
            }
            Part::Sample(first) => {
                let end = (first + self.samples).min(parameters.tgsw_samples());
                bootstrap_words(&self.secret, rows, first..end).read(PutWords(&mut piece));
                if end < parameters.tgsw_samples() { Part::Sample(end) } else { Part::KeySwitch }
            }
            Part::KeySwitch => {
                let (large, small) = (self.secret.large().extracted(), self.secret.small());
                put_words(&mut piece, &key_switch_bodies(&large, small, parameters, rows));
                Part::End
            }
            Part::End => return None,
        };
        self.checksum.update(&piece);
        if let Part::End = self.next {
            piece.extend(self.checksum.finalize_reset());
        }
        Some(piece)
    }
}
