//! What follows from the results of store jobs.

use tracing::info;

use super::job_reports::{log_return, no_room};
use super::{Component, Now};
use crate::notification::{Draft, Owed};
use crate::redaction::Pii;
use crate::store::{Corrected, Delivering, Held, JobDone, JobId, JobResult, StoreJob, log_kept};
use crate::xmpp::gateway;

impl Component {
    // Long: one arm for each kind of job, all of them calls.
    /// Acts on the result of a store job.
    pub(super) fn stored(&mut self, id: JobId, result: JobResult, now: Now) {
        let Some(job) = self.effects.done(id, result.as_ref().err(), now) else { return };
        self.give_back(&job);
        if let Err(error) = &result {
            self.reports.failed(&job, error, now);
        }
        match (job, result) {
            (
                StoreJob::Hold { draft, .. } | StoreJob::Correct { draft, .. },
                Ok(JobDone::Held(held)),
            ) => self.held(&draft, held, now),
            (StoreJob::Hold { draft, .. } | StoreJob::Correct { draft, .. }, Err(error)) => {
                let no_room = gateway::Input::NotHeld(&draft, no_room(&error));
                self.gateway.handle(no_room, now.mono);
            }
            (StoreJob::Identified { message, .. }, Ok(JobDone::Identified { claim, kept_by })) => {
                log_kept(message, kept_by);
                claim.into_iter().for_each(|it| self.dialing.start(it, now, &mut self.effects));
            }
            (_, Ok(JobDone::Corrected(Corrected::InCalls { old, new, calls }))) => {
                self.dialing.corrected(old, &new, &calls, &mut self.effects);
            }
            (_, Ok(JobDone::Retracted(retracted))) => {
                self.dialing.retracted(&retracted, now, &mut self.effects);
            }
            (StoreJob::CameOnline(jid), result) => {
                if let Ok(JobDone::CameOnline(Delivering { messages: messages @ 1.., more })) =
                    result
                {
                    info!(recipient = %Pii(&jid), messages, "held messages are delivered");
                    if more {
                        self.housekeeping.deliver_more(now);
                    }
                }
                self.dialing.came_online(&jid, now, &mut self.effects);
            }
            (StoreJob::ClaimDue { .. }, result) => {
                let found = match result {
                    Ok(JobDone::Claimed { claims, next }) => Some((claims, next)),
                    _ => None,
                };
                self.dialing.looked(found, now, &mut self.effects);
            }
            (StoreJob::Owed(_), result) => {
                let owed = match result {
                    Ok(JobDone::Owed(owed)) => Some(owed),
                    _ => None,
                };
                let stanzas = owed.as_ref().map(|owed| &*owed.stanzas);
                self.tell_gateway(stanzas.unwrap_or_default(), now);
                let batch = self.outbox.read(owed, &self.grants, now, &mut self.effects);
                self.outgoing.extend(batch);
            }
            (StoreJob::MarkSent(rows), Ok(_)) => {
                self.outbox.marked(&rows, now, &mut self.effects);
            }
            (StoreJob::SettleSent(rows), Ok(_)) => self.outbox.settled(&rows),
            (StoreJob::OweUnsettled(rows), Ok(_)) => {
                self.outbox.owed_again(&rows, now, &mut self.effects);
            }
            (StoreJob::Returned { reply, returned }, Ok(JobDone::Returned(after))) => {
                self.outbox.taken_back(reply, after, now);
                log_return(reply, &returned, after);
            }
            (StoreJob::NextRecording, result) => {
                let found = match result {
                    Ok(JobDone::Recording { due, next }) => Some((due.map(|it| *it), next)),
                    _ => None,
                };
                self.deliveries.looked(found, now, &mut self.effects);
            }
            (StoreJob::RecordingFailed { .. } | StoreJob::RetryRecordings, Ok(_)) => {
                self.deliveries.wake(now);
            }
            (job @ StoreJob::TakeAlerts, result) => {
                if let Ok(JobDone::Alerts(alerts)) = &result {
                    let tell = |it| self.gateway.handle(gateway::Input::Alert(it), now.mono);
                    alerts.iter().for_each(tell);
                }
                self.housekeeping.done(&job, result.ok(), now);
            }
            (job, result) => self.housekeeping.done(&job, result.ok(), now),
        }
    }

    /// Lets the gateway know who is about to read something of ours, and may be a program that answers it.
    fn tell_gateway(&mut self, owed: &[Owed], now: Now) {
        for Owed { message, .. } in owed.iter().filter(|owed| owed.content.is_for_sender()) {
            let (sender, recipient) = (&message.draft.sender.to_bare(), &message.draft.recipient);
            self.gateway.handle(gateway::Input::Told { sender, recipient }, now.mono);
        }
    }

    /// What was kept free for a job under way is free again.
    fn give_back(&mut self, job: &StoreJob) {
        match job {
            StoreJob::Hold { room, .. } | StoreJob::Correct { room, .. } => {
                self.holding -= 1;
                self.dialing.release(*room);
            }
            StoreJob::Identified { room, .. } => self.dialing.release(*room),
            _ => {}
        }
    }

    fn held(&mut self, draft: &Draft, held: Held, now: Now) {
        let Held { message, duplicate, claim, kept_by } = held;
        if duplicate {
            return;
        }
        self.gateway.handle(gateway::Input::Held(draft, message), now.mono);
        info!(message_id = message.0, recipient = %Pii(&draft.recipient), "message held");
        if kept_by.is_none() {
            self.dialing.held(message, draft);
        }
        log_kept(message, kept_by);
        claim.into_iter().for_each(|it| self.dialing.start(it, now, &mut self.effects));
    }
}
