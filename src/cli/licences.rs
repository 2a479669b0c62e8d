//! `offhook licences`: under what Offhook and the crates in it may be used.

use super::output::show;

pub(super) fn run() {
    show(NOTICES.trim_end());
}

const NOTICES: &str = include_str!("../../packaging/notices.txt");
