use enrollment::flows::reconcile::{
    Difference, ReconciliationReport, ReconciliationResult, Repair, RepairPolicy,
};
use enrollment::identifiers::{CustomerId, IntentId};
use enrollment::intent::{Card, CardState};
use enrollment::status::Status;
use harness::Fixture;
use harness::mrs::{CancelBehavior, EnrollBehavior, FaultProfile, LookUpAnswer, Mrs};
use harness::scripted_mrs::EnrollmentAnswer;

const REPAIR: RepairPolicy = RepairPolicy::UpTo { accepted: 0 };

fn customer(number: usize) -> CustomerId {
    CustomerId::parse(&format!("customer-{number}")).unwrap()
}

/// Customers with a card each.
async fn with_customers(count: usize) -> (Fixture, Mrs, Vec<IntentId>) {
    let (fixture, _) = Fixture::on_model(|_| {});
    let mrs = Mrs::new(fixture.clock.clone());
    let mut cards = Vec::new();
    for number in 0..count {
        cards.push(fixture.enroll_at(&mrs, &customer(number)).await);
    }
    // MRS lists other last four digits than the page gave: they are corrected once.
    fixture
        .reconcile(&mrs, RepairPolicy::UpTo { accepted: count })
        .await
        .unwrap();
    (fixture, mrs, cards)
}

async fn card(fixture: &Fixture, number: usize) -> Card {
    let customer = fixture
        .stores
        .customers
        .customer(&fixture.client, &fixture.program, &customer(number))
        .await
        .unwrap();
    customer.cards[0].clone()
}

fn report(result: ReconciliationResult) -> ReconciliationReport {
    match result {
        ReconciliationResult::Done(report) => report,
        ReconciliationResult::Refused(report) => panic!("it was refused: {report:?}"),
    }
}

fn found(differences: &[Difference]) -> Vec<(&'static str, Repair)> {
    let found = differences
        .iter()
        .map(|difference| (difference.kind.as_str(), difference.repair));
    found.collect()
}

#[tokio::test]
async fn equal_sides_have_no_difference() {
    let (fixture, mrs, _) = with_customers(3).await;
    let (result, differences) = fixture.reconcile(&mrs, RepairPolicy::ReportOnly).await.unwrap();
    let expected = ReconciliationReport {
        customers: 3,
        agreed: 3,
        ..ReconciliationReport::default()
    };
    assert_eq!(report(result), expected);
    assert_eq!(differences, []);
}

#[tokio::test]
async fn last_four_digits_of_mrs_are_taken_over() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let mrs = Mrs::new(fixture.clock.clone());
    fixture.enroll_at(&mrs, &customer(0)).await;
    let (result, differences) = fixture.reconcile(&mrs, RepairPolicy::ReportOnly).await.unwrap();
    assert_eq!((report(result).differing, report(result).left), (1, 1));
    assert_eq!(found(&differences), [("last4", Repair::NotRequested)]);
    assert_eq!(card(&fixture, 0).await.last4.as_str(), "0123");
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!((report(result).differing, report(result).left), (1, 0));
    assert_eq!(found(&differences), [("last4", Repair::Repaired)]);
    assert_eq!(card(&fixture, 0).await.last4.as_str(), "9999");
}

#[tokio::test]
async fn card_that_mrs_cancelled_is_cancelled_here() {
    let (fixture, mrs, _) = with_customers(2).await;
    mrs.set_active(&card(&fixture, 0).await.ranac, false);
    let (result, differences) = fixture.reconcile(&mrs, RepairPolicy::ReportOnly).await.unwrap();
    assert_eq!((report(result).differing, report(result).left), (1, 1));
    assert_eq!(found(&differences), [("missing", Repair::NotRequested)]);
    assert_eq!(card(&fixture, 0).await.state, CardState::Active);

    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!((report(result).differing, report(result).left), (1, 0));
    assert_eq!(found(&differences), [("missing", Repair::Repaired)]);
    assert!(matches!(
        card(&fixture, 0).await.state,
        CardState::Cancelled { .. }
    ));
    let (result, _) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!((report(result).differing, report(result).agreed), (0, 1));
}

#[tokio::test]
async fn card_that_is_cancelled_here_is_cancelled_at_mrs() {
    let (fixture, mrs, _) = with_customers(2).await;
    let ranac = card(&fixture, 0).await.ranac;
    mrs.set_active(&ranac, false);
    fixture.reconcile(&mrs, REPAIR).await.unwrap();
    mrs.set_active(&ranac, true);
    let (_, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!(found(&differences), [("still-active", Repair::Repaired)]);
    let account = &mrs.accounts()[0];
    assert!(!account.is_active, "{account:?}");
}

#[tokio::test]
async fn repair_that_mrs_refuses_is_reported_as_failed() {
    let (fixture, mrs, _) = with_customers(2).await;
    let ranac = card(&fixture, 0).await.ranac;
    mrs.set_active(&ranac, false);
    fixture.reconcile(&mrs, REPAIR).await.unwrap();
    mrs.set_active(&ranac, true);
    mrs.follow(FaultProfile {
        then_cancels: CancelBehavior::Declines(-10),
        ..FaultProfile::always(EnrollBehavior::Succeeds)
    });
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!(found(&differences), [("still-active", Repair::Failed)]);
    assert_eq!((report(result).differing, report(result).left), (1, 1));
}

#[tokio::test]
async fn stray_card_is_cancelled_at_mrs() {
    let (fixture, mrs, _) = with_customers(3).await;
    let known = card(&fixture, 0).await;
    mrs.set_active(&known.ranac, false);
    let stray = mrs.add_account(&known.bank_customer_number, &fixture.program);
    let (_, differences) = fixture
        .reconcile(&mrs, RepairPolicy::UpTo { accepted: 2 })
        .await
        .unwrap();
    let mut kinds = found(&differences);
    kinds.sort_unstable_by_key(|(kind, _)| *kind);
    assert_eq!(
        kinds,
        [("missing", Repair::Repaired), ("stray", Repair::Repaired)]
    );
    let accounts = mrs.accounts();
    let account = accounts.iter().find(|account| account.ranac == stray.expose());
    assert!(!account.unwrap().is_active);
}

#[tokio::test]
async fn card_of_a_failed_enrollment_is_a_stray() {
    let (fixture, mrs, _) = with_customers(1).await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    let intent = fixture.intent(&session, "a").await;
    assert_eq!(intent.outcome().unwrap().status, Status::ErrorEnrollment);
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!(
        (report(result).differing, differences.len()),
        (0, 0),
        "MRS has none"
    );
    mrs.add_account(&intent.bank_customer_number, &fixture.program);
    let (_, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    assert_eq!(found(&differences), [("stray", Repair::Repaired)]);
    assert_eq!(differences[0].customer, None);
}

#[tokio::test]
async fn many_differences_are_refused_until_accepted() {
    let (fixture, mrs, cards) = with_customers(5).await;
    for number in 0..cards.len() - 1 {
        mrs.set_active(&card(&fixture, number).await.ranac, false);
    }
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    let ReconciliationResult::Refused(refused) = result else {
        panic!("four of five differ: {result:?}")
    };
    assert_eq!((refused.differing, refused.agreed, refused.left), (4, 1, 4));
    assert!(
        differences
            .iter()
            .all(|difference| difference.repair == Repair::NotRequested)
    );
    assert_eq!(card(&fixture, 0).await.state, CardState::Active);
    let accepted = RepairPolicy::UpTo { accepted: 4 };
    let (result, differences) = fixture.reconcile(&mrs, accepted).await.unwrap();
    assert_eq!((report(result).left, differences.len()), (0, 4));
}

#[tokio::test]
async fn unintelligible_answers_are_unknown_and_never_repaired() {
    let (fixture, mrs, _) = with_customers(2).await;
    mrs.follow(FaultProfile {
        find_answers: &[LookUpAnswer::Unintelligible; 9],
        ..FaultProfile::always(EnrollBehavior::Succeeds)
    });
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    let unknown = report(result);
    assert_eq!((unknown.unknown, unknown.differing, unknown.left), (2, 0, 0));
    assert_eq!(
        found(&differences),
        [
            ("unknown", Repair::NotRequested),
            ("unknown", Repair::NotRequested)
        ]
    );
}

#[tokio::test]
async fn customer_with_an_open_intent_is_skipped() {
    let (fixture, mrs, _) = with_customers(1).await;
    let session = fixture
        .open_session(|session| session.customer = customer(0))
        .await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    mrs.set_active(&card(&fixture, 0).await.ranac, false);
    let (result, differences) = fixture.reconcile(&mrs, REPAIR).await.unwrap();
    let expected = ReconciliationReport {
        customers: 1,
        unsettled: 1,
        ..ReconciliationReport::default()
    };
    assert_eq!((report(result), differences.len()), (expected, 0));
}
