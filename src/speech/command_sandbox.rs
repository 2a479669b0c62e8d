//! What a program that speaks is started with: as much of the worker's sandbox as an exec lets stand.

// Marking descriptors takes a system call that has no safe wrapper.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
    path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::Ne;
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule};

use crate::config::VOICE_PROGRAM_FOLDERS;
use crate::speech::sandbox::Refused;

/// Locks the process in and becomes the program; returns only if that fails.
///
/// The program sees the system's folders, itself, `path`, and what its arguments name by whole paths; it can write
/// nothing, reach nobody, and signal only itself.
pub(super) fn become_program(path: &OsStr, words: &[OsString]) -> io::Error {
    let Some((program, arguments)) = words.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    let named = words.iter().map(Path::new).filter(|word| word.is_absolute());
    let readable: Vec<PathBuf> = named
        .chain((!path.is_empty()).then_some(Path::new(path)))
        .filter_map(|path| path.canonicalize().ok())
        .chain(SYSTEM.iter().map(PathBuf::from))
        .filter(|path| path.exists())
        .collect();
    if lock_in(&readable).is_err() {
        return io::ErrorKind::PermissionDenied.into();
    }
    // The words are the operator's, and no shell reads them.
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", VOICE_PROGRAM_FOLDERS)
        .env("LANG", "C.UTF-8")
        .exec()
}

fn lock_in(readable: &[PathBuf]) -> Result<(), Refused> {
    // SAFETY: the call takes three numbers and only marks descriptors, to be closed by the exec.
    let marked =
        unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if marked != 0 {
        return Err(Refused);
    }
    for (resource, limit) in LIMITS {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        setrlimit(resource, limit).map_err(|_| Refused)?;
    }
    rustix::thread::set_no_new_privs(true).map_err(|_| Refused)?;
    let abi = ABI::V6;
    Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi))))
        .and_then(|rules| rules.add_rules(path_beneath_rules(SINKS, AccessFs::from_all(abi))))
        .and_then(|rules| rules.restrict_self())
        .map_err(|_| Refused)?;
    seccompiler::apply_filter(&filter().ok_or(Refused)?).map_err(|_| Refused)
}

/// Refuses what no voice needs: sockets, other processes, leaving the group by which it is ended.
fn filter() -> Option<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED_CALLS.iter().map(|call| (*call, vec![])).collect();
    let rule = |condition: Result<SeccompCondition, seccompiler::BackendError>| {
        Some(vec![SeccompRule::new(vec![condition.ok()?]).ok()?])
    };
    let own = u64::from(std::process::id());
    // A program aborts by a signal to itself.
    rules.insert(libc::SYS_tgkill, rule(SeccompCondition::new(0, Dword, Ne, own))?);
    // Limits of its own may be read and lowered.
    rules.insert(libc::SYS_prlimit64, rule(SeccompCondition::new(0, Qword, Ne, 0))?);
    let arch = std::env::consts::ARCH.try_into().ok()?;
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).ok()?.try_into().ok()
}

const REFUSED_CALLS: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_memfd_create,
];

/// What programs and their interpreters are made of.
const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/opt",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/var/lib/mecab",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];
const SINKS: [&str; 1] = ["/dev/null"];

/// Processes are counted for the whole user, so that this many stop only one that does nothing but start others.
const LIMITS: [(Resource, u64); 6] = [
    (Resource::As, 4 * 1024 * 1024 * 1024),
    (Resource::Cpu, 120),
    (Resource::Nofile, 256),
    (Resource::Nproc, 4096),
    (Resource::Fsize, 0),
    (Resource::Core, 0),
];
