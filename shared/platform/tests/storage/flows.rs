//! Cases of `harness` over the product's adapters; `enrollment` runs the same cases over the reference model.

harness::settlement_tests!(
    engine::case_on_every_engine,
    [ignore = "needs the local AWS: cargo xtask test --only storage"]
);

#[test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
fn cases_run_on_both_engines() {
    let mut names: Vec<String> = engine::engines().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["dynamodb-local", "ministack"]);
}

mod batch_conformance {
    harness::batch_conformance_tests!(
        engine::batch_case_on_every_engine,
        [ignore = "needs the local AWS: cargo xtask test --only storage"]
    );
}

mod conformance {
    harness::conformance_tests!(
        engine::case_on_every_engine,
        [ignore = "needs the local AWS: cargo xtask test --only storage"]
    );
}
