use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, Signal, System};

/// The process that leads a stack's session. Its start tells it from a later process of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leader {
    pub(super) pid: u32,
    /// Seconds from the machine's start: a start by the clock moves when the clock is set.
    started: u64,
}

impl Leader {
    pub(super) fn of(pid: u32) -> Option<Self> {
        let system = look().ok()?;
        let process = system.process(Pid::from_u32(pid))?;
        Some(Leader { pid, started: started(process) })
    }

    pub(super) fn is_alive(&self) -> bool {
        look().is_ok_and(|system| self.lives_in(&system))
    }

    fn lives_in(&self, system: &System) -> bool {
        system.process(self.pid()).is_some_and(|process| lives(process) && self.is(process))
    }

    fn pid(&self) -> Pid {
        Pid::from_u32(self.pid)
    }

    fn is(&self, process: &Process) -> bool {
        // The machine's own start is known to a second.
        process.pid().as_u32() == self.pid && started(process).abs_diff(self.started) <= 1
    }

    /// Asks the leader to end, waits, and kills what is left of its session. Says whether anything lived.
    pub(super) fn end(&self, timeout: Duration) -> anyhow::Result<bool> {
        let system = look()?;
        if self.session(&system).is_empty() {
            return Ok(false);
        }
        if let Some(leader) = system.process(self.pid()).filter(|process| self.is(process)) {
            leader.kill_with(Signal::Term);
            wait(timeout, || look().is_ok_and(|system| !self.lives_in(&system)));
        }
        let gone = wait(Duration::from_secs(5), || {
            look().is_ok_and(|system| {
                let left = self.session(&system);
                for process in left.iter().filter_map(|pid| system.process(*pid)) {
                    process.kill();
                }
                left.is_empty()
            })
        });
        if !gone {
            bail!("processes {:?} can't be ended: end them yourself", self.session(&look()?));
        }
        Ok(true)
    }

    /// The living processes of the leader's session. A session is named after its leader, whose number stays taken as long as the
    /// session has a process.
    fn session(&self, system: &System) -> Vec<Pid> {
        let leader = self.pid();
        let taken_over = system.process(leader).is_some_and(|process| !self.is(process));
        if taken_over {
            return Vec::new();
        }
        let mut found: Vec<Pid> = system
            .processes()
            .values()
            .filter(|process| lives(process))
            .filter(|process| process.session_id() == Some(leader) || process.pid() == leader)
            .filter(|process| started(process) + 1 >= self.started)
            .map(Process::pid)
            .collect();
        found.sort();
        found
    }
}

fn look() -> anyhow::Result<System> {
    let mut system = System::new().context("the system's processes can't be read")?;
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
    Ok(system)
}

fn started(process: &Process) -> u64 {
    process.start_time().saturating_sub(System::boot_time().unwrap_or_default())
}

fn lives(process: &Process) -> bool {
    !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
}

/// Asks again and again until the answer is yes, and says whether it came within the limit.
fn wait(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// A session of a shell and two children, one of which ignores SIGTERM; the shell's pid.
    fn session(script: &str) -> std::process::Child {
        Command::new("setsid")
            .args(["sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("setsid (util-linux) is here")
    }

    fn members(leader: Leader) -> usize {
        leader.session(&look().expect("looks")).len()
    }

    #[test]
    fn all_of_a_session_is_ended_also_what_does_not_want_to() {
        let mut child = session("sleep 300 & sh -c 'trap \"\" TERM; sleep 300 & wait; sleep 300' & wait");
        let leader = Leader::of(child.id()).expect("it runs");
        assert!(wait(Duration::from_secs(10), || members(leader) == 4), "{} of 4", members(leader));
        assert!(leader.is_alive());
        assert!(leader.end(Duration::from_secs(10)).expect("ends"));
        child.wait().expect("it is ours");
        assert_eq!(members(leader), 0);
        assert!(!leader.is_alive() && !leader.end(Duration::ZERO).expect("nothing to do"));
    }

    #[test]
    fn what_a_killed_leader_leaves_is_found() {
        let mut child = session("sleep 300 & wait");
        let leader = Leader::of(child.id()).expect("it runs");
        assert!(wait(Duration::from_secs(10), || members(leader) == 2));
        child.kill().expect("it lives");
        child.wait().expect("it is ours");
        assert_eq!(members(leader), 1);
        assert!(leader.end(Duration::from_secs(10)).expect("ends"));
        assert_eq!(members(leader), 0);
    }

    #[test]
    fn another_process_of_the_same_number_is_left_alone() {
        let own = Leader { pid: std::process::id(), started: 0 };
        assert!(!own.is_alive());
        assert!(!own.end(Duration::ZERO).expect("nothing to do"));
    }
}
