//! What JavaScript does for the module: it gives random bytes, and hears the message of a panic.

#![allow(unsafe_code)]

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Fills the `len` bytes from `address` on with random bytes fit for keys, and returns 0; or returns another number.
    ///
    /// # Safety
    /// The `len` bytes from `address` on must be the caller's to write.
    fn random(address: *mut u8, len: usize) -> u32;

    /// Takes the message of a panic, `len` bytes of UTF-8, before the module stops for good. Any address will do: JavaScript only
    /// reads, and checks the bounds of the memory.
    safe fn panicked(address: *const u8, len: usize);
}

/// The code of an error of [`random`], which `getrandom` shows.
const NO_RANDOM_BYTES: u16 = 1;

/// The source of randomness that `getrandom` is told to use (`--cfg getrandom_backend="custom"`); the name is `getrandom`'s.
///
/// # Safety
/// The `len` bytes from `destination` on must be the caller's to write.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    destination: *mut u8,
    len: usize,
) -> Result<(), getrandom::Error> {
    // SAFETY: the caller's promise is the one that is asked for.
    match unsafe { random(destination, len) } {
        0 => Ok(()),
        _ => Err(getrandom::Error::new_custom(NO_RANDOM_BYTES)),
    }
}

/// From now on a panic tells its message to JavaScript.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        panicked(message.as_ptr(), message.len());
    }));
}
