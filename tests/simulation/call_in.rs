//! Calls that come in: taken, and answered by the real machine once it is known who phones.

use offhook::call::Stop;
use offhook::call::announcer::{MessageAnnouncer, PinCheck};
use offhook::call::machine::{Call, Input};
use offhook::component::{self, IncomingId};
use offhook::notification::Progress;
use offhook::script::prompt::Prompts;
use offhook::script::{CallFlow, Opening};
use offhook::sip::invite::{Invite, Reason};
use offhook::sip::message;
use offhook::sip::trunk::Dtmf;
use offhook::store::{CallIn, CallerTrust};

use crate::callee::Temper;
use crate::far_end::FarEnd;
use crate::lines::CallId;
use crate::real_call::{RealCall, Subject};
use crate::stored::Stored;
use crate::world::World;

impl World {
    /// A call that comes in is taken: who it is shows the number.
    pub(crate) fn takes_call(&mut self, id: IncomingId) {
        let call = CallId::Incoming(id);
        let number = self.lines.caller(id);
        let (far_end, _) = FarEnd::phones(&number, id.0);
        let temper = Temper::drawn(&mut |bound| self.seed.below(bound));
        self.real_calls
            .insert(call, RealCall::new(Subject::Nothing, &number, None, far_end, temper));
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.call_store(async move {
            let found = store.call_in(number.parse().unwrap(), CallerTrust::NumberAlone, now).await;
            Stored::Caller(call, found.ok().map(Box::new))
        });
    }

    /// It is known who phones in: the call is answered, or refused.
    pub(crate) fn caller_is_known(&mut self, id: CallId, found: Option<Box<CallIn>>) {
        let CallId::Incoming(incoming) = id else { return };
        let unknown = matches!(found.as_deref(), Some(CallIn::Unknown));
        let preroll = self.nature.force.live().script.preroll;
        let known = match found {
            Some(_) if unknown => {
                let flow = CallFlow::caller_login(Prompts::new("en"), preroll);
                Some((Subject::Nothing, flow))
            }
            Some(found) => self.subject_of(*found, PinCheck::Due),
            None => None,
        };
        let Some((subject, flow)) = known else {
            self.call_in_is_over(incoming);
            return self.tell(component::Input::CallInEnded(incoming, None));
        };
        let (plan, seed, now) = (self.plan_of(None), self.seed.split(), self.now().mono);
        if let Subject::Messages { claim, .. } = &subject {
            let number = claim.number.as_str().to_owned();
            self.other_call_begins(id, &number);
        }
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        call.is_about(subject);
        let (_, invite) = FarEnd::phones(&call.number, incoming.0);
        let invite = message::Message::parse(&invite).unwrap();
        let invite = Invite::accept(&invite, plan, seed, now).expect("it asks for nothing odd");
        call.machine = Some(Call::new(invite, flow, Dtmf::Auto, None, now));
        let stop = call.stop;
        self.drain_call(id);
        if stop != Stop::None {
            self.feed(id, Input::HangUp(Reason::NormalClearing));
        }
    }

    /// What a caller is to hear; `None` if nothing.
    fn subject_of(&self, found: CallIn, pin: PinCheck) -> Option<(Subject, CallFlow)> {
        let announcer = |callee| MessageAnnouncer { callee, settings: self.nature.force.live() };
        match found {
            CallIn::Admitted(claim) => {
                let announcer = announcer(claim.callee.clone());
                let flow = announcer.flow(&claim.messages, Opening::New, pin);
                let announcer = Box::new(announcer);
                Some((Subject::Messages { claim, announcer }, flow))
            }
            CallIn::Nothing(callee) => {
                let flow = announcer(*callee).flow(&[], Opening::New, pin);
                Some((Subject::Nothing, flow))
            }
            CallIn::Unknown | CallIn::Locked | CallIn::NeedsPin(_) | CallIn::OnTheLine => None,
        }
    }

    /// A caller has shown by number and PIN who they are, or not.
    pub(crate) fn is_identified(&mut self, id: CallId, found: Option<Box<CallIn>>) {
        let Some((subject, flow)) = found.and_then(|it| self.subject_of(*it, PinCheck::Done))
        else {
            return self.feed(id, Input::Pin(false));
        };
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        call.is_about(subject);
        call.has_proved = true;
        self.note_progress(id, Progress::Answered);
        self.feed(id, Input::Identified(Box::new(flow)));
    }
}
