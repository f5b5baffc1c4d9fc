use enrollment::batch::BATCH_LEASE;
use enrollment::flows::batch::poll::PollReport;
use enrollment::flows::batch::submit::SubmitReport;
use enrollment::flows::batch::sweep::BatchSweepReport;
use enrollment::ports::IssuerEnrollmentError;
use enrollment::status::Status;
use harness::scripted_issuer_enrollment::{completed, failed, succeeded};
use harness::{BatchFixture, InMemory};
use jiff::SignedDuration;

use enrollment::clock::Clock as _;

const PROFILES: &[(&str, &[&str])] = &[("p1", &["a"])];
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test]
async fn nothing_is_woken_where_nothing_is_due() {
    let fixture = BatchFixture::new(&InMemory).await;
    assert_eq!(fixture.sweep().await, BatchSweepReport::default());
    fixture.submitted("1", PROFILES).await;
    fixture.wakeups.take_polls();
    fixture.clock.advance(-SignedDuration::from_secs(1));
    assert_eq!(fixture.sweep().await.woken, 0);
    assert_eq!(fixture.wakeups.take_polls(), []);
}

#[tokio::test]
async fn work_without_a_message_is_woken() {
    let fixture = BatchFixture::new(&InMemory).await;
    let waiting = fixture.accepted("1", PROFILES).await;
    let polled = fixture.submitted("2", &[("p2", &["b"])]).await;
    fixture.wakeups.take_submissions();
    fixture.wakeups.take_polls();
    let report = fixture.sweep().await;
    let interval = fixture.issuer.poll_interval();
    assert_eq!((report.woken, report.unfinished), (2, 2));
    assert_eq!(
        (report.oldest_unfinished, report.longest_overdue),
        (interval, interval)
    );
    assert_eq!(
        fixture.wakeups.take_submissions(),
        [(waiting, SignedDuration::ZERO)]
    );
    assert_eq!(fixture.wakeups.take_polls(), [(polled, SignedDuration::ZERO)]);
}

#[tokio::test]
async fn lease_of_a_dead_process_is_woken_after_its_end() {
    let fixture = BatchFixture::new(&InMemory).await;
    let id = fixture.accepted("1", PROFILES).await;
    let now = fixture.clock.now();
    let work = enrollment::batch::BatchWork::Submit;
    let batches = &fixture.stores.batches;
    assert!(
        batches
            .acquire(id, work, now, now + BATCH_LEASE)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(fixture.sweep().await.woken, 0);
    fixture.clock.advance(BATCH_LEASE);
    let report = fixture.sweep().await;
    assert_eq!((report.woken, report.longest_overdue), (1, BATCH_LEASE));
}

#[tokio::test]
async fn data_to_delete_is_woken_and_is_no_unfinished_batch() {
    let fixture = BatchFixture::new(&InMemory).await;
    let id = fixture.submitted("1", PROFILES).await;
    fixture
        .mastercard
        .answers_status(Ok(completed(vec![succeeded("a")])));
    fixture.poll(id).await;
    fixture.wakeups.take_polls();
    fixture.clock.advance(SignedDuration::from_hours(24));
    let report = fixture.sweep().await;
    assert_eq!((report.woken, report.unfinished), (1, 0));
    assert_eq!(report.oldest_unfinished, SignedDuration::ZERO);
    assert_eq!(fixture.wakeups.take_polls(), [(id, SignedDuration::ZERO)]);
}

#[tokio::test]
async fn failed_wake_up_does_not_hide_the_others() {
    let fixture = BatchFixture::new(&InMemory).await;
    fixture.accepted("1", PROFILES).await;
    fixture.submitted("2", &[("p2", &["b"])]).await;
    fixture.wakeups.take_submissions();
    fixture.wakeups.take_polls();
    fixture.wakeups.fail();
    let flow = enrollment::flows::batch::sweep::SweepBatches {
        batches: &*fixture.stores.batches,
        digital_cards: &*fixture.stores.digital_cards,
        wakeups: &fixture.wakeups,
        clock: &*fixture.clock,
    };
    assert!(flow.sweep().await.is_err());
    assert_eq!(fixture.wakeups.take_submissions().len(), 1);
    assert_eq!(fixture.wakeups.take_polls().len(), 1);
}

/// Every batch ends whatever is lost: messages come in a random order, doubled or never, processes die with their lease,
/// Mastercard loses answers.
#[tokio::test]
async fn every_batch_ends_in_any_order_of_events() {
    for seed in 0..40 {
        let fixture = BatchFixture::new(&InMemory).await;
        let random = harness::Seeded::new(seed);
        let mut ids = Vec::new();
        for number in 0..4 {
            let card = format!("card-{number}");
            ids.push(
                fixture
                    .accepted(&number.to_string(), &[("p", &[card.as_str()])])
                    .await,
            );
        }
        for step in 0..20_000 {
            let number = random.below(ids.len());
            match random.below(8) {
                0 => fixture
                    .mastercard
                    .answers_submission(Err(IssuerEnrollmentError::unanswered("lost"))),
                1 => fixture
                    .mastercard
                    .answers_status(Err(IssuerEnrollmentError::unanswered("lost"))),
                2 => {
                    let now = fixture.clock.now();
                    let work = if random.below(2) == 0 {
                        enrollment::batch::BatchWork::Submit
                    } else {
                        enrollment::batch::BatchWork::Poll
                    };
                    let batches = &fixture.stores.batches;
                    batches
                        .acquire(ids[number], work, now, now + BATCH_LEASE)
                        .await
                        .unwrap();
                }
                3 | 4 => drop(fixture.submit(ids[number]).await),
                5 => {
                    let card = format!("card-{number}");
                    let answer = if random.below(2) == 0 {
                        succeeded(&card)
                    } else {
                        failed(&card, "INVALID_PAN")
                    };
                    if fixture.stored(ids[number]).await.submission().is_some() && random.below(20) == 0 {
                        fixture.mastercard.answers_status(Ok(completed(vec![answer])));
                    }
                    let report = fixture.poll(ids[number]).await;
                    assert!(!matches!(report, PollReport::ContentDiscarded) || step > 0);
                }
                _ => fixture.clock.advance(MINUTE),
            }
        }
        fixture.clock.advance(fixture.issuer.max_age());
        for id in &ids {
            assert!(matches!(
                fixture.submit(*id).await,
                SubmitReport::NotDue | SubmitReport::Ended
            ));
            fixture.poll(*id).await;
        }
        fixture.clock.advance(SignedDuration::from_hours(24));
        for id in &ids {
            fixture.poll(*id).await;
            fixture.submit(*id).await;
            let batch = fixture.stored(*id).await;
            let status = batch.result().expect("it ended").status;
            assert!(matches!(status, Status::SuccessBatch | Status::ErrorBatch));
        }
        assert_eq!(fixture.confirmations().await.len(), ids.len(), "seed {seed}");
    }
}
