//! What the speech worker gives up before it sees a text: everything but reading its voices and writing its answers.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, Le, MaskedEq};
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule};

/// How much the kernel could take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// System calls and files.
    FilesToo,
    /// System calls only: this kernel has no landlock, so files can be read (not written).
    CallsOnly,
}

/// Takes the file system and the network away, except for reading the folders `data` and the tables of the C library.
///
/// Contract: one thread; those it starts inherit what this one has lost. The engine starts one, so this comes before.
/// Errors:   the kernel has landlock and refuses it.
/// Source:   landlock(7).
pub(crate) fn give_up_files(data: &[&Path]) -> Result<Locked, Refused> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(|rules| rules.create())
        .and_then(|rules| {
            rules.add_rules(path_beneath_rules(
                data.iter().copied().chain([Path::new(LOCALES)]),
                AccessFs::from_read(abi),
            ))
        })
        .and_then(|rules| rules.restrict_self())
        .map_err(|_| Refused)?;
    Ok(if status.ruleset == RulesetStatus::NotEnforced {
        Locked::CallsOnly
    } else {
        Locked::FilesToo
    })
}

/// Limits the process and takes all but a few system calls away from each of its threads, for good.
///
/// Contract: all libraries are loaded and the engine is started.
/// Errors:   the kernel refuses; nothing may be spoken then.
/// Source:   seccomp(2), getrlimit(2).
pub(crate) fn give_up_calls() -> Result<(), Refused> {
    for (resource, limit) in LIMITS {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })
            .map_err(|_| Refused)?;
    }
    rustix::thread::set_no_new_privs(true).map_err(|_| Refused)?;
    seccompiler::apply_filter_all_threads(&filter().ok_or(Refused)?).map_err(|_| Refused)
}

/// The kernel would not lock the process in.
#[derive(Debug)]
pub(crate) struct Refused;

/// Lets through what allocating, reading the voices and answering need; anything else ends the process.
fn filter() -> Option<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        FREE_CALLS.iter().map(|call| (*call, vec![])).collect();
    let only = |condition: Result<SeccompCondition, seccompiler::BackendError>| {
        Some(vec![SeccompRule::new(vec![condition.ok()?]).ok()?])
    };
    let writes = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND) as u64;
    let executable = libc::PROT_EXEC as u64;
    // Standard output and standard error.
    rules.insert(libc::SYS_write, only(SeccompCondition::new(0, Dword, Le, 2))?);
    rules.insert(
        libc::SYS_openat,
        only(SeccompCondition::new(2, Dword, MaskedEq(writes), libc::O_RDONLY as u64))?,
    );
    rules.insert(libc::SYS_mmap, only(SeccompCondition::new(2, Dword, MaskedEq(executable), 0))?);
    rules.insert(
        libc::SYS_mprotect,
        only(SeccompCondition::new(2, Dword, MaskedEq(executable), 0))?,
    );
    // Limits may be read (glibc does, for the size of a stack), not set.
    rules.insert(libc::SYS_prlimit64, only(SeccompCondition::new(2, Qword, Eq, 0))?);
    let arch = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)
        .ok()?
        .try_into()
        .ok()
}

/// Harmless with any argument. The later ones are what sorting, allocating and Rust's handler for a fault in memory (which
/// then ends the process) want on one system or another.
const FREE_CALLS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_clock_gettime,
    libc::SYS_sysinfo,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_getrandom,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
];

/// Where glibc keeps its table of letters; newer ones have it built in.
const LOCALES: &str = "/usr/lib/locale";

/// Seconds of processor time are for the worker's whole life; the program replaces it long before.
const LIMITS: [(Resource, u64); 6] = [
    (Resource::As, 384 * 1024 * 1024),
    (Resource::Cpu, 600),
    (Resource::Nofile, 16),
    (Resource::Nproc, 0),
    (Resource::Fsize, 0),
    (Resource::Core, 0),
];
