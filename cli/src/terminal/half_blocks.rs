//! Pictures as text, a character for two pixels one above the other.

use bnn::data::GreyImage;

/// The picture as lines that each end with a line feed. Grey from 128 up is drawn.
pub(crate) fn half_blocks(image: &GreyImage) -> String {
    let drawn = |x: usize, y: usize| y < image.height() && image.pixels()[y * image.width() + x] >= 128;
    let mut text = String::new();
    for y in (0..image.height()).step_by(2) {
        text.extend((0..image.width()).map(|x| match (drawn(x, y), drawn(x, y + 1)) {
            (false, false) => ' ',
            (true, false) => '▀',
            (false, true) => '▄',
            (true, true) => '█',
        }));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn half_blocks_show_two_rows_a_line() {
        let image = GreyImage::new(2, 3, vec![0, 255, 128, 255, 127, 128]).unwrap();
        assert_eq!(half_blocks(&image), "▄█\n ▀\n");
    }
}
