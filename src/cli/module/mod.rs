//! `offhook module`: the server-side hand-over, for the server's folder of modules.

use clap::ValueEnum;

/// Which server.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Server {
    /// `mod_offhook.lua`.
    Prosody,
    /// `mod_offhook.erl`.
    Ejabberd,
}

/// The module of this version.
pub(super) fn source(server: Server) -> &'static str {
    match server {
        Server::Prosody => include_str!("mod_offhook.lua"),
        Server::Ejabberd => include_str!("mod_offhook.erl"),
    }
}
