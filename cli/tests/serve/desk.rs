//! The desk that a server shows.

use crate::server::{SAMPLES, Server, folder};

#[test]
fn the_link_signs_in_once_and_the_desk_has_the_alerts() {
    let folder = folder();
    let server = Server::start(folder.path());
    server.send(SAMPLES);
    let alerts = server.beside(&["tail", "alerts", "--json", "--until-idle"]).lines();
    assert!(!alerts.is_empty());
    let path = server.desk.strip_prefix(&format!("http://{}", server.listen)).expect("its own address").to_owned();
    let ask = |method: &str, path: &str, cookie: &str, host: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n\r\n"
        );
        server.raw(request.as_bytes()).expect("an answer")
    };
    assert_eq!(ask("GET", "/", "", &server.listen).status, 401, "nobody is signed in");
    let signed_in = ask("POST", &path, "", &server.listen);
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    let cookie = signed_in.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    let desk = ask("GET", "/", cookie, &server.listen);
    assert!(desk.status == 200 && desk.body.contains("removal"), "{desk:?}");
    assert_ne!(ask("POST", &path, "", &server.listen).status, 303, "the link was used");
    // A page elsewhere made its own name point here.
    assert_eq!(ask("GET", "/", cookie, "evil.example").status, 421);
    assert_eq!(ask("GET", "/", cookie, &format!("{}\r\nhost: evil.example", server.listen)).status, 421);
    // Another link, for another moderator.
    let link = server.beside(&["desk-link", "--moderator", "maja"]);
    assert_eq!(link.status, Some(0), "{link:?}");
    let other =
        link.stdout.trim().strip_prefix(&format!("http://{}", server.listen)).expect("the same desk").to_owned();
    assert_eq!(ask("POST", &other, "", &server.listen).status, 303);
    // An alert's own links lead here, too.
    let keep = alerts[0]["data"]["links"]["keep"].as_str().expect("a link");
    let keep = keep.strip_prefix(&format!("http://{}", server.listen)).expect("the same desk");
    assert_eq!(ask("GET", keep, "", &server.listen).status, 200);
}
