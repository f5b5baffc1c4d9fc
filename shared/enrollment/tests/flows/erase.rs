use enrollment::flows::erase::{ErasureCause, ErasureError, ErasureReport};
use enrollment::identifiers::CustomerId;
use enrollment::intent::Customer;
use enrollment::status::MrsCode;
use harness::Fixture;
use harness::mrs::{CancelBehavior, EnrollBehavior, FaultProfile, Mrs};
use harness::scripted_mrs::EnrollmentAnswer;

fn customer() -> CustomerId {
    CustomerId::parse("customer-5d7703f9").unwrap()
}

/// A customer with cards, as many as asked for.
async fn with_cards(count: usize) -> (Fixture, Mrs) {
    let (fixture, _) = Fixture::on_model(|_| {});
    let mrs = Mrs::new(fixture.clock.clone());
    for _ in 0..count {
        fixture.enroll_at(&mrs, &customer()).await;
    }
    (fixture, mrs)
}

fn active(mrs: &Mrs) -> usize {
    mrs.accounts().iter().filter(|account| account.is_active).count()
}

fn cause(result: Result<ErasureReport, ErasureError>) -> (ErasureCause, usize, bool) {
    let error = result.unwrap_err();
    (error.cause, error.progress.cancelled, error.progress.has_begun)
}

#[tokio::test]
async fn unknown_customer_is_reported() {
    let (fixture, mrs) = with_cards(0).await;
    let (why, ..) = cause(fixture.erase(&mrs, &customer(), true).await);
    assert!(matches!(why, ErasureCause::Nobody), "{why}");
}

#[tokio::test]
async fn active_cards_are_erased_on_request_only() {
    let (fixture, mrs) = with_cards(2).await;
    let (why, cancelled, has_begun) = cause(fixture.erase(&mrs, &customer(), false).await);
    assert!(matches!(why, ErasureCause::ActiveCards(2)), "{why}");
    assert_eq!((cancelled, has_begun, active(&mrs)), (0, false, 2));
    assert_eq!(fixture.cards().await, (2, 0));

    let report = fixture.erase(&mrs, &customer(), true).await.unwrap();
    let expected = ErasureReport {
        cards: 2,
        cancelled: 2,
        intents: 2,
        confirmations: 2,
        sessions: 2,
    };
    assert_eq!(report, expected);
    assert_eq!(active(&mrs), 0);
    assert_eq!(fixture.customer().await, Customer::default());
    assert_eq!(fixture.confirmations().await.len(), 0, "none is waited for");
    let (why, ..) = cause(fixture.erase(&mrs, &customer(), true).await);
    assert!(matches!(why, ErasureCause::Nobody), "{why}");
}

#[tokio::test]
async fn others_keep_their_records() {
    let (fixture, mrs) = with_cards(1).await;
    let other = CustomerId::parse("customer-2").unwrap();
    fixture.enroll_at(&mrs, &other).await;
    fixture.erase(&mrs, &customer(), true).await.unwrap();
    assert_eq!(active(&mrs), 1);
    assert_eq!(fixture.confirmations().await.len(), 1);
    assert_eq!(fixture.erase(&mrs, &other, true).await.unwrap().cards, 1);
}

#[tokio::test]
async fn open_intent_is_waited_for() {
    let (fixture, mrs) = with_cards(1).await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    let (why, _, has_begun) = cause(fixture.erase(&mrs, &customer(), true).await);
    assert!(matches!(why, ErasureCause::DueIntent), "{why}");
    assert_eq!((has_begun, active(&mrs)), (false, 1));
}

#[tokio::test]
async fn refused_cancellation_erases_nothing() {
    let (fixture, mrs) = with_cards(2).await;
    mrs.follow(FaultProfile {
        then_cancels: CancelBehavior::Declines(-10),
        ..FaultProfile::always(EnrollBehavior::Succeeds)
    });
    let (why, cancelled, has_begun) = cause(fixture.erase(&mrs, &customer(), true).await);
    assert!(matches!(why, ErasureCause::Refused(MrsCode(-10))), "{why}");
    assert_eq!((cancelled, has_begun), (0, false));
    assert_eq!(fixture.cards().await, (2, 0));
}

#[tokio::test]
async fn unanswered_cancellation_is_resumed_by_the_next_run() {
    let (fixture, mrs) = with_cards(2).await;
    mrs.follow(FaultProfile {
        cancels: &[CancelBehavior::Succeeds, CancelBehavior::LosesAnswer],
        ..FaultProfile::always(EnrollBehavior::Succeeds)
    });
    let (why, cancelled, has_begun) = cause(fixture.erase(&mrs, &customer(), true).await);
    assert!(matches!(why, ErasureCause::NoAnswer), "{why}");
    assert_eq!((cancelled, has_begun), (1, false));
    assert_eq!(fixture.cards().await, (1, 0), "what was cancelled is stored");
    let report = fixture.erase(&mrs, &customer(), true).await.unwrap();
    assert_eq!((report.cards, report.cancelled), (2, 1));
    assert_eq!(active(&mrs), 0);
}
