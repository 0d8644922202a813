//! An order on its way.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use bnn::{
    client::EncryptedImage,
    engine::{Inference, Server},
};

use super::{
    Shared,
    order::{Answer, Order, Purpose, RunFault},
};

use crate::store::jobs::JobInput;

/// How long a job runs before its run is saved again.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// An order with what was done for it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) order: Order,
    progress: Progress,
    saved: Instant,
}

#[derive(Debug)]
enum Progress {
    /// Not in memory; a job may have a saved run in the database.
    Waiting,
    /// Put aside, so that other keys have room, and not in the database.
    Aside(Vec<u8>),
    Running(Box<Inference>),
}

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// So many bootstraps were done, and there is more to do.
    More(u64),
    /// So many were done, and these are the bytes of the scores.
    Done(u64, Vec<u8>),
}

impl Run {
    pub(crate) fn new(order: Order) -> Self {
        Self { order, progress: Progress::Waiting, saved: Instant::now() }
    }

    /// Bytes of ciphertexts that it has in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.progress {
            Progress::Waiting => 0,
            Progress::Aside(saved) => saved.len() as u64,
            Progress::Running(_) => self.order.cost.ciphertext_bytes as u64,
        }
    }

    /// Makes it ready for steps.
    pub(crate) fn begin(&mut self, server: &Server, shared: &Shared) -> Result<(), RunFault> {
        let inference = match &self.progress {
            Progress::Running(_) => return Ok(()),
            Progress::Aside(saved) => server.resume(&self.image(shared)?.0, saved)?,
            Progress::Waiting => match self.image(shared)? {
                (image, None) => server.start(&image)?,
                // A run that this version cannot go on with is begun again.
                (image, Some(saved)) => match server.resume(&image, &saved) {
                    Err(bnn::Error::State { .. }) => server.start(&image)?,
                    resumed => resumed?,
                },
            },
        };
        self.order.live.at(inference.layer(), inference.bootstraps() as u64);
        self.progress = Progress::Running(Box::new(inference));
        Ok(())
    }

    /// The image, and the saved run of a job.
    fn image(&self, shared: &Shared) -> Result<(EncryptedImage, Option<Vec<u8>>), RunFault> {
        match &self.order.purpose {
            Purpose::Request { image, .. } => Ok((EncryptedImage::clone(image), None)),
            Purpose::Job(name) => {
                let JobInput { image, run } = shared.store.job_input(name)?.ok_or(RunFault::NoJob)?;
                Ok((EncryptedImage::from_bytes(&image)?, run))
            }
        }
    }

    /// Runs on for a while: a layer, or some batches of gates.
    pub(crate) fn step(&mut self) -> Result<Step, RunFault> {
        let Progress::Running(inference) = &mut self.progress else { return Ok(Step::More(0)) };
        let done = inference.advance(self.order.live.control())? as u64;
        self.order.live.at(inference.layer(), inference.bootstraps() as u64);
        self.order.ticket.done(done);
        if inference.layer().is_some() {
            return Ok(Step::More(done));
        }
        Ok(Step::Done(done, inference.scores()?.to_bytes()?))
    }

    /// Makes room for others: a job goes to the database, and a request, which is stored nowhere, becomes as small as it can be.
    pub(crate) fn put_aside(&mut self, shared: &Shared) -> Result<(), RunFault> {
        let Progress::Running(inference) = &self.progress else { return Ok(()) };
        self.progress = Progress::Aside(inference.save()?);
        match self.save(Saving::AtOnce, shared) {
            Ok(()) if self.order.job().is_some() => self.progress = Progress::Waiting,
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "a run could not be put into the database; it stays in memory")
            }
        }
        Ok(())
    }

    /// Saves a job in the database if that was not done for a while, or at once.
    pub(crate) fn save(&mut self, when: Saving, shared: &Shared) -> Result<(), RunFault> {
        let Purpose::Job(name) = &self.order.purpose else { return Ok(()) };
        if when == Saving::FromTimeToTime && self.saved.elapsed() < SAVE_EVERY {
            return Ok(());
        }
        let saved = match &self.progress {
            Progress::Waiting => return Ok(()),
            Progress::Aside(saved) => Cow::Borrowed(&saved[..]),
            Progress::Running(inference) => Cow::Owned(inference.save()?),
        };
        shared.store.save_run(name, &saved, self.order.live.done())?;
        self.saved = Instant::now();
        Ok(())
    }

    /// Gives the answer to whoever asked.
    pub(crate) fn end(self, answer: Answer, shared: &Shared) {
        shared.metrics.evaluated(&self.order.served.name, answer.is_ok());
        match self.order.purpose {
            // Who has gone needs none.
            Purpose::Request { answer: waiting, .. } => drop(waiting.send(answer)),
            // The same image may be a new job by now.
            Purpose::Job(_) if self.order.live.is_cancelled() => {}
            Purpose::Job(name) => shared.store_end(name, answer.map_err(|fault| fault.told().to_string())),
        }
    }
}

/// When a job is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saving {
    FromTimeToTime,
    AtOnce,
}
