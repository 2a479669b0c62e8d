//! A phone's side of a call in one line, written out as a scenario for sipp.
//!
//! Steps stand between slashes: `<INVITE` is heard, `>180` answers the INVITE, `>>200` answers what was heard last,
//! `>BYE` asks that, `@300` lets so many ms pass, `+50` counts on without asking. `<INVITE ~x` must match x and
//! `<INVITE !x` must not; `<?ACK` may be missing. Behind a `|` stands a header (`-Contact` takes away ours), behind `||`
//! the body, where SDP is a description. `>200#b` has the To tag b and `>200#-` none; `>200!` is sent once.

use std::fmt::Write as _;

/// The scenario of a script.
pub(crate) fn scenario(script: &str) -> String {
    let mut writer = Writer { xml: String::new(), checks: 0, cseq: 10, answered: false };
    for step in script.split(" / ") {
        let step = step.trim();
        match step.split_at(1) {
            ("<", heard) => writer.hears(heard),
            (">", said) => writer.says(said),
            ("@", ms) => {
                let _ = writeln!(writer.xml, "<pause milliseconds=\"{ms}\"/>");
            }
            ("+", more) => writer.cseq += more.parse::<i32>().unwrap(),
            _ => panic!("{step} is no step"),
        }
    }
    let names = ["via", "from", "to", "cseq"].map(str::to_owned).into_iter();
    let names = names.chain((0..writer.checks).map(|check| format!("c{check}")));
    let used: Vec<_> =
        names.filter(|name| writer.xml.contains(&format!("to=\"{name}\""))).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<scenario name=\"phone\">\n{}<Reference variables=\"{}\"/>\n</scenario>\n",
        writer.xml,
        used.join(",")
    )
}

struct Writer {
    xml: String,
    checks: u32,
    /// The number of the phone's last request.
    cseq: i32,
    answered: bool,
}

impl Writer {
    fn hears(&mut self, step: &str) {
        let (what, checks) = step.split_once(' ').unwrap_or((step, ""));
        let (what, optional) =
            what.strip_prefix('?').map_or((what, ""), |it| (it, " optional=\"true\""));
        let kind =
            if what.starts_with(|c: char| c.is_ascii_digit()) { "response" } else { "request" };
        let mut actions = String::new();
        if what == "INVITE" && !self.answered {
            for (header, variable) in
                [("Via", "via"), ("From", "from"), ("To", "to"), ("CSeq", "cseq")]
            {
                let wanted = if variable == "cseq" { "[0-9]+" } else { ".*" };
                let _ = writeln!(
                    actions,
                    "<ereg regexp=\"{wanted}\" search_in=\"hdr\" header=\"{header}:\" assign_to=\"{variable}\"/>"
                );
            }
        }
        for check in checks.split(" & ").filter(|check| !check.is_empty()) {
            let (sign, wanted) = check.split_at(1);
            let mode = if sign == "!" { "check_it_inverse" } else { "check_it" };
            let wanted = wanted.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let _ = writeln!(
                actions,
                "<ereg regexp=\"{wanted}\" search_in=\"msg\" {mode}=\"true\" assign_to=\"c{}\"/>",
                self.checks
            );
            self.checks += 1;
        }
        let actions =
            if actions.is_empty() { actions } else { format!("<action>\n{actions}</action>") };
        let _ = writeln!(
            self.xml,
            "<recv {kind}=\"{what}\"{optional} timeout=\"60000\">{actions}</recv>"
        );
    }

    fn says(&mut self, step: &str) {
        let (head, body) = step.split_once("||").unwrap_or((step, ""));
        let (what, headers) = head.split_once('|').unwrap_or((head, ""));
        let headers: Vec<_> = headers.split('|').filter(|header| !header.is_empty()).collect();
        let (what, once) = what.strip_suffix('!').map_or((what, false), |what| (what, true));
        let (what, tag) = what.split_once('#').unwrap_or((what, "a"));
        let tag = if tag == "-" { String::new() } else { format!(";tag={tag}") };
        let status = what.trim_start_matches('>');
        let response = status.starts_with(|c: char| c.is_ascii_digit());
        let mut text = match what {
            _ if what.starts_with('>') => format!(
                "SIP/2.0 {status} Said\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
            ),
            _ if response => format!(
                "SIP/2.0 {status} Said\nVia:[$via]\nFrom:[$from]\nTo:[$to]{tag}\n[last_Call-ID:]\nCSeq: [$cseq] INVITE\n"
            ),
            _ => {
                self.cseq += i32::from(what != "ACK");
                format!(
                    "{what} sip:offhook@[remote_ip]:[remote_port] SIP/2.0\n\
                     Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
                     From: <sip:phone@[local_ip]:[local_port]>;tag=a\nTo:[$from]\n[last_Call-ID:]\n\
                     CSeq: {} {what}\nMax-Forwards: 70\n",
                    self.cseq
                )
            }
        };
        self.answered |= response && status.starts_with('2') && !what.starts_with('>');
        let taken =
            |name: &str| headers.iter().any(|it| it.trim_start_matches('-').starts_with(name));
        for header in headers.iter().filter(|header| !header.starts_with('-')) {
            text += &format!("{header}\n");
        }
        if !taken("Contact") {
            text += "Contact: <sip:phone@[local_ip]:[local_port]>\n";
        }
        if !body.is_empty() && !taken("Content-Type") {
            text += "Content-Type: application/sdp\n";
        }
        if !taken("Content-Length") {
            text += "Content-Length: [len]\n";
        }
        let body = body.replace("SDP", DESCRIPTION).replace('|', "\n");
        let again = !once && what != "ACK" && !what.starts_with('>') && !status.starts_with('1');
        let again = if again { " retrans=\"500\"" } else { "" };
        let _ = writeln!(self.xml, "<send{again}><![CDATA[\n{text}\n{body}\n]]></send>");
    }
}

const DESCRIPTION: &str =
    "v=0|o=- 1 1 IN IP4 127.0.0.1|s=-|c=IN IP4 127.0.0.1|t=0 0|m=audio 40000 RTP/AVP 0";
