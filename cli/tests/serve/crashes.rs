//! A server that is killed under load loses nothing that it acknowledged, and doubles nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::oracle::{self, Held};
use crate::server::{NDJSON, SAMPLES, Server, TIMEOUT, beside, folder, post};

/// How often a server is killed in every test run; `MODSTREAM_KILLS` says another number.
const KILLS: usize = 100;
/// How often on one folder: all that it holds is looked at after each.
const KILLS_OF_A_FOLDER: usize = 10;
/// How many requests are answered at most before a server may be killed.
const MAX_ANSWERS: u64 = 12;

fn kills() -> usize {
    std::env::var("MODSTREAM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

/// Numbers that look like chance and are the same again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// Some of the sample comments under ids of their own.
fn comments(round: usize, number: usize) -> Vec<u8> {
    let lines: Vec<&[u8]> = SAMPLES.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut body = Vec::new();
    for place in 0..20 {
        let mut comment: Value = serde_json::from_slice(lines[(number * 20 + place) % lines.len()]).expect("JSON");
        comment["id"] = json!(format!("r{round}n{number}p{place}"));
        serde_json::to_writer(&mut body, &comment).expect("JSON");
        body.push(b'\n');
    }
    body
}

/// Sends until the server is gone, counts the answers, and says which ids were acknowledged.
fn load(listen: &str, round: usize, is_over: &AtomicBool, answers: &AtomicU64) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    for number in 0.. {
        let body = comments(round, number);
        // What was sent before is sent again from time to time.
        let bodies = if number % 3 == 2 { vec![comments(round, number - 1), body] } else { vec![body] };
        for body in bodies {
            match post(listen, "/v1/comments", NDJSON, &body) {
                Some(answer) if answer.status == 202 => {
                    answers.fetch_add(1, Ordering::AcqRel);
                    let answer = answer.json();
                    let ids = answer["ids"].as_array().expect("a list");
                    acknowledged.extend(ids.iter().map(|id| id.as_str().expect("text").to_owned()));
                }
                Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                None if is_over.load(Ordering::Acquire) => return acknowledged,
                None => {}
            }
            if is_over.load(Ordering::Acquire) {
                return acknowledged;
            }
        }
    }
    acknowledged
}

fn ids(held: &Held) -> BTreeSet<String> {
    held.comments.keys().map(|(_, id)| id.clone()).collect()
}

/// Has everything done that a folder has to do.
fn finish(data: &Path) -> Held {
    let server = Server::start(data);
    let tail = server.beside(&["tail", "predictions", "--json", "--until-idle"]);
    let predicted: Vec<String> = tail
        .lines()
        .iter()
        .map(|event| event["data"]["comment_event"]["id"].as_str().expect("text").to_owned())
        .collect();
    assert!(server.end().success());
    let held = oracle::read(data);
    oracle::audit(&held);
    let different: BTreeSet<String> = predicted.iter().cloned().collect();
    assert_eq!(different.len(), predicted.len(), "a prediction is shown twice");
    assert_eq!(different, ids(&held), "each comment has its prediction, and is shown");
    assert_eq!(held.predicted.len(), held.comments.len());
    assert_eq!(held.requested, held.sent, "each alert went out");
    held
}

#[test]
fn what_is_acknowledged_survives_being_killed_and_nothing_is_doubled() {
    let mut chance = Chance(0x6d6f_6473);
    let mut left = kills();
    while left > 0 {
        let some = left.min(KILLS_OF_A_FOLDER);
        killed(some, &mut chance);
        left -= some;
    }
}

/// Kills servers of one folder, one after another.
fn killed(times: usize, chance: &mut Chance) {
    let folder = folder();
    let data = folder.path().join("data");
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    for round in 0..times {
        let server = Server::start(&data);
        let listen = server.listen.clone();
        let is_over = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(AtomicU64::new(0));
        let all = Arc::new(Mutex::new(BTreeSet::new()));
        let senders: Vec<_> = (0..2)
            .map(|sender| {
                let (listen, all) = (listen.clone(), Arc::clone(&all));
                let (is_over, answers) = (Arc::clone(&is_over), Arc::clone(&answers));
                std::thread::spawn(move || {
                    let ids = load(&listen, round * 2 + sender, &is_over, &answers);
                    all.lock().expect("not poisoned").extend(ids);
                })
            })
            .collect();
        // From before the first answer to well within the work, however fast the machine is.
        let (from, begun) = (chance.below(MAX_ANSWERS), Instant::now());
        while answers.load(Ordering::Acquire) < from {
            assert!(begun.elapsed() < TIMEOUT, "the server answers no more");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Not to wait for something, but to be somewhere.
        std::thread::sleep(Duration::from_millis(chance.below(150)));
        is_over.store(true, Ordering::Release);
        server.kill();
        for sender in senders {
            sender.join().expect("sends");
        }
        acknowledged.append(&mut all.lock().expect("not poisoned"));
        let held = oracle::read(&data);
        oracle::audit(&held);
        let there = ids(&held);
        let lost: Vec<&String> = acknowledged.difference(&there).collect();
        assert_eq!(lost, [""; 0], "acknowledged, and gone");
    }
    let held = finish(&data);
    let is_early = times == KILLS_OF_A_FOLDER && (acknowledged.is_empty() || held.alerts.is_empty());
    assert!(!is_early, "nothing was acknowledged before any of the kills");
}

#[test]
fn the_sample_comments_sent_half_killed_and_sent_again_are_there_once_with_the_alerts_they_have() {
    let folder = folder();
    let (undisturbed, killed) = (folder.path().join("undisturbed"), folder.path().join("killed"));
    let server = Server::start(&undisturbed);
    let answer = server.send(SAMPLES);
    assert_eq!((answer["accepted"].as_u64(), answer["repeated"].as_u64()), (Some(420), Some(0)));
    drop(server);
    let wanted = finish(&undisturbed);
    assert_eq!(wanted.comments.len(), 420);

    let server = Server::start(&killed);
    let half = SAMPLES.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(209).expect("420 lines").0;
    server.send(&SAMPLES[..=half]);
    server.kill();
    let waiting = beside(&killed, &["tail", "predictions", "--json", "--until-idle"]);
    // Where it was killed before it was done, nobody works on what is left.
    assert!(waiting.status == Some(0) || waiting.stderr.contains("modstream serve --data"), "{waiting:?}");
    let server = Server::start(&killed);
    let answer = server.send(SAMPLES);
    assert_eq!((answer["accepted"].as_u64(), answer["repeated"].as_u64()), (Some(420), Some(210)));
    drop(server);
    assert_eq!(finish(&killed), wanted);
    let shown = |what: &str| beside(&killed, &["tail", what, "--json", "--until-idle"]).lines().len();
    assert_eq!([shown("comments"), shown("predictions"), shown("alerts")], [420, 420, wanted.alerts.len()]);
}
