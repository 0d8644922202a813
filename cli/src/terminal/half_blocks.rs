//! Pictures as text, a character for two pixels one above the other.

use bnn::data::Image;

/// What each of three channels adds to the luma (Rec. 709), in ten-thousandths.
const LUMA: [u32; 3] = [2126, 7152, 722];

/// The picture as lines that each end with a line feed. Grey from 128 up is drawn: of colours the luma, and of other channels the
/// mean.
pub(crate) fn half_blocks(image: &Image) -> String {
    let place = |x: usize, y: usize| y * image.width() + x;
    let plane = image.width() * image.height();
    let weights = if image.channels() == LUMA.len() { &LUMA[..] } else { &vec![1; image.channels()] };
    let white: u32 = weights.iter().sum();
    let grey = |place: usize| {
        let values = weights.iter().enumerate();
        values
            .map(|(channel, weight)| weight * u32::from(image.pixels()[channel * plane + place]))
            .sum::<u32>()
    };
    let drawn = |x: usize, y: usize| y < image.height() && grey(place(x, y)) >= 128 * white;
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
        let image = Image::grey(2, 3, vec![0, 255, 128, 255, 127, 128]).unwrap();
        assert_eq!(half_blocks(&image), "▄█\n ▀\n");
    }

    #[test]
    fn of_colours_the_luma_is_drawn() {
        // Red, green, blue, and all of them.
        let image = Image::new(3, 4, 1, vec![255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]).unwrap();
        assert_eq!(half_blocks(&image), " ▀ ▀\n");
        let image = Image::new(2, 2, 1, vec![255, 255, 0, 1]).unwrap();
        assert_eq!(half_blocks(&image), " ▀\n");
    }
}
