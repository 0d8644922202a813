//! The functions that JavaScript calls.
//!
//! Each takes and returns numbers. A *handle* is the number of a thing in the module's memory; 0 in a handle's place says that
//! the function failed, and why is then asked of [`error_message`] and [`error_blame`]. A buffer that a function takes is
//! released by it, whatever comes of the call.

// For `no_mangle` alone, which is unsafe because two functions of one name would be confused: no other crate here exports any.
#![allow(unsafe_code)]

use std::sync::Arc;

use bnn::client::{Client, ClientSpecification, EncryptedScores, Preparation};
use bnn::data::Image;
use tfhe_core::ciphertext::CiphertextList;
use tfhe_core::keys::SecretKey;
use tfhe_core::parameters::Parameters;
use tfhe_core::random::SecretSeed;
use tfhe_core::serial::{CloudKeyPieces, FileContent, NO_CONTEXT, cloud_key_bytes, from_bytes, to_bytes};
use tfhe_core::torus::Torus32;
use zeroize::Zeroizing;

use crate::fault::{self, Fault, Result};
use crate::host;
use crate::objects::{self, Buffer, Handle, Object};

/// To be called once, before all others.
#[unsafe(no_mangle)]
extern "C" fn initialise() {
    host::report_panics();
}

/// A buffer with the message of the last error: one line of UTF-8.
#[unsafe(no_mangle)]
extern "C" fn error_message() -> Handle {
    keep_buffer(fault::message().into_bytes())
}

/// Whose fault the last error is: 1 the caller's, 2 the peer's, 3 this machine's.
#[unsafe(no_mangle)]
extern "C" fn error_blame() -> u32 {
    fault::blame()
}

/// Forgets a thing, and overwrites what is secret in it. A handle of nothing is passed over.
#[unsafe(no_mangle)]
extern "C" fn release(handle: Handle) {
    objects::release(handle);
}

/// A buffer of so many zeros.
#[unsafe(no_mangle)]
extern "C" fn buffer_new(len: usize) -> Handle {
    handle(|| {
        let mut bytes = Vec::new();
        let refused = |_| Fault::machine(format!("there is no memory for a buffer of {len} bytes"));
        bytes.try_reserve_exact(len).map_err(refused)?;
        bytes.resize(len, 0);
        Ok(Object::Buffer(Zeroizing::new(bytes)))
    })
}

/// The address of a buffer's first byte.
#[unsafe(no_mangle)]
extern "C" fn buffer_address(buffer: Handle) -> usize {
    number(|| objects::buffer_place(buffer).map(|(address, _)| address as usize))
}

/// The bytes of a buffer.
#[unsafe(no_mangle)]
extern "C" fn buffer_length(buffer: Handle) -> usize {
    number(|| objects::buffer_place(buffer).map(|(_, len)| len))
}

/// Draws a secret key for the parameter set whose name is in a buffer.
#[unsafe(no_mangle)]
extern "C" fn secret_key_draw(parameters: Handle) -> Handle {
    handle(|| {
        let name = objects::take_buffer(parameters)?;
        let name = String::from_utf8_lossy(&name);
        let unknown = || Fault::caller(format!("no parameter set is called '{name}'"));
        let parameters = Parameters::named(&name).ok_or_else(unknown)?;
        let key = SecretKey::generate(parameters, SecretSeed::from_os()?);
        Ok(Object::SecretKey(Arc::new(key)))
    })
}

/// Reads a secret key from its file, which is in a buffer.
#[unsafe(no_mangle)]
extern "C" fn secret_key_from_bytes(file: Handle) -> Handle {
    handle(|| {
        let file = objects::take_buffer(file)?;
        Ok(Object::SecretKey(Arc::new(from_bytes(&file)?.content)))
    })
}

/// A buffer with the file of a secret key.
#[unsafe(no_mangle)]
extern "C" fn secret_key_to_bytes(key: Handle) -> Handle {
    handle(|| file(&*objects::secret_key(key)?))
}

/// A buffer with the 16 bytes of a secret key's public identity.
#[unsafe(no_mangle)]
extern "C" fn secret_key_id(key: Handle) -> Handle {
    handle(|| Ok(buffer(objects::secret_key(key)?.id().0.to_vec())))
}

/// A buffer with the name of a secret key's parameter set.
#[unsafe(no_mangle)]
extern "C" fn secret_key_parameters(key: Handle) -> Handle {
    handle(|| Ok(buffer(objects::secret_key(key)?.parameters().name().into())))
}

/// Begins to make the cloud key of a secret key.
#[unsafe(no_mangle)]
extern "C" fn cloud_key_new(secret: Handle) -> Handle {
    handle(|| {
        let secret = objects::secret_key(secret)?;
        let pieces = CloudKeyPieces::new(secret, SecretSeed::from_os()?, NO_CONTEXT)?;
        Ok(Object::CloudKey(Box::new(pieces)))
    })
}

/// The bytes of a cloud key's whole file.
#[unsafe(no_mangle)]
extern "C" fn cloud_key_length(key: Handle) -> usize {
    number(|| objects::with_cloud_key(key, |pieces| cloud_key_bytes(pieces.parameters())))
}

/// A buffer with the next piece of a cloud key's file; an empty one when all pieces were handed over.
#[unsafe(no_mangle)]
extern "C" fn cloud_key_next(key: Handle) -> Handle {
    handle(|| Ok(buffer(objects::with_cloud_key(key, Iterator::next)?.unwrap_or_default())))
}

/// Encrypts bits, which are in a buffer, a byte each: a buffer with a file of seeded ciphertexts.
#[unsafe(no_mangle)]
extern "C" fn encrypt_bits(key: Handle, bits: Handle) -> Handle {
    handle(|| {
        let bytes = objects::take_buffer(bits)?;
        let key = objects::secret_key(key)?;
        // All are looked at, whatever they are: they are secret.
        if bytes.iter().fold(0, |all, &byte| all | byte) > 1 {
            return Err(Fault::caller("a bit is a byte of 0 or 1"));
        }
        let bits: Zeroizing<Vec<bool>> = Zeroizing::new(bytes.iter().map(|&byte| byte == 1).collect());
        file(&key.encrypt(&bits, SecretSeed::from_os()?))
    })
}

/// Decrypts a file with a list of ciphertexts: a buffer with the bits, a byte each.
#[unsafe(no_mangle)]
extern "C" fn decrypt_bits(key: Handle, ciphertexts: Handle) -> Handle {
    handle(|| {
        let ciphertexts = objects::take_buffer(ciphertexts)?;
        let key = objects::secret_key(key)?;
        let list = from_bytes::<CiphertextList>(&ciphertexts)?.content;
        let mut bits = Zeroizing::new(Vec::with_capacity(list.ciphertexts().len()));
        for ciphertext in list.ciphertexts() {
            bits.push(u8::from(key.decrypt(ciphertext)?));
        }
        Ok(Object::Buffer(bits))
    })
}

/// Encrypts torus elements, which are in a buffer as 32-bit words, little-endian, in rows of `row_len`: a buffer with a file of a
/// packed ciphertext.
#[unsafe(no_mangle)]
extern "C" fn encrypt_packed(key: Handle, messages: Handle, row_len: usize) -> Handle {
    handle(|| {
        let bytes = objects::take_buffer(messages)?;
        let key = objects::secret_key(key)?;
        let (words, []) = bytes.as_chunks() else {
            return Err(Fault::caller(format!("{} bytes are no 32-bit words", bytes.len())));
        };
        let messages: Zeroizing<Vec<Torus32>> =
            Zeroizing::new(words.iter().map(|&word| Torus32(u32::from_le_bytes(word))).collect());
        file(&key.encrypt_packed(&messages, row_len, SecretSeed::from_os()?)?)
    })
}

/// Reads a client specification, which is in a buffer.
#[unsafe(no_mangle)]
extern "C" fn specification_read(document: Handle) -> Handle {
    handle(|| {
        let document = objects::take_buffer(document)?;
        Ok(Object::Specification(Arc::new(ClientSpecification::from_bytes(&document)?)))
    })
}

/// A client of the model of a specification, with a secret key.
#[unsafe(no_mangle)]
extern "C" fn client_new(specification: Handle, key: Handle) -> Handle {
    handle(|| {
        Ok(Object::Client(Client::new(objects::specification(specification)?, objects::secret_key(key)?)?))
    })
}

/// Encrypts a picture of `width` times `height` values, a byte each, row by row, for each channel that the model reads, which are in
/// a buffer: a buffer with the file of an encrypted image. A grey picture that looks blank, inverted or dim is refused.
#[unsafe(no_mangle)]
extern "C" fn client_encrypt(client: Handle, width: usize, height: usize, pixels: Handle) -> Handle {
    encrypt(client, (width, height), pixels, &Preparation::checked([]))
}

/// The same of a picture that is meant as it is, whatever it looks like.
#[unsafe(no_mangle)]
extern "C" fn client_encrypt_as_is(client: Handle, width: usize, height: usize, pixels: Handle) -> Handle {
    encrypt(client, (width, height), pixels, &Preparation::AsIs)
}

fn encrypt(
    client: Handle,
    (width, height): (usize, usize),
    pixels: Handle,
    preparation: &Preparation,
) -> Handle {
    handle(|| {
        let pixels = objects::take_buffer(pixels)?;
        let client = objects::client(client)?;
        let input = client.specification().input();
        let image = Image::new(input.channels(), width, height, pixels.to_vec())?;
        let picture = preparation.encode(image, input)?;
        Ok(buffer(client.encrypt(&picture, SecretSeed::from_os()?)?.to_bytes()?))
    })
}

/// Decrypts a file of encrypted scores: a buffer of 64-bit words, little-endian, which are the label (a class's number) and then
/// the score of each class as a signed integer, in units of the specification's `fraction_bits`.
#[unsafe(no_mangle)]
extern "C" fn client_decrypt(client: Handle, file: Handle) -> Handle {
    handle(|| {
        let file = objects::take_buffer(file)?;
        let client = objects::client(client)?;
        let scores = client.decrypt(&EncryptedScores::from_bytes(&file)?)?;
        let words = std::iter::once(scores.label() as i64).chain(scores.integers().iter().copied());
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * (1 + scores.integers().len())));
        bytes.extend(words.flat_map(i64::to_le_bytes));
        Ok(Object::Buffer(bytes))
    })
}

/// A buffer with the file of a thing.
fn file(content: &impl FileContent) -> Result<Object> {
    Ok(Object::Buffer(to_bytes(content, NO_CONTEXT)?))
}

fn buffer(bytes: Vec<u8>) -> Object {
    Object::Buffer(Buffer::new(bytes))
}

fn keep_buffer(bytes: Vec<u8>) -> Handle {
    objects::keep(buffer(bytes))
}

/// The handle of what `make` makes; 0 where it fails.
fn handle(make: impl FnOnce() -> Result<Object>) -> Handle {
    number(|| make().map(objects::keep))
}

/// What `find` finds; 0 where it fails.
fn number<T: Default>(find: impl FnOnce() -> Result<T>) -> T {
    find().unwrap_or_else(|fault| {
        fault::keep(fault);
        T::default()
    })
}
