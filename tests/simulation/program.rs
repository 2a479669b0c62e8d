//! The program: started, told of what happens, stopped and killed, and what it wants done carried out.

use std::sync::Arc;
use std::time::Duration;

use offhook::component::user_commands::UserCommands;
use offhook::component::{
    CallEvent, Component, IncomingId, Input, Now, Output, STOPS_WITHIN, StopReason,
};
use offhook::config::Live;
use offhook::notification::policy::Policy;
use offhook::seed::Seed;
use offhook::store::{JobDone, Store, StoreJob};
use offhook::subscriber::{Setting, Subscriber};
use offhook::xmpp::directory::{Directory, ServedDomains};
use offhook::xmpp::gateway::Gateway;
use tokio::sync::{Semaphore, mpsc, watch};
use xmpp_parsers::jid::BareJid;

use crate::events::{Event, brief};
use crate::lines::CallId;
use crate::nature::{Nature, pin};
use crate::phones::ModelCall;
use crate::plants::Plant;
use crate::server::COMPONENT;
use crate::world::{CALLEES, World};

pub(crate) struct Program {
    /// Raised with each run: what an earlier one has begun is void.
    pub(crate) run: u64,
    pub(crate) component: Component,
    pub(crate) reads: bool,
    /// It has had SIGTERM.
    pub(crate) stops: bool,
    pub(crate) closed: bool,
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) commands: UserCommands,
    inputs: mpsc::UnboundedReceiver<Input>,
    pub(crate) next_incoming: u64,
    /// A planted fault: nothing that comes is heard any more.
    pub(crate) is_deaf: bool,
}

impl Program {
    pub(crate) fn new(nature: &Nature, store: &Store, seed: Seed, now: Now) -> Self {
        let (live, current) = watch::channel(nature.force.live());
        let (sender, inputs) = mpsc::unbounded_channel();
        let commands = UserCommands {
            store: store.clone(),
            inputs: sender,
            component: COMPONENT.to_owned(),
            live: current,
            hashing: Arc::new(Semaphore::new(1)),
        };
        let component = component(&nature.force.policy, &[], seed, now);
        Self {
            run: 0,
            component,
            reads: true,
            stops: false,
            closed: false,
            live,
            commands,
            inputs,
            next_incoming: 0,
            is_deaf: false,
        }
    }
}

impl World {
    /// Begins a run of the program, as the daemon does.
    pub(crate) fn start(&mut self) {
        let (now, run) = (self.now(), self.program.run);
        self.nature.force = self.nature.file.clone();
        self.nature.force_since = self.at();
        let people = self.nature.force.people();
        let store = self.disk.store.clone();
        self.disk.finish(store.recover(now.at));
        self.disk.finish(store.configure_subscribers(people, now.at));
        if run == 0 && self.nature.has_pin {
            let (jid, own) = (BareJid::new(CALLEES[1]).unwrap(), vec![Setting::Pin(Some(pin()))]);
            self.disk.finish(store.set(&jid, own, now.at));
        }
        let people = self.disk.finish(store.subscribers());
        let seed = self.seed.split();
        self.program = Program::new(&self.nature, &self.disk.store, seed, now);
        self.program.run = run;
        let seed = self.seed.split();
        self.program.component = component(&self.nature.force.policy, &people, seed, now);
        self.promises.look_into(self.disk.tables());
        self.check_tables();
    }

    /// SIGKILL: only the store is left, and another run begins.
    pub(crate) fn kill(&mut self) {
        if self.quiet {
            return;
        }
        self.note(|| "KILL".to_owned());
        self.drop_stream();
        self.begin_again();
    }

    fn begin_again(&mut self) {
        self.stream.is_up = false;
        self.program.run += 1;
        self.machine.new_run();
        self.calls.clear();
        self.real_calls.clear();
        self.lines.are_cut();
        let (policy, seed) = (self.nature.file.policy.clone(), self.seed.split());
        self.disk.crash(policy, seed);
        self.start();
        self.link_up();
    }

    /// SIGTERM, and a new start when the stream is closed.
    pub(crate) fn stop_and_start(&mut self) {
        let (begun, run) = (self.at(), self.program.run);
        self.program.stops = true;
        self.tell(Input::Stop);
        while !self.program.closed && self.program.run == run {
            let next = self.next_at().expect("a stop has a deadline");
            self.run_until(next);
            let took = self.at() - begun;
            assert!(took <= STOPS_WITHIN, "stop: it takes {took:?}");
        }
        // It may have been killed on the way.
        if self.program.run != run {
            return;
        }
        let calls = self.calls.len() + self.real_calls.len();
        // A phone that answers neither CANCEL nor BYE is left alone in the end.
        let answers = self.disk.is_well() && !self.nature.loses_datagrams;
        assert!(
            calls == 0 || !answers || self.at() - begun >= CALLS_END_WITHIN,
            "stop: a call outlives it"
        );
        let was_up = self.stream.is_up;
        if was_up {
            self.close_stream();
        }
        self.check_nothing_is_swallowed(was_up);
        self.promises.all_are_seen_offline();
        self.promises.may_swallow();
        self.promises.is_disturbed();
        self.begin_again();
    }

    pub(crate) fn tell(&mut self, input: Input) {
        if self.program.closed {
            return;
        }
        let now = self.now();
        self.program.component.handle(input, now);
        while let Some(output) = self.program.component.poll() {
            self.carry(output);
        }
        self.send_outgoing();
    }

    /// What commands have told the component on the way.
    pub(crate) fn program_inputs(&mut self) {
        while let Ok(input) = self.program.inputs.try_recv() {
            self.tell(input);
        }
    }

    // Long: one arm for each kind of output.
    fn carry(&mut self, output: Output) {
        if !matches!(output, Output::Store { .. }) {
            self.note(|| brief(&format!("  {output:?}")));
        }
        match output {
            // No operator is in this world. Its answer takes no chance from those of the others.
            Output::Store { id, job: StoreJob::TakeAlerts, .. } => {
                self.tell(Input::Stored(id, Box::new(Ok(JobDone::Alerts(vec![])))));
            }
            Output::Store { id, job, now } => self.submit(id, job, now),
            Output::Dial(claim) => {
                self.check_dial(&claim);
                self.check_quiet(&claim);
                let claim = self.spoiled_claim(*claim);
                if self.nature.calls_are_real {
                    return self.dials_really(claim);
                }
                let attempt = claim.attempt;
                let call = ModelCall::new(claim, &self.nature, |bound| self.seed.below(bound));
                self.calls.insert(attempt, call);
                self.call_soon(attempt);
            }
            Output::StopRinging { attempt, reason } => {
                self.check_stop(attempt, reason);
                let call = CallId::Placed(attempt);
                let due = Event::IsStopped(self.program.run, call);
                self.plan(Duration::from_secs(2), due);
                if reason == StopReason::CameOnline && self.has(Plant::ForgetsToStopRinging) {
                    return;
                }
                self.stops_real_call(call, reason);
                let Some(call) = self.calls.get_mut(&attempt) else { return };
                call.stop.get_or_insert(reason);
                if call.is_silenced() {
                    call.ends = true;
                    self.call_soon(attempt);
                }
            }
            Output::ChangeCall(change) => {
                self.changes_real_call(&change);
                if let Some(call) = self.calls.get_mut(&change.attempt) {
                    call.change(*change);
                }
            }
            Output::EndCalls => self.end_calls(),
            Output::PauseReading(pauses) => {
                self.program.reads = !pauses;
                while self.program.reads
                    && let Some(stanza) = self.stream.unread.pop_front()
                {
                    self.takes(stanza);
                }
            }
            Output::CloseStream => self.program.closed = true,
            Output::Command(request) => self.runs_command(request),
            Output::DialVerification(order) => self.dials_code(*order),
            Output::TakeCall(id) => self.takes_call(id),
            Output::RefuseCall(id, _) => self.call_in_is_over(id),
            Output::Deliver(recording) => self.delivers(*recording),
            Output::StopDeliveries => self.stops_deliveries(),
        }
    }

    fn end_calls(&mut self) {
        let attempts: Vec<_> = self.calls.keys().copied().collect();
        for attempt in attempts {
            if let Some(call) = self.calls.get_mut(&attempt) {
                call.ends = true;
            }
            self.call_soon(attempt);
        }
        self.end_real_calls();
    }

    /// A call has ended; the component is told.
    pub(crate) fn call_ended(&mut self, call: CallId, result: offhook::notification::Attempt) {
        self.lines.ends(call);
        if self.has(Plant::NeverTellsAnEnd) {
            return;
        }
        match call {
            CallId::Placed(attempt) => {
                self.tell(Input::Call(attempt, CallEvent::Ended(Box::new(result))));
            }
            CallId::Code(id) => self.tell(Input::VerificationEnded(id)),
            CallId::Incoming(_) => unreachable!("it has an end of its own"),
        }
    }

    pub(crate) fn call_in_is_over(&mut self, id: IncomingId) {
        self.lines.ends(CallId::Incoming(id));
        self.real_calls.remove(&CallId::Incoming(id));
    }
}

fn component(policy: &Policy, people: &[Subscriber], seed: Seed, now: Now) -> Component {
    let gateway = Gateway::new(COMPONENT, Directory::new(people), served(policy), seed);
    Component::new(COMPONENT.to_owned(), gateway, LINES, now)
}

/// What the gateway knows of the domains.
pub(crate) fn served(policy: &Policy) -> ServedDomains {
    ServedDomains {
        domains: vec!["example.org".to_owned()],
        policy: policy.clone(),
        ..ServedDomains::default()
    }
}

const LINES: usize = 2;
/// The share of the calls in a stop.
const CALLS_END_WITHIN: Duration = Duration::from_secs(4);
