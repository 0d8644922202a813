//! The server: one type for both engines, shared by threads, told to stop.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bnn::{
    Error,
    circuit::{EncryptedRun, Program, Style},
    client::{Client, ClientSpecification, EncryptedImage, EncryptedScores, Scores},
    engine::{self, Engine, Server, functional, gates},
    model::Model,
};
use tfhe_core::{
    Blame,
    control::Control,
    parameters::{FUNCTIONAL_1024, GATES_BLOCK_BINARY, GATES_DEFAULT},
};

use crate::{
    parties::{client, evaluator, key, seed, server},
    toy::{Open, perceptron, picture},
};

/// What both sides of a protocol share with threads, and what travels.
#[test]
fn the_types_of_both_sides_are_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Model>();
    check::<Client>();
    check::<ClientSpecification>();
    check::<EncryptedImage>();
    check::<EncryptedScores>();
    check::<Server>();
    check::<functional::Plan>();
    check::<gates::Plan>();
    check::<engine::Inference>();
    check::<Program>();
    check::<EncryptedRun>();
    check::<Error>();
}

/// A model, and a client and a server of it for each engine.
type Parties = (Arc<Model>, [(Client, Server); 2]);

/// Those of a small model.
fn parties() -> &'static Parties {
    static PARTIES: OnceLock<Parties> = OnceLock::new();
    PARTIES.get_or_init(|| {
        let hidden: Vec<i8> = (0..48).map(|i| if i * i % 7 < 3 { 1 } else { -1 }).collect();
        let model =
            perceptron(4, 16, (&hidden, &[0, 1, -1]), (&[1, -1, 2, 3, -2, 1], &[0, 1])).open().unwrap();
        let parties = [&FUNCTIONAL_1024, &GATES_DEFAULT].map(|set| {
            let key = key(set, 1);
            (client(&model, &key), server(&model, &evaluator(&key, 2), Style::Optimized))
        });
        (model, parties)
    })
}

/// A control, and the number that it has heard.
fn counting() -> (Control, Arc<AtomicUsize>) {
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let control = Control::with_progress(move |more| {
        count.fetch_add(more, Ordering::Relaxed);
    });
    (control, done)
}

#[test]
fn either_engine_answers_what_the_oracle_says() {
    let (model, parties) = parties();
    let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| i % 3 == 0));
    let oracle = engine::evaluate(model, &model.input().encode(&image).unwrap()).unwrap();
    for ((client, server), engine) in parties.iter().zip([Engine::Functional, Engine::Gates]) {
        assert_eq!((client.engine(), server.engine()), (engine, engine));
        let sent = client.encrypt(&client.encode(&image).unwrap(), seed(10)).unwrap().to_bytes().unwrap();
        let received = EncryptedImage::read(&sent[..]).unwrap();
        model.check_image(&received).unwrap();
        let (control, done) = counting();
        let answer = server.infer(&received, &control).unwrap().to_bytes().unwrap();
        assert_eq!(done.load(Ordering::Relaxed), server.bootstraps().unwrap(), "{engine}");
        let scores = client.decrypt(&EncryptedScores::read(&answer[..]).unwrap()).unwrap();
        assert_eq!(scores, oracle, "{engine}");
    }
}

#[test]
fn threads_that_share_a_server_get_the_same_scores() {
    let (_, parties) = parties();
    for (client, server) in parties {
        let images: Vec<EncryptedImage> = (0..4)
            .map(|number| {
                let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| (i * 7 + number) % 5 < 2));
                client.encrypt(&client.encode(&image).unwrap(), seed(20 + number as u64)).unwrap()
            })
            .collect();
        let infer = |image| client.decrypt(&server.infer(image, &Control::default()).unwrap()).unwrap();
        let one_by_one: Vec<Scores> = images.iter().map(infer).collect();
        let at_once: Vec<Scores> = thread::scope(|scope| {
            let threads: Vec<_> = images.iter().map(|image| scope.spawn(move || infer(image))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(at_once, one_by_one, "{}", server.engine());
    }
}

#[test]
fn work_stops_between_batches_when_it_is_cancelled() {
    let (_, parties) = parties();
    for (client, server) in parties {
        let image = picture(4, 4, &[true; 16]);
        let image = client.encrypt(&client.encode(&image).unwrap(), seed(30)).unwrap();
        let before = Control::default();
        before.cancel();
        let error = server.infer(&image, &before).unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
        assert_eq!((error.to_string().as_str(), error.blame()), ("cancelled", Blame::Caller));
    }
    // Within a run: the control is cancelled as soon as it hears of the first batch.
    let (client, server) = &parties[1];
    let image = client.encrypt(&client.encode(&picture(4, 4, &[true; 16])).unwrap(), seed(31)).unwrap();
    let itself: Arc<OnceLock<Control>> = Arc::default();
    let (inner, done) = (Arc::clone(&itself), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&done);
    let control = Control::with_progress(move |more| {
        count.fetch_add(more, Ordering::Relaxed);
        inner.get().unwrap().cancel();
    });
    itself.set(control.clone()).unwrap();
    assert!(matches!(server.infer(&image, &control), Err(Error::Cancelled)));
    assert!((1..server.bootstraps().unwrap()).contains(&done.load(Ordering::Relaxed)));
}

/// A run that was cancelled is saved, and taken up by another server of the same model and key.
#[test]
fn a_cancelled_run_goes_on_elsewhere() {
    let (model, parties) = parties();
    let (client, server) = &parties[1];
    let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| i % 2 == 0));
    let encrypted = client.encrypt(&client.encode(&image).unwrap(), seed(40)).unwrap();
    let mut inference = server.start(&encrypted).unwrap();
    assert!(matches!(inference.scores(), Err(Error::Unfinished)));
    inference.advance(&Control::default()).unwrap();
    let cancelled = Control::default();
    cancelled.cancel();
    assert!(matches!(inference.advance(&cancelled), Err(Error::Cancelled)));
    let saved = inference.save().unwrap();
    assert!(engine::is_saved_run(&saved));

    let mut resumed = server.clone().resume(&encrypted, &saved).unwrap();
    assert_eq!(resumed.bootstraps(), inference.bootstraps());
    assert!(resumed.layer().is_some());
    while resumed.advance(&Control::default()).unwrap() > 0 {}
    assert_eq!(resumed.layer(), None);
    let oracle = engine::evaluate(model, &model.input().encode(&image).unwrap()).unwrap();
    assert_eq!(client.decrypt(&resumed.scores().unwrap()).unwrap(), oracle);
}

#[test]
fn what_a_server_cannot_do_is_refused() {
    let (model, parties) = parties();
    let [(functional_client, functional), (gate_client, gates)] = parties;
    let encoded = gate_client.encode(&picture(4, 4, &[true; 16])).unwrap();
    let bitwise = gate_client.encrypt(&encoded, seed(50)).unwrap();
    let packed = functional_client.encrypt(&encoded, seed(51)).unwrap();
    assert!(matches!(functional.resume(&packed, &[]), Err(Error::State { .. })));
    let of_gates = gates.start(&bitwise).unwrap().save().unwrap();
    assert!(matches!(functional.resume(&packed, &of_gates), Err(Error::State { .. })));
    assert!(matches!(functional.start(&bitwise), Err(Error::OtherParameters { .. })));
    let error = functional.infer(&bitwise, &Control::default()).unwrap_err();
    assert!(matches!(error, Error::OtherParameters { .. }), "{error}");
    let error = gates.infer(&packed, &Control::default()).unwrap_err();
    assert!(matches!(error, Error::OtherParameters { .. }), "{error}");
    assert_eq!(error.blame(), Blame::Peer);
    assert!(!engine::is_saved_run(b"{\"form"));
    let other = evaluator(&key(&GATES_BLOCK_BINARY, 3), 4);
    let neither = Server::new(Arc::clone(model), other, Style::Optimized);
    assert!(matches!(neither, Err(Error::OtherParameters { .. })));
}
