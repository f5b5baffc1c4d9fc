use flows::call::{self, Answer};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::*;

const ALWAYS: u32 = 1_000_000;
const PUT: &str = "DynamoDB_20120810.PutItem";
const SEND: &str = "AmazonSQS.SendMessage";

/// Requests to the server behind the proxy.
type Asked = mpsc::UnboundedReceiver<(http::request::Parts, Bytes)>;

#[tokio::test]
async fn call_and_answer_pass_unchanged() {
    let (proxy, mut asked) = proxy(Faults::default()).await;
    let request = Request::put(format!("{}/2015-03-31/functions/a%2Fb?x=%20&y", proxy.url()))
        .header("x-amz-target", PUT)
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request",
        )
        .body(b"\x00\xffbody".to_vec());
    let answer = send(request.unwrap()).await.unwrap();
    assert_eq!((answer.status, answer.text()), (201, "done"));
    assert_eq!(answer.header("x-amzn-requestid"), "1");

    let (head, body) = asked.recv().await.unwrap();
    assert_eq!(head.method, "PUT");
    assert_eq!(head.uri, "/2015-03-31/functions/a%2Fb?x=%20&y");
    assert!(
        head.headers["authorization"]
            .to_str()
            .unwrap()
            .contains("/dynamodb/")
    );
    assert_eq!(head.headers["host"], proxy.url()["http://".len()..]);
    assert_eq!(body, &b"\x00\xffbody"[..]);
    assert_eq!(proxy.injected(), BTreeMap::new());
}

#[tokio::test]
async fn refused_call_is_not_passed_on() {
    let (proxy, mut asked) = proxy(Faults {
        refused: ALWAYS,
        ..Faults::default()
    })
    .await;
    let mut kinds = Vec::new();
    for _ in 0..20 {
        let answer = send(call_of(&proxy, PUT)).await.unwrap();
        assert_eq!(answer.status, 400);
        kinds.push(answer.json()["__type"].as_str().unwrap().to_owned());
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "com.amazonaws.dynamodb.v20120810#ThrottlingException"
        ]
    );
    assert!(asked.try_recv().is_err());
    assert_eq!(proxy.injected().values().sum::<usize>(), 20);
}

#[tokio::test]
async fn unanswered_call_is_done_and_then_cut() {
    let (proxy, mut asked) = proxy(Faults {
        unanswered: ALWAYS,
        ..Faults::default()
    })
    .await;
    assert!(send(call_of(&proxy, PUT)).await.is_none());
    assert!(asked.try_recv().is_ok());
    assert!(asked.try_recv().is_err());
    assert_eq!(proxy.injected(), BTreeMap::from([(Injected::Unanswered, 1)]));
}

#[tokio::test]
async fn doubled_message_is_sent_twice_and_answered_once() {
    let (proxy, mut asked) = proxy(Faults {
        doubled: ALWAYS,
        ..Faults::default()
    })
    .await;
    assert_eq!(send(call_of(&proxy, SEND)).await.unwrap().status, 201);
    let [(_, first), (_, second)] = [asked.try_recv().unwrap(), asked.try_recv().unwrap()];
    assert_eq!((first, asked.try_recv().is_err()), (second, true));
    assert_eq!(proxy.injected(), BTreeMap::from([(Injected::Doubled, 1)]));
}

#[tokio::test]
async fn faults_affect_their_operations_only() {
    let everything = Faults {
        seed: 1,
        refused: ALWAYS,
        unanswered: ALWAYS,
        doubled: ALWAYS,
    };
    let (proxy, mut asked) = proxy(everything).await;
    for target in [
        "TrentService.Decrypt",
        "secretsmanager.GetSecretValue",
        "AmazonSQS.ReceiveMessage",
    ] {
        assert_eq!(
            send(call_of(&proxy, target)).await.unwrap().status,
            201,
            "{target}"
        );
        assert!(asked.try_recv().is_ok(), "{target}");
    }
    assert!(asked.try_recv().is_err());
    assert_eq!(proxy.injected(), BTreeMap::new());
}

#[tokio::test]
async fn proxy_ends_on_drop() {
    let (proxy, _asked) = proxy(Faults::default()).await;
    let address = proxy.address;
    drop(proxy);
    let refuses = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, refuses).await.is_ok());
}

/// A proxy before a server that answers everything with 201.
async fn proxy(faults: Faults) -> (AwsProxy, Asked) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let aws = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tell = tell.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let tell = tell.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                    tell.send((head, body)).map_err(io::Error::other)?;
                    let answer = Response::builder().status(201).header("x-amzn-requestid", "1");
                    answer
                        .body(Full::new(Bytes::from("done")))
                        .map_err(io::Error::other)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (AwsProxy::start(&aws, faults).await.unwrap(), asked)
}

fn call_of(proxy: &AwsProxy, target: &str) -> Request<Vec<u8>> {
    let request = Request::post(proxy.url()).header("x-amz-target", target);
    request.body(b"{}".to_vec()).unwrap()
}

/// `None` where the connection is cut.
async fn send(request: Request<Vec<u8>>) -> Option<Answer> {
    spawn_blocking(|| call::send(request)).await.ok()
}

#[tokio::test]
async fn no_fault_is_injected_while_paused() {
    let faults = Faults {
        refused: ALWAYS,
        ..Faults::default()
    };
    let (proxy, _asked) = proxy(faults).await;
    proxy.set_paused(true);
    assert_eq!(send(call_of(&proxy, PUT)).await.unwrap().status, 201);
    proxy.set_paused(false);
    assert_eq!(send(call_of(&proxy, PUT)).await.unwrap().status, 400);
}
