//! What a thread does of a rotation's steps: all of a step, alone, or its share in a meeting.

use super::meeting::{Meeting, Shares};
use crate::backend::buffer::AlignedBuffer;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::modulus_switch::SwitchedSample;

/// A thread's working memory for a key's steps.
pub(super) struct Member {
    scratch: AlignedBuffer<f64>,
    shifts: Vec<u32>,
}

impl Member {
    pub(super) fn new(key: &BootstrapKey) -> Self {
        Self { scratch: AlignedBuffer::zeroed(key.shape.scratch_len()), shifts: vec![0; key.shape.rotations] }
    }

    /// Does a step of one sample alone.
    pub(super) fn step_alone(
        &mut self,
        key: &BootstrapKey,
        sample: &SwitchedSample,
        number: usize,
        accumulator: &mut [u64],
    ) {
        key.shifts(number, sample, &mut self.shifts);
        let step = key.numbered(number);
        key.fft.transform().rotate_and_add(&step, accumulator, &self.shifts, &mut self.scratch);
    }

    /// Does the share of the member in `seat`, whose `polynomials` are those before the meeting's first step, until the rotation
    /// is done or the member leaves; it does so when another is late, when the meeting is over, or when it is not to `stay`.
    /// Returns the step before which it left.
    pub(super) fn attend(
        &mut self,
        meeting: &Meeting,
        shares: &Shares,
        seat: usize,
        polynomials: &mut [u64],
        mut stay: impl FnMut() -> bool,
    ) -> usize {
        let Meeting { key, sample, .. } = meeting;
        let (shape, transform, scratch) = (&key.shape, key.fft.transform(), &mut self.scratch);
        let (own, first_column) = (shares.digits(shape, seat), shares.polynomials(seat).start);
        let last_step = key.parameters.steps();
        for number in shares.first_step..last_step {
            transform.transform_digits(shape, polynomials, &mut scratch[own.clone()]);
            let met = meeting
                .publish(shares, seat, number, polynomials, &scratch[own.clone()])
                .and_then(|()| meeting.wait(|| shares.all_published(number)))
                .filter(|()| stay())
                .and_then(|()| {
                    #[cfg(test)]
                    super::rehearsal::pause(super::rehearsal::Moment::BeforeReading);
                    shares.collect_digits(shape, number, seat, scratch)
                });
            if met.is_none() {
                return number;
            }
            key.shifts(number, sample, &mut self.shifts);
            let step = key.numbered(number);
            transform.multiply_and_add(&step, first_column, polynomials, &self.shifts, scratch);
        }
        // The result has no digits, and nobody will read those that are published with it. If the meeting is over by now, whoever
        // has ended it will do without.
        let _ = meeting.publish(shares, seat, last_step, polynomials, &scratch[own]);
        last_step
    }
}

/// A helper's part in a meeting, and in those that follow it.
pub(super) fn help(meeting: &Meeting) {
    let mut member = Member::new(&meeting.key);
    help_in(&mut member, meeting);
    let mut next = meeting.next();
    while let Some(meeting) = next {
        help_in(&mut member, &meeting);
        next = meeting.next();
    }
}

/// A helper's part in one meeting.
fn help_in(member: &mut Member, meeting: &Meeting) {
    let seat = meeting.sit_down();
    #[cfg(test)]
    super::rehearsal::pause(super::rehearsal::Moment::Seated);
    let shares = || meeting.shares().filter(|shares| seat < shares.members);
    let start = meeting.wait(|| shares().is_some()).and_then(|()| Some((shares()?, shares()?.start(seat)?)));
    match (start, meeting.shares()) {
        (Some((shares, mut polynomials)), _) => {
            let left = member.attend(meeting, shares, seat, &mut polynomials, || true);
            if left < meeting.key.parameters.steps() {
                meeting.end();
            }
        }
        // The leader was late, and shall not count on this helper.
        (None, None) => meeting.end(),
        // It has begun without this helper, whom the others do not need.
        (None, Some(_)) => {}
    }
}
