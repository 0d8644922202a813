//! Pictures as people have them: transparent, inverted, blank, dim, of any size, transposed. Each is read right or refused by name.

use std::fs;

use image::{DynamicImage, GrayAlphaImage, GrayImage, Luma, LumaA, Rgb, RgbImage};

use crate::{place::Place, toy};

/// What the command shows of a picture of the model's size: two rows a line, grey from 128 up.
fn shown(pixels: Vec<u8>) -> String {
    let mut text = String::new();
    for rows in pixels.chunks(2 * toy::SIDE) {
        let (upper, lower) = rows.split_at(toy::SIDE);
        text.extend(upper.iter().zip(lower).map(|(&upper, &lower)| match (upper >= 128, lower >= 128) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        text.push('\n');
    }
    text
}

fn each(pixels: &[u8], change: impl Fn(u8) -> u8) -> Vec<u8> {
    pixels.iter().map(|&grey| change(grey)).collect()
}

fn transposed(pixels: &[u8]) -> Vec<u8> {
    let side = toy::SIDE;
    (0..side * side).map(|place| pixels[place % side * side + place / side]).collect()
}

#[test]
fn ink_on_a_transparent_canvas_is_read() {
    let place = Place::furnished();
    let ink = toy::pixels(4);
    for grey in [0, 255] {
        let canvas: Vec<u8> = ink.iter().flat_map(|&opacity| [grey, opacity]).collect();
        GrayAlphaImage::from_raw(28, 28, canvas).unwrap().save(place.path("canvas.png")).unwrap();
        let text = place.run("demo --image canvas.png --model toy").succeeded();
        assert!(
            text.contains(&shown(ink.clone())) && text.contains("The encrypted network says 4"),
            "{text}"
        );
    }
    let shades = GrayAlphaImage::from_fn(28, 28, |x, y| LumaA([9 * x as u8, 9 * y as u8]));
    shades.save(place.path("shades.png")).unwrap();
    place
        .refuses("encrypt shades.png --model toy", &["shades.png", "partly transparent", "black background"]);
    GrayAlphaImage::new(28, 28).save(place.path("nothing.png")).unwrap();
    place.refuses("encrypt nothing.png --model toy", &["nothing.png", "every pixel", "transparent"]);
}

#[test]
fn what_does_not_look_like_a_digit_is_refused_with_the_option_that_helps() {
    let place = Place::furnished();
    let ink = toy::pixels(4);
    toy::write_picture(&place.path("paper.png"), &each(&ink, |grey| 255 - grey));
    toy::write_picture(&place.path("black.png"), &each(&ink, |_| 0));
    toy::write_picture(&place.path("dim.png"), &each(&ink, |grey| grey / 4));
    toy::write_idx_images(&place.path("paper.idx"), &[each(&ink, |grey| 255 - grey)]);
    for command in ["encrypt ", "demo --image "] {
        let refuses = |line: &str, fragments: &[&str]| {
            place.refuses(&format!("{command}{line} --model toy"), fragments)
        };
        refuses("paper.png", &["paper.png: the picture looks inverted: ", "use --invert"]);
        refuses("paper.idx --index 0", &["paper.idx, image 0: the picture looks inverted: ", "use --invert"]);
        refuses("4.png --invert", &["4.png: the picture looks inverted: ", "leave it out"]);
        refuses("black.png", &["black.png: the picture is blank: ", "--as-is"]);
        refuses("black.png --stretch", &["black.png: the picture is blank: "]);
        refuses("dim.png", &["dim.png: the picture is dim: ", "its ink 63", "use --stretch"]);
    }
    for (line, out) in [("paper.png --invert", "paper.enc"), ("dim.png --stretch", "dim.enc")] {
        let text = place.run(&format!("encrypt {line} --model toy")).succeeded();
        assert!(text.contains("as the network will see it") && text.contains(&shown(ink.clone())), "{text}");
        assert!(place.path(out).exists());
    }
    let text = place.run("encrypt black.png --model toy --as-is").succeeded();
    assert!(!text.contains("will see it"), "{text}");
    place.run("infer paper.enc --model toy").succeeded();
    assert_eq!(place.run("decrypt paper.scores --model toy --json").json()["decrypted"][0]["label"], 4);
    let compare = "decrypt paper.scores --model toy --compare paper.png";
    place.refuses(compare, &["paper.png: the picture looks inverted: "]);
}

/// Through every command that reads pictures. The picture is red, green, blue and grey.
#[test]
fn colours_are_read_by_a_model_of_three_channels() {
    let place = Place::new();
    toy::write_colour_model(&place.path("colours"));
    let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [40, 40, 40]];
    let picture = RgbImage::from_raw(2, 2, colours.concat()).unwrap();
    picture.save(place.path("four.png")).unwrap();
    let planes = [255, 0, 0, 40, 0, 255, 0, 40, 0, 0, 255, 40];
    toy::write_idx_channels(&place.path("four.idx"), 3, &[&planes, &[0; 12]]);
    toy::write_idx_channels(&place.path("two.idx"), 2, &[&[0; 8]]);

    let input = &place.run("inspect colours --json").json()["input"];
    assert_eq!((&input["channels"], &input["values"]), (&3.into(), &12.into()));
    let text = place.run("inspect colours").succeeded();
    assert!(text.contains("3 x 2 x 2 (channels, rows, columns): the upper 3 bits"), "{text}");

    place.run("keygen --model colours --engine functional").succeeded();
    place.run("models --client colours --out colours.json").succeeded();
    place.run("encrypt four.png --client colours.json --out png.enc").succeeded();
    place.run("encrypt four.idx --index 0 --model colours --out idx.enc").succeeded();
    place.run("infer png.enc idx.enc --model colours").succeeded();
    for scores in ["png.scores", "idx.scores"] {
        place.run(&format!("decrypt {scores} --model colours --compare four.png")).succeeded();
    }
    let text = place.run("demo --image four.png --model colours --transpose").succeeded();
    assert!(text.contains(" ▄\n") || text.contains("▄ \n"), "green alone is bright: {text}");

    // By hand, the scores are -168 and -23, and -224 and 1.
    toy::write_idx_labels(&place.path("labels"), &[1, 1]);
    let evaluated = place.run("evaluate --model colours --images four.idx --labels labels --json").json();
    assert_eq!((&evaluated["images"], &evaluated["integer_correct"]), (&2.into(), &2.into()), "{evaluated}");
    place.run("estimate colours --images four.idx").succeeded();
    place.run("calibrate colours --images four.idx --out calibrated").succeeded();

    let idx = ["two.idx, image 0: the picture has 2 channels, this model reads 3", "as many channels"];
    place.refuses("encrypt two.idx --index 0 --model colours", &idx);
    let mut see_through = DynamicImage::from(picture).into_rgba8();
    see_through.get_pixel_mut(0, 0).0[3] = 0;
    see_through.save(place.path("glass.png")).unwrap();
    place.refuses("encrypt glass.png --model colours", &["glass.png: the picture has transparent pixels"]);
    RgbImage::new(9, 4).save(place.path("wide.png")).unwrap();
    place.refuses("encrypt wide.png --model colours", &["9 x 4, this model reads 2 x 2", "--fit crops"]);
    place.run("encrypt wide.png --model colours --fit").succeeded();
}

#[test]
fn a_data_set_is_measured_as_a_client_would_send_it() {
    let place = Place::new();
    toy::write_model(&place.path("toy"), "toy");
    let pictures = [1, 5].map(|class| each(&toy::pixels(class), |grey| 255 - grey));
    toy::write_idx_images(&place.path("images"), &pictures);
    toy::write_idx_labels(&place.path("labels"), &[1, 5]);
    let line = "evaluate --images images --labels labels --model toy";
    let text = place.run(line).succeeded();
    assert!(
        text.contains("2 refused") && text.contains("looks inverted") && text.contains("--invert"),
        "{text}"
    );
    let result = place.run(&format!("{line} --invert --transpose --json")).json();
    assert_eq!((&result["refused"], &result["integer_correct"]), (&0.into(), &2.into()));

    // An estimate leaves out what a client would not send, and says so.
    let mut mixed = pictures.to_vec();
    mixed.push(toy::pixels(3));
    toy::write_idx_images(&place.path("mixed"), &mixed);
    let text = place.run("estimate toy --images mixed").succeeded();
    assert!(
        text.contains("on the first 3 images of mixed, of which a client refuses 2 (the first, image 0: ")
            && text.contains("looks inverted"),
        "{text}"
    );
    let text = place.run("estimate toy --images images").succeeded();
    assert!(text.contains("labels      not simulated on the first 2 images of images"), "{text}");
    let result = place.run("estimate toy --images mixed --json").json();
    assert_eq!(
        (&result["details"]["images_simulated"], &result["details"]["images_refused"]),
        (&1.into(), &2.into())
    );
    toy::write_idx_images(&place.path("none"), &[]);
    place.refuses("estimate toy --images none", &["none: there is no image 0, the file holds 0"]);
}

/// A header is enough to refuse a size.
#[test]
fn any_other_size_is_refused_in_one_sentence_and_fitted_if_asked() {
    let place = Place::furnished();
    let bar = |x: u32, y: u32| (100..170).contains(&x) && (40..240).contains(&y);
    let drawn = GrayImage::from_fn(280, 280, |x, y| Luma([if bar(x, y) { 255 } else { 0 }]));
    drawn.save(place.path("280.png")).unwrap();
    let photo = RgbImage::from_fn(4032, 3024, |x, y| {
        Rgb(if bar(x / 10, y / 10) { [40, 40, 90] } else { [220, 215, 200] })
    });
    photo.save(place.path("4032.png")).unwrap();
    let mut header = fs::read(place.path("4.png")).unwrap();
    header[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    fs::write(place.path("65535.png"), header).unwrap();
    for (name, size) in [("280.png", "280 x 280"), ("4032.png", "4032 x 3024")] {
        let sentence = format!("{name}: the picture is {size}, this model reads 28 x 28; --fit ");
        place.refuses(&format!("encrypt {name} --model toy"), &[&sentence]);
        place.refuses(&format!("demo --image {name} --model toy"), &[&sentence]);
    }
    // What --fit would refuse too is not advised to be fitted.
    for fit in ["", " --fit"] {
        let line = format!("encrypt 65535.png --model toy{fit}");
        place.refuses(&line, &["65535 x 65535", "more than", "scale the picture down"]);
    }
    place.refuses(
        "encrypt 4032.png --model toy --fit",
        &["4032.png: the picture looks inverted: ", "--invert"],
    );

    // 70 x 200 pixels of ink become 7 x 20, in the middle.
    let ink = |place| (11..18).contains(&(place % 28)) && (5..25).contains(&(place / 28));
    let fitted = shown((0..784).map(|place| if ink(place) { 255 } else { 0 }).collect());
    for line in ["280.png --fit", "4032.png --invert --fit"] {
        let text = place.run(&format!("encrypt {line} --model toy")).succeeded();
        assert!(text.contains(&fitted), "{text}");
    }
}

#[test]
fn transposed_pictures_are_turned() {
    let place = Place::furnished();
    let ink = toy::pixels(4);
    toy::write_idx_images(&place.path("emnist"), &[transposed(&ink)]);
    let text = place.run("encrypt emnist --index 0 --transpose --model toy").succeeded();
    assert!(text.contains(&shown(ink)), "{text}");
}

#[test]
fn options_without_a_picture_are_wrong_usage() {
    let place = Place::new();
    for line in [
        "decrypt 4.scores --invert",
        "paper decrypt answer.data --fit",
        "demo --stretch",
        "estimate toy --as-is",
        "encrypt 4.png --as-is --fit",
        "infer 4.enc --transpose",
    ] {
        assert_eq!(place.run(line).code, Some(2), "{line}");
    }
}
