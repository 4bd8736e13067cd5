//! A copy that is made while the server works.

use std::fs;

use crate::oracle;
use crate::server::{SAMPLES, Server, folder};

#[test]
fn a_copy_of_a_live_server_is_whole_and_can_be_served() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    server.send(SAMPLES);
    server.beside(&["tail", "predictions", "--json", "--until-idle"]).lines();
    let copy = folder.path().join("copy.db");
    fs::write(&copy, "an older copy").expect("writes");
    let to = copy.to_str().expect("text");
    let done = server.beside(&["backup", "--to", to, "--json"]).done();
    assert_eq!(done["bytes"].as_u64(), fs::metadata(&copy).ok().map(|file| file.len()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&copy).expect("is there").permissions().mode() & 0o777, 0o600);
    }
    // What comes later is not in it.
    server.send(br#"{"id":"later","body":"one more"}"#);
    // Not onto itself, nor onto what belongs to it.
    for name in ["modstream.db", "modstream.db-wal", "serve.lock", "another.db"] {
        let own = server.data.join(name);
        let refused = server.beside(&["backup", "--to", own.to_str().expect("text")]);
        assert!(refused.status == Some(1) && refused.stderr.contains("the data folder"), "{name}: {refused:?}");
    }

    let restored = folder.path().join("restored");
    fs::create_dir(&restored).expect("made");
    fs::rename(&copy, restored.join("modstream.db")).expect("moved");
    let again = Server::start(&restored);
    let answer = again.send(SAMPLES);
    assert_eq!(answer["repeated"].as_u64(), Some(420));
    assert!(again.end().success());
    let held = oracle::read(&restored);
    oracle::audit(&held);
    assert_eq!((held.comments.len(), held.predicted.len()), (420, 420));
}
