//! Jobs that a command sent. Nobody else knows them, so that they are deleted when the command ends, however it does.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bnn::client::EncryptedScores;

use super::{
    answers::{Job, Model, State},
    connection::quoted,
    retry::WhenBusy,
    service::Service,
};
use crate::{
    error::{Result, remote::RemoteFault},
    terminal::{interrupt, output::warn, progress::Elsewhere},
};

/// How long the service waits for the end of a job before it says how far it is, at first and at most.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How long all jobs may take to be deleted while the command ends.
const PARTING: Duration = Duration::from_secs(3);

/// The jobs of a command that are at the service.
#[derive(Debug)]
pub(crate) struct SentJobs {
    service: Arc<Service>,
    ids: Arc<Mutex<Vec<String>>>,
}

impl SentJobs {
    /// None yet. An interruption deletes those that come.
    pub(crate) fn new(service: Arc<Service>) -> Self {
        let ids = Arc::new(Mutex::new(Vec::new()));
        let (at_end, left) = (Arc::clone(&service), Arc::clone(&ids));
        interrupt::in_parting(move || delete_in_parting(&at_end, &lock(&left)));
        Self { service, ids }
    }

    /// Sends an encrypted picture.
    ///
    /// # Errors
    /// Where the service refuses it.
    pub(crate) fn send(&self, model: &Model, image: &[u8], when_busy: WhenBusy) -> Result<Job> {
        let job = self.service.submit(model, image, when_busy)?;
        lock(&self.ids).push(job.id.clone());
        Ok(job)
    }

    /// Waits for the end of a job, takes its scores, and deletes it.
    ///
    /// # Errors
    /// [`RemoteFault::JobFailed`]; where the scores do not come or are damaged.
    pub(crate) fn take(&self, job: Job, progress: &Elsewhere) -> Result<EncryptedScores> {
        let id = job.id.clone();
        let scores = self.finished(job, progress).and_then(|()| self.service.result(&id));
        self.delete(&id);
        scores
    }

    fn finished(&self, mut job: Job, progress: &Elsewhere) -> Result<()> {
        let mut wait = SHORTEST_WAIT;
        let id = job.id.clone();
        loop {
            progress.show(job.bootstraps, job.total, job.layer.as_deref(), job.time_left());
            match job.state {
                State::Done => return Ok(()),
                State::Failed => {
                    let line = job.error.unwrap_or_else(|| "without a word".into());
                    return Err(self.service.job_error(&id, RemoteFault::JobFailed(quoted(&line))));
                }
                State::Queued | State::Running => {}
            }
            let asked = Instant::now();
            job = self.service.job(&id, wait)?;
            if matches!(job.state, State::Queued | State::Running) {
                // A service that does not wait is not asked all the time.
                thread::sleep(wait.saturating_sub(asked.elapsed()));
            }
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }

    /// Deletes a job. Where that fails, its result stays at the service, for nobody's use.
    fn delete(&self, id: &str) {
        lock(&self.ids).retain(|other| other != id);
        if let Err(error) = self.service.delete_job(id) {
            warn(format_args!("the job is not deleted: {error}"));
        }
    }
}

impl Drop for SentJobs {
    fn drop(&mut self) {
        delete_in_parting(&self.service, &lock(&self.ids));
    }
}

fn lock(ids: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    // Names are whole even where a thread panicked with them in hand.
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}

fn delete_in_parting(service: &Service, ids: &[String]) {
    let start = Instant::now();
    for id in ids {
        if start.elapsed() > PARTING {
            return;
        }
        service.delete_job_in_parting(id);
    }
}
