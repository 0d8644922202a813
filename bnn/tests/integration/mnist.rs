//! MNIST's test set, where the machine has it.

use std::{fs, path::Path};

use bnn::{
    client::Preparation,
    data::{IdxImages, IdxLabels, Image},
};

use crate::shipped;

#[test]
fn the_test_set_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    let path = folder.join("t10k-images-idx3-ubyte.gz");
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return;
    }
    let bytes = fs::read(&path).unwrap();
    let images = IdxImages::from_bytes(&bytes).unwrap();
    let first = images.image(0).unwrap();
    assert_eq!((images.len(), first.height(), first.width()), (10_000, 28, 28));
    let labels = IdxLabels::from_bytes(&fs::read(folder.join("t10k-labels-idx1-ubyte.gz")).unwrap()).unwrap();
    assert_eq!(labels.as_slice().len(), 10_000);
    assert_eq!(labels.as_slice()[0], 7);

    // No digit looks inverted, blank or dim.
    let model = shipped::model("perceptron");
    for index in 0..images.len() {
        let image = images.image(index).unwrap();
        assert_eq!(
            Preparation::default().apply(image.clone(), model.input()).unwrap(),
            image,
            "image {index}"
        );
    }

    let seven = Image::decode(&bytes, Some(0)).unwrap();
    assert_eq!(seven.pixels(), images.image(0).unwrap().pixels());
    // White on black: the corner is black, and the seven's bar, in row 8, is bright.
    assert_eq!(seven.pixels()[0], 0);
    assert!(seven.pixels()[8 * 28..9 * 28].iter().filter(|&&grey| grey >= 128).count() >= 8);
}
