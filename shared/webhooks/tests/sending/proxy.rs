use std::{env, io, net::TcpListener, process::Command};

use crate::{post, server::Server, settings};

/// Also run by the next test, in a child process with a proxy in its environment.
#[tokio::test]
async fn post_reaches_its_server() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    assert_eq!(post(&server, &settings()).await.unwrap().status, 200);
    server.request().await;
}

/// A process can't change its own environment without unsafe code.
#[test]
fn proxy_in_the_environment_is_ignored() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    for scheme in ["http", "socks5"] {
        let address = format!("{scheme}://{}", proxy.local_addr().unwrap());
        let names = [
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
            "HTTP_PROXY",
            "http_proxy",
        ];
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "proxy::post_reaches_its_server"])
            .envs(names.map(|name| (name, &address)))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && report.contains("1 passed"), "{report}");
        let accepted = proxy.accept().map_err(|error| error.kind());
        assert_eq!(accepted.err(), Some(io::ErrorKind::WouldBlock), "{scheme}");
    }
}
