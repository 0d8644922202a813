//! What bytes are that are not what they should be, told by their start.

/// How far into a file is looked.
pub(crate) const LOOKED_AT: usize = 512;

/// Starts that no file of this crate has, and what they are of.
const STARTS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"\x1f\x8b", "gzip data: unpack it first"),
    (b"BZh", "bzip2 data: unpack it first"),
    (b"\xfd7zXZ\0", "xz data: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file it stands for with `git lfs pull`"),
];

/// Starts of texts, in lower case and after blanks.
const TEXT_STARTS: &[(&[u8], &str)] = &[
    (b"<!doctype html", HTML),
    (b"<html", HTML),
    (b"<head", HTML),
    (b"<svg", "an SVG drawing"),
    (b"<", "an XML text, as servers send in the place of a file: download the file again"),
];

const HTML: &str = "an HTML page, as servers send in the place of a file: download the file again";

/// What these bytes are, with an article, and where it helps what to do; none for what is not known.
pub(crate) fn recognise(bytes: &[u8]) -> Option<&'static str> {
    foreign(bytes).or_else(|| text(bytes))
}

/// The same of what is no plain text.
pub(crate) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("a WebP picture");
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some("a tar archive: unpack it first");
    }
    let lower = unmarked(&bytes[..bytes.len().min(LOOKED_AT)]).trim_ascii_start().to_ascii_lowercase();
    let starts = |bytes: &[u8], list: &[(&[u8], &'static str)]| {
        list.iter().find_map(|(start, name)| bytes.starts_with(start).then_some(*name))
    };
    starts(bytes, STARTS).or_else(|| starts(&lower, TEXT_STARTS))
}

/// What a plain text is.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let head = unmarked(&bytes[..bytes.len().min(LOOKED_AT)]);
    // The end may cut a character.
    let valid = str::from_utf8(head).map_or_else(|fault| fault.error_len().is_none(), |_| true);
    let shown = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    if !valid || !head.iter().all(shown) {
        return None;
    }
    let mut lines = head.split(|&byte| byte == b'\n');
    let separated = lines.next().is_some_and(|line| line.contains(&b','));
    Some(if separated { "a CSV file" } else { "a text" })
}

/// A text without its byte order mark.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_told_by_their_start() {
        for (bytes, name) in [
            (&b""[..], "an empty file"),
            (b"PK\x03\x04\x14", "a ZIP archive"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\n  <!DOCTYPE HTML>", "an HTML page"),
            (b"\xef\xbb\xbf<html>", "an HTML page"),
            (b"<?xml version", "an XML text"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
            (b"5,0,0,12,255\n", "a CSV file"),
            ("d\u{e9}j\u{e0} vu".as_bytes(), "a text"),
            (b"RIFF1234WEBPVP8 ", "a WebP picture"),
        ] {
            let found = recognise(bytes).unwrap_or("nothing");
            assert!(found.starts_with(name), "{bytes:?}: {found}");
        }
        let tar = [&[1; 257][..], b"ustar"].concat();
        assert_eq!(recognise(&tar), Some("a tar archive: unpack it first"));
        for unknown in [&b"\0\0\x08\x03"[..], b"\x01", b"text with \x07", b"\xff\xff"] {
            assert_eq!(recognise(unknown), None, "{unknown:?}");
        }
    }
}
