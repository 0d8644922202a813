//! Client: encrypts a picture into the two files of the paper's client.

use bnn::paper::{self, PaperFile};
use serde_json::json;
use tfhe_core::{random::SecretSeed, serial::tfhe_lib::ciphertexts_to_bytes};

use crate::{
    arguments::{paper::PaperEncrypt, shared::Encrypting},
    commands::encrypt::{client, prepare, show_changed},
    error::{About, Result},
    files::{
        folder::{check_folder, make_folder, remove},
        input::check_stdin_once,
        keys,
        output::{Written, check_file},
        picture::picture,
        whole::{Existing, Secrecy, Staged},
    },
    session::Session,
    terminal::{description, interrupt, units},
};

pub(crate) fn run(arguments: &PaperEncrypt, session: &Session) -> Result<()> {
    let output = session.output;
    let existing = arguments.overwriting.existing();
    check_folder(&arguments.out)?;
    let paths = [PaperFile::Signs, PaperFile::Magnitudes].map(|file| arguments.out.join(file.name()));
    let (reads, pictures) = (&arguments.reads, std::slice::from_ref(&arguments.picture));
    check_stdin_once(&reads.files(pictures))?;
    let _made = make_folder(&arguments.out)?;
    paths.iter().try_for_each(|path| check_file(path, existing, &reads.files(pictures)))?;

    let Encrypting { index, preparing, key } = &reads.encrypting;
    let picture = picture(&arguments.picture, *index)?;
    let key = keys::secret_key(&key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let (client, _) = client(&reads.client, key)?;
    let image = prepare(picture, preparing, client.content.specification().input())?;
    show_changed(&image, preparing, output)?;
    let encoded = client.content.encode(&image.content).about(&image.name)?;
    let seed = SecretSeed::from_os()?;
    let (lists, duration) = units::timed(|| paper::encrypt(&client.content, &encoded, seed));
    let lists = lists?;
    let contents = [ciphertexts_to_bytes(&lists[0])?, ciphertexts_to_bytes(&lists[1])?];
    let stage = |file: usize| Staged::new(&contents[file], &paths[file], existing, Secrecy::Everyone);
    interrupt::hold(|| {
        let (signs, magnitudes) = (stage(0)?, stage(1)?);
        if existing == Existing::Replace {
            // A kill between the renames must not leave halves of two pictures: nothing in the files would tell.
            remove(&paths[1])?;
        }
        Staged::commit_both(signs, magnitudes)
    })?;
    let mut written = Vec::new();
    for ((list, bytes), path) in lists.iter().zip(&contents).zip(paths) {
        let file = Written::new(path, bytes, duration);
        output.say(format_args!(
            "{}: {} ciphertexts of {}: {}",
            file.path.display(),
            list.ciphertexts().len(),
            image.name.display(),
            file.facts()
        ))?;
        written.push(file.json());
    }
    output.say(format_args!("Only the holder of {} can read them", client.name.display()))?;
    output.give(&json!({
        "image": image.name.display().to_string(),
        "model": description::client_json(client.content.specification()),
        "files": written,
    }))
}
