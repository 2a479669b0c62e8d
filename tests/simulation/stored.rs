//! What those who are not the component have had stored, and what follows.

use std::sync::Arc;

use minidom::Element;
use offhook::component::{Input, VerificationOrder};
use offhook::config::Live;
use offhook::notification::{AttemptId, Message, MessageId, RecordingId};
use offhook::store::CallIn;
use offhook::subscriber::Subscriber;
use offhook::xmpp::commands::{CommandRequest, CommandResult};
use offhook::xmpp::directory::Directory;

use crate::call_requests::CallDone;
use crate::lines::CallId;
use crate::nature::Configured;
use crate::program::served;
use crate::world::World;

/// What an operation of the store has given to whom.
pub(crate) enum Stored {
    Nothing,
    /// A message was heard in a call of the short model.
    Heard(CallId, MessageId),
    /// An answer was given to the message with this `id`, in these words.
    Answered(String, String),
    /// A call of the short model has asked for more.
    Joined(AttemptId, Vec<Message>),
    /// A call of the real machine has its answer.
    OfCall(CallId, CallDone),
    /// Who phones in.
    Caller(CallId, Option<Box<CallIn>>),
    /// Whether the phone may ring for a code, in which run of the program.
    CodeMayRing(u64, Box<VerificationOrder>, bool),
    /// A command was carried out. Rows up to this one were there when it was asked for.
    Command(Box<CommandRequest>, CommandResult, RowsBefore),
    /// The person was told how the call with their code went.
    VerificationTold,
    /// A voice reply can be downloaded, or the store failed.
    Delivered(RecordingId, bool),
    /// The configuration was read again.
    Reloaded(Box<Configured>, Option<Vec<Subscriber>>),
}

/// The newest rows when a command was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsBefore {
    pub(crate) messages: i64,
    pub(crate) codes: i64,
}

impl World {
    pub(crate) fn is_stored(&mut self, stored: Stored) {
        match stored {
            Stored::Nothing | Stored::VerificationTold => {}
            Stored::Heard(call, message) => self.promises.is_heard(call, message),
            Stored::Answered(id, words) => self.promises.is_answered(&id, &words),
            Stored::Joined(attempt, messages) => self.joined(attempt, messages),
            Stored::OfCall(call, done) => self.call_is_stored(call, done),
            Stored::Caller(call, found) => self.caller_is_known(call, found),
            Stored::CodeMayRing(run, order, may_ring) if run == self.program.run => {
                self.code_may_ring(order, may_ring);
            }
            Stored::CodeMayRing(..) => {}
            Stored::Command(request, result, rows) => self.command_done(request, result, rows),
            Stored::Delivered(recording, done) => self.delivered(recording, done),
            Stored::Reloaded(configured, people) => self.reloaded(*configured, people),
        }
    }

    /// SIGHUP: the configuration is read again, with other values in it.
    pub(crate) fn hangs_up_signal(&mut self) {
        let mut file = self.nature.file.clone();
        match self.below(4) {
            0 => file.numbers.swap(0, 1),
            1 => file.numbers[0] = crate::nature::NUMBERS[self.below(4) as usize],
            2 => file.policy.wait = std::time::Duration::from_secs(self.below(30)),
            _ => file.policy.throttle = vec![],
        }
        self.promises.are_configured(file.numbers);
        self.nature.file = file.clone();
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.call_store(async move {
            let adopted = store.adopt(file.policy.clone(), file.people(), now).await;
            Stored::Reloaded(Box::new(file), adopted.ok())
        });
    }

    /// I15: what the store has not taken over is not in force.
    fn reloaded(&mut self, configured: Configured, people: Option<Vec<Subscriber>>) {
        let Some(people) = people else { return };
        (self.nature.force, self.nature.force_since) = (configured, self.at());
        let live: Arc<Live> = self.nature.force.live();
        self.program.live.send_replace(live);
        let served = Box::new(served(&self.nature.force.policy));
        self.tell(Input::Settings(Directory::new(&people), served));
    }

    /// A user's command.
    pub(crate) fn runs_command(&mut self, request: Box<CommandRequest>) {
        let commands = self.program.commands.clone();
        let codes = "SELECT coalesce(max(id), 0) FROM verifications";
        let codes = self.disk.tables().query_row(codes, [], |row| row.get(0)).unwrap();
        let rows = RowsBefore { messages: self.promises.last_row(), codes };
        if self.pretends_to_forget(&request) {
            let result = CommandResult { words: "Forgotten.".to_owned(), done: true };
            return self.call_store(async move { Stored::Command(request, result, rows) });
        }
        self.call_store(async move {
            let result = commands.run(&request).await;
            Stored::Command(request, result, rows)
        });
    }

    fn command_done(
        &mut self,
        request: Box<CommandRequest>,
        result: CommandResult,
        rows: RowsBefore,
    ) {
        self.check_command(&request, &result, rows);
        self.tell(Input::CommandDone(request, result));
    }

    pub(crate) fn tells_how_it_went(
        &mut self,
        order: VerificationOrder,
        outcome: offhook::notification::Outcome,
    ) {
        let commands = self.program.commands.clone();
        self.call_store(async move {
            let ended = offhook::notification::Attempt::without_invite(outcome);
            commands.verification_ended(order, ended).await;
            Stored::VerificationTold
        });
    }

    /// A stanza that no program of ours would send.
    pub(crate) fn garbage_arrives(&mut self) {
        let odd = [
            "<message type='chat' id='{id}' from='alice@example.org/x' to='@@phone.example.org'><body>?</body></message>",
            "<message type='error' from='bob@example.org' to='phone.example.org'/>",
            "<presence from='nobody@elsewhere.example/\u{1F600}' to='bob\\40example.org@phone.example.org' type='odd'/>",
            "<iq type='result' id='never-asked' from='example.org' to='phone.example.org'/>",
            "<iq type='set' id='x' from='bob@example.org/x' to='phone.example.org'><odd xmlns='urn:odd'/></iq>",
            "<message id='' from='' to=''/>",
            "<odd xmlns='urn:odd'/>",
        ];
        let text = odd[self.below(odd.len() as u64) as usize];
        self.written += 1;
        let text = text.replace("{id}", &format!("g{}", self.written));
        let text = text.replacen(' ', " xmlns='jabber:component:accept' ", 1);
        let text = text.replacen(" xmlns='jabber:component:accept' xmlns=", " xmlns=", 1);
        let stanza: Element = text.parse().unwrap();
        self.arrives(stanza);
        if self.has(crate::plants::Plant::IsDeafAfterGarbage) {
            self.program.is_deaf = true;
        }
    }
}
